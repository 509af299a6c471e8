/** The knowledge of sites for an agent's suggestions: fetched when first wanted, asked for again now and then, kept in memory only. */
import { Search, type Entry } from '../knowledge/search';
import type { Env } from '../link/env';
import { retryDelay, Refused } from '../link/errors';
import { refusal } from '../link/http';
import type { SiteKnowledge } from '../model';
import { Code } from '../proto';
import { signal, type ReadonlySignal, type Signal } from '../signals';

/** Older than this is asked for again when it is wanted, ms. */
const FRESH_MS = 5 * 60_000;
/** After a failure, ms. */
const AGAIN_MS = 30_000;

interface Kept {
  knowledge: Signal<SiteKnowledge>;
  tag?: string;
  asked: number;
  timer?: ReturnType<typeof setTimeout>;
}

export class KnowledgeCache {
  private readonly sites = new Map<string, Kept>();

  /** `token`: throws without a connection. */
  constructor(
    private readonly server: string,
    private readonly env: Env,
    private readonly token: () => string,
  ) {}

  /** What is there of a site now; more comes by itself. */
  of(site: string): ReadonlySignal<SiteKnowledge> {
    let kept = this.sites.get(site);
    if (!kept)
      this.sites.set(site, (kept = { knowledge: signal<SiteKnowledge>({ state: 'loading' }), asked: -Infinity }));
    if (this.env.now() - kept.asked > FRESH_MS) void this.load(site, kept);
    return kept.knowledge;
  }

  clear(): void {
    for (const { timer } of this.sites.values()) clearTimeout(timer);
    this.sites.clear();
  }

  private async load(site: string, kept: Kept): Promise<void> {
    kept.asked = this.env.now();
    clearTimeout(kept.timer);
    try {
      // the page that asked is rendering: nothing changes under it
      await Promise.resolve();
      const headers: Record<string, string> = { Authorization: `Bearer ${this.token()}` };
      if (kept.tag !== undefined) headers['If-None-Match'] = kept.tag;
      const got = await this.env.fetch(`${this.server}/api/v1/knowledge/${encodeURIComponent(site)}`, { headers });
      if (got.status === 304) return;
      if (!got.ok) throw await refusal(got);
      const { entries } = (await got.json()) as { entries: Entry[] };
      kept.tag = got.headers.get('ETag') ?? undefined;
      kept.knowledge.value = entries.length ? { state: 'here', search: new Search(entries) } : { state: 'none' };
    } catch (e) {
      const code = e instanceof Refused ? e.code : 0;
      if (code === Code.too_large) kept.knowledge.value = { state: 'too-large' };
      else if (code === Code.forbidden || code === Code.not_found) kept.knowledge.value = { state: 'none' };
      else this.later(site, kept, retryDelay(e, AGAIN_MS));
    }
  }

  /** What was fetched before is better than nothing. */
  private later(site: string, kept: Kept, ms: number): void {
    if (kept.knowledge.value.state !== 'here') kept.knowledge.value = { state: 'failed' };
    if (this.sites.get(site) === kept) kept.timer = setTimeout(() => void this.load(site, kept), ms);
  }
}
