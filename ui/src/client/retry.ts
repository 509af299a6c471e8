/** Asks until there is an answer: again after growing pauses, or at once when the network or the person comes back. */
import { retryDelay, Refused } from '../link/errors';
import type { Env } from '../link/env';
import { ClientError, type Connection } from '../model';
import { Code } from '../proto';

const RETRY_MS = [1_000, 2_000, 5_000, 10_000, 15_000];

/** `over`: nobody waits any more. Rejects on what another try would not mend; a site that is not there is one of these. */
export async function retryUntil<T>(
  env: Env,
  ask: () => Promise<T>,
  say: (c: Connection) => void,
  over: () => boolean,
): Promise<T> {
  for (let i = 0; ; i++) {
    try {
      return await ask();
    } catch (e) {
      if (e instanceof Refused && e.code === Code.not_found) throw new ClientError('error.site_unknown');
      const again =
        e instanceof ClientError &&
        (e.key === 'error.network' || e.key === 'error.rate_limited' || e.key === 'error.storage');
      if (!again || over()) throw e;
      const most = RETRY_MS[Math.min(i, RETRY_MS.length - 1)]!;
      // a visitor who comes back to the page does not make the server's time shorter
      const ms = retryDelay(e, most / 2 + (env.random() * most) / 2);
      say({ state: 'waiting', reason: e.key, retryAt: env.now() + ms, wait: e.wait });
      await (e.wait ? new Promise((done) => setTimeout(done, ms)) : wakeOr(env, ms));
      if (over()) throw e;
      say({ state: 'connecting' });
    }
  }
}

function wakeOr(env: Env, ms: number): Promise<void> {
  return new Promise((done) => {
    const wake = (): void => {
      stop();
      clearTimeout(timer);
      done();
    };
    const stop = env.onWake(wake);
    const timer = setTimeout(wake, ms);
  });
}
