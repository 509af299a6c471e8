/** The agent's client: session, keys and directory. What an agent does once signed in is in `agent-desk.ts`. */
import type { BoxKey } from '../crypto/backend';
import { parseCode } from '../crypto/invite';
import { hex } from '../crypto/bytes';
import { kidOf, printFingerprint } from '../crypto/hash';
import { retryDelay } from '../link/errors';
import { createHttp, type Http } from '../link/http';
import {
  ClientError,
  type AgentClient,
  type AgentOptions,
  type AgentState,
  type ErrorKey,
  type Me,
  type Trust,
} from '../model';
import type { TeamBox } from '../proto';
import { signal } from '../signals';
import {
  changePassword,
  checkPassword,
  enrol,
  isCertified,
  login,
  notCertified,
  openBoxes,
  readCode,
  type Identity,
} from './account';
import { AgentDesk } from './agent-desk';
import { Documents } from './documents';
import { Drafts } from './drafts';
import { PersonTags } from './person-tags';
import { Persons } from './persons';
import { AgentSession, asClientError, type AgentDeps } from './agent-session';
import { meOf } from './agent-signals';
import { distrust, Engine, newConnection } from './engine';
import type { DirectorySync } from './directory-sync';
import { confirmLate, oldWidgets, renewDirectory, type Admin, type Signing } from './renew';
import { isGiven } from './list';
import { searchDatabase } from '../search/forget';
import type { ReaderAccess } from '../search/worker-protocol';
import { KnowledgeCache } from './knowledge-cache';
import { agentParts } from './agent-parts';

/** Longest time that a timer can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export class Agent extends AgentDesk implements AgentClient {
  readonly connection = newConnection();
  readonly trust;
  private readonly server: string;
  protected readonly http: Http;
  protected readonly knowledgeCache: KnowledgeCache;
  private readonly savedSession: AgentSession;
  private sync: DirectorySync | null = null;
  private identity: Identity | null = null;
  private boxes = new Map<string, BoxKey>();
  readonly keys = signal(0);
  private over = false;
  private renewing: Promise<void> = Promise.resolve();
  private readonly loading: Promise<void>;

  constructor(o: AgentOptions, deps: AgentDeps) {
    super(deps);
    this.server = o.server ?? location.origin;
    this.http = createHttp(this.server, deps.env);
    this.knowledgeCache = new KnowledgeCache(this.server, deps.env, () => this.token());
    this.trust = signal<Trust>({ mode: 'unpinned', secure: deps.secure, storage: 'kept' });
    this.savedSession = new AgentSession(
      deps,
      this.http,
      `a/${this.server}/`,
      this.trust,
      () => void this.directoryChanged(),
    );
    this.loading = this.load();
  }

  // ---- session

  private async load(): Promise<void> {
    try {
      if (!this.deps.secure) throw new ClientError('error.insecure');
      await this.savedSession.prepare();
      this.lastUser.value = (await this.savedSession.lastUser()) ?? '';
      this.connection.value = { state: 'ended' };
      const who = await this.savedSession.load();
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
        const sync = (this.sync = await this.savedSession.loadDirectory());
        if (!isCertified(sync.directory, identity))
          return await this.signedOut(notCertified(sync.directory, identity).key);
        return await this.enter(identity);
      } catch (e) {
        if (!(e instanceof ClientError) || (e.key !== 'error.network' && !e.wait)) throw e;
        const pause = retryDelay(e, ms);
        this.connection.value = { state: 'waiting', reason: e.key, retryAt: this.deps.env.now() + pause, wait: e.wait };
        await new Promise((done) => setTimeout(done, pause));
      }
    }
  }

  async login(user: string, password: string): Promise<void> {
    await this.ready();
    const sync = await this.savedSession.loadDirectory();
    const { me, old } = await this.savedSession.withOpaque((d) => login(d, sync, user.trim().toLowerCase(), password));
    await this.signedIn(me, sync);
    if (old) this.notice('error', 'notice.old_password');
  }

  async firstLogin(code: string, password: string): Promise<void> {
    await this.ready();
    checkPassword(password);
    const invite = readCode(code);
    const sync = await this.savedSession.loadDirectory(invite.org);
    const identity = await this.savedSession.withOpaque((d) => enrol(d, sync, invite, password));
    await this.signedIn(identity, sync);
  }

  private async signedIn(identity: Identity, sync: DirectorySync): Promise<void> {
    await this.savedSession.save(identity);
    this.lastUser.value = identity.user;
    this.sync = sync;
    await this.enter(identity);
  }

  readCode(code: string): { org: string } | null {
    const read = parseCode(code);
    return read && { org: printFingerprint(read.org) };
  }

  async changePassword(old: string, next: string): Promise<void> {
    const me = this.identity;
    if (!me || !this.sync) throw new ClientError('error.unauthorised');
    const { directory } = this.sync;
    const known = this.passwordSet;
    // the next welcome reports this page's own change
    this.passwordSet = null;
    await this.savedSession
      .withOpaque((d) => changePassword(d, directory, me.user, old, next))
      .catch((e: unknown) => {
        this.passwordSet = known;
        throw e;
      });
    // earlier tokens end with the change; a new connection gets a new one
    this.engine?.link.stop();
    this.engine?.link.start();
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
    this.readDirectory(this.sync!.directory);
    this.engine = new Engine(
      this.deps,
      {
        server: this.server,
        path: '/api/v1/ws/agent',
        role: 'agent',
        key: identity.ed,
        backend: this.savedSession.backend,
        store: this.savedSession.store,
        storagePrefix: this.prefixOf(identity),
        sync: this.sync!,
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
        given: (m) => isGiven(m, this.identity?.user),
        // one conversation that is not what it was stops itself; a false directory stops everything
        alarm: (why) => (why === 'error.history' ? this.notice('error', why) : distrust(this.trust, why)),
        agent: agentParts,
      },
    );
    const ended = this.connection.subscribe((c) => {
      if (c.state === 'ended' && (c.reason === 'error.unauthorised' || c.reason === 'error.disabled')) {
        queueMicrotask(() => ended());
        const { directory } = this.sync!;
        void this.signedOut(isCertified(directory, identity) ? c.reason : notCertified(directory, identity).key);
      }
    });
    const exp = this.sync!.directory.keyOf(hex(kidOf(identity.ed.pk)))?.exp ?? null;
    const over =
      exp === null
        ? undefined
        : setTimeout(() => void this.directoryChanged(), Math.min(exp - this.deps.env.now() + 1, MAX_TIMER_MS));
    this.documents = this.documentsOf(identity);
    const { backend, store } = this.savedSession;
    const persons = new Persons({
      http: this.http,
      engine: this.engine,
      tags: new PersonTags(this.sync!.directory.fp, this.documents),
      token: () => this.token(),
      others: (conv) => this.others(conv),
      done: (conv) => this.leaveUnseen(conv),
    });
    const stopPersons = this.conversations.subscribe((items) => persons.look(items));
    this.drafts = new Drafts(backend, store, this.prefixOf(identity), identity.x);
    this.stopWatching = () => {
      clearTimeout(over);
      ended();
      stopPersons();
      persons.dispose();
    };
    this.engine.link.start();
    this.session.value = 'signed-in';
    return Promise.resolve();
  }

  private prefixOf(me: Identity): string {
    return `a/${this.server}/${me.user}/`;
  }

  private documentsOf(me: Identity): Documents {
    return new Documents({
      server: this.server,
      env: this.deps.env,
      backend: this.savedSession.backend,
      store: this.savedSession.store,
      storagePrefix: this.prefixOf(me),
      me,
      person: () => this.me.value,
      directory: () => this.sync!.directory,
      refreshDirectory: () => this.sync!.refresh(this.deps.env.now()),
      boxes: () => this.boxes,
      token: () => this.token(),
    });
  }

  private stopWatching: (() => void) | null = null;
  private leaveEngine(): void {
    this.stopWatching?.();
    this.stopWatching = null;
    this.engine?.dispose();
    this.engine = null;
    this.identity = null;
    this.boxes = new Map();
    this.documents?.close();
    this.documents = null;
    this.drafts = null;
    this.clearDesk();
  }

  private async signedOut(reason: ErrorKey): Promise<void> {
    void this.drafts?.forget();
    for (const { id } of this.conversations.value) this.giveBack(id, 'signed-out');
    this.leaveEngine();
    // before the page asks why
    this.connection.value = { state: 'ended', reason };
    this.session.value = 'signed-out';
    this.notice('error', reason);
    await this.savedSession.forget();
  }

  lock(): void {
    const me = this.identity;
    if (!me) return;
    void this.savedSession.save(me, true);
    this.leaveEngine();
    this.session.value = 'locked';
  }

  async pushKey(): Promise<string | null> {
    try {
      return (await this.http.get<{ key: string }>('/push', this.token())).key;
    } catch (e) {
      if (e instanceof ClientError && e.key === 'error.not_found') return null;
      throw e;
    }
  }

  async pushTo({ endpoint, keys }: PushSubscriptionJSON): Promise<void> {
    await this.http.post('/push', { endpoint, ...keys }, this.token());
  }

  async pushNoMore(endpoint: string): Promise<void> {
    await this.http.post('/push/remove', { endpoint }, this.token());
  }

  async logout(): Promise<void> {
    const { drafts } = this;
    this.leaveEngine();
    this.session.value = 'signed-out';
    await drafts?.forget();
    await this.savedSession.forget();
  }

  // ---- keys and directory

  protected cameOnline(): void {
    void this.loadBoxes();
    void this.renewDirectory();
  }

  private async loadBoxes(): Promise<void> {
    const { engine, identity, sync } = this;
    if (!engine || !identity || !sync) return;
    try {
      const { boxes } = await this.http.get<{ boxes: TeamBox[] }>('/boxes', engine.link.token());
      const keys = await openBoxes(this.savedSession.backend, sync.directory, identity, boxes);
      if (this.engine !== engine) return;
      this.boxes = keys;
      this.keys.value++;
      engine.refreshAll();
      this.documents?.refresh();
    } catch (e) {
      // the next welcome tries again; without keys nothing opens and nothing is sent
      if (e instanceof ClientError && e.wait)
        setTimeout(() => this.engine === engine && void this.loadBoxes(), retryDelay(e, 0));
      else if (!(e instanceof ClientError) || e.key !== 'error.network') this.notice('error', 'error.no_key');
    }
  }

  async readerAccess(): Promise<ReaderAccess | null> {
    const { identity, engine, sync } = this;
    if (!identity || !sync || !engine?.link.online) return null;
    const boxes = await Promise.all([...this.boxes.values()].map((key) => key.keep()));
    return {
      server: this.server,
      user: identity.user,
      pk: identity.ed.pk,
      fp: sync.directory.fp,
      storagePrefix: engine.context.storagePrefix,
      database: searchDatabase(`a/${this.server}/`),
      token: engine.link.token(),
      boxes,
      teams: this.me.value?.teams ?? [],
    };
  }

  private async directoryChanged(): Promise<void> {
    const { identity, sync } = this;
    if (!identity || !sync) return;
    if (!isCertified(sync.directory, identity)) return this.signedOut(notCertified(sync.directory, identity).key);
    this.readDirectory(this.sync!.directory);
    const before = this.me.value;
    const me = (this.me.value = this.readMe(before?.state ?? 'offline'));
    if (before && me) {
      this.tellOfRights(before, me);
      this.teamsChanged(me.teams);
    }
    await this.loadBoxes();
    await this.renewDirectory();
  }

  private readMe(state: AgentState): Me | null {
    return meOf(this.sync?.directory, this.identity?.user, state);
  }

  /** One after the other: what is signed follows what was signed before. */
  private renewDirectory(): Promise<void> {
    return (this.renewing = this.renewing.then(async () => {
      const s = this.signing();
      if (!s) return;
      const { said, days } = await renewDirectory(s, s.admin);
      this.tellOfSnapshot(said, days);
      if (s.admin) this.tellOfWidgets(await oldWidgets(this.http, s.admin.token));
    }));
  }

  /** What signing needs; `admin` only for those who may. Null while offline. */
  private signing(): (Signing & { admin: Admin | null }) | null {
    const { sync, identity, engine } = this;
    if (!sync || !identity || !engine?.link.online) return null;
    const admin = this.me.value?.role === 'admin' ? { key: identity.ed, token: engine.link.token() } : null;
    return { backend: this.savedSession.backend, sync, http: this.http, now: this.deps.env.now(), admin };
  }

  async confirm(user: string): Promise<void> {
    const s = this.signing();
    if (!s?.admin) throw new ClientError(s ? 'error.forbidden' : 'error.network');
    await confirmLate(s, s.admin, user).catch((e: unknown) => Promise.reject(asClientError(e)));
  }

  reconnect(): void {
    this.engine?.link.reconnect();
  }

  dispose(): void {
    this.over = true;
    this.leaveEngine();
  }
}
