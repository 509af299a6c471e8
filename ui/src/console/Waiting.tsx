/** People who enrolled late: an admin is asked about them, everyone else sees that they wait. */
import type { AgentClient, WaitingPerson } from '../model';
import { t } from '../i18n/console';
import { Banner } from '../ui/Banner';
import { Button } from '../ui/Button';
import { now } from '../ui/time';
import type { ConsoleState } from './state';
import { useConsole } from './useConsole';

export const idOf = (p: WaitingPerson): string => `${p.user} ${p.until}`;

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
