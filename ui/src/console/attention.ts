/**
 * Calls the agent back to the tab: count in the title, dot on the icon, number on the installed app; in one tab of the browser also a
 * sound and a notice of the system, if they are switched on.
 */
import { effect } from '../signals';
import iconFile from './icons/icon.svg?url&no-inline';
import iconNewFile from './icons/icon-new.svg?url&no-inline';
import { t } from '../i18n/console';
import type { AgentClient } from '../model';
import { DesktopNotices, type Fresh } from './notices/desktop';
import { createLead } from './notices/lead';
import { createSounds } from './notices/sounds';
import type { ConsoleState } from './state';

/** Between two sounds about what is still unanswered. */
const REPEAT_MS = 10_000;

/** Unread messages of this agent's conversations, and what is offered to them. */
interface Waiting {
  unread: ReadonlyMap<string, number>;
  offers: ReadonlySet<string>;
}

function waitingOf(client: AgentClient): Waiting {
  const mine = client.conversations.value.filter((item) => item.tabs.mine && item.unread);
  return {
    unread: new Map(mine.map((item) => [item.id, item.unread])),
    offers: new Set(client.offers.value.map((offer) => offer.conv)),
  };
}

const count = ({ unread, offers }: Waiting): number => [...unread.values()].reduce((a, b) => a + b, 0) + offers.size;

/** What waits for this agent: unread of their conversations, and offers. */
export function waitingFor(client: AgentClient): number {
  return client.session.value === 'signed-in' ? count(waitingOf(client)) : 0;
}

function freshOf(before: Waiting, now: Waiting): Fresh[] {
  const words = [...now.unread].filter(([conv, n]) => n > (before.unread.get(conv) ?? 0));
  const offers = [...now.offers].filter((conv) => !before.offers.has(conv));
  return [
    ...words.map(([conv]) => ({ kind: 'words' as const, conv })),
    ...offers.map((conv) => ({ kind: 'offer' as const, conv })),
  ];
}

export function watchAttention(state: ConsoleState, client: AgentClient): () => void {
  const { notices } = state;
  const sounds = createSounds();
  const lead = createLead();
  const desktop = new DesktopNotices(state, client);
  const unfollow = notices.follow();
  const ring = () => {
    if (notices.sound.peek() && !notices.quiet.peek() && lead.leads())
      sounds.ring(notices.tone.peek(), notices.volume.peek());
  };
  const notify = async (fresh: readonly Fresh[]) => {
    if (!notices.desktop.peek() || notices.quiet.peek() || !lead.leads()) return;
    if (!(await lead.watched())) desktop.show(fresh);
  };
  // The service worker had a push: a page that lost its connection looks at once.
  const pushed = () => void (client.connection.peek().state !== 'online' && client.reconnect());
  navigator.serviceWorker?.addEventListener('message', pushed);
  let before: Waiting | null = null;
  let joined = false;
  let timer: ReturnType<typeof setInterval> | undefined;
  const stop = effect(() => {
    const now = client.session.value === 'signed-in' ? waitingOf(client) : null;
    const n = now ? count(now) : 0;
    showCount(n);
    desktop.keep(new Set(now ? [...now.unread.keys(), ...now.offers] : []));
    // The server may have another key since, or have lost who subscribed.
    if (now && !joined && notices.push.peek() && client.connection.value.state === 'online') {
      joined = true;
      void import('./notices/push').then(({ joinPush }) => joinPush(client, notices)).catch(() => undefined);
    }
    // Not for what was there already when the page came.
    const fresh = before && now ? freshOf(before, now) : [];
    before = now;
    if (fresh.length) {
      ring();
      void notify(fresh);
    }
    if (!n || !notices.repeat.value) {
      clearInterval(timer);
      timer = undefined;
    } else timer ??= setInterval(ring, REPEAT_MS);
  });
  return () => {
    stop();
    clearInterval(timer);
    desktop.keep(new Set());
    lead.dispose();
    navigator.serviceWorker?.removeEventListener('message', pushed);
    unfollow();
  };
}

function showCount(n: number): void {
  document.title = `${n ? `(${n > 99 ? '99+' : n}) ` : ''}kefu · ${t('app')}`;
  const link = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
  const href = n ? iconNewFile : iconFile;
  if (link && link.getAttribute('href') !== href) link.setAttribute('href', href);
  // of the installed app; elsewhere nothing, or a refusal
  void navigator.setAppBadge?.(n).catch(() => undefined);
}
