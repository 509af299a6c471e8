/** Waits for the directory that a record relies on, so that nobody is judged by an old one. */
import { retryDelay } from '../link/errors';
import { ClientError } from '../model';
import type { DirectoryAccess } from './context';

/** Pauses between tries, ms. */
const PAUSES_MS = [500, 1_000, 2_000, 5_000, 10_000, 15_000, 15_000, 15_000];

export class CatchUp {
  /** Users and kids that were asked for. */
  private readonly asked = new Set<string>();

  constructor(private readonly context: DirectoryAccess) {}

  /** A person joined after this page fetched the directory: requests new entries, once per name. */
  async ensureKnown(name: string, known: boolean): Promise<void> {
    if (known || this.asked.has(name)) return;
    this.asked.add(name);
    await this.context.refreshDirectory().catch(() => undefined);
  }

  /**
   * Until entry `seq` is known or nothing newer is there. A network that fails is waited for, however long: an honest epoch that
   * is refused here would take all that follows with it. For no entry of a number it is waited a minute.
   */
  async to(seq: number): Promise<void> {
    for (let i = 0; i < PAUSES_MS.length || seq < Infinity; i++) {
      let asked = 0;
      try {
        return await this.context.refreshDirectory();
      } catch (e) {
        if (!(e instanceof ClientError) || (e.key !== 'error.network' && e.key !== 'error.rate_limited')) throw e;
        asked = retryDelay(e, 0);
      }
      const pause = PAUSES_MS[Math.min(i, PAUSES_MS.length - 1)];
      await new Promise((done) => setTimeout(done, Math.max(pause ?? 0, asked)));
      if (this.context.directory().seq >= seq) return;
    }
  }

  /** What `find` finds; if it rejects, again with the new entries of the directory, once for each sender and state of it. */
  async retry<T>(sender: string, find: () => T): Promise<T> {
    try {
      return find();
    } catch (e) {
      const name = `${sender}@${this.context.directory().seq}`;
      if (this.asked.has(name)) throw e;
      this.asked.add(name);
      await this.to(Infinity);
      return find();
    }
  }
}
