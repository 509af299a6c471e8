/** The knowledge of sites for an agent's suggestions: fetched when first wanted, asked for again now and then, kept in memory only. */
import { Search, type Entry } from '../knowledge/search';
import type { Env } from '../link/env';
import { patience, Refused } from '../link/errors';
import { refusal } from '../link/http';
import type { Shelf } from '../model';
import { Code } from '../proto';
import { signal, type ReadonlySignal, type Signal } from '../signals';

/** Older than this is asked for again when it is wanted, ms. */
const FRESH_MS = 5 * 60_000;
/** After a failure, ms. */
const AGAIN_MS = 30_000;

interface Kept {
  shelf: Signal<Shelf>;
  tag?: string;
  asked: number;
  timer?: ReturnType<typeof setTimeout>;
}

export class Shelves {
  private readonly sites = new Map<string, Kept>();

  /** `token`: throws without a connection. */
  constructor(
    private readonly server: string,
    private readonly env: Env,
    private readonly token: () => string,
  ) {}

  /** What is there of a site now; more comes by itself. */
  of(site: string): ReadonlySignal<Shelf> {
    let kept = this.sites.get(site);
    if (!kept) this.sites.set(site, (kept = { shelf: signal<Shelf>({ state: 'loading' }), asked: -Infinity }));
    if (this.env.now() - kept.asked > FRESH_MS) void this.load(site, kept);
    return kept.shelf;
  }

  clear(): void {
    for (const { timer } of this.sites.values()) clearTimeout(timer);
    this.sites.clear();
  }

  private async load(site: string, kept: Kept): Promise<void> {
    kept.asked = this.env.now();
    clearTimeout(kept.timer);
    try {
      // whoever asked is rendering: nothing changes under them
      await Promise.resolve();
      const headers: Record<string, string> = { Authorization: `Bearer ${this.token()}` };
      if (kept.tag !== undefined) headers['If-None-Match'] = kept.tag;
      const got = await this.env.fetch(`${this.server}/api/v1/knowledge/${encodeURIComponent(site)}`, { headers });
      if (got.status === 304) return;
      if (!got.ok) throw await refusal(got);
      const { entries } = (await got.json()) as { entries: Entry[] };
      kept.tag = got.headers.get('ETag') ?? undefined;
      kept.shelf.value = entries.length ? { state: 'here', search: new Search(entries) } : { state: 'none' };
    } catch (e) {
      const code = e instanceof Refused ? e.code : 0;
      if (code === Code.too_large) kept.shelf.value = { state: 'too-large' };
      else if (code === Code.forbidden || code === Code.not_found) kept.shelf.value = { state: 'none' };
      else this.later(site, kept, patience(e, AGAIN_MS));
    }
  }

  /** What was fetched before is better than nothing. */
  private later(site: string, kept: Kept, ms: number): void {
    if (kept.shelf.value.state !== 'here') kept.shelf.value = { state: 'failed' };
    if (this.sites.get(site) === kept) kept.timer = setTimeout(() => void this.load(site, kept), ms);
  }
}
