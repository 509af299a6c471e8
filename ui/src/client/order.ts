/**
 * In which order envelopes were written, and whether one is missing: the counters of each sender's run, and the hashes that
 * `prev` may name (protocol §2, rules 4 to 6). Independent of keys and rights; the log counts only what it accepted.
 */
import { hex } from '../crypto/bytes';
import { envelopeHash } from '../crypto/hash';
import type { Envelope } from '../proto';
import type { Entry } from './log-entry';

/** Numbers that did not come, before one that did. */
interface Gap {
  from: number;
  to: number;
  /** The first of them that no recall proved. */
  at: number;
  entry: Entry;
}

interface Run {
  next: number;
  gaps: Gap[];
  /** Numbers of recalled envelopes whose recall proved them. */
  proved: Set<number>;
}

const ZEROS = '00'.repeat(16);

export class Order {
  /** Hash of the last message, announcement or recall accepted. */
  last: Uint8Array = new Uint8Array(16);
  private readonly runs = new Map<string, Run>();
  private readonly hashes = new Set<string>();
  /** Timeline whose `prev` is not known. */
  private readonly unknown = new Map<string, Entry[]>();
  /** Senders of messages so far. */
  private readonly senders = new Set<string>();
  /** Tombstones of revision 1: what they hide may be named once each. */
  private hiddenHashes = 0;

  private run(sender: string, inst: number): Run {
    const name = `${sender}/${inst}`;
    let run = this.runs.get(name);
    if (!run) this.runs.set(name, (run = { next: 0, gaps: [], proved: new Set() }));
    return run;
  }

  next(sender: string, inst: number): number {
    return this.runs.get(`${sender}/${inst}`)?.next ?? 0;
  }

  /** Counts an envelope that was believed, and marks its line if one before it is missing. */
  count(env: Envelope, entry: Entry): void {
    const run = this.run(env.sender, env.inst);
    if (env.ctr > run.next) {
      const gap = { from: run.next, to: env.ctr - 1, at: run.next, entry };
      entry.missingBefore = !closed(gap, run.proved);
      run.gaps.push(gap);
    }
    run.next = Math.max(run.next, env.ctr + 1);
  }

  /** `prev` must name something that came before. */
  checkPrev(env: Envelope, entry: Entry): void {
    const prev = hex(env.prev);
    if (prev === ZEROS ? [...this.senders].every((s) => s === env.sender) : this.hashes.has(prev)) return;
    if (this.hiddenHashes > 0) {
      this.hiddenHashes--;
      return;
    }
    entry.unordered = true;
    const lines = this.unknown.get(prev);
    if (lines) lines.push(entry);
    else this.unknown.set(prev, [entry]);
  }

  /** A message, an announcement or a recall that was believed. */
  accept(env: Envelope, speaks = true): void {
    this.last = envelopeHash(env.bytes);
    this.hashes.add(hex(this.last));
    if (speaks) this.senders.add(env.sender);
  }

  /** The place of a tombstone: widgets of revision 1 name its own bytes. */
  tombstone(env: Envelope): void {
    this.hashes.add(hex(envelopeHash(env.bytes)));
  }

  /** Revision 1: a tombstone counts by itself, and explains one unknown `prev`. */
  believeTombstone(env: Envelope, entry: Entry): void {
    this.count(env, entry);
    this.hiddenHashes++;
  }

  /** A recall proved what was at the place of a tombstone, record `seq`. */
  proved(sender: string, r: { inst: number; ctr: number; hash: Uint8Array }, seq: number): void {
    const run = this.run(sender, r.inst);
    run.proved.add(r.ctr);
    run.next = Math.max(run.next, contiguous(run));
    const gap = gapOf(run.gaps, r.ctr);
    if (gap && closed(gap, run.proved)) gap.entry.missingBefore = false;
    const hash = hex(r.hash);
    this.hashes.add(hash);
    const lines = this.unknown.get(hash) ?? [];
    for (const entry of lines) if (entry.seq > seq) entry.unordered = false;
    this.unknown.set(
      hash,
      lines.filter((e) => e.unordered),
    );
  }
}

/** The next number after those at the end of the run that were recalled. */
function contiguous(run: Run): number {
  let n = run.next;
  while (run.proved.has(n)) n++;
  return n;
}

/** Whether a recall proved all of it. Each number is passed once, so that no order of recalls makes it slow. */
function closed(gap: Gap, proved: ReadonlySet<number>): boolean {
  while (gap.at <= gap.to && proved.has(gap.at)) gap.at++;
  return gap.at > gap.to;
}

/** The gap that a number is in: they are in order, and none overlaps another. */
function gapOf(gaps: readonly Gap[], n: number): Gap | undefined {
  let [low, high] = [0, gaps.length];
  while (low < high) {
    const mid = (low + high) >>> 1;
    if (gaps[mid]!.to < n) low = mid + 1;
    else high = mid;
  }
  const gap = gaps[low];
  return gap && gap.from <= n ? gap : undefined;
}
