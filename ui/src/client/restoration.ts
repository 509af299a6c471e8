/**
 * The server's log went back to a backup: it is read again from the start, what it lost is handed back, and then the conversation
 * continues. A log that went back for no such reason is an alarm.
 */
import { Refused } from '../link/errors';
import { ClientError, type ErrorKey } from '../model';
import { Code, type Envelope } from '../proto';
import type { Participant, Transport } from './context';
import { handBack, type LostConversation } from './hand-back';

/** Refusals after which lost records are handed back again. */
const RETRIED: readonly number[] = [Code.rate_limited, Code.storage, Code.conflict];
/** Pause before lost records are handed back again to a server that could not take them, ms. */
const RETRY_MS = 2_000;

interface Host extends LostConversation {
  /** Highest seq received here. */
  readonly have: number;
  /** Forgets what was read, and reads from the first record. */
  startAgain(): void;
  /** Checks again whether all of it is here. */
  caughtUp(): void;
  /** It cannot continue. */
  end(why: ErrorKey): void;
}

export class Restoration {
  private reading = false;
  private running = false;
  /** The server reported that everything is here while something was handed back. */
  private missed = false;

  /** `go`: it is as it was, under this opening of the database; `rest` is to be sealed again. */
  constructor(
    private readonly context: Participant & Transport,
    private readonly c: Host,
    private readonly go: (gen: string, rest: readonly Envelope[]) => Promise<void>,
  ) {}

  /** The log is being read again, or what was lost is handed back. */
  get active(): boolean {
    return this.reading;
  }

  /** `asked`: the opening of the database that was named when the log was asked for. True only of one that was opened again. */
  begin(gen: string, asked: string): void {
    const { context, c } = this;
    if (!gen || gen !== context.gen() || gen === asked) return c.end('error.history');
    this.reading = true;
    c.startAgain();
    context.again(c.id, true);
  }

  /** The log was read again as far as it goes. */
  caughtUp(): void {
    // not in the chain of records: it waits for some
    if (this.running) this.missed = true;
    else void this.run();
  }

  private async run(): Promise<void> {
    const { context, c } = this;
    const [after, gen] = [c.have, context.gen()];
    this.running = true;
    try {
      const rest = await handBack(context, c);
      // opened again: what was read is not what is there
      if (gen !== context.gen()) return;
      const { memory, epochs } = c.log;
      if (epochs.hashOf(memory.now.epoch) !== memory.now.hash && memory.now.epoch >= 0)
        return c.end('error.conversation_lost');
      this.reading = false;
      await memory.replace({ ...c.log.place(), ...(gen && { gen }) }, { after, at: context.now() });
      c.log.history.expect();
      await this.go(gen, rest);
    } catch (e) {
      // the connection went: the next catch-up tries again
      if (!context.online()) return;
      const refused = e instanceof Refused ? e : null;
      const later = refused ? RETRIED.includes(refused.code) : e instanceof ClientError && e.key === 'error.network';
      if (later) setTimeout(() => c.caughtUp(), refused?.retryMs ?? RETRY_MS);
      else c.end('error.conversation_lost');
    } finally {
      this.running = false;
      if (this.missed) c.caughtUp();
      this.missed = false;
    }
  }
}
