/**
 * Filters that a person saved under a name. Kept in this browser, for each person apart; whoever keeps them elsewhere replaces
 * `browserViews`.
 */
import { NO_FILTER, SORTS, STATES, PRIORITIES, type View } from './filters';
import { store, stored } from './settings';

export interface ViewStore {
  load(user: string): View[];
  save(user: string, views: readonly View[]): void;
}

/** Views of one person. */
export const MAX_VIEWS = 30;
/** Characters of a name. */
export const MAX_NAME = 40;

const strings = (of: unknown): string[] => (Array.isArray(of) ? of.filter((s) => typeof s === 'string') : []);
const among = <T extends string>(of: unknown, known: readonly T[]): T[] => known.filter((k) => strings(of).includes(k));

function readView(v: Partial<View> | null): View | null {
  if (typeof v?.name !== 'string' || !v.name) return null;
  return {
    ...NO_FILTER,
    name: v.name.slice(0, MAX_NAME),
    tab: among([v.tab], ['mine', 'queue', 'missed', 'all'] as const)[0] ?? 'mine',
    sort: among([v.sort], SORTS)[0] ?? 'auto',
    states: among(v.states, STATES),
    sites: strings(v.sites),
    tags: strings(v.tags),
    priorities: among(v.priorities, PRIORITIES),
  };
}

export const browserViews: ViewStore = {
  load(user) {
    try {
      const read: unknown = JSON.parse(stored(`views.${user}`) ?? '[]');
      return Array.isArray(read) ? read.flatMap((v) => readView(v) ?? []).slice(0, MAX_VIEWS) : [];
    } catch {
      return [];
    }
  },
  save(user, views) {
    store(`views.${user}`, JSON.stringify(views.slice(0, MAX_VIEWS)));
  },
};
