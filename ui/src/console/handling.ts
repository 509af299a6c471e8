/** How agents sort conversations, in words: lines of a thread, choices, times. */
import type { ConvItem, Labels, Priority, ThreadEvent } from '../model';
import { listOf } from '../i18n/core';
import { t } from '../i18n/console';
import { dayOf, full } from '../ui/time';

type HandlingEvent = Extract<
  ThreadEvent,
  { t: 'tagged' | 'priority' | 'reason' | 'snoozed' | 'woken' | 'blocked' | 'unblocked' }
>;

const labelName = (list: Labels['tags'], id: string): string => list.find((label) => label.id === id)?.name ?? id;
export const tagName = (labels: Labels, id: string): string => labelName(labels.tags, id);
export const reasonName = (labels: Labels, id: string): string => labelName(labels.reasons, id);

/** The line of an event. `by`: who did it, as the thread names them. */
export function handlingText(e: HandlingEvent, by: string, labels: Labels): string {
  switch (e.t) {
    case 'tagged': {
      const ids = e.is.split(' ').filter(Boolean);
      return ids.length
        ? t('evTagged', { name: by, tags: listOf(ids.map((id) => tagName(labels, id))) })
        : t('evUntagged', { name: by });
    }
    case 'priority':
      return t('evPriority', { name: by, priority: t(`priority.${e.is as Priority}`) });
    case 'reason':
      return t('evReason', { reason: reasonName(labels, e.is) });
    case 'snoozed':
      return t('evSnoozed', { name: by, at: full(e.until) });
    case 'woken':
      return e.by === '@time'
        ? t('evWokenTime')
        : e.by === 'visitor'
          ? t('evWokenVisitor')
          : t('evWoken', { name: by });
    case 'blocked':
      return t('evBlocked', { name: by, at: full(e.until) });
    case 'unblocked':
      return t('evUnblocked', { name: by });
  }
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** As long as it takes until the visitor writes, about. */
export const UNTIL_WORD_MS = 90 * DAY;
/** When a working day begins, by the clock of this computer. */
const MORNING = 9;

export type SnoozeChoice = 'hour' | 'hours' | 'tomorrow' | 'monday' | 'word';
export const SNOOZES: readonly SnoozeChoice[] = ['hour', 'hours', 'tomorrow', 'monday', 'word'];

const morning = (at: number, days: number): number => {
  const day = new Date(dayOf(at));
  day.setDate(day.getDate() + days);
  return day.setHours(MORNING);
};

/** When a choice ends, ms. */
export function snoozeUntil(choice: SnoozeChoice, now: number): number {
  switch (choice) {
    case 'hour':
      return now + HOUR;
    case 'hours':
      return now + 3 * HOUR;
    case 'tomorrow':
      return morning(now, 1);
    case 'monday':
      return morning(now, (8 - new Date(now).getDay()) % 7 || 7);
    case 'word':
      return now + UNTIL_WORD_MS;
  }
}

/** For a line: until when it is put aside. */
export const snoozedText = (until: number, now: number): string =>
  until - now > UNTIL_WORD_MS - DAY ? t('snoozedWord') : t('snoozedUntil', { at: full(until) });

/** What of a conversation its owner, a supervisor, or after the close who answered last may sort. The server decides. */
export const mayHandle = (item: ConvItem, me: { user: string; role: string } | null): boolean =>
  me !== null && (item.conv.owner === `agent:${me.user}` || me.role !== 'agent' || item.conv.state === 'closed');
