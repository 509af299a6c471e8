/** The first steps of a visitor's page: storage and cryptography, the site as the server describes it, and what of it the company signed. */
import type { Backend } from '../crypto/backend';
import { createHttp } from '../link/http';
import type { Connection, SiteInfo, Trust, VisitorOptions } from '../model';
import type { PresenceState, SiteReply } from '../proto';
import type { Signal } from '../signals';
import type { Store } from '../storage/store';
import { distrust, prepare, type Deps } from './engine';
import type { DirectorySync } from './directory-sync';
import { retryUntil } from './retry';
import type { Robot } from './robot';
import { diagnoseSocket, type SocketRefusal } from './socket-diagnosis';
import { opensOf, presenceOf, siteInfo } from './site';
import { verifySite } from './verified-site';

export interface Bootstrapped {
  store: Store;
  backend: Backend;
  sync: DirectorySync;
  robot: Robot;
  info: SiteInfo;
  presence: PresenceState | 'unknown';
  opens: number | null;
  /** Finds out why sockets are refused, and reports it. */
  diagnose(say: (found: SocketRefusal | null) => void): () => void;
}

/** What the page shows meanwhile, and is told later. */
interface BootstrapHost {
  readonly connection: Signal<Connection>;
  readonly trust: Signal<Trust>;
  /** The page is done with it. */
  readonly over: boolean;
  directoryChanged(): void;
}

/** Rejects with what to show to people. */
export async function bootstrap(o: VisitorOptions, deps: Deps, host: BootstrapHost): Promise<Bootstrapped> {
  const { env, origin } = deps;
  const { store, backend } = await prepare(deps);
  const { trust } = host;
  trust.value = { ...trust.value, storage: store.kept ? 'kept' : 'memory' };
  const http = createHttp(o.server, env);
  const { site, widget, server } = o;
  const path = `/site/${encodeURIComponent(site)}${widget === undefined ? '' : `?widget=${encodeURIComponent(widget)}`}`;
  const get = (): Promise<SiteReply> => http.get<SiteReply>(path);
  const reply = await retryUntil(
    env,
    get,
    (c) => (host.connection.value = c),
    () => host.over,
  );
  const { sync, robot, name } = await verifySite(
    o,
    deps,
    { backend, store, http, get, onChange: () => host.directoryChanged(), onAlarm: (e) => distrust(trust, e.key) },
    reply,
  );
  return {
    store,
    backend,
    sync,
    robot,
    info: siteInfo(reply, site, name, sync.directory.state.org),
    presence: presenceOf(reply.presence),
    opens: opensOf(reply.opens),
    diagnose: (say) => diagnoseSocket({ http, sync, site, server, page: origin, env }, say),
  };
}
