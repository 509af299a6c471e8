/** The visitor's client: verifies the company, makes keys and a conversation at the first message, and speaks in it. */
import type { Backend, KeptKey } from '../crypto/backend';
import { b64u, hex, random } from '../crypto/bytes';
import { BoxKind, boxKid, conversationId } from '../crypto/hash';
import { readFingerprint } from '../crypto/rules';
import { passes, patience, Refused } from '../link/errors';
import { createHttp } from '../link/http';
import { ClientError, type ErrorKey, type SiteInfo, type Trust, type VisitorClient, type VisitorOptions, type Wait } from '../model';
import { Code, Envelope, type Conv, type PresenceState, type ServerFrame, type SiteReply, type Welcome } from '../proto';
import { computed, signal } from '../signals';
import type { Store } from '../storage/store';
import type { Conversation } from './conversation';
import { Beside } from './beside';
import { distrust, Engine, newConnection, prepare, type Deps } from './engine';
import { DirectoryKeeper } from './keeper';
import { adopt, firstAnnouncement, makeKeys, type Begun, type Keys } from './opening';
import { Memory } from './memory';
import { watchPresence } from './presence';
import { patiently } from './patience';
import { askWhyShut, isListed, type ShutDeps } from './shut';
import { Robot } from './robot';
import { presenceOf, siteInfo } from './site';

const OPEN_RETRY_MS = 3_000;

export class Visitor implements VisitorClient {
  readonly connection = newConnection();
  readonly trust;
  readonly site = signal<SiteInfo | null>(null);
  readonly presence = signal<PresenceState | 'unknown'>('unknown');
  readonly ahead = signal(0);
  readonly thread = signal<Conversation | null>(null);
  private readonly beside = signal<Beside | null>(null);
  readonly queue = signal<number | null>(null);
  /** Where the conversations that wait stand in the queue. */
  private readonly places = new Map<string, number>();
  readonly other = computed(() => this.beside.value?.thread.value ?? null);
  readonly unread = computed(() => (this.thread.value?.unread.value ?? 0) + (this.other.value?.unread.value ?? 0));
  /** Before the first message: a person, please. */
  private readonly personFirst = signal(false);
  private readonly bot = signal<Robot | null>(null);
  readonly robot = computed(() => {
    const thread = this.thread.value;
    const conv = thread?.conv.value;
    if (conv) return conv.owner === 'robot' && !thread!.personAsked.value && !thread!.blocked.value;
    return !this.personFirst.value && (this.bot.value?.there.value ?? false);
  });
  readonly hasRobot = computed(() => this.bot.value?.there.value ?? false);
  readonly robotRefused = computed(() => this.bot.value?.alarm.value ?? false);
  readonly personAsked = computed(() => {
    const thread = this.thread.value;
    return thread ? thread.personAsked.value && thread.conv.value?.owner === 'robot' : this.personFirst.value;
  });
  /** The conversation cannot be opened before. */
  private readonly openWait = signal<Wait | null>(null);
  readonly wait = computed(() => this.openWait.value ?? this.thread.value?.wait.value ?? null);
  private readonly formGiven = signal(false);
  readonly needsForm = computed(() => !this.thread.value && !this.formGiven.value && (this.site.value?.form.length ?? 0) > 0);
  private fields: Record<string, string> = {};
  private store!: Store;
  private backend!: Backend;
  private keeper!: DirectoryKeeper;
  private shut!: ShutDeps;
  private engine: Engine | null = null;
  private keys: Keys | null = null;
  private begun: Begun | null = null;
  private loading: Promise<void>;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private over = false;
  private opening = false;
  /** The conversation that was gone or lost, for the next one to name. */
  private after: string | undefined;
  /** Closed conversations the visitor is done with. */
  private readonly dismissed = new Set<string>();
  private sending: Promise<void> = Promise.resolve();

  constructor(
    private readonly o: VisitorOptions,
    private readonly deps: Deps,
  ) {
    this.trust = signal<Trust>({ mode: o.org === undefined ? 'unpinned' : 'pinned', secure: deps.secure, storage: 'kept' });
    this.loading = this.load();
    this.loading.catch(() => undefined);
  }

  // ---- loading

  private get space(): string {
    return `v/${this.o.server}/${this.o.site}/`;
  }

  /** Where the lost conversation is kept until the next one names it. */
  private get afterName(): string {
    return `${this.space}after`;
  }

  private async load(): Promise<void> {
    try {
      ({ store: this.store, backend: this.backend } = await prepare(this.deps));
      this.trust.value = { ...this.trust.value, storage: this.store.kept ? 'kept' : 'memory' };
      const http = createHttp(this.o.server, this.deps.env);
      const { site: id, widget } = this.o;
      const path = `/site/${encodeURIComponent(id)}${widget === undefined ? '' : `?widget=${encodeURIComponent(widget)}`}`;
      const get = (): Promise<SiteReply> => http.get<SiteReply>(path);
      const reply = await patiently(this.deps.env, get, (c) => (this.connection.value = c), () => this.over);
      const fp = await this.pin(reply.org);
      if (reply.require_secure && !this.deps.secure) throw new ClientError('error.insecure');
      this.keeper = await DirectoryKeeper.fromBundle(
        {
          backend: this.backend,
          store: this.store,
          http,
          now: this.deps.env.now,
          onChange: () => {
            this.engine?.refreshAll();
            void this.bot.value?.key();
          },
          onAlarm: (e) => distrust(this.trust, e.key),
        },
        fp,
        reply.directory,
      );
      const { state } = this.keeper.directory;
      const site = state.sites[this.o.site];
      if (!site?.on) throw new ClientError('error.site_unknown', this.o.site);
      // The server would refuse the socket; a person would see a connection that never comes.
      this.shut = { http, keeper: this.keeper, site: id, server: this.o.server, page: this.deps.origin, now: this.deps.env.now };
      if (!isListed(this.shut)) throw new ClientError('error.origin');
      const robot = new Robot(
        {
          backend: this.backend,
          site: id,
          directory: () => this.keeper.directory,
          now: () => this.deps.env.now(),
          fetch: async () => (await get()).bot,
        },
        reply.bot,
      );
      await robot.key();
      this.bot.value = robot;
      this.presence.value = presenceOf(reply.presence);
      const kept = await this.store.get<{ ed: KeptKey; x: KeptKey }>(`${this.space}keys`);
      this.begun = (await this.store.get<Begun>(`${this.space}conv`)) ?? null;
      await (this.beside.value = new Beside(this.store, `${this.space}beside`)).load();
      const lost = this.begun ? undefined : await this.store.get<{ id: string; person: boolean }>(this.afterName);
      if (lost) {
        this.after = lost.id;
        this.personFirst.value ||= lost.person;
      }
      if (this.over) return;
      if (kept) await this.restoreKeys(kept);
      if (this.keys) {
        this.connect();
        if (this.begun) await this.resumeBegun();
      } else this.connection.value = { state: 'online' };
      this.site.value = siteInfo(reply, site.name, state.org);
    } catch (e) {
      this.fail(e);
      throw e;
    }
  }

  /** Keys of another back end (the page moved to https, say) can't be used; the visitor then begins again. */
  private async restoreKeys(kept: { ed: KeptKey; x: KeptKey }): Promise<void> {
    try {
      this.keys = { ed: await this.backend.restoreSigningKey(kept.ed), x: await this.backend.restoreBoxKey(kept.x) };
    } catch {
      await this.store.delete(`${this.space}keys`);
      this.begun = null;
    }
  }

  /** What was begun here is shown before the server answers, with what still waits to be sent. */
  private async resumeBegun(): Promise<void> {
    try {
      const thread = await this.localThread();
      await thread.prepare();
      await thread.outbox.restore((inst) => this.engine!.tabLives(inst));
    } catch {
      this.begun = null;
    }
  }

  private fail(e: unknown): void {
    const key: ErrorKey = e instanceof ClientError ? e.key : 'error.server';
    this.connection.value = { state: 'ended', reason: key };
    if (key !== 'error.network' && key !== 'error.server' && key !== 'error.rate_limited') distrust(this.trust, key);
  }

  /** The fingerprint everything is verified against: the snippet's, or the first one ever seen here. */
  private async pin(claimed: string): Promise<Uint8Array> {
    let want = this.o.org;
    if (want === undefined) want = await this.store.init(`pin/${this.o.server}`, claimed);
    const fp = readFingerprint(want);
    const now = readFingerprint(claimed);
    if (!fp || !now || hex(fp) !== hex(now)) throw new ClientError('error.pin', `${claimed} instead of ${want}`);
    return fp;
  }

  // ---- connection

  private connect(): Engine {
    if (this.engine) return this.engine;
    const { ed, x } = this.keys!;
    const boxes = new Map([[hex(boxKid(BoxKind.visitor, x.pk)), x]]);
    this.engine = new Engine(
      this.deps,
      {
        server: this.o.server,
        path: `/api/v1/ws/site/${encodeURIComponent(this.o.site)}`,
        role: 'visitor',
        key: ed,
        backend: this.backend,
        store: this.store,
        space: this.space,
        keeper: this.keeper,
        boxes: () => boxes,
        robot: (fresh) => this.bot.value?.key(fresh) ?? Promise.resolve(null),
        fresh: () => this.fresh(),
        connection: this.connection,
        trust: this.trust,
      },
      {
        welcome: (w) => this.welcomed(w),
        frame: (f) => this.heard(f),
        conv: (c) => this.convChanged(c),
        changed: () => undefined,
        shut: askWhyShut(this.shut, (found) => this.engine?.link.because(found && found.why, found?.over)),
      },
    );
    this.engine.link.start();
    return this.engine;
  }

  private async fresh(): Promise<boolean> {
    const now = this.deps.env.now();
    if (!this.keeper.fresh(now)) await this.keeper.refresh(now).catch(() => undefined);
    return this.keeper.fresh(now);
  }

  private welcomed(w: Welcome): void {
    const mine = w.convs.filter((c) => c.site === this.o.site).sort((a, b) => b.created - a.created);
    this.beside.value!.welcomed(mine, this.engine!);
    const begun = this.begun;
    if (begun && !mine.some((c) => c.id === begun.id)) {
      void (begun.opened ? this.missing(begun) : this.open());
      return;
    }
    const shown = mine.filter((c) => !this.dismissed.has(c.id) && c.id !== this.beside.value!.begun?.id);
    const current = shown.find((c) => c.id === begun?.id);
    if (current) this.show(current);
    else void this.showRemembered(shown);
  }

  /**
   * The server does not name a conversation that it had. A database that was opened again may have lost it: it is opened again as
   * it was. Anything else is said, and no other takes its place by itself.
   */
  private async missing(begun: Begun): Promise<void> {
    const thread = this.engine!.conversations.get(begun.id) ?? (await this.localThread());
    const { memory } = thread.ledger;
    await memory.load();
    const gen = this.engine!.link.gen;
    if (!gen || !memory.now.gen || gen === memory.now.gen) return thread.end('error.conversation_gone');
    this.begun = { ...begun, opened: false };
    await this.open();
  }

  private convChanged(c: Conv): void {
    if (c.site !== this.o.site || this.dismissed.has(c.id) || this.thread.value?.ended) return;
    if (c.id !== this.thread.value?.id) void this.adoptFromTab(c);
    if (c.id === this.thread.value?.id && c.owner !== 'queue') this.queue.value = null;
  }

  /** Without a current one: the newest that this browser took part in. What it does not remember it did not begin. */
  private async showRemembered(convs: readonly Conv[]): Promise<void> {
    const remembered: Conv[] = [];
    for (const c of convs) {
      const memory = new Memory(this.engine!.port, c.id);
      await memory.load();
      if (memory.now.epoch >= 0) remembered.push(c);
    }
    const newest = remembered.find((c) => c.state === 'open') ?? remembered[0];
    if (newest && !this.begun && !this.thread.value && !this.over) this.show(newest);
  }

  /** Another tab of this browser began it: what the browser keeps says so, the server's word does not. */
  private async adoptFromTab(c: Conv): Promise<void> {
    const begun = await this.store.get<Begun>(`${this.space}conv`).catch(() => undefined);
    const shown = this.thread.value;
    if (begun?.id !== c.id || shown?.id === c.id || this.dismissed.has(c.id) || this.over) return;
    this.begun = begun;
    await this.beside.value!.load();
    this.show(c);
    this.beside.value!.welcomed([...this.engine!.conversations.values()].flatMap((one) => one.conv.value ?? []), this.engine!);
  }

  private show(c: Conv): void {
    if (this.begun?.id === c.id && !this.begun.opened) void this.markOpened();
    const thread = this.engine!.conversation(c.id, c);
    this.thread.value = thread;
    if (c.owner !== 'queue') this.queue.value = null;
    this.engine!.follow(c.id);
  }

  private heard(f: ServerFrame): void {
    if (f.t === 'queue') {
      this.places.set(f.conv, f.position);
      if (f.conv === this.thread.value?.id) this.queue.value = f.position;
    } else if (f.t === 'presence' && f.team === this.keeper.directory.state.sites[this.o.site]?.team) this.presence.value = presenceOf(f.state);
  }

  // ---- the first message

  private async begin(): Promise<Conversation> {
    // a page that was open for weeks: by an old statement no new conversation begins
    if (!(await this.fresh())) {
      const over = new ClientError('error.snapshot_expired');
      this.fail(over);
      throw over;
    }
    const keys = (this.keys ??= await makeKeys(this.backend, this.store, this.space));
    const nonce = random(16);
    const id = hex(conversationId(nonce, this.keeper.directory.fp, this.o.site, keys.ed.pk, keys.x.pk));
    this.begun = { id, nonce, ann: await this.announcement(id, false), opened: false };
    await this.store.set(`${this.space}conv`, this.begun).catch(() => undefined);
    const engine = this.connect();
    const thread = await this.localThread();
    // the welcome may have been before, and its try refused for the moment
    if (engine.link.online && !this.openWait.value) void this.open();
    return thread;
  }

  /** With the robot if there is one and nobody asked for a person. `fresh`: the server did not know its key. `without`: it was not let in before. */
  private async announcement(id: string, fresh: boolean, without = false): Promise<Uint8Array> {
    const person = without || this.personFirst.value || this.thread.value?.personAsked.value;
    const botX = person ? null : await this.bot.value!.key(fresh);
    return firstAnnouncement(this.backend, this.keeper.directory, this.o.site, this.keys!, id, botX);
  }

  private async localThread(): Promise<Conversation> {
    const thread = await adopt(this.engine!, this.backend, this.keeper.directory, this.o.site, this.keys!, this.begun!);
    this.thread.value = thread;
    thread.publish();
    return thread;
  }

  private async open(): Promise<void> {
    const begun = this.begun;
    if (!begun || begun.opened || this.opening) return;
    this.opening = true;
    try {
      if (!this.engine!.conversations.has(begun.id)) await this.localThread().catch(() => this.announceAgain());
      const { id, nonce, ann } = this.begun!;
      await this.engine!.port.request({ t: 'open', id, nonce: b64u(nonce), site: this.o.site, x: b64u(this.keys!.x.pk), ann: b64u(ann) });
      this.openWait.value = null;
      await this.markOpened();
      this.engine!.follow(id);
    } catch (e) {
      const thread = this.engine!.conversations.get(begun.id);
      // it was opened before: another first epoch than the remembered one is no way back
      if (e instanceof Refused && thread && thread.ledger.memory.now.epoch >= 0 && !passes(e.code)) {
        return thread.end('error.conversation_gone');
      }
      if (e instanceof Refused && (e.code === Code.epoch_stale || e.code === Code.directory_stale || e.code === Code.conflict)) {
        await this.keeper.refresh(this.deps.env.now()).catch(() => undefined);
        await this.announceAgain().catch(() => undefined);
      } else if (e instanceof Refused && !passes(e.code)) {
        // for good: another conversation may be begun, with what was written
        return thread?.end(e.code === Code.not_found ? 'error.site_unknown' : e.key);
      }
      const ms = patience(e, OPEN_RETRY_MS);
      this.openWait.value = e instanceof Refused ? (e.wait ?? null) : null;
      // without a connection the next welcome opens it
      if (!this.over && this.engine!.link.online) this.timer = setTimeout(() => this.openAgain(), ms);
    } finally {
      this.opening = false;
    }
  }

  /** The wait is over; without a connection the next welcome opens it. */
  private openAgain(): void {
    this.openWait.value = null;
    if (this.engine!.link.online) void this.open();
  }

  /** The team's key changed before the server had the first announcement. A robot that the first one left out stays out. */
  private async announceAgain(): Promise<void> {
    const begun = this.begun!;
    const without = Envelope.parse(begun.ann)?.flags === 0;
    this.begun = { ...begun, ann: await this.announcement(begun.id, true, without) };
    await this.store.set(`${this.space}conv`, this.begun).catch(() => undefined);
    await (await this.localThread()).outbox.reseal();
  }

  private async markOpened(): Promise<void> {
    if (!this.begun || this.begun.opened) return;
    this.begun = { ...this.begun, opened: true };
    await this.store.set(`${this.space}conv`, this.begun).catch(() => undefined);
  }

  // ---- what the page does

  start(fields: Record<string, string>): void {
    this.fields = fields;
    this.formGiven.value = true;
  }

  send(text: string): Promise<void> {
    const done = this.sending.then(() => this.sendNow(text));
    this.sending = done.catch(() => undefined);
    return done;
  }

  private async sendNow(text: string): Promise<void> {
    await this.loading;
    const reason = this.trust.value;
    if (reason.mode === 'broken') throw new ClientError(reason.reason ?? 'error.directory');
    const ts = this.deps.env.now();
    let thread = this.thread.value;
    if (!thread) {
      thread = await this.begin();
      const mode = this.o.org === undefined ? 'unpinned' : 'pinned';
      await thread.send({ t: 'form', ts, fields: this.fields, page: pageNow(), lang: this.o.lang, mode, after: this.after });
      this.after = undefined;
      void this.store.delete(this.afterName).catch(() => undefined);
    }
    await thread.send({ t: 'text', ts, text });
  }

  person(): void {
    const thread = this.thread.value;
    if (thread) thread.outbox.askPerson();
    else this.personFirst.value = true;
  }

  /** The robot is to be had again, in a conversation of its own: this one stays where it waits. */
  askRobot(): void {
    const thread = this.thread.value;
    if (!thread || !this.begun?.opened || !this.bot.value?.there.value) return;
    this.swap();
    this.after = thread.id;
    void this.store.set(this.afterName, { id: thread.id, person: false }).catch(() => undefined);
    this.fields = thread.messages.value.find((m) => m.form)?.form?.fields ?? {};
    this.formGiven.value = true;
    this.personFirst.value = false;
  }

  swap(): void {
    if (this.opening) return;
    const { thread, begun } = this.beside.value!.exchange({ thread: this.thread.value, begun: this.begun });
    clearTimeout(this.timer);
    this.openWait.value = null;
    this.begun = begun;
    this.thread.value = thread;
    this.queue.value = (thread?.conv.value?.owner === 'queue' && this.places.get(thread.id)) || null;
    const name = `${this.space}conv`;
    void (begun ? this.store.set(name, begun) : this.store.delete(name)).catch(() => undefined);
    if (begun && !begun.opened && this.engine?.link.online) void this.open();
  }

  retry(id: string): void {
    this.thread.value?.outbox.retry(id);
  }
  drop(id: string): void {
    this.thread.value?.outbox.takeBack(id);
  }
  async recall(id: string): Promise<void> {
    await this.thread.value?.recall(id);
  }
  typing(on: boolean): void {
    this.thread.value?.typingNow(on);
  }
  markRead(): void {
    this.thread.value?.markRead();
  }
  async close(): Promise<void> {
    const id = this.thread.value?.id;
    if (id !== undefined) await this.engine!.port.request({ t: 'close', conv: id });
  }
  startOver(): void {
    const thread = this.thread.value;
    if (!thread) return;
    const { id } = thread;
    // one that is full by the server's word goes on in the next like one that was lost
    const lost = thread.ended !== null || thread.outbox.full;
    this.after = lost ? id : undefined;
    this.dismissed.add(id);
    this.engine?.forget(id);
    this.thread.value = null;
    this.queue.value = null;
    this.openWait.value = null;
    clearTimeout(this.timer);
    this.begun = null;
    this.formGiven.value = false;
    // a server that hid a conversation with people gains no robot by it
    this.personFirst.value = lost && (thread.ledger.left || thread.ledger.memory.now.left);
    const kept = lost ? this.store.set(this.afterName, { id, person: this.personFirst.value }) : this.store.delete(this.afterName);
    void kept.catch(() => undefined);
    void this.store.delete(`${this.space}conv`).catch(() => undefined);
  }
  watch(): () => void {
    return watchPresence({
      http: createHttp(this.o.server, this.deps.env),
      env: this.deps.env,
      site: this.o.site,
      // before the site is here there is nothing to tell
      told: () => !this.site.value || (this.engine?.link.online ?? false),
      say: (state, waiting) => {
        this.presence.value = state;
        this.ahead.value = waiting;
      },
    });
  }
  reconnect(): void {
    if (this.engine) this.engine.link.reconnect();
    else if (this.connection.value.state === 'ended' && this.trust.value.mode !== 'broken') {
      this.connection.value = { state: 'connecting' };
      this.loading = this.load();
      this.loading.catch(() => undefined);
    }
  }
  dispose(): void {
    this.over = true;
    clearTimeout(this.timer);
    this.engine?.dispose();
  }
}

/** Characters of an address. */
const MAX_PAGE = 2_000;

/** Where the visitor stands; sealed like everything else. */
function pageNow(): { url: string; title: string; referrer: string } | undefined {
  if (typeof document === 'undefined') return undefined;
  // all of it must fit into one envelope beside the answers
  return { url: location.href.slice(0, MAX_PAGE), title: document.title.slice(0, MAX_PAGE / 4), referrer: document.referrer.slice(0, MAX_PAGE) };
}
