/** The agent's client: signs in, sees the conversations of his teams, answers. */
import type { BoxKey } from '../crypto/backend';
import { parseCode } from '../crypto/invite';
import { printFingerprint } from '../crypto/hash';
import { createHttp, type Http } from '../link/http';
import { ClientError, type AgentClient, type AgentOptions, type AgentState, type Me, type Tab, type Trust } from '../model';
import type { Conv, Request, ServerFrame, TeamBox, Welcome } from '../proto';
import { signal } from '../signals';
import { changePassword, checkPassword, enrol, isCertified, login, openBoxes, readCode, type Identity } from './account';
import { AgentSession, asClientError, type AgentDeps } from './agent-session';
import type { Conversation } from './conversation';
import { distrust, Engine, newConnection } from './engine';
import type { DirectoryKeeper } from './keeper';
import { AgentSignals, meOf } from './agent-signals';
import { ConvList } from './list';
import { renewSnapshot } from './renew';
import { agentParts, prepareTransfer } from './transfer';

const PAGE = 50;
/** Conversations of the lists that are followed, so that unread counts and previews are right. */
const FOLLOWED = 200;

export class Agent extends AgentSignals implements AgentClient {
  readonly connection = newConnection();
  readonly trust;
  private readonly list = new ConvList(
    () => this.me.value,
    (id) => this.engine?.conversations.get(id),
  );
  readonly conversations = this.list.items;
  private readonly server: string;
  private readonly http: Http;
  private readonly kept: AgentSession;
  private keeper: DirectoryKeeper | null = null;
  private engine: Engine | null = null;
  private identity: Identity | null = null;
  private boxes = new Map<string, BoxKey>();
  private readonly shown = new Set<string>();
  private wanted: AgentState | null = null;
  /** Creation time of the oldest conversation that was paged to. */
  private cursor: Partial<Record<Tab, number>> = {};
  private over = false;
  private readonly loading: Promise<void>;

  constructor(
    o: AgentOptions,
    private readonly deps: AgentDeps,
  ) {
    super();
    this.server = o.server ?? location.origin;
    this.http = createHttp(this.server, deps.env);
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
    this.me.value = null;
    this.offers.value = [];
    this.agents.value = [];
    this.shown.clear();
    this.cursor = {};
    this.list.clear();
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
        else this.addOffer({ conv: f.conv, until: f.until - this.engine!.link.now() + this.deps.env.now() });
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
      default:
        // an error that names no request and no envelope answers `typing` or `seen`: nothing a person could do about it
        return;
    }
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
    if (said === 'renewed') this.notice('info', 'notice.snapshot_renewed');
    if (said === 'expires') this.notice('error', 'notice.snapshot_expires', { days });
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
  readonly retry = (conv: string, id: string): void => this.thread(conv).outbox.retry(id);
  readonly recall = (conv: string, id: string): Promise<void> => this.thread(conv).recall(id);
  readonly typing = (conv: string, on: boolean): void => this.thread(conv).typingNow(on);
  readonly markRead = (conv: string): void => this.thread(conv).markRead();

  private request(r: Request): Promise<void> {
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
  readonly take = (conv: string): Promise<void> => this.request({ t: 'take', conv });
  readonly close = (conv: string): Promise<void> => this.request({ t: 'close', conv });
  readonly reopen = (conv: string): Promise<void> => this.request({ t: 'reopen', conv });

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
    const before = this.cursor[tab];
    const query = `tab=${tab}&limit=${PAGE}${before === undefined ? '' : `&before=${before}`}`;
    const reply = await this.http.get<{ convs: Conv[]; more: boolean }>(`/conversations?${query}`, this.engine.link.token());
    for (const c of reply.convs) {
      this.cursor[tab] = Math.min(this.cursor[tab] ?? c.created, c.created);
      if (!this.list.get(c.id)) this.list.put(c);
    }
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
