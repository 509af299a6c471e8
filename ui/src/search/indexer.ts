/**
 * Builds the index from the newest conversation back, a conversation at a time, and keeps it up to date. It may stop at any moment:
 * what is written is complete for the conversations that it names, and the rest is read the next time.
 */
import { retryDelay, Refused } from '../link/errors';
import { ClientError, type ErrorKey } from '../model';
import { Code, type Conv } from '../proto';
import { MAX_DOCS, type SearchIndex } from './index';
import type { HistoryReader } from './reader';

/**
 * `off`: the person has not asked for it. `paused`: nothing new is read; what is there is kept as it is on the server. `elsewhere`: another tab builds it. `waiting`: the server can't be reached, or asks for patience.
 * `full`: older messages do not fit. `failed`: it ended, for the reason in `error`.
 */
export type Phase = 'off' | 'reading' | 'paused' | 'waiting' | 'done' | 'full' | 'elsewhere' | 'failed';

export interface SearchState {
  phase: Phase;
  messages: number;
  conversations: number;
  /** Back to this time everything was read, ms; null: nothing yet. */
  back: number | null;
  /** Conversations with lines that this person has no key for. */
  locked: number;
  error?: ErrorKey;
}

/** After a key was pressed, ms. */
const TYPING_MS = 1_500;
/** Before a list is read again in which something may have changed unnoticed, ms. */
const AGAIN_MS = 30 * 60_000;
/** Before a conversation that goes on is read again, ms. */
const SETTLE_MS = 3_000;
const RETRY_MS = 5_000;

/** Ends what it was asked to do. */
class Stopped extends Error {}

export class Indexer {
  /** By time of the page; until then the person types. */
  private typingUntil = 0;
  private stopped = false;
  private teams: readonly string[] | null = null;
  private wake: (() => void) | null = null;
  private readonly changed = new Map<string, Conv>();
  /** Raised with new keys: what could not be opened may open now. */
  private again = true;
  private back: number | null = null;
  private phase: Phase = 'reading';
  private error: ErrorKey | undefined;

  constructor(
    private readonly index: SearchIndex,
    private readonly reader: HistoryReader,
    private paused: boolean,
    private readonly now: () => number,
    private readonly report: (state: SearchState) => void,
  ) {}

  get state(): SearchState {
    const { index, back, error } = this;
    const locked = [...index.convs.values()].filter((row) => row.locked > 0).length;
    const phase = this.paused && this.phase !== 'failed' ? 'paused' : this.phase;
    return { phase, messages: index.size, conversations: index.convs.size, back, locked, ...(error && { error }) };
  }

  private say(phase = this.phase): void {
    this.phase = phase;
    this.report(this.state);
  }

  /** Runs until it is stopped or fails. */
  async run(): Promise<void> {
    try {
      for (let next = 0; ; ) {
        if (this.again || this.now() >= next) {
          this.again = false;
          await this.pass();
          next = this.now() + AGAIN_MS;
        }
        await this.readChanged();
        this.leaveTeams();
        await this.flush();
        if (this.phase !== 'full') this.say('done');
        if (!this.again && !this.changed.size && !this.teams) await this.sleep(next - this.now());
      }
    } catch (e) {
      if (e instanceof Stopped) return;
      this.error = e instanceof ClientError ? e.key : 'error.server';
      this.say('failed');
    }
  }

  stop(): void {
    this.stopped = true;
    this.wake?.();
  }

  pause(on: boolean): void {
    this.paused = on;
    this.again ||= !on;
    this.say(on ? this.phase : 'reading');
    this.wake?.();
  }

  /** The person types: their keys come first. */
  typing(): void {
    this.typingUntil = this.now() + TYPING_MS;
  }

  /** A conversation has another end, team or state than before. */
  note(conv: Conv): void {
    if (!this.isOld(conv)) return;
    this.changed.set(conv.id, conv);
    this.wake?.();
  }

  /** Keys came, or the connection is back: lists are read again. */
  refresh(): void {
    this.again = true;
    this.wake?.();
  }

  /** Conversations of other teams leave. */
  keepTeams(teams: readonly string[]): void {
    this.teams = teams;
    this.wake?.();
  }

  private isOld(conv: Conv): boolean {
    const row = this.index.convs.get(conv.id);
    return row ? row.have < conv.last || row.team !== conv.team : !this.paused;
  }

  /** All conversations, the newest first; those that are as they were are not read again. */
  private async pass(): Promise<void> {
    const seen = new Set<string>();
    for (let before: string | undefined; ; ) {
      this.say('reading');
      const page = await this.patiently(() => this.reader.list(before));
      for (const conv of page.convs) {
        seen.add(conv.id);
        // with a new key, what could not be read may be read now
        if (this.isOld(conv) || this.index.convs.get(conv.id)?.locked) await this.take(conv);
        if (!this.paused) this.back = Math.min(this.back ?? Infinity, conv.created);
        if (this.index.size >= MAX_DOCS) {
          await this.flush();
          return this.say('full');
        }
      }
      if (!page.more || page.next === undefined) break;
      before = page.next;
    }
    // what is listed no more was erased, or is another team's
    for (const id of [...this.index.convs.keys()]) if (!seen.has(id)) this.index.update(id, null, []);
    await this.flush();
  }

  private async readChanged(): Promise<void> {
    while (this.changed.size) {
      // a conversation that goes on changes again in a moment
      await this.sleep(SETTLE_MS);
      for (const [id, conv] of this.changed) {
        this.changed.delete(id);
        await this.take(conv);
      }
      await this.flush();
    }
  }

  private leaveTeams(): void {
    const { teams } = this;
    this.teams = null;
    if (teams) for (const [id, row] of this.index.convs) if (!teams.includes(row.team)) this.index.update(id, null, []);
  }

  private async take(conv: Conv): Promise<void> {
    this.leaveTeams();
    try {
      const { row: now, docs } = await this.patiently(() => this.reader.read(conv));
      this.index.update(conv.id, now, docs);
    } catch (e) {
      if (e instanceof Refused && (e.code === Code.not_found || e.code === Code.forbidden))
        this.index.update(conv.id, null, []);
      // the thread on screen raises the alarm about this one; the others are read
      else if (!(e instanceof ClientError) || e.key !== 'error.history') throw e;
    }
    if (this.index.due) await this.flush();
  }

  private async flush(): Promise<void> {
    await this.index.commit();
    this.say();
  }

  /** Until it may go on: not while somebody types. */
  private async turn(): Promise<void> {
    for (let rest = 1; rest > 0; ) {
      if (this.stopped) throw new Stopped();
      rest = this.typingUntil - this.now();
      if (rest > 0) await this.sleep(rest);
    }
  }

  /** Tries again what the network or the server did not do for the moment. */
  private async patiently<T>(ask: () => Promise<T>): Promise<T> {
    for (let ms = RETRY_MS; ; ms = Math.min(2 * ms, 60_000)) {
      await this.turn();
      try {
        const answer = await ask();
        if (this.phase === 'waiting') this.say('reading');
        return answer;
      } catch (e) {
        const passes =
          e instanceof ClientError && (e.key === 'error.network' || e.wait || e.key === 'error.unauthorised');
        if (!passes) throw e;
        this.say('waiting');
        await this.sleep(retryDelay(e, ms));
      }
    }
  }

  /** Or until something happens. */
  private async sleep(ms: number): Promise<void> {
    if (this.stopped) throw new Stopped();
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((done) => {
      this.wake = done;
      if (ms < Infinity) timer = setTimeout(done, Math.max(0, ms));
    });
    clearTimeout(timer);
    this.wake = null;
    if (this.stopped) throw new Stopped();
  }
}
