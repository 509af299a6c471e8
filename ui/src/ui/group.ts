/** Lays a thread out: days, groups of one sender within a minute, the line before what is new. Pure. */
import type { Message } from '../model';
import { dayOf } from './time';

const WINDOW_MS = 60_000;
/** Messages of a group at most. */
export const MAX_GROUP = 32;

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

/** `firstUnread` is the id of the message before which the line is shown. */
export function layOut(messages: readonly Message[], firstUnread: string | null = null): Row[] {
  const rows: Row[] = [];
  let today: number | null = null;
  for (const message of messages) {
    // a form that nothing was asked in, unless it failed by itself
    if (
      message.form &&
      !Object.values(message.form.fields).some(Boolean) &&
      (message.state !== 'failed' || message.over)
    )
      continue;
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
    const group = row?.kind === 'group' && row.messages.length < MAX_GROUP ? row.messages : null;
    if (group && joins(group[group.length - 1]!, message)) group.push(message);
    else rows.push({ kind: 'group', key: message.id, messages: [message] });
  }
  return rows;
}

/** `findLast` for browsers from before 2022. */
export function lastWhere<T>(list: readonly T[], is: (item: T) => boolean): T | undefined {
  for (let i = list.length - 1; i >= 0; i--) if (is(list[i]!)) return list[i];
  return undefined;
}

/** Messages in the page while its reader is at the end, and at most. Both, and every step, are multiples of a group. */
export const AT_END = 96;
export const AT_MOST = 288;

/** Which messages of a thread are in the page: from `from`, up to `to`. */
export interface View {
  from: number;
  to: number;
}

/** The newest. What comes moves it by whole groups, so that those that stay are not rendered again. */
export function newest(length: number): View {
  return { from: Math.max(0, Math.floor((length - AT_END) / MAX_GROUP) * MAX_GROUP), to: length };
}

/** One step towards the beginning (−1) or the end (1); what is far from it goes. */
export function moved({ from, to }: View, by: -1 | 1, length: number): View {
  if (by < 0) {
    const start = Math.max(0, from - AT_END);
    return { from: start, to: Math.min(to, start + AT_MOST) };
  }
  const end = Math.min(length, to + AT_END);
  return { from: Math.max(from, Math.ceil((end - AT_MOST) / MAX_GROUP) * MAX_GROUP), to: end };
}

/** A message with what is before and after it. */
export function around(at: number, length: number): View {
  const from = Math.max(0, Math.floor((at - AT_END) / MAX_GROUP) * MAX_GROUP);
  return { from, to: Math.min(length, from + AT_MOST) };
}

/** The view of a reader who is elsewhere than at the end, when the thread has another length. */
export function held({ from, to }: View, length: number): View {
  return length < to ? newest(length) : { from, to };
}
