/** Compares a log with what this browser remembers of it, so that a server cannot show it another past. */
import { cat, hex } from '../crypto/bytes';
import { recordMark } from '../crypto/hash';
import { sha256 } from '../crypto/sha2';
import type { WireRecord } from '../proto';
import type { EpochChain } from './epoch-chain';
import type { Memory, Remembered } from './memory';

const markOf = (r: WireRecord): Uint8Array => recordMark(r.seq, r.at, r.body);

export class HistoryCheck {
  private newest: WireRecord | null = null;
  /** Over the marks of all records so far. */
  private sum: Uint8Array = new Uint8Array(0);
  /** What was remembered when reading began, and the digest found at its place. */
  private before: Remembered | null = null;
  private found: string | null = null;
  /** The log has other records than remembered. Nothing of it is remembered then. */
  contradicts = false;

  constructor(
    private readonly memory: Memory,
    private readonly epochs: EpochChain,
  ) {}

  get hasRecords(): boolean {
    return this.newest !== null;
  }

  /** Number and mark of the newest record here. */
  get end(): { seq: number; mark: string } | null {
    return this.newest && { seq: this.newest.seq, mark: hex(markOf(this.newest)) };
  }

  get digest(): string {
    return hex(this.sum);
  }

  /** The next record of the log. */
  record(r: WireRecord): void {
    this.before ??= this.memory.now;
    this.newest = r;
    this.sum = sha256(cat(this.sum, markOf(r)));
    if (r.seq === this.before.seq) this.compare();
  }

  /** From here on the log must show what is remembered now, by whatever tab. Call it before records are asked for. */
  expect(): void {
    this.before = this.memory.now;
    const have = this.newest?.seq ?? 0;
    // what this page holds already was compared when it came
    this.found = this.before.seq < have ? this.before.digest : null;
    if (this.newest && this.before.seq === have) this.compare();
  }

  /** This is the place that is remembered: all records up to here must be the same. */
  private compare(): void {
    this.found = this.digest;
    this.contradicts ||= this.found !== this.before!.digest;
  }

  /** Whether the log showed all that was remembered: the epoch and the record at its place. */
  holds(): boolean {
    const { epoch, hash, seq, digest } = this.before ?? this.memory.now;
    return (
      !this.contradicts && (epoch < 0 || this.epochs.hashOf(epoch) === hash) && (seq === 0 || this.found === digest)
    );
  }

  /** Everything is read again, and until `expect` nothing is compared. What was remembered stays. */
  reset(): void {
    this.newest = this.found = null;
    this.sum = new Uint8Array(0);
    this.before = { ...this.memory.now, epoch: -1, seq: 0 };
    this.contradicts = false;
  }
}
