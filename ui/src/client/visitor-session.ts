/**
 * A visitor's page as long as it is open: it verifies the company, connects, and shows the conversation that this browser is in, in all
 * of its tabs.
 */
import type { Backend } from '../crypto/backend';
import { hex } from '../crypto/bytes';
import { BoxKind, boxKid, kidOf } from '../crypto/hash';
import { createHttp } from '../link/http';
import { ClientError, type ErrorKey, type Message, type SiteInfo, type Trust, type VisitorOptions } from '../model';
import { makePart } from '../part';
import type { Conv, PresenceState, ServerFrame, Welcome } from '../proto';
import { signal } from '../signals';
import type { Store } from '../storage/store';
import type { Conversation } from './conversation';
import { SecondConversation } from './second-conversation';
import { distrust, Engine, newConnection, type Deps } from './engine';
import type { DirectorySync } from './directory-sync';
import type { EarlierHost } from './earlier';
import { keysFromSeed, makeKeys, restoreKeys, type PendingConversation, type Keys } from './opening';
import { Opener, type OpenerHost } from './opener';
import { Introduction } from './introduction';
import { Memory } from './memory';
import { Predecessor } from './predecessor';
import type { Robot } from './robot';
import { opensOf, presenceOf } from './site';
import { Tabs } from './tabs';
import { bootstrap, type Bootstrapped } from './visitor-bootstrap';

/** An agent's page needs a moment to let another device read, ms. */
const EARLIER_MS = 3_000;

const earlierPart = makePart(() => import('./earlier'));

export class VisitorSession implements OpenerHost {
  readonly connection = newConnection();
  readonly trust;
  readonly site = signal<SiteInfo | null>(null);
  readonly presence = signal<PresenceState | 'unknown'>('unknown');
  readonly opens = signal<number | null>(null);
  readonly thread = signal<Conversation | null>(null);
  readonly second = signal<SecondConversation | null>(null);
  readonly queue = signal<number | null>(null);
  /** Places in the queue of the conversations that wait. */
  readonly places = new Map<string, number>();
  /** Before the first message: a person, please. */
  readonly personFirst = signal(false);
  readonly bot = signal<Robot | null>(null);
  readonly opener = new Opener(this);
  readonly formGiven = signal(false);
  store!: Store;
  backend!: Backend;
  sync!: DirectorySync;
  private diagnose!: Bootstrapped['diagnose'];
  engine: Engine | null = null;
  keys: Keys | null = null;
  /** Settles when the page knows its site. */
  loading: Promise<void>;
  over = false;
  /** Who gave a seed, as a part of names. */
  private person = '';
  /** Closed conversations the visitor is done with. */
  private readonly dismissed = new Set<string>();
  private looking: Promise<void> = Promise.resolve();
  tabs!: Tabs;
  predecessor!: Predecessor;
  /** What was written on other devices, and what is asked for it. */
  readonly earlier = signal<readonly Message[]>([]);
  private readingEarlier: Promise<void> = Promise.resolve();
  private earlierTimer: ReturnType<typeof setTimeout> | undefined;
  /** What the page says of its visitor. */
  introduction!: Introduction;

  constructor(
    readonly o: VisitorOptions,
    readonly deps: Deps,
  ) {
    this.trust = signal<Trust>({
      mode: o.org === undefined ? 'unpinned' : 'pinned',
      secure: deps.secure,
      storage: 'kept',
    });
    this.loading = this.load();
    this.loading.catch(() => undefined);
  }

  // ---- loading

  /** People who take turns at one browser, each with a seed, share nothing. */
  get storagePrefix(): string {
    return `v/${this.o.server}/${this.o.site}/${this.person}`;
  }

  private async load(): Promise<void> {
    try {
      const { store, backend, sync, robot, info, presence, opens, diagnose } = await bootstrap(this.o, this.deps, this);
      this.store = store;
      this.backend = backend;
      this.sync = sync;
      this.diagnose = diagnose;
      this.bot.value = robot;
      this.presence.value = presence;
      this.opens.value = opens;
      if (this.o.seed !== undefined) {
        this.keys = await keysFromSeed(backend, sync.directory.fp, this.o.seed);
        this.person = `${hex(kidOf(this.keys.ed.pk))}/`;
      }
      this.tabs ??= new Tabs(this.store, this.storagePrefix, this.deps.env, () => void this.look());
      this.predecessor ??= new Predecessor(store, `${this.storagePrefix}after`);
      await (this.second.value = new SecondConversation(this.store, `${this.storagePrefix}beside`)).load();
      // before the keys, which are older
      this.opener.pending = (await this.tabs.pending()) ?? null;
      if (!this.opener.pending) await this.lostBefore();
      const keys = await restoreKeys(backend, store, this.storagePrefix);
      if (this.over) return;
      this.keys ??= keys;
      if (!this.keys) this.giveUp();
      if (this.keys) {
        this.connect();
        if (this.opener.pending && !(await this.resumePending())) this.giveUp();
      } else this.connection.value = { state: 'online' };
      this.introduction ??= new Introduction({
        store,
        storagePrefix: this.storagePrefix,
        site: this.o.site,
        fp: sync.directory.fp,
        keys: () => this.ownKeys(),
        now: () => this.deps.env.now(),
      });
      this.site.value = info;
    } catch (e) {
      this.fail(e);
      throw e;
    }
  }

  /** Those of this browser, made if there are none. */
  async ownKeys(): Promise<Keys> {
    return (this.keys ??= await makeKeys(this.backend, this.store, this.storagePrefix));
  }

  /** Names, members and keys may have changed. */
  directoryChanged(): void {
    this.engine?.refreshAll();
    void this.bot.value?.key();
  }

  /** A conversation was lost, and the next one has not named it yet. */
  private async lostBefore(): Promise<void> {
    if (await this.predecessor.load()) this.personFirst.value = true;
  }

  /** What was begun here is shown before the server answers, with what still waits to be sent. */
  private async resumePending(): Promise<boolean> {
    try {
      const thread = await this.opener.show();
      await thread.prepare();
      await thread.outbox.restore((inst) => this.engine!.tabLives(inst));
      return true;
    } catch {
      return false;
    }
  }

  /** What the browser keeps of it is no use. */
  private giveUp(): void {
    if (this.opener.pending) this.tabs.leave(this.opener.pending.id);
    this.opener.pending = null;
  }

  fail(e: unknown): void {
    const key: ErrorKey = e instanceof ClientError ? e.key : 'error.server';
    this.connection.value = { state: 'ended', reason: key };
    if (key !== 'error.network' && key !== 'error.server' && key !== 'error.rate_limited') distrust(this.trust, key);
  }

  // ---- connection

  connect(): Engine {
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
        storagePrefix: this.storagePrefix,
        sync: this.sync,
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
        socketRefused: this.diagnose((found) => this.engine?.link.because(found && found.why, found?.over)),
      },
    );
    this.engine.link.start();
    return this.engine;
  }

  async fresh(): Promise<boolean> {
    const now = this.deps.env.now();
    if (!this.sync.fresh(now)) await this.sync.refresh(now).catch(() => undefined);
    return this.sync.fresh(now);
  }

  /** What a reader of other devices' conversations needs; only while there is a connection. */
  get earlierHost(): EarlierHost {
    const { backend, store, storagePrefix, sync, keys, engine, deps } = this;
    return {
      backend,
      store,
      storagePrefix,
      sync,
      http: createHttp(this.o.server, deps.env),
      keys: keys!,
      token: () => engine!.link.token(),
      now: () => deps.env.now(),
      turn: () => deps.env.turn(),
    };
  }

  /** Reads it again. Most visitors have none, for whom nothing more is loaded. */
  readEarlier(): void {
    this.readingEarlier = this.readingEarlier.then(async () => {
      if (this.over || !this.engine?.link.online) return;
      const host = this.earlierHost;
      try {
        const known = await this.store.list(`${this.storagePrefix}earlier/`);
        // of nobody else is anything known elsewhere
        if (!known.length && !this.introduction?.hasUser) return;
        const { earlier } = await host.http.get<{ earlier: unknown[] }>('/devices', host.token());
        if (!known.length && !earlier.length) return;
        const { readEarlier } = await earlierPart.wait();
        const own = [this.thread.value, this.second.value?.thread.value].flatMap((t) => t?.id ?? []);
        this.earlier.value = await readEarlier(host, new Set(own));
      } catch {
        // servers from before know of no devices; without a network the next connection asks again
      }
    });
  }

  private welcomed(w: Welcome): void {
    this.readEarlier();
    const mine = w.convs.filter((c) => c.site === this.o.site).sort((a, b) => b.created - a.created);
    this.second.value!.welcomed(mine, this.engine!);
    const pending = this.opener.pending;
    if (pending && !mine.some((c) => c.id === pending.id)) {
      void (pending.opened ? this.missing(pending) : this.opener.open());
      return;
    }
    const shown = mine.filter((c) => !this.dismissed.has(c.id) && c.id !== this.second.value!.pending?.id);
    const current = shown.find((c) => c.id === pending?.id);
    if (shown.some((c) => this.beganElsewhere(c, current))) return;
    if (current) this.show(current);
    else void this.showRemembered(shown);
  }

  /** The person went on at another of their devices: what had ended here goes from the screen. */
  private beganElsewhere(c: Conv, current = this.thread.value?.conv.value): boolean {
    const { seed } = this.o;
    const ended = current?.state === 'closed' && !this.thread.value?.outbox.items.length;
    if (seed === undefined || c.state !== 'open' || !ended || this.second.value!.pending?.id === c.id) return false;
    this.giveUp();
    this.hide();
    void this.showRemembered([c]);
    return true;
  }

  /**
   * The server does not name a conversation that it had. A database that was opened again may have lost it: it is opened again as
   * it was. Anything else is shown, and no other takes its place by itself.
   */
  private async missing(pending: PendingConversation): Promise<void> {
    const thread = this.engine!.conversations.get(pending.id) ?? (await this.opener.show());
    const { memory } = thread.log;
    await memory.load();
    const gen = this.engine!.link.gen;
    if (!gen || !memory.now.gen || gen === memory.now.gen) return thread.end('error.conversation_gone');
    this.opener.pending = { ...pending, opened: false };
    await this.opener.open();
  }

  private convChanged(c: Conv): void {
    if (c.site !== this.o.site || this.dismissed.has(c.id) || this.thread.value?.ended) return;
    // another tab of this browser began it? Only the browser's storage proves that, not the server
    if (c.id !== this.thread.value?.id) {
      void this.look();
      if (this.o.seed !== undefined && !this.thread.value) void this.showRemembered([c]);
      else this.beganElsewhere(c);
    }
    if (c.id === this.thread.value?.id && c.owner !== 'queue') this.queue.value = null;
    if (c.id === this.thread.value?.id && c.owner.startsWith('agent:')) this.laterEarlier();
  }

  /** An agent has it, whose page may let this device read the others now. */
  private laterEarlier(): void {
    clearTimeout(this.earlierTimer);
    this.earlierTimer = setTimeout(() => this.readEarlier(), EARLIER_MS);
  }

  /**
   * Without a current one: the newest that this browser took part in. What it does not remember it did not begin; who has a seed may have begun
   * it elsewhere. Of such a log a server could hide the end, so what is written here from then on is for no robot.
   */
  private async showRemembered(convs: readonly Conv[]): Promise<void> {
    const remembered: Conv[] = [];
    for (const c of convs) {
      const memory = new Memory(this.engine!.context, c.id);
      await memory.load();
      if (memory.now.epoch >= 0) remembered.push(c);
      else if (this.o.seed !== undefined) {
        await memory.save({ left: true });
        remembered.push(c);
      }
    }
    const newest = remembered.find((c) => c.state === 'open') ?? remembered[0];
    if (newest && !this.opener.pending && !this.thread.value && !this.over) this.show(newest);
  }

  /** Follows the other tabs of this browser: to the conversation that one of them began, or out of the one that it left. */
  look(): Promise<void> {
    this.looking = this.looking.then(() => this.follow()).catch(() => undefined);
    return this.looking;
  }

  private async follow(): Promise<void> {
    if (this.over || !this.store.kept) return;
    const seen = this.tabs.seen;
    const kept = await this.tabs.pending();
    await this.second.value!.load();
    const thread = this.thread.value;
    if (kept && kept.id === thread?.id) this.opener.pending ??= kept;
    // what waits here is sent first
    else if (thread?.outbox.items.some((o) => !o.error)) return;
    else if (kept) await this.join(kept);
    else if (this.opener.pending && this.opener.pending.id === seen) {
      this.hide();
      await this.lostBefore();
    }
  }

  private async join(kept: PendingConversation): Promise<void> {
    this.keys ??= await restoreKeys(this.backend, this.store, this.storagePrefix);
    if (!this.keys) return;
    this.hide();
    this.opener.pending = kept;
    this.predecessor.forget();
    const engine = this.connect();
    const known = engine.conversations.get(kept.id);
    if (known) this.thread.value = known;
    else if (!(await this.resumePending())) {
      // nothing of it is shown or sent here; another look may succeed
      this.opener.pending = null;
      return;
    }
    if (this.personFirst.value) this.thread.value?.requestPerson();
    // this connection's greeting was before it
    if (engine.link.online) void this.opener.open(true);
  }

  private show(c: Conv): void {
    if (this.opener.pending?.id === c.id && !this.opener.pending.opened) void this.opener.markOpened();
    const thread = this.engine!.conversation(c.id, c);
    this.thread.value = thread;
    if (c.owner !== 'queue') this.queue.value = null;
    this.engine!.follow(c.id);
  }

  private heard(f: ServerFrame): void {
    if (f.t === 'queue') {
      this.places.set(f.conv, f.position);
      if (f.conv === this.thread.value?.id) this.queue.value = f.position;
    } else if (f.t === 'presence' && f.team === this.sync.directory.siteTeam(this.o.site)) {
      this.presence.value = presenceOf(f.state);
      this.opens.value = opensOf(f.opens);
    }
  }

  /** It is not shown any more. */
  hide(): void {
    const thread = this.thread.value;
    const second = this.second.value!;
    // another tab made it the second one
    if (thread && second.pending?.id === thread.id) second.thread.value = thread;
    else if (thread) {
      this.dismissed.add(thread.id);
      this.engine?.forget(thread.id);
    }
    this.thread.value = null;
    this.queue.value = null;
    this.opener.drop();
    this.formGiven.value = false;
  }

  reconnect(): void {
    if (this.engine) this.engine.link.reconnect();
    else if (this.connection.value.state === 'ended' && this.trust.value.mode !== 'broken') {
      this.connection.value = { state: 'connecting' };
      this.loading = this.load();
      this.loading.catch(() => undefined);
    }
  }

  /** Nothing of this site's visitors stays in this browser. */
  async forget(): Promise<void> {
    this.dispose();
    await this.loading.catch(() => undefined);
    await (this.store as Store | undefined)?.clear(`v/${this.o.server}/${this.o.site}/`).catch(() => undefined);
  }

  dispose(): void {
    this.over = true;
    clearTimeout(this.earlierTimer);
    this.opener.drop();
    (this.tabs as Tabs | undefined)?.dispose();
    this.engine?.dispose();
  }
}
