/** The agent's client: signs in, sees the conversations of his teams, answers. */
import { signal } from '@preact/signals';
import type { Backend, BoxKey, KeptKey } from '../crypto/backend';
import { hex } from '../crypto/bytes';
import { signedOf } from '../crypto/directory';
import { Rejected } from '../crypto/error';
import { fingerprint, printFingerprint } from '../crypto/hash';
import { parseCode } from '../crypto/invite';
import type { Opaque } from '../crypto/opaque';
import { readFingerprint } from '../crypto/rules';
import { LIFE_MS, signSnapshot } from '../crypto/snapshot';
import { createHttp, type Http } from '../link/http';
import { ClientError, type AgentClient, type AgentInfo, type AgentOptions, type AgentState, type Me, type Notice, type Offer, type Tab, type TeamInfo, type Trust } from '../model';
import type { Conv, DirectoryReply, ServerFrame, TeamBox, Welcome } from '../proto';
import type { Store } from '../storage/store';
import { changePassword, checkPassword, enrol, isCertified, login, openBoxes, readCode, type Identity } from './account';
import type { Conversation } from './conversation';
import { distrust, Engine, newConnection, prepare, type Deps } from './engine';
import { DirectoryKeeper } from './keeper';
import { ConvList } from './list';
import { prepareTransfer } from './transfer';

const DAY_MS = 86_400_000;
/** Warn when visitors will be refused so soon. */
const EXPIRY_MS = 7 * DAY_MS;
const PAGE = 50;
/** Conversations of the lists that are followed, so that unread counts and previews are right. */
const FOLLOWED = 200;

interface KeptSession {
  user: string;
  ed: KeptKey;
  x: KeptKey;
  locked: boolean;
}

export interface AgentDeps extends Deps {
  opaque(): Opaque;
}

export class Agent implements AgentClient {
  readonly session = signal<'loading' | 'signed-out' | 'locked' | 'signed-in'>('loading');
  readonly lastUser = signal('');
  readonly me = signal<Me | null>(null);
  readonly connection = newConnection();
  readonly trust;
  readonly more = signal<Record<Tab, boolean>>({ mine: false, queue: false, all: true });
  readonly offers = signal<readonly Offer[]>([]);
  readonly agents = signal<readonly AgentInfo[]>([]);
  readonly teams = signal<readonly TeamInfo[]>([]);
  readonly sites = signal<Record<string, string>>({});
  readonly notices = signal<readonly Notice[]>([]);
  private readonly list = new ConvList(
    () => this.me.value,
    (id) => this.engine?.conversations.get(id),
  );
  readonly conversations = this.list.items;
  private readonly server: string;
  private readonly http: Http;
  private store!: Store;
  private backend!: Backend;
  private keeper: DirectoryKeeper | null = null;
  private engine: Engine | null = null;
  private identity: Identity | null = null;
  private boxes = new Map<string, BoxKey>();
  private readonly shown = new Set<string>();
  private wanted: AgentState | null = null;
  private nextNotice = 1;
  private over = false;
  private readonly loading: Promise<void>;

  constructor(
    o: AgentOptions,
    private readonly deps: AgentDeps,
  ) {
    this.server = o.server ?? location.origin;
    this.http = createHttp(this.server, deps.env);
    this.trust = signal<Trust>({ mode: 'unpinned', secure: deps.secure, storage: 'kept' });
    this.loading = this.load();
  }

  // ---- session

  private get space(): string {
    return `a/${this.server}/`;
  }

  private async load(): Promise<void> {
    try {
      if (!this.deps.secure) throw new ClientError('error.insecure');
      ({ store: this.store, backend: this.backend } = await prepare(this.deps));
      this.trust.value = { ...this.trust.value, storage: this.store.kept ? 'kept' : 'memory' };
      const kept = await this.store.get<KeptSession>(`${this.space}session`);
      this.lastUser.value = (await this.store.get<string>(`${this.space}user`)) ?? '';
      this.connection.value = { state: 'ended' };
      if (!kept || kept.locked) this.session.value = kept ? 'locked' : 'signed-out';
      else await this.resume(kept);
    } catch (e) {
      const key = e instanceof ClientError ? e.key : 'error.server';
      if (key === 'error.insecure' || key === 'error.no_crypto') distrust(this.trust, key);
      this.connection.value = { state: 'ended', reason: key };
      this.session.value = 'signed-out';
    }
  }

  private async resume(kept: KeptSession): Promise<void> {
    let identity: Identity;
    try {
      identity = { user: kept.user, ed: await this.backend.restoreSigningKey(kept.ed), x: await this.backend.restoreBoxKey(kept.x) };
    } catch {
      await this.store.delete(`${this.space}session`);
      this.session.value = 'signed-out';
      return;
    }
    for (let ms = 1_000; !this.over; ms = Math.min(ms * 2, 15_000)) {
      try {
        const keeper = await this.loadDirectory();
        if (!isCertified(keeper.directory, identity)) return await this.signedOut('error.disabled');
        return await this.enter(identity);
      } catch (e) {
        if (!(e instanceof ClientError) || e.key !== 'error.network') throw e;
        this.connection.value = { state: 'waiting', reason: 'error.network', retryAt: this.deps.env.now() + ms };
        await new Promise((done) => setTimeout(done, ms));
      }
    }
  }

  /** The directory, verified under the pinned company. `fp`: from an invite code, which pins it. */
  private async loadDirectory(fp?: Uint8Array): Promise<DirectoryKeeper> {
    const pinName = `${this.space}pin`;
    const pinned = await this.store.get<string>(pinName);
    let org = pinned === undefined ? undefined : (readFingerprint(pinned) ?? undefined);
    if (fp) {
      if (org && hex(org) !== hex(fp)) throw new ClientError('error.invite_org');
      org = fp;
    }
    const first = !org;
    if (!org) {
      const { entries } = await this.http.get<DirectoryReply>('/directory?after=-1');
      if (!entries[0]) throw new ClientError('error.directory', 'empty');
      org = fingerprint(signedOf(entries[0]).signer);
    }
    const keeper = await DirectoryKeeper.fromLog(
      {
        backend: this.backend,
        store: this.store,
        http: this.http,
        onChange: () => void this.directoryChanged(),
        onAlarm: (e) => distrust(this.trust, e.key),
      },
      org,
      this.deps.env.now(),
    ).catch((e: unknown) => {
      const wrong = e instanceof ClientError && e.key === 'error.pin';
      if (e instanceof ClientError && e.key === 'error.directory_fork') distrust(this.trust, e.key);
      throw wrong && fp ? new ClientError('error.invite_org') : e;
    });
    this.keeper = keeper;
    await this.store.set(pinName, printFingerprint(org)).catch(() => undefined);
    this.trust.value = { ...this.trust.value, mode: first ? 'unpinned' : 'pinned', reason: undefined };
    return keeper;
  }

  async login(user: string, password: string): Promise<void> {
    await this.ready();
    const keeper = await this.loadDirectory();
    const identity = await this.withOpaque((opaque) =>
      login({ backend: this.backend, http: this.http, opaque }, keeper, user.trim().toLowerCase(), password, this.deps.env.now()),
    );
    await this.keepSession(identity);
    await this.enter(identity);
  }

  async firstLogin(code: string, password: string): Promise<void> {
    await this.ready();
    checkPassword(password);
    const invite = readCode(code);
    const keeper = await this.loadDirectory(invite.org);
    const identity = await this.withOpaque((opaque) =>
      enrol({ backend: this.backend, http: this.http, opaque }, keeper, invite, password, this.deps.env.now),
    );
    await this.keepSession(identity);
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
    await this.withOpaque((opaque) => changePassword({ backend: this.backend, http: this.http, opaque }, directory, me.user, old, next));
  }

  private async withOpaque<T>(fn: (opaque: Opaque) => Promise<T>): Promise<T> {
    const opaque = this.deps.opaque();
    try {
      return await fn(opaque);
    } catch (e) {
      throw asClientError(e);
    } finally {
      opaque.close();
    }
  }

  private async ready(): Promise<void> {
    await this.loading;
    if (this.trust.value.reason === 'error.insecure' || this.trust.value.reason === 'error.no_crypto') throw new ClientError(this.trust.value.reason);
  }

  private async keepSession(me: Identity, locked = false): Promise<void> {
    const kept: KeptSession = { user: me.user, ed: await me.ed.keep(), x: await me.x.keep(), locked };
    this.lastUser.value = me.user;
    await this.store.set(`${this.space}session`, kept).catch(() => undefined);
    await this.store.set(`${this.space}user`, me.user).catch(() => undefined);
  }

  private enter(identity: Identity): Promise<void> {
    this.leaveEngine();
    this.connection.value = { state: 'connecting' };
    this.identity = identity;
    this.me.value = this.readMe('offline');
    this.readDirectory();
    this.engine = new Engine(
      this.deps,
      {
        server: this.server,
        path: '/api/v1/ws/agent',
        role: 'agent',
        key: identity.ed,
        backend: this.backend,
        store: this.store,
        space: `${this.space}${identity.user}/`,
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
    this.me.value = null;
    this.offers.value = [];
    this.agents.value = [];
    this.shown.clear();
    this.list.clear();
  }

  private async signedOut(reason: 'error.unauthorised' | 'error.disabled'): Promise<void> {
    this.leaveEngine();
    this.session.value = 'signed-out';
    this.connection.value = { state: 'ended', reason };
    this.notice('error', reason);
    await this.store.delete(`${this.space}session`).catch(() => undefined);
  }

  lock(): void {
    const me = this.identity;
    if (!me) return;
    void this.keepSession(me, true);
    this.leaveEngine();
    this.session.value = 'locked';
  }

  async logout(): Promise<void> {
    this.leaveEngine();
    this.session.value = 'signed-out';
    await this.store.delete(`${this.space}session`);
  }

  // ---- from the server

  private welcomed(w: Welcome): void {
    const now = new Set(w.convs.map((c) => c.id));
    for (const { id, tabs } of this.conversations.value) {
      // it went to somebody else while this page was offline
      if ((tabs.mine || tabs.queue) && !now.has(id) && !this.shown.has(id)) {
        this.list.remove(id);
        this.engine!.forget(id);
      }
    }
    for (const c of w.convs) this.list.put(c);
    this.more.value = { mine: false, queue: false, all: true };
    void this.loadBoxes();
    void this.renewSnapshot();
    let followed = 0;
    for (const c of [...w.convs].sort((a, b) => b.last_at - a.last_at)) {
      const tabs = this.list.tabsOf(c);
      if ((tabs.mine || tabs.queue) && followed++ < FOLLOWED) this.followQuietly(c);
    }
    const wanted = this.wanted;
    // the server forgot what was chosen when the last socket went
    if (wanted) queueMicrotask(() => void this.status(wanted).catch(() => undefined));
  }

  private followQuietly(c: Conv): void {
    this.engine!.conversation(c.id, c);
    this.engine!.follow(c.id);
  }

  private convChanged(c: Conv): void {
    this.list.put(c);
    const tabs = this.list.tabsOf(c);
    if (tabs.mine || tabs.queue) this.followQuietly(c);
    else if (!this.shown.has(c.id)) this.engine!.forget(c.id);
    if (c.owner !== 'queue') this.dropOffer(c.id);
  }

  private heard(f: ServerFrame): void {
    switch (f.t) {
      case 'gone':
        this.list.remove(f.conv);
        this.dropOffer(f.conv);
        if (this.shown.has(f.conv)) this.notice('info', 'notice.conversation_gone');
        this.shown.delete(f.conv);
        this.engine!.forget(f.conv);
        return;
      case 'offer':
        if (f.auto) void this.accept(f.conv).catch(() => undefined);
        else {
          const until = f.until - this.engine!.link.now() + this.deps.env.now();
          this.offers.value = [...this.offers.value.filter((o) => o.conv !== f.conv), { conv: f.conv, until }];
        }
        return;
      case 'offer_gone':
        if (f.why === 'late' && this.offers.value.some((o) => o.conv === f.conv)) this.notice('info', 'notice.offer_missed');
        this.dropOffer(f.conv);
        return;
      case 'agents': {
        this.agents.value = f.list;
        const me = f.list.find((a) => a.user === this.identity?.user);
        if (me && this.me.value) this.me.value = { ...this.me.value, state: me.state };
        return;
      }
      case 'error':
        this.notice('error', new ClientError('error.refused', f.text).key);
        return;
      default:
        return;
    }
  }

  private dropOffer(conv: string): void {
    if (this.offers.value.some((o) => o.conv === conv)) this.offers.value = this.offers.value.filter((o) => o.conv !== conv);
  }

  private async loadBoxes(): Promise<void> {
    const { engine, identity, keeper } = this;
    if (!engine || !identity || !keeper) return;
    try {
      const { boxes } = await this.http.get<{ boxes: TeamBox[] }>('/boxes', engine.link.token());
      const keys = await openBoxes(this.backend, keeper.directory, identity, boxes);
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
    this.readDirectory();
    this.me.value = this.readMe(this.me.value?.state ?? 'offline');
    await this.loadBoxes();
  }

  private readDirectory(): void {
    const { teams, sites } = this.keeper!.directory.state;
    this.teams.value = Object.entries(teams).flatMap(([id, t]) => (t.on ? [{ id, name: t.name }] : []));
    this.sites.value = Object.fromEntries(Object.entries(sites).map(([id, s]) => [id, s.name]));
  }

  private readMe(state: AgentState): Me | null {
    const id = this.identity?.user;
    const u = id === undefined ? undefined : this.keeper?.directory.state.users[id];
    return id !== undefined && u ? { user: id, name: u.name, role: u.role, teams: u.teams, state } : null;
  }

  /** An admin's sign-in says that the directory stands here, so that visitors may go on trusting it. */
  private async renewSnapshot(): Promise<void> {
    const { keeper, identity, engine } = this;
    if (!keeper || !identity || !engine) return;
    const now = engine.link.now();
    const { at, until } = keeper.snapshot;
    const behind = now - at > DAY_MS;
    if (this.me.value?.role === 'admin' && behind) {
      try {
        await keeper.refresh(now);
        await this.http.post('/snapshot', await signSnapshot(keeper.directory, now, now + LIFE_MS, identity.ed), engine.link.token());
        keeper.snapshot = { at: now, until: now + LIFE_MS };
        this.notice('info', 'notice.snapshot_renewed');
        return;
      } catch {
        // said below if it matters
      }
    }
    if (until - now < EXPIRY_MS) this.notice('error', 'notice.snapshot_expires', { days: Math.max(0, Math.ceil((until - now) / DAY_MS)) });
  }

  private notice(kind: Notice['kind'], key: Notice['key'], params?: Notice['params']): void {
    if (this.notices.value.some((n) => n.key === key)) return;
    this.notices.value = [...this.notices.value, { id: this.nextNotice++, kind, key, params }];
  }

  dismiss(notice: number): void {
    this.notices.value = this.notices.value.filter((n) => n.id !== notice);
  }

  // ---- conversations

  private thread(id: string): Conversation {
    if (!this.engine) throw new ClientError('error.unauthorised');
    return this.engine.conversation(id, this.list.get(id) ?? null);
  }

  open(conv: string): Conversation {
    const t = this.thread(conv);
    this.shown.add(conv);
    this.engine!.follow(conv);
    return t;
  }

  leave(conv: string): void {
    this.shown.delete(conv);
    const c = this.list.get(conv);
    const tabs = c && this.list.tabsOf(c);
    if (tabs && !tabs.mine && !tabs.queue) this.engine?.forget(conv);
  }

  send(conv: string, text: string): Promise<void> {
    return this.thread(conv).send({ t: 'text', ts: this.deps.env.now(), text });
  }
  note(conv: string, text: string): Promise<void> {
    return this.thread(conv).send({ t: 'note', ts: this.deps.env.now(), text }, true);
  }
  retry(conv: string, id: string): void {
    this.thread(conv).outbox.retry(id);
  }
  recall(conv: string, id: string): Promise<void> {
    return this.thread(conv).recall(id);
  }
  typing(conv: string, on: boolean): void {
    this.thread(conv).typingNow(on);
  }
  markRead(conv: string): void {
    this.thread(conv).markRead();
  }

  private request(r: Parameters<Engine['port']['request']>[0]): Promise<void> {
    return this.engine ? this.engine.port.request(r) : Promise.reject(new ClientError('error.unauthorised'));
  }

  accept(conv: string): Promise<void> {
    this.dropOffer(conv);
    return this.request({ t: 'accept', conv });
  }
  decline(conv: string): Promise<void> {
    this.dropOffer(conv);
    return this.request({ t: 'decline', conv });
  }
  take(conv: string): Promise<void> {
    return this.request({ t: 'take', conv });
  }
  close(conv: string): Promise<void> {
    return this.request({ t: 'close', conv });
  }
  reopen(conv: string): Promise<void> {
    return this.request({ t: 'reopen', conv });
  }

  async transfer(conv: string, to: { agent: string } | { team: string }): Promise<void> {
    if ('team' in to && to.team !== this.list.get(conv)?.team) {
      const t = this.thread(conv);
      this.engine!.follow(conv);
      await prepareTransfer(this.engine!.port, t, to.team).catch((e: unknown) => Promise.reject(asClientError(e)));
    }
    await this.request({ t: 'transfer', conv, ...to });
  }

  async status(state: AgentState): Promise<void> {
    this.wanted = state;
    await this.request({ t: 'status', state });
    if (this.me.value) this.me.value = { ...this.me.value, state };
  }

  async loadMore(tab: Tab): Promise<void> {
    if (!this.engine) return;
    const before = this.list.oldest(tab);
    const query = `tab=${tab}&limit=${PAGE}${before === null ? '' : `&before=${before}`}`;
    const reply = await this.http.get<{ convs: Conv[]; more: boolean }>(`/conversations?${query}`, this.engine.link.token());
    for (const c of reply.convs) if (!this.list.get(c.id)) this.list.put(c);
    this.more.value = { ...this.more.value, [tab]: reply.more };
  }

  reconnect(): void {
    this.engine?.link.reconnect();
  }

  dispose(): void {
    this.over = true;
    this.leaveEngine();
  }
}

/** Pages hear of one kind of error only. */
function asClientError(e: unknown): ClientError {
  if (e instanceof ClientError) return e;
  return new ClientError(e instanceof Rejected ? 'error.directory' : 'error.server', String(e));
}
