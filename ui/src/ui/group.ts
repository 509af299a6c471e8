/** Lays a thread out: days, groups of one sender within a minute, the line before what is new. Pure. */
import type { Message } from '../model';
import { dayOf } from './time';

const WINDOW_MS = 60_000;

export type Row =
  | { kind: 'day'; key: string; at: number }
  | { kind: 'unread'; key: string }
  | { kind: 'event'; key: string; message: Message }
  | { kind: 'group'; key: string; messages: Message[] };

function joins(last: Message, next: Message): boolean {
  return (
    last.side === next.side &&
    last.author?.kid === next.author?.kid &&
    last.mine === next.mine &&
    (last.kind === 'note') === (next.kind === 'note') &&
    last.kind !== 'form' &&
    next.kind !== 'form' &&
    last.state !== 'failed' &&
    (last.seq === null) === (next.seq === null) &&
    !next.missingBefore &&
    !next.unordered &&
    Math.floor(last.at / WINDOW_MS) === Math.floor(next.at / WINDOW_MS)
  );
}

/** `firstUnread` is the id of the message before which the line stands. */
export function layOut(messages: readonly Message[], firstUnread: string | null = null): Row[] {
  const rows: Row[] = [];
  let today: number | null = null;
  for (const message of messages) {
    // a form that nothing was asked in
    if (message.form && !Object.values(message.form.fields).some(Boolean) && message.state !== 'failed') continue;
    if (dayOf(message.at) !== today) {
      today = dayOf(message.at);
      rows.push({ kind: 'day', key: `d${today}-${message.id}`, at: message.at });
    }
    if (message.id === firstUnread) rows.push({ kind: 'unread', key: 'unread' });
    if (message.kind === 'event') {
      rows.push({ kind: 'event', key: message.id, message });
      continue;
    }
    const row = rows[rows.length - 1];
    if (row?.kind === 'group' && joins(row.messages[row.messages.length - 1]!, message)) row.messages.push(message);
    else rows.push({ kind: 'group', key: message.id, messages: [message] });
  }
  return rows;
}

/** `findLast` for browsers of before 2022. */
export function lastWhere<T>(list: readonly T[], is: (item: T) => boolean): T | undefined {
  for (let i = list.length - 1; i >= 0; i--) if (is(list[i]!)) return list[i];
  return undefined;
}
