/** The index of one person's history: segments, what is known of each conversation, and the search in both. */
import { matches, parseQuery, snippetOf, type Snippet } from './query';
import { buildSegment, Segment, Texts, textHash, type Doc, type DocHead } from './segment';

/** What is kept of a conversation. */
export interface ConvRow {
  team: string;
  site: string;
  created: number;
  /** What the visitor called themselves, or ''. */
  name: string;
  /** Up to this record it was read. */
  have: number;
  /** Lines that this person has no key for. */
  locked: number;
}

/** What is written together, or not at all. */
export interface Change {
  /** null: it goes. */
  segments: [number: number, parts: { index: Uint8Array; texts: Uint8Array } | null][];
  convs: [id: string, row: ConvRow | null][];
}

/** Where the index is kept. */
export interface SegmentStore {
  load(): Promise<{ segments: [number, Uint8Array][]; convs: [string, ConvRow][] }>;
  texts(segment: number): Promise<Uint8Array>;
  write(change: Change): Promise<void>;
}

/** Messages of a segment, at most. */
export const SEGMENT_DOCS = 4096;
/** Messages that wait in memory to be written together. */
const PENDING_DOCS = 1024;
/** Bytes of texts that stay in memory. */
const TEXTS_BYTES = 24 * 1024 * 1024;
/** Texts that one search looks at; what it then has not found, it says. */
const LOOKED_AT = 10_000;
/** Messages in all. Also what fits beside a time in a number that sorts. */
export const MAX_DOCS = 500_000;
const REFS = 2 ** 20;

/** None of a field: whatever it is. */
export interface SearchFilter {
  team?: string;
  site?: string;
  /** Who wrote the message: user id of an agent, `visitor` or `robot`. */
  who?: string;
  /** It was written at this time or later, ms. */
  from?: number;
  /** It was written before this time, ms. */
  to?: number;
}

export interface Hit extends DocHead {
  /** What the visitor called themselves, or ''. */
  name: string;
  site: string;
  snippet: Snippet;
}

export interface Found {
  hits: Hit[];
  /** There may be more. */
  more: boolean;
}

export class SearchIndex {
  readonly convs = new Map<string, ConvRow>();
  private readonly segments = new Map<number, Segment>();
  /** Segments that have messages of a conversation. */
  private readonly where = new Map<string, Set<number>>();
  private readonly texts = new Map<number, Texts>();
  private pending: Doc[] = [];
  private readonly drops = new Map<number, Set<number>>();
  private readonly dirty = new Set<string>();
  private next = 0;

  private constructor(private readonly store: SegmentStore) {}

  static async open(store: SegmentStore): Promise<SearchIndex> {
    const made = new SearchIndex(store);
    await made.reload();
    return made;
  }

  /** Another tab may have written. */
  async reload(): Promise<void> {
    const { segments, convs } = await this.store.load();
    this.segments.clear();
    this.convs.clear();
    this.where.clear();
    this.texts.clear();
    this.next = 0;
    for (const [n, bytes] of segments) this.put(n, new Segment(bytes));
    for (const [id, row] of convs) this.convs.set(id, row);
  }

  private put(n: number, segment: Segment): void {
    this.segments.set(n, segment);
    this.next = Math.max(this.next, n + 1);
    for (const conv of segment.convs) {
      const there = this.where.get(conv);
      if (there) there.add(n);
      else this.where.set(conv, new Set([n]));
    }
  }

  private forget(n: number): void {
    for (const conv of this.segments.get(n)?.convs ?? []) this.where.get(conv)?.delete(n);
    this.segments.delete(n);
    this.texts.delete(n);
  }

  /** Messages in it. */
  get size(): number {
    let n = this.pending.length;
    for (const [i, segment] of this.segments) n += segment.docs - (this.drops.get(i)?.size ?? 0);
    return n;
  }

  /** Bytes that stay in memory, about. */
  get bytes(): number {
    let n = 0;
    for (const segment of this.segments.values()) n += segment.bytes.length;
    for (const texts of this.texts.values()) n += texts.size;
    return n;
  }

  /** What a conversation says now; null: it is gone. What it no longer says leaves the index with the next `commit`. */
  update(conv: string, row: ConvRow | null, docs: readonly Doc[]): void {
    this.pending = this.pending.filter((doc) => doc.conv !== conv);
    const now = new Map(docs.map((doc) => [doc.seq, doc]));
    for (const n of this.where.get(conv) ?? []) {
      const segment = this.segments.get(n)!;
      const of = segment.convs.indexOf(conv);
      for (let i = 0; i < segment.docs; i++) {
        if (segment.convOf(i) !== of || this.drops.get(n)?.has(i)) continue;
        const doc = now.get(segment.seqOf(i));
        if (doc && textHash(doc.text) === segment.hashOf(i)) now.delete(doc.seq);
        else this.drop(n, i);
      }
    }
    this.pending.push(...now.values());
    if (row) this.convs.set(conv, row);
    else this.convs.delete(conv);
    this.dirty.add(conv);
  }

  private drop(segment: number, doc: number): void {
    const there = this.drops.get(segment);
    if (there) there.add(doc);
    else this.drops.set(segment, new Set([doc]));
  }

  /** Whether it is time to write: enough waits, or something must leave. */
  get due(): boolean {
    return this.pending.length >= PENDING_DOCS || this.drops.size > 0;
  }

  /** Writes what changed, all of it or nothing. Segments that lose a message are made anew without it. */
  async commit(): Promise<void> {
    if (!this.dirty.size) return;
    const change: Change = { segments: [], convs: [] };
    for (const [n, gone] of this.drops) {
      const docs = (await this.docsOf(n)).filter((_, i) => !gone.has(i));
      change.segments.push([n, docs.length ? buildSegment(docs) : null]);
    }
    let rest = this.pending;
    const last = this.next - 1;
    const tail = this.segments.get(last);
    if (rest.length && tail && tail.docs < SEGMENT_DOCS) {
      const gone = this.drops.get(last);
      const docs = (await this.docsOf(last)).filter((_, i) => !gone?.has(i));
      const room = SEGMENT_DOCS - docs.length;
      docs.push(...rest.slice(0, room));
      rest = rest.slice(room);
      change.segments = [...change.segments.filter(([n]) => n !== last), [last, buildSegment(docs)]];
    }
    for (let n = this.next; rest.length; n++, rest = rest.slice(SEGMENT_DOCS))
      change.segments.push([n, buildSegment(rest.slice(0, SEGMENT_DOCS))]);
    for (const conv of this.dirty) change.convs.push([conv, this.convs.get(conv) ?? null]);
    await this.store.write(change);
    for (const [n, parts] of change.segments) {
      this.forget(n);
      if (parts) this.put(n, new Segment(parts.index));
    }
    this.pending = [];
    this.drops.clear();
    this.dirty.clear();
  }

  private async docsOf(n: number): Promise<Doc[]> {
    const segment = this.segments.get(n)!;
    const texts = await this.textsOf(n);
    return Array.from({ length: segment.docs }, (_, i) => ({ ...segment.head(i), text: texts.get(i) }));
  }

  /** The newest used stay in memory. */
  private async textsOf(n: number): Promise<Texts> {
    const texts = this.texts.get(n) ?? new Texts(await this.store.texts(n));
    this.texts.delete(n);
    this.texts.set(n, texts);
    let bytes = 0;
    for (const one of this.texts.values()) bytes += one.size;
    for (const [old, one] of this.texts) {
      if (bytes <= TEXTS_BYTES || old === n) break;
      bytes -= one.size;
      this.texts.delete(old);
    }
    return texts;
  }

  /** The newest messages that match, in conversations of these teams. */
  async search(typed: string, filter: SearchFilter, teams: readonly string[], limit: number): Promise<Found> {
    const query = parseQuery(typed);
    if (!query.clauses.length) return { hits: [], more: false };
    const all: { segment: Segment; texts: () => Promise<Texts> | Texts; drops?: Set<number> }[] = [];
    for (const [n, segment] of this.segments)
      all.push({ segment, texts: () => this.texts.get(n) ?? this.textsOf(n), drops: this.drops.get(n) });
    if (this.pending.length) {
      const { index, texts } = buildSegment(this.pending);
      const waiting = new Texts(texts);
      all.push({ segment: new Segment(index), texts: () => waiting });
    }
    const keys: number[] = [];
    const bases: number[] = [];
    let base = 0;
    for (const { segment, drops } of all) {
      bases.push(base);
      const wanted = this.wanted(segment, filter, teams);
      for (const doc of segment.find(query.terms)) {
        if (drops?.has(doc) || !wanted(doc)) continue;
        // the time in seconds above, the place below
        keys.push(Math.floor(segment.at(doc) / 1000) * REFS + base + doc);
      }
      base += segment.docs;
    }
    const order = Float64Array.from(keys).sort();
    const hits: Hit[] = [];
    let looked = 0;
    for (let i = order.length - 1; i >= 0; i--) {
      if (hits.length >= limit || looked >= LOOKED_AT) return { hits, more: true };
      looked++;
      const ref = order[i]! % REFS;
      const at = upper(bases, ref) - 1;
      const { segment, texts } = all[at]!;
      const doc = ref - bases[at]!;
      const there = texts();
      const text = (there instanceof Texts ? there : await there).get(doc);
      if (!matches(text, query)) continue;
      const head = segment.head(doc);
      const row = this.convs.get(head.conv);
      hits.push({ ...head, name: row?.name ?? '', site: row?.site ?? '', snippet: snippetOf(text, query) });
    }
    return { hits, more: false };
  }

  private wanted(segment: Segment, f: SearchFilter, teams: readonly string[]): (doc: number) => boolean {
    const good = segment.convs.map((id) => {
      const row = this.convs.get(id);
      if (!row || !teams.includes(row.team)) return false;
      return (!f.team || row.team === f.team) && (!f.site || row.site === f.site);
    });
    const who = f.who ? segment.numberOf(f.who === 'visitor' || f.who === 'robot' ? f.who : { user: f.who }) : null;
    const { from = 0, to = Infinity } = f;
    return (doc) => {
      if (!good[segment.convOf(doc)] || (who !== null && segment.whoOf(doc) !== who)) return false;
      const at = segment.at(doc);
      return at >= from && at < to;
    };
  }
}

/** How many of these ascending numbers are at most `x`. */
function upper(sorted: readonly number[], x: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const mid = (low + high) >> 1;
    if (sorted[mid]! <= x) low = mid + 1;
    else high = mid;
  }
  return low;
}
