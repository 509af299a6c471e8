/** What the panel reports to the launcher, and so to the page's own scripts. Never the text of a message. */
import type { VisitorClient } from '../model';
import { effect } from '../signals';
import { lastWhere } from '../ui/group';
import type { Tell } from './contract';

export function announce(client: VisitorClient, tell: Tell): void {
  let ready = false;
  effect(() => {
    if (ready || !client.site.value) return;
    ready = true;
    tell('ready', undefined);
  });
  effect(() => tell('unread', client.unread.value));
  let lastSeq = -1;
  effect(() => {
    const thread = client.thread.value;
    const last = lastWhere(thread?.messages.value ?? [], (m) => !m.mine && m.kind !== 'event' && m.seq !== null);
    if (!thread?.synced.value) return;
    const seq = last?.seq ?? 0;
    // What was there before this page came is history, not news.
    if (lastSeq >= 0 && last && seq > lastSeq) tell('message', { side: last.side, at: last.at });
    lastSeq = Math.max(lastSeq, seq);
  });
}
