/** How many messages of a conversation wait to be read. */
import type { Message } from '../model';

/** From the end: what was read is not counted again at every change. `given`: a line that shows that it was given to this agent. */
export function countUnread(
  messages: readonly Message[],
  read: number,
  role: 'visitor' | 'agent',
  given: ((m: Message) => boolean) | undefined,
): number {
  let n = 0;
  let wasGiven = false;
  for (let i = messages.length - 1; i >= 0; i--) {
    const m = messages[i]!;
    if (m.seq !== null && m.seq <= read) break;
    if (!m.mine && m.seq !== null && m.kind === 'text' && (m.side !== 'robot' || role === 'visitor')) n++;
    wasGiven ||= given?.(m) === true;
  }
  return n || (wasGiven ? 1 : 0);
}
