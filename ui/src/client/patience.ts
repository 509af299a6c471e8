/** Asks until there is an answer: again after growing pauses, or at once when the network or the person comes back. */
import { Refused } from '../link/errors';
import type { Env } from '../link/env';
import { ClientError, type Connection } from '../model';
import { Code } from '../proto';

const RETRY_MS = [1_000, 2_000, 5_000, 10_000, 15_000];

/** `over`: nobody waits any more. Rejects on what another try would not mend; a site that is not there is one of these. */
export async function patiently<T>(env: Env, ask: () => Promise<T>, say: (c: Connection) => void, over: () => boolean): Promise<T> {
  for (let i = 0; ; i++) {
    try {
      return await ask();
    } catch (e) {
      if (e instanceof Refused && e.code === Code.not_found) throw new ClientError('error.site_unknown');
      const again = e instanceof ClientError && (e.key === 'error.network' || e.key === 'error.rate_limited');
      if (!again || over()) throw e;
      const most = RETRY_MS[Math.min(i, RETRY_MS.length - 1)]!;
      const ms = most / 2 + (env.random() * most) / 2;
      say({ state: 'waiting', reason: 'error.network', retryAt: env.now() + ms });
      await wakeOr(env, ms);
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
