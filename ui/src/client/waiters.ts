/** Those who wait until something holds, which is looked at again whenever it may have changed. */
import { ClientError } from '../model';

export class Waiters {
  private readonly waiting = new Set<() => void>();

  /** Resolves when `ok` holds. Rejects after `ms`. */
  until(ok: () => boolean, ms: number): Promise<void> {
    if (ok()) return Promise.resolve();
    return new Promise((done, fail) => {
      const end = (): void => {
        clearTimeout(timer);
        this.waiting.delete(look);
      };
      const look = (): void => {
        if (!ok()) return;
        end();
        done();
      };
      const timer = setTimeout(() => {
        end();
        fail(new ClientError('error.network', 'the conversation did not catch up'));
      }, ms);
      this.waiting.add(look);
    });
  }

  look(): void {
    for (const w of [...this.waiting]) w();
  }
}
