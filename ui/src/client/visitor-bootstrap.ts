/** The first steps of a visitor's page: storage and cryptography, the site as the server describes it, and what of it the company signed. */
import type { Backend } from '../crypto/backend';
import { createHttp } from '../link/http';
import type { Connection, SiteInfo, Trust, VisitorOptions } from '../model';
import type { PresenceState, SiteReply } from '../proto';
import type { Signal } from '../signals';
import type { Store } from '../storage/store';
import { distrust, prepare, type Deps } from './engine';
import type { DirectoryKeeper } from './keeper';
import { patiently } from './patience';
import type { Robot } from './robot';
import { askWhyShut, type Shut } from './shut';
import { presenceOf, siteInfo } from './site';
import { verifySite } from './verified-site';

export interface Bootstrapped {
  store: Store;
  backend: Backend;
  keeper: DirectoryKeeper;
  robot: Robot;
  info: SiteInfo;
  presence: PresenceState | 'unknown';
  /** Finds out why sockets are refused, and says it. */
  whyShut(say: (found: Shut | null) => void): () => void;
}

/** What the page shows meanwhile, and hears of later. */
interface BootstrapHost {
  readonly connection: Signal<Connection>;
  readonly trust: Signal<Trust>;
  /** The page is done with it. */
  readonly over: boolean;
  directoryChanged(): void;
}

/** Rejects with what people are to be told. */
export async function bootstrap(o: VisitorOptions, deps: Deps, host: BootstrapHost): Promise<Bootstrapped> {
  const { env, origin } = deps;
  const { store, backend } = await prepare(deps);
  const { trust } = host;
  trust.value = { ...trust.value, storage: store.kept ? 'kept' : 'memory' };
  const http = createHttp(o.server, env);
  const { site, widget, server } = o;
  const path = `/site/${encodeURIComponent(site)}${widget === undefined ? '' : `?widget=${encodeURIComponent(widget)}`}`;
  const get = (): Promise<SiteReply> => http.get<SiteReply>(path);
  const reply = await patiently(
    env,
    get,
    (c) => (host.connection.value = c),
    () => host.over,
  );
  const { keeper, robot, name } = await verifySite(
    o,
    deps,
    { backend, store, http, get, onChange: () => host.directoryChanged(), onAlarm: (e) => distrust(trust, e.key) },
    reply,
  );
  return {
    store,
    backend,
    keeper,
    robot,
    info: siteInfo(reply, site, name, keeper.directory.state.org),
    presence: presenceOf(reply.presence),
    whyShut: (say) => askWhyShut({ http, keeper, site, server, page: origin, env }, say),
  };
}
