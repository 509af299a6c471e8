/** The answer about a site, and what of it the company signed: nothing of a server is used before this is verified. */
import type { Backend } from '../crypto/backend';
import { hex } from '../crypto/bytes';
import { readFingerprint } from '../crypto/rules';
import { verifyBundle } from '../crypto/snapshot';
import { clocks, compareClocks } from '../link/clock';
import type { Http } from '../link/http';
import { ClientError, type VisitorOptions } from '../model';
import type { SiteReply } from '../proto';
import type { Store } from '../storage/store';
import type { Deps } from './engine';
import { DirectorySync } from './directory-sync';
import { Robot } from './robot';
import { isListed } from './socket-diagnosis';

export interface Verified {
  sync: DirectorySync;
  robot: Robot;
  /** Signed name of the site. */
  name: string;
}

export interface Means {
  backend: Backend;
  store: Store;
  http: Http;
  /** Requests the site again. */
  get(): Promise<SiteReply>;
  onChange(): void;
  onAlarm(e: ClientError): void;
}

/** Rejects with what to show to people. */
export async function verifySite(o: VisitorOptions, deps: Deps, m: Means, reply: SiteReply): Promise<Verified> {
  const fp = await pin(o, m.store, reply.org);
  if (reply.require_secure && !deps.secure) throw new ClientError('error.insecure');
  compareClocks(reply.now, deps.env.now());
  const sync = await DirectorySync.fromBundle({ ...m, now: deps.env.now }, fp, reply.directory).catch(
    async (e: unknown) => {
      // by the server's clock nothing is wrong with it: that is believed of nothing but this sentence
      const right =
        clocks.value && (await verifyBundle(m.backend, fp, reply.directory, () => reply.now).catch(() => null));
      throw right ? new ClientError('error.clock') : e;
    },
  );
  const site = sync.directory.state.sites[o.site];
  if (!site?.on) throw new ClientError('error.site_unknown', o.site);
  // The server would refuse the socket; a person would see a connection that never comes.
  if (!isListed({ sync, site: o.site, server: o.server, page: deps.origin })) throw new ClientError('error.origin');
  const robot = new Robot(
    {
      backend: m.backend,
      site: o.site,
      directory: () => sync.directory,
      now: () => deps.env.now(),
      fetch: async () => (await m.get()).bot,
    },
    reply.bot,
  );
  await robot.key();
  return { sync, robot, name: site.name };
}

/** The fingerprint everything is verified against: the snippet's, or the first one ever seen here. */
async function pin(o: VisitorOptions, store: Store, claimed: string): Promise<Uint8Array> {
  let want = o.org;
  if (want === undefined) want = await store.init(`pin/${o.server}`, claimed);
  const fp = readFingerprint(want);
  const now = readFingerprint(claimed);
  if (!fp || !now || hex(fp) !== hex(now)) throw new ClientError('error.pin', `${claimed} instead of ${want}`);
  return fp;
}
