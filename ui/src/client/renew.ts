/** An admin's console says that the directory stands where it does, so that visitors may go on trusting it. */
import type { SigningKey } from '../crypto/backend';
import { LIFE_MS, signSnapshot } from '../crypto/snapshot';
import type { Http } from '../link/http';
import type { DirectoryKeeper } from './keeper';

/** Sites whose pages load an old widget, each with the version and when it was last seen: `s1 (0.1.0-3fa4c1d2, 11-23)`. */
export async function oldWidgets(http: Http, token: string): Promise<{ sites: string; first: string } | null> {
  type Old = { site: string; version: string; seen: number };
  const { old } = await http.get<{ old: Old[] }>('/widgets', token).catch(() => ({ old: [] as Old[] }));
  const one = (o: Old): string => `${o.site} (${o.version}, ${new Date(o.seen).toISOString().slice(5, 10)})`;
  return old[0] ? { sites: old.map(one).join(', '), first: old[0].site } : null;
}

export const DAY_MS = 86_400_000;
/** Warn when visitors will be refused so soon. */
const EXPIRY_MS = 7 * DAY_MS;

/**
 * Signs a new snapshot if the last one is older than a day or does not cover all entries: an enrolment that none covers stops
 * being valid when its invite expires. `now` is this machine's clock: the server's word would let it choose how long it may hide
 * what comes later. Says what a person should hear: it was renewed after a long time, or it runs out.
 */
export async function renewSnapshot(
  keeper: DirectoryKeeper,
  http: Http,
  now: number,
  admin: { key: SigningKey; token: string } | null,
): Promise<{ said: 'renewed' | 'expires' | null; days: number }> {
  const { seq, at, until } = keeper.life;
  if (admin && (now - at > DAY_MS || seq < keeper.directory.seq)) {
    try {
      await keeper.refresh(now);
      await http.post('/snapshot', await signSnapshot(keeper.directory, now, now + LIFE_MS, admin.key), admin.token);
      keeper.life = { seq: keeper.directory.seq, at: now, until: now + LIFE_MS };
      return { said: now - at > DAY_MS ? 'renewed' : null, days: 30 };
    } catch {
      // another admin was faster, or it is said below if it matters
    }
  }
  const days = Math.max(0, Math.ceil((until - now) / DAY_MS));
  return { said: until - now < EXPIRY_MS ? 'expires' : null, days };
}
