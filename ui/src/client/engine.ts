/** What widget and console share: the link, the conversations on it, and the dispatch of frames. */
import type { Backend, SigningKey } from '../crypto/backend';
import { hex, random } from '../crypto/bytes';
import { detectBackend } from '../crypto/detect';
import { kidOf } from '../crypto/hash';
import type { Env } from '../link/env';
import { Refused } from '../link/errors';
import { createFileTransfer } from '../link/file-transfer';
import { Link } from '../link/link';
import { ClientError, type Connection, type ErrorKey, type Message, type Trust } from '../model';
import type { Conv, ServerFrame, Welcome } from '../proto';
import { signal, type Signal } from '../signals';
import type { Store } from '../storage/store';
import { Conversation, type AgentParts } from './conversation';
import type { DirectorySync } from './directory-sync';
import { ciphersOf, FileAccess } from './file-access';
import type { ConversationContext } from './context';

/** What differs between a browser and a test. */
export interface Deps {
  env: Env;
  openStore(): Promise<Store>;
  backend?: Backend;
  /** https, or this machine. */
  secure: boolean;
  /** Origin of the page, if it is known; a visitor's must be one that the site lists. */
  origin?: string;
}

export interface EngineHooks {
  welcome(w: Welcome): void;
  /** Frames the engine has no business with. */
  frame(f: ServerFrame): void;
  conv(c: Conv): void;
  changed(id: string): void;
  me?(): string | null;
  given?(m: Message): boolean;
  /** Sockets are refused without a word. */
  socketRefused?(): void;
  /** What an alarm does, if it does not break all trust. */
  alarm?(why: ErrorKey): void;
  agent?: AgentParts;
}

/** Counter of this page's run; random, so that no two runs share one. */
const randomRun = (): number => new DataView(random(4).buffer).getUint32(0);

export async function prepare(deps: Deps): Promise<{ store: Store; backend: Backend }> {
  const store = await deps.openStore();
  try {
    const wrapKey = async (fresh: () => Promise<CryptoKey>): Promise<CryptoKey> =>
      (await store.get<CryptoKey>('wrap')) ?? store.init('wrap', await fresh());
    return { store, backend: deps.backend ?? (await detectBackend({ wrapKey })) };
  } catch (e) {
    throw new ClientError('error.no_crypto', String(e));
  }
}

export class Engine {
  readonly connection: Signal<Connection>;
  readonly conversations = new Map<string, Conversation>();
  readonly link: Link;
  readonly context: ConversationContext;
  private release: (() => void) | null = null;

  constructor(
    deps: Deps,
    o: {
      server: string;
      path: string;
      role: 'visitor' | 'agent';
      key: SigningKey;
      backend: Backend;
      store: Store;
      storagePrefix: string;
      sync: DirectorySync;
      boxes: ConversationContext['boxes'];
      robot?: ConversationContext['robot'];
      fresh?: ConversationContext['fresh'];
      connection: Signal<Connection>;
      trust: Signal<Trust>;
    },
    private readonly hooks: EngineHooks,
  ) {
    this.connection = o.connection;
    this.link = new Link({
      server: o.server,
      path: o.path,
      role: o.role,
      org: o.sync.directory.fp,
      key: o.key,
      env: deps.env,
      onState: (c) => this.stateChanged(c),
      onWelcome: (w) => this.welcomed(w),
      onFrame: (f) => this.heard(f),
      onRecord: (r) => this.conversations.get(r.conv)?.record(r),
      onHeld: (id, wait) => this.conversations.get(id)?.held(wait),
      onSynced: (id) => this.conversations.get(id)?.caughtUp(),
      onRewound: (id, gen) => this.conversations.get(id)?.rewound(gen),
      known: (id) => this.conversations.get(id)?.known() ?? {},
      onSocketRefused: () => this.hooks.socketRefused?.(),
    });
    const counterRun = randomRun();
    const files = createFileTransfer(o.server, deps.env, () => this.link.token());
    this.context = {
      files,
      opened: new FileAccess(ciphersOf({ backend: o.backend, turn: () => deps.env.turn() }), files),
      backend: o.backend,
      role: o.role,
      me: o.key,
      kid: hex(kidOf(o.key.pk)),
      fp: o.sync.directory.fp,
      store: o.store,
      storagePrefix: o.storagePrefix,
      counterRun,
      noteCounterRun: randomRun(),
      directory: () => o.sync.directory,
      // this machine's clock: by the server's no invite and no snapshot would ever be too old
      refreshDirectory: () => o.sync.refresh(deps.env.now()),
      boxes: o.boxes,
      robot: o.robot,
      now: () => this.link.now(),
      turn: () => deps.env.turn(),
      online: () => this.link.online,
      envelope: (b) => this.link.envelope(b),
      frame: (f) => this.link.frame(f),
      request: (r) => this.link.request(r),
      broken: () =>
        o.trust.value.mode === 'broken' ? (o.trust.value.reason ?? 'error.directory') : endedBy(o.connection.value),
      alarm: (why) => (this.hooks.alarm ?? ((key: ErrorKey) => distrust(o.trust, key)))(why),
      notKept: () => {
        if (o.trust.value.storage === 'kept') o.trust.value = { ...o.trust.value, storage: 'memory' };
      },
      gen: () => this.link.gen,
      again: (id, all) => this.link.follower.again(id, all),
      fresh: o.fresh ?? (() => Promise.resolve(true)),
    };
    this.holdLock(counterRun);
  }

  conversation(id: string, conv: Conv | null): Conversation {
    const known = this.conversations.get(id);
    if (known) {
      if (conv) known.update(conv);
      return known;
    }
    const made = new Conversation(this.context, id, conv, {
      changed: () => this.hooks.changed(id),
      alive: (i) => this.tabLives(i),
      me: this.hooks.me,
      given: this.hooks.given,
      agent: this.hooks.agent,
    });
    this.conversations.set(id, made);
    return made;
  }

  follow(id: string): void {
    const c = this.conversations.get(id);
    if (!c || this.link.follower.has(id)) return;
    void c.prepare().then(() => {
      if (this.conversations.get(id) === c) this.link.follower.follow(id, c.have);
    });
  }

  forget(id: string): void {
    this.link.follower.leave(id);
    this.conversations.get(id)?.dispose();
    this.conversations.delete(id);
  }

  /** Names, members and keys may have changed. */
  refreshAll(): void {
    for (const c of this.conversations.values()) {
      c.retryKeys();
      c.outbox.pump();
    }
  }

  dispose(): void {
    this.link.stop();
    this.release?.();
    for (const c of this.conversations.values()) c.dispose();
  }

  private stateChanged(c: Connection): void {
    const told = endedBy(this.connection.value) !== endedBy(c);
    this.connection.value = c;
    if (told) for (const conv of this.conversations.values()) conv.publish();
    if (c.state !== 'online') for (const conv of this.conversations.values()) if (conv.synced.value) conv.offline();
  }

  private welcomed(w: Welcome): void {
    for (const c of w.convs) this.conversations.get(c.id)?.update(c);
    this.hooks.welcome(w);
  }

  private heard(f: ServerFrame): void {
    switch (f.t) {
      case 'conv':
        this.conversations.get(f.conv.id)?.update(f.conv);
        this.hooks.conv(f.conv);
        return;
      case 'receipt':
        this.conversations.get(f.conv)?.receipt(f.side, { delivered: f.delivered, read: f.read });
        return;
      case 'typing': {
        const name = f.user === undefined ? '' : (this.context.directory().nameOf(f.user) ?? f.user);
        // an agent is told about colleagues, never about themselves
        const self = f.side === this.context.role && (f.user === undefined || f.user === this.hooks.me?.());
        if (!self) this.conversations.get(f.conv)?.setTyping(f.side, name, f.on);
        return;
      }
      case 'directory':
        if (f.seq > this.context.directory().seq) void this.context.refreshDirectory().catch(() => undefined);
        return;
      case 'error':
        if (f.conv !== undefined && this.conversations.get(f.conv)?.refused(f)) return;
        // it names no envelope: what was asked for is not shown now
        if (f.conv !== undefined && f.msg === undefined && f.limit === 'reads')
          this.link.follower.refused(f.conv, new Refused(f));
        this.hooks.frame(f);
        return;
      default:
        this.hooks.frame(f);
    }
  }

  /** Held as long as the page lives, so that other tabs know whose queued messages are orphans. */
  private holdLock(run: number): void {
    const locks = globalThis.navigator?.locks as LockManager | undefined;
    void locks?.request(`kefu/${run}`, () => new Promise<void>((done) => (this.release = done))).catch(() => undefined);
  }

  /** Without locks this cannot be known; sending an orphan twice is harmless, losing it is not. */
  async tabLives(run: number): Promise<boolean> {
    const locks = globalThis.navigator?.locks as LockManager | undefined;
    if (!locks) return false;
    const { held } = await locks.query();
    return held?.some((l) => l.name === `kefu/${run}`) ?? false;
  }
}

/** A connection that does not come back by itself: nothing of what waits is on its way. */
const endedBy = (c: Connection): ErrorKey | null => (c.state === 'ended' && c.reason) || null;

/** From here on nothing is sent. */
export function distrust(trust: Signal<Trust>, reason: ErrorKey): void {
  trust.value = { ...trust.value, mode: 'broken', reason };
}

export const newConnection = (): Signal<Connection> => signal<Connection>({ state: 'connecting' });
