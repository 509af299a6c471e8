/** The agent's client: his session, keys and directory. What he does once signed in is in `agent-desk.ts`. */
import type { BoxKey } from '../crypto/backend';
import { parseCode } from '../crypto/invite';
import { printFingerprint } from '../crypto/hash';
import { createHttp, type Http } from '../link/http';
import { ClientError, type AgentClient, type AgentOptions, type AgentState, type Me, type Trust } from '../model';
import type { TeamBox } from '../proto';
import { signal } from '../signals';
import { changePassword, checkPassword, enrol, isCertified, login, openBoxes, readCode, type Identity } from './account';
import { AgentDesk } from './agent-desk';
import { AgentSession, type AgentDeps } from './agent-session';
import { meOf } from './agent-signals';
import { distrust, Engine, newConnection } from './engine';
import type { DirectoryKeeper } from './keeper';
import { oldWidgets, renewSnapshot } from './renew';
import { Shelves } from './shelves';
import { agentParts } from './transfer';

export class Agent extends AgentDesk implements AgentClient {
  readonly connection = newConnection();
  readonly trust;
  private readonly server: string;
  protected readonly http: Http;
  protected readonly shelves: Shelves;
  private readonly kept: AgentSession;
  private keeper: DirectoryKeeper | null = null;
  private identity: Identity | null = null;
  private boxes = new Map<string, BoxKey>();
  private over = false;
  private readonly loading: Promise<void>;

  constructor(o: AgentOptions, deps: AgentDeps) {
    super(deps);
    this.server = o.server ?? location.origin;
    this.http = createHttp(this.server, deps.env);
    this.shelves = new Shelves(this.server, deps.env, () => {
      if (!this.engine) throw new ClientError('error.unauthorised');
      return this.engine.link.token();
    });
    this.trust = signal<Trust>({ mode: 'unpinned', secure: deps.secure, storage: 'kept' });
    this.kept = new AgentSession(deps, this.http, `a/${this.server}/`, this.trust, () => void this.directoryChanged());
    this.loading = this.load();
  }

  // ---- session

  private async load(): Promise<void> {
    try {
      if (!this.deps.secure) throw new ClientError('error.insecure');
      await this.kept.prepare();
      this.lastUser.value = (await this.kept.lastUser()) ?? '';
      this.connection.value = { state: 'ended' };
      const who = await this.kept.kept();
      if (who === null || who === 'locked') this.session.value = who ?? 'signed-out';
      else await this.resume(who);
    } catch (e) {
      const key = e instanceof ClientError ? e.key : 'error.server';
      if (key === 'error.insecure' || key === 'error.no_crypto') distrust(this.trust, key);
      this.connection.value = { state: 'ended', reason: key };
      this.session.value = 'signed-out';
    }
  }

  private async resume(identity: Identity): Promise<void> {
    for (let ms = 1_000; !this.over; ms = Math.min(ms * 2, 15_000)) {
      try {
        const keeper = (this.keeper = await this.kept.loadDirectory());
        if (!isCertified(keeper.directory, identity)) return await this.signedOut('error.disabled');
        return await this.enter(identity);
      } catch (e) {
        if (!(e instanceof ClientError) || e.key !== 'error.network') throw e;
        this.connection.value = { state: 'waiting', reason: 'error.network', retryAt: this.deps.env.now() + ms };
        await new Promise((done) => setTimeout(done, ms));
      }
    }
  }

  async login(user: string, password: string): Promise<void> {
    await this.ready();
    const keeper = await this.kept.loadDirectory();
    const identity = await this.kept.withOpaque((d) => login(d, keeper, user.trim().toLowerCase(), password, this.deps.env.now()));
    await this.signedIn(identity, keeper);
  }

  async firstLogin(code: string, password: string): Promise<void> {
    await this.ready();
    checkPassword(password);
    const invite = readCode(code);
    const keeper = await this.kept.loadDirectory(invite.org);
    const identity = await this.kept.withOpaque((d) => enrol(d, keeper, invite, password, this.deps.env.now));
    await this.signedIn(identity, keeper);
  }

  private async signedIn(identity: Identity, keeper: DirectoryKeeper): Promise<void> {
    await this.kept.keep(identity);
    this.lastUser.value = identity.user;
    this.keeper = keeper;
    await this.enter(identity);
  }

  readCode(code: string): { org: string } | null {
    const read = parseCode(code);
    return read && { org: printFingerprint(read.org) };
  }

  async changePassword(old: string, next: string): Promise<void> {
    const me = this.identity;
    if (!me || !this.keeper) throw new ClientError('error.unauthorised');
    const { directory } = this.keeper;
    await this.kept.withOpaque((d) => changePassword(d, directory, me.user, old, next));
  }

  private async ready(): Promise<void> {
    await this.loading;
    const { reason } = this.trust.value;
    if (reason === 'error.insecure' || reason === 'error.no_crypto') throw new ClientError(reason);
  }

  private enter(identity: Identity): Promise<void> {
    this.leaveEngine();
    this.connection.value = { state: 'connecting' };
    this.identity = identity;
    this.me.value = this.readMe('offline');
    this.readDirectory(this.keeper!.directory);
    this.engine = new Engine(
      this.deps,
      {
        server: this.server,
        path: '/api/v1/ws/agent',
        role: 'agent',
        key: identity.ed,
        backend: this.kept.backend,
        store: this.kept.store,
        space: `a/${this.server}/${identity.user}/`,
        keeper: this.keeper!,
        boxes: () => this.boxes,
        connection: this.connection,
        trust: this.trust,
      },
      {
        welcome: (w) => this.welcomed(w),
        frame: (f) => this.heard(f),
        conv: (c) => this.convChanged(c),
        changed: () => this.list.changed(),
        me: () => this.identity?.user ?? null,
        // one conversation that is not what it was stops itself; a false directory stops everything
        alarm: (why) => (why === 'error.history' ? this.notice('error', why) : distrust(this.trust, why)),
        parts: agentParts,
      },
    );
    const ended = this.connection.subscribe((c) => {
      if (c.state === 'ended' && (c.reason === 'error.unauthorised' || c.reason === 'error.disabled')) {
        queueMicrotask(() => ended());
        void this.signedOut(c.reason);
      }
    });
    this.stopWatching = ended;
    this.engine.link.start();
    this.session.value = 'signed-in';
    return Promise.resolve();
  }

  private stopWatching: (() => void) | null = null;
  private leaveEngine(): void {
    this.stopWatching?.();
    this.stopWatching = null;
    this.engine?.dispose();
    this.engine = null;
    this.identity = null;
    this.boxes = new Map();
    this.clearDesk();
  }

  private async signedOut(reason: 'error.unauthorised' | 'error.disabled'): Promise<void> {
    this.leaveEngine();
    this.session.value = 'signed-out';
    this.connection.value = { state: 'ended', reason };
    this.notice('error', reason);
    await this.kept.forget();
  }

  lock(): void {
    const me = this.identity;
    if (!me) return;
    void this.kept.keep(me, true);
    this.leaveEngine();
    this.session.value = 'locked';
  }

  async logout(): Promise<void> {
    this.leaveEngine();
    this.session.value = 'signed-out';
    await this.kept.forget();
  }

  // ---- keys and directory

  protected cameOnline(): void {
    void this.loadBoxes();
    void this.renewSnapshot();
  }

  private async loadBoxes(): Promise<void> {
    const { engine, identity, keeper } = this;
    if (!engine || !identity || !keeper) return;
    try {
      const { boxes } = await this.http.get<{ boxes: TeamBox[] }>('/boxes', engine.link.token());
      const keys = await openBoxes(this.kept.backend, keeper.directory, identity, boxes);
      if (this.engine !== engine) return;
      this.boxes = keys;
      engine.refreshAll();
    } catch (e) {
      // the next welcome tries again; without keys nothing opens and nothing is sent
      if (!(e instanceof ClientError) || e.key !== 'error.network') this.notice('error', 'error.no_key');
    }
  }

  private async directoryChanged(): Promise<void> {
    const { identity, keeper } = this;
    if (!identity || !keeper) return;
    if (!isCertified(keeper.directory, identity)) return this.signedOut('error.disabled');
    this.readDirectory(this.keeper!.directory);
    this.me.value = this.readMe(this.me.value?.state ?? 'offline');
    await this.loadBoxes();
    await this.renewSnapshot();
  }

  private readMe(state: AgentState): Me | null {
    return meOf(this.keeper?.directory, this.identity?.user, state);
  }

  private async renewSnapshot(): Promise<void> {
    const { keeper, identity, engine } = this;
    if (!keeper || !identity || !engine?.link.online) return;
    const admin = this.me.value?.role === 'admin' ? { key: identity.ed, token: engine.link.token() } : null;
    const { said, days } = await renewSnapshot(keeper, this.http, this.deps.env.now(), admin);
    this.tellOfSnapshot(said, days);
    if (admin) this.tellOfWidgets(await oldWidgets(this.http, admin.token));
  }

  reconnect(): void {
    this.engine?.link.reconnect();
  }

  dispose(): void {
    this.over = true;
    this.leaveEngine();
  }
}
