/** What the panel reports to the launcher, and so to the page's own scripts. Never the text of a message. */
import type { VisitorClient } from '../model';
import { effect } from '../signals';
import { lastWhere } from '../ui/group';
import type { Tell } from './contract';

/** Returns how to stop. */
export function announce(client: VisitorClient, tell: Tell): () => void {
  const stops: (() => void)[] = [];
  let ready = false;
  stops.push(
    effect(() => {
      if (ready || !client.site.value) return;
      ready = true;
      tell('ready', undefined);
    }),
  );
  // Nothing is unread until told: a page hears changes only, whenever the panel was loaded.
  let unread = 0;
  stops.push(
    effect(() => {
      const now = client.unread.value;
      if (now === unread) return;
      unread = now;
      tell('unread', now);
    }),
  );
  let lastSeq = -1;
  stops.push(
    effect(() => {
      const thread = client.thread.value;
      const last = lastWhere(thread?.messages.value ?? [], (m) => !m.mine && m.kind !== 'event' && m.seq !== null);
      if (!thread?.synced.value) return;
      const seq = last?.seq ?? 0;
      // What was there before this page came is history, not news.
      if (lastSeq >= 0 && last && seq > lastSeq) tell('message', { side: last.side, at: last.at });
      lastSeq = Math.max(lastSeq, seq);
    }),
  );
  return () => stops.forEach((stop) => stop());
}
