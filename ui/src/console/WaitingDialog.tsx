/** The people who enrolled late, one by one, and what an admin does about them. */
import type { AgentClient, WaitingPerson } from '../model';
import { t } from '../i18n/console';
import { Avatar } from '../ui/Avatar';
import { Button } from '../ui/Button';
import { Dialog } from '../ui/Dialog';
import { full } from '../ui/time';
import { askedAbout, idOf, putAside } from './Waiting';
import { useConsole } from './useConsole';
import './Waiting.css';

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
