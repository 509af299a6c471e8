/** Which conversations of a tab are shown, and in which order. Rules only; what can be chosen is in `FilterPanel.tsx`. */
import type { ConvItem, Labels, Priority, Tab } from '../model';

/** States that one may ask for; a conversation is shown if it is in any of those that are on. */
export const STATES = ['mywait', 'unanswered', 'robot', 'snoozed', 'closed'] as const;
export type StateFilter = (typeof STATES)[number];
export const PRIORITIES: readonly Priority[] = ['urgent', 'high', 'normal', 'low'];
export const SORTS = ['auto', 'waiting', 'newest', 'priority'] as const;
export type Sort = (typeof SORTS)[number];

/** Empty lists ask for nothing. */
export interface Filter {
  states: readonly StateFilter[];
  sites: readonly string[];
  tags: readonly string[];
  priorities: readonly Priority[];
}
export const NO_FILTER: Filter = { states: [], sites: [], tags: [], priorities: [] };

/** A filter under a name. */
export interface View extends Filter {
  name: string;
  tab: Tab;
  sort: Sort;
}

export const isOn = (f: Filter): boolean => f.states.length + f.sites.length + f.tags.length + f.priorities.length > 0;

export const priorityOf = (item: ConvItem): Priority => item.conv.priority ?? 'normal';

/** Whether a conversation is in a state. `me`: the agent who asks. */
export function isIn(item: ConvItem, state: StateFilter): boolean {
  const { conv } = item;
  const open = conv.state === 'open';
  switch (state) {
    case 'mywait':
      return item.tabs.mine && waitsSince(item) !== null;
    case 'unanswered':
      return waitsSince(item) !== null;
    case 'robot':
      return open && conv.owner === 'robot';
    case 'snoozed':
      return open && conv.snoozed !== undefined;
    case 'closed':
      return !open;
  }
}

/** Since when its visitor waits for a person, ms; null if they do not, or if it is put aside. */
export function waitsSince(item: ConvItem): number | null {
  if (item.conv.state !== 'open' || item.conv.snoozed !== undefined) return null;
  return item.unanswered ?? item.waitingSince;
}

/** Which answer is due, and how soon the team means to give it, ms; null: it has not said. */
export function targetOf(item: ConvItem, labels: Labels): number | null {
  const target = labels.targets[item.conv.team];
  const seconds = item.unmet === false ? target?.next : target?.first;
  return seconds ? seconds * 1_000 : null;
}

/**
 * When that answer is late, ms: what lies outside of the team's hours does not count. Infinity: not in the time that is known; null: there
 * is no target.
 */
export function dueAt(item: ConvItem, since: number, labels: Labels): number | null {
  const target = targetOf(item, labels);
  const hours = labels.hours?.find(({ teams }) => teams.includes(item.conv.team));
  if (target === null || !hours) return target && since + target;
  let left = target;
  for (const [from, until] of hours.times) {
    const begins = Math.max(from, since);
    if (begins >= until) continue;
    if (begins + left <= until) return begins + left;
    left -= until - begins;
  }
  return Infinity;
}

/** Those of a tab without a filter: what is put aside is not in the way. */
export function ofTab(items: readonly ConvItem[], tab: Tab): ConvItem[] {
  const aside = tab === 'mine' || tab === 'queue';
  return items.filter((item) => item.tabs[tab] && !(aside && isIn(item, 'snoozed')));
}

const fits = <T>(wanted: readonly T[], has: (one: T) => boolean): boolean => !wanted.length || wanted.some(has);

export function matches(item: ConvItem, f: Filter): boolean {
  return (
    fits(f.states, (state) => isIn(item, state)) &&
    fits(f.sites, (site) => item.conv.site === site) &&
    fits(f.tags, (tag) => item.conv.tags?.includes(tag) ?? false) &&
    fits(f.priorities, (priority) => priorityOf(item) === priority)
  );
}

/** `auto`: the queue has its longest wait on top, the missed ones what was missed last, the others their newest word. */
function order(tab: Tab, sort: Sort): ((a: ConvItem, b: ConvItem) => number) | null {
  const wait = (item: ConvItem): number => waitsSince(item) ?? Infinity;
  const waiting = (a: ConvItem, b: ConvItem): number => (wait(a) === wait(b) ? b.lastAt - a.lastAt : wait(a) - wait(b));
  const rank = (item: ConvItem): number => PRIORITIES.indexOf(priorityOf(item));
  if (sort === 'waiting') return waiting;
  if (sort === 'priority') return (a, b) => rank(a) - rank(b) || waiting(a, b);
  if (sort === 'newest') return null;
  if (tab === 'missed') return (a, b) => (b.conv.missed ?? 0) - (a.conv.missed ?? 0);
  return tab === 'queue' ? (a, b) => (a.waitingSince ?? a.lastAt) - (b.waitingSince ?? b.lastAt) : null;
}

/** What the list shows. `items` come newest first. */
export function shownIn(items: readonly ConvItem[], tab: Tab, filter: Filter, sort: Sort): ConvItem[] {
  // who asks for a state asks for all that are in it, put aside or not
  const within = filter.states.length ? items.filter((item) => item.tabs[tab]) : ofTab(items, tab);
  const found = within.filter((item) => matches(item, filter));
  const by = order(tab, sort);
  return by ? found.sort(by) : found;
}
