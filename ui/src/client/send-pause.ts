/** When a queue may send again: the server asked for patience, or an answer is awaited. */
import { retryMsOf, waitOf } from '../link/errors';
import type { Wait } from '../model';
import type { ErrorFrame } from '../proto';

/** How long to wait if the server does not say, ms. */
export const RATE_MS = 1_000;
/** The longest of those, ms. */
const MAX_RATE_MS = 60_000;
/** A shorter wait is not worth a word, ms. */
const SAID_MS = 2_000;

export class SendPause {
  private until = 0;
  /** Refusals in a row that pass. */
  private refusals = 0;
  private told: Wait | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly now: () => number,
    private readonly resume: () => void,
    private readonly changed: () => void,
  ) {}

  /** Until when what waits must wait, and why; null if that is not worth a word. */
  get wait(): Wait | null {
    return this.told;
  }

  /** How long it still takes, ms. */
  get left(): number {
    return this.until - this.now();
  }

  /** Nothing is sent for so long. */
  start(ms: number): void {
    this.until = this.now() + ms;
    this.wake(ms);
  }

  /** It passes, however long it takes: what waits is neither lost nor shown as failed. */
  startAsAsked(f: ErrorFrame): void {
    const ms = retryMsOf(f) ?? Math.min(RATE_MS * 2 ** this.refusals++, MAX_RATE_MS);
    this.start(ms);
    this.tell(ms < SAID_MS ? null : waitOf(f, ms));
  }

  /** Something may be sent now. */
  end(): void {
    this.until = 0;
    this.resume();
  }

  /** Looks again after so long, without a pause. `first`: before that. */
  wake(ms: number, first?: () => void): void {
    this.stop();
    this.timer = setTimeout(() => {
      first?.();
      this.resume();
    }, ms);
  }

  /** Looks no more by itself. */
  stop(): void {
    clearTimeout(this.timer);
  }

  /** The server took something. */
  accepted(): void {
    this.refusals = 0;
  }

  tell(wait: Wait | null): void {
    if (!wait && !this.told) return;
    this.told = wait;
    this.changed();
  }
}
