/** Which of the console's screens: opening, signing in, locked, or the desk. */
import { useEffect } from 'preact/hooks';
import type { AgentClient, ErrorKey, Me, Notice } from '../model';
import { console_, errorText, t, type ConsoleKey } from '../i18n/console';
import { clockVars } from '../i18n/errors';
import { clocks, wrongClock } from '../link/clock';
import { Banner } from '../ui/Banner';
import * as icon from '../ui/icons';
import { Toasts } from './Toasts';
import { useSignalEffect } from '../ui/signals';
import { watchAttention } from './attention';
import { Desk } from './Desk';
import { HandedBack, takeDropped } from './HandedBack';
import { SignIn } from './SignIn';
import type { ConsoleState } from './state';
import { useConsole } from './useConsole';

const CLOCK = { mine: 'clockMine', server: 'clockServer', either: 'error.clock' } as const;

export function App({ client }: { client: AgentClient }) {
  const state = useConsole();
  const session = client.session.value;
  const trust = client.trust.value;
  useEffect(() => watchAttention(state, client), [state, client]);
  useNotices(state, client);
  useSignalEffect(() => {
    if (client.dropped.value.length) queueMicrotask(() => takeDropped(state, client));
  });
  useSignalEffect(() => {
    if (client.session.value !== 'signed-out') return;
    takeDropped(state, client);
    state.forgetDrafts();
    state.select(null);
  });
  return (
    <>
      {trust.mode === 'broken' && (
        <Banner kind="danger" icon={icon.alert}>
          {t('trustBroken', { why: errorText(trust.reason) })}
        </Banner>
      )}
      {clocks.value && (
        <Banner kind="warn" icon={icon.alert}>
          {t(CLOCK[wrongClock() ?? 'either'], clockVars())}
        </Banner>
      )}
      {session === 'loading' ? (
        <p class="c-loading" role="status">
          <span class="k-spin" aria-hidden="true" /> {t('loading')}
        </p>
      ) : session === 'signed-in' ? (
        <Desk client={client} />
      ) : (
        <SignIn client={client} locked={session === 'locked'} />
      )}
      <HandedBack />
      <Toasts />
    </>
  );
}

/** A role is a word of the page's language. */
function paramsOf({ key, params }: Notice): Notice['params'] {
  return key === 'notice.role' ? { role: t(`role.${params!.role as Me['role']}`) } : params;
}

/** Notices of the client become toasts, once each. */
function useNotices({ toasts }: ConsoleState, client: AgentClient): void {
  useSignalEffect(() => {
    for (const notice of client.notices.value) {
      if (!(notice.key in console_.zh)) continue;
      const key = notice.key as ConsoleKey | ErrorKey;
      toasts.show(() => t(key, paramsOf(notice)), notice.kind);
      queueMicrotask(() => client.dismiss(notice.id));
    }
  });
}
