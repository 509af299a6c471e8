/** Presence of the team, polled while the page is visible and no socket reports it. */
import { Refused } from '../link/errors';
import type { Http } from '../link/http';
import { Code, type PresenceState, type SiteReply } from '../proto';
import { opensOf, presenceOf } from './site';

export const PRESENCE_MS = 20_000;

export interface PresenceDeps {
  http: Http;
  site: string;
  /** A socket reports it by itself. */
  told(): boolean;
  say(state: PresenceState | 'unknown', waiting: number, opens: number | null): void;
}

/** Requests it now and every 20 s until the returned function is called. A server without this route sends it with the whole site. */
export function watchPresence(d: PresenceDeps): () => void {
  const site = `/site/${encodeURIComponent(d.site)}`;
  let path = `${site}/presence`;
  let over = false;
  const ask = async (): Promise<void> => {
    if (over || d.told()) return;
    try {
      const { state, presence, waiting, opens } = await d.http.get<
        { state?: unknown; waiting?: unknown } & Partial<SiteReply>
      >(path);
      if (!over && !d.told()) d.say(presenceOf(state ?? presence), Number(waiting) || 0, opensOf(opens));
    } catch (e) {
      if (!(e instanceof Refused) || e.code !== Code.not_found || path === site) return;
      path = site;
      await ask();
    }
  };
  const timer = setInterval(() => void ask(), PRESENCE_MS);
  void ask();
  return () => {
    over = true;
    clearInterval(timer);
  };
}
