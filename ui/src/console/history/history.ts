/** What the history shows: filters and the open conversation are in the address, the rest is here. */
import type { AgentClient, HistoryFilter } from '../../model';
import type { Found, SearchFilter } from '../../search/client';
import { signal } from '../../signals';
import { go, historyHash, historyParams } from '../route';
import { search } from '../search';

/** As the address and the fields have them; dates as `2026-11-30`, of this computer's calendar. */
export interface Filters {
  from?: string;
  to?: string;
  team?: string;
  site?: string;
  agent?: string;
  state?: string;
  tag?: string;
  reason?: string;
  rating?: string;
}

const NAMES = ['from', 'to', 'team', 'site', 'agent', 'state', 'tag', 'reason', 'rating'] as const;
/** Empty pages that are asked for in a row before the person is asked whether to go on. */
const EMPTY_PAGES = 20;
/** Results of a search at first, and more each time. */
const HITS = 50;

export function filtersNow(): Filters {
  const params = historyParams();
  return Object.fromEntries(NAMES.flatMap((name) => (params.get(name) ? [[name, params.get(name)!]] : [])));
}

export const openNow = (): string | null => /^[0-9a-f]{32}$/.exec(historyParams().get('c') ?? '')?.[0] ?? null;

/** Midnight at which a day begins here, ms; `days` later. */
function dayStart(date: string | undefined, days: number): number | undefined {
  const m = /^(\d{4})-(\d\d)-(\d\d)$/.exec(date ?? '');
  return m ? new Date(Number(m[1]), Number(m[2]) - 1, Number(m[3]) + days).getTime() : undefined;
}

/** For the server. */
export function filterOf({ from, to, team, site, agent, state, tag, reason, rating }: Filters): HistoryFilter {
  return {
    from: dayStart(from, 0),
    to: dayStart(to, 1),
    team,
    site,
    agent,
    state: state === 'open' || state === 'closed' ? state : undefined,
    tag,
    reason,
    rating: /^[1-5]$/.test(rating ?? '') ? Number(rating) : undefined,
  };
}

/** For the index: who wrote it, when it was written. */
const searchFilterOf = ({ from, to, team, site, agent }: Filters): SearchFilter => ({
  from: dayStart(from, 0),
  to: dayStart(to, 1),
  team,
  site,
  who: agent,
});

export class HistoryState {
  /** Conversations by id, in the order of the server. */
  readonly ids = signal<readonly string[]>([]);
  readonly phase = signal<'loading' | 'more' | 'end' | 'failed'>('loading');
  readonly query = signal('');
  /** Null: nothing is searched for. */
  readonly found = signal<Found | null>(null);
  readonly searchFailed = signal(false);
  /** The message that a result led to, in the open conversation. */
  readonly target = signal<{ conv: string; msg: string } | null>(null);
  private next: string | undefined;
  private life = 0;
  private asked = 0;
  private limit = HITS;

  constructor(private readonly client: AgentClient) {}

  /** Another filter: from the newest. */
  async begin(): Promise<void> {
    this.life++;
    this.next = undefined;
    this.ids.value = [];
    await this.load();
  }

  async load(): Promise<void> {
    const { life, client } = this;
    this.phase.value = 'loading';
    try {
      for (let i = 0; i < EMPTY_PAGES; i++) {
        const page = await client.history(filterOf(filtersNow()), this.next);
        if (life !== this.life) return;
        this.next = page.next;
        const known = new Set(this.ids.value);
        const fresh = page.convs.map((c) => c.id).filter((id) => !known.has(id));
        if (fresh.length) this.ids.value = [...this.ids.value, ...fresh];
        if (fresh.length || this.next === undefined) break;
      }
      this.phase.value = this.next === undefined ? 'end' : 'more';
    } catch (e) {
      console.error(e);
      if (life === this.life) this.phase.value = 'failed';
    }
  }

  setFilters(filters: Filters): void {
    go(historyHash({ ...filters, c: openNow() ?? undefined }), true);
  }

  /** `msg`: the message that is to be seen. */
  select(conv: string | null, msg?: string): void {
    this.target.value = conv && msg ? { conv, msg } : null;
    go(historyHash({ ...filtersNow(), c: conv ?? undefined }), openNow() !== null && conv !== null);
  }

  async find(typed: string): Promise<void> {
    this.query.value = typed;
    this.limit = HITS;
    await this.again();
  }

  async moreHits(): Promise<void> {
    this.limit += HITS;
    await this.again();
  }

  /** The index has grown, or the filter is another one. */
  async again(): Promise<void> {
    const index = search.peek();
    const typed = this.query.peek().trim();
    const mine = ++this.asked;
    if (!typed || !index) {
      this.found.value = null;
      return;
    }
    try {
      const found = await index.search(typed, searchFilterOf(filtersNow()), this.limit);
      if (mine !== this.asked) return;
      this.found.value = found;
      this.searchFailed.value = false;
    } catch (e) {
      console.error(e);
      if (mine === this.asked) this.searchFailed.value = true;
    }
  }
}
