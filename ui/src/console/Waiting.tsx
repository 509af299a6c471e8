/** People who enrolled late: an admin is asked about them, everyone else sees that they wait. */
import type { AgentClient, WaitingPerson } from '../model';
import { t } from '../i18n/console';
import { Avatar } from '../ui/Avatar';
import { Banner } from '../ui/Banner';
import { Button } from '../ui/Button';
import { Dialog } from '../ui/Dialog';
import { full, now } from '../ui/time';
import type { ConsoleState } from './state';
import { useConsole } from './useConsole';

const idOf = (p: WaitingPerson): string => `${p.user} ${p.until}`;

/** Those whose invite expired before anyone confirmed them. */
export const latePeople = (client: AgentClient): readonly WaitingPerson[] =>
  client.waiting.value.filter((p) => now.value > p.until);
export const isLate = (client: AgentClient, user: string): boolean => latePeople(client).some((p) => p.user === user);

/** The people an admin is asked about. */
export const askedAbout = (state: ConsoleState, client: AgentClient): WaitingPerson[] =>
  client.me.value?.role === 'admin' ? latePeople(client).filter((p) => !state.putAside.value.has(idOf(p))) : [];

export function putAside(state: ConsoleState, p: WaitingPerson): void {
  state.putAside.value = new Set(state.putAside.peek()).add(idOf(p));
}

export function WaitingBar({ client }: { client: AgentClient }) {
  const state = useConsole();
  const n = askedAbout(state, client).length;
  return n ? (
    <Banner
      kind="warn"
      action={
        <Button size="sm" kind="primary" onClick={() => (state.dialog.value = 'waiting')}>
          {t('waitingReview')}
        </Button>
      }
    >
      {t('waitingBar', { n })}
    </Banner>
  ) : null;
}

export function WaitingDialog({ client, onClose }: { client: AgentClient; onClose: () => void }) {
  const state = useConsole();
  const people = askedAbout(state, client);
  const settled = () => void (askedAbout(state, client).length || onClose());
  const confirm = async (p: WaitingPerson) => {
    if (!(await state.acts.once(`confirm ${p.user}`, () => client.confirm(p.user)))) return;
    state.toasts.show(() => t('waitingDone', { name: p.name }), 'info');
    settled();
  };
  return (
    <Dialog title={t('waitingTitle')} onClose={onClose}>
      <p class="c-lead">{t('waitingText')}</p>
      {people.map((p) => (
        <article key={idOf(p)} class="c-waits">
          <Avatar name={p.name} size="sm" />
          <div class="k-grow">
            <h3>
              <bdi>{p.name}</bdi> <small>{t('waitingWho', { user: p.user })}</small>
            </h3>
            <p>
              {p.invitedBy === null ? t('waitingByRoot') : p.invitedBy && t('waitingBy', { name: p.invitedBy })}
              {p.at !== null && <span>{t('waitingAt', { at: full(p.at) })}</span>}
              <span>{t('waitingUntil', { at: full(p.until) })}</span>
            </p>
            <p class="k-hint">{t('waitingDisable', { user: p.user })}</p>
            <div class="c-offer-acts">
              <Button
                size="sm"
                onClick={() => {
                  putAside(state, p);
                  settled();
                }}
              >
                {t('waitingLeave')}
              </Button>
              <Button size="sm" busy={state.acts.isBusy(`confirm ${p.user}`)} onClick={() => void confirm(p)}>
                {t('waitingConfirm')}
              </Button>
            </div>
          </div>
        </article>
      ))}
    </Dialog>
  );
}
