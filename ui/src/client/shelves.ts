/** The knowledge of sites for an agent's suggestions: fetched when first wanted, asked for again now and then, kept in memory only. */
import { Refused } from '../link/errors';
import type { Env } from '../link/env';
import { refusal } from '../link/http';
import type { Shelf } from '../model';
import { Code } from '../proto';
import { signal, type Signal } from '../signals';
import { Search, type Entry } from '../knowledge/search';

/** Older than this is asked for again when it is wanted, ms. */
const FRESH_MS = 5 * 60_000;
/** After a failure it is asked for again sooner, ms. */
const AGAIN_MS = 30_000;

interface Kept {
  shelf: Signal<Shelf>;
  tag?: string;
  asked: number;
}

export class Shelves {
  private readonly sites = new Map<string, Kept>();

  constructor(
    private readonly server: string,
    private readonly env: Env,
  ) {}

  /** What is there of a site now; more comes by itself. */
  of(site: string, token: string): Signal<Shelf> {
    let kept = this.sites.get(site);
    if (!kept) this.sites.set(site, (kept = { shelf: signal<Shelf>({ state: 'loading' }), asked: -Infinity }));
    if (this.env.now() - kept.asked > FRESH_MS) {
      kept.asked = this.env.now();
      void this.load(site, kept, token);
    }
    return kept.shelf;
  }

  clear(): void {
    this.sites.clear();
  }

  private async load(site: string, kept: Kept, token: string): Promise<void> {
    try {
      const headers: Record<string, string> = { Authorization: `Bearer ${token}` };
      if (kept.tag !== undefined) headers['If-None-Match'] = kept.tag;
      const got = await this.env.fetch(`${this.server}/api/v1/knowledge/${encodeURIComponent(site)}`, { headers });
      if (got.status === 304) return;
      if (!got.ok) throw await refusal(got);
      const { entries } = (await got.json()) as { entries: Entry[] };
      kept.tag = got.headers.get('ETag') ?? undefined;
      kept.shelf.value = entries.length ? { state: 'here', search: new Search(entries) } : { state: 'none' };
    } catch (e) {
      const tooLarge = e instanceof Refused && e.code === Code.too_large;
      // what was fetched before is better than nothing
      if (tooLarge || kept.shelf.value.state !== 'here') kept.shelf.value = { state: tooLarge ? 'too-large' : 'failed' };
      if (!tooLarge) kept.asked += AGAIN_MS - FRESH_MS;
    }
  }
}
