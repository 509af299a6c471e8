/**
 * One link to the server, for widget and console: a socket that comes back by itself, a heartbeat, requests with answers,
 * and the records of the followed conversations in order. It uses keys only to answer the challenge.
 */
import type { SigningKey } from '../crypto/backend';
import { b64u, cat, hex, unb64u } from '../crypto/bytes';
import { stringify } from '../json';
import { ClientError, type Connection, type ErrorKey, type Wait } from '../model';
import {
  BEAT_MS,
  Close,
  parseFrame,
  parseRecord,
  REVISION,
  SUBPROTOCOL,
  type ClientFrame,
  type Request,
  type Resume,
  type ServerFrame,
  type Welcome,
  type WireRecord,
} from '../proto';
import { compareClocks } from './clock';
import type { Env, SocketLike } from './env';
import { endOf, Refused } from './errors';
import { Follower } from './follow';
import { createHttp, type Http } from './http';

const FIRST_MS = 300;
const LONGEST_MS = 15_000;
/** After `busy` there is no sense in coming back at once. */
const BUSY_MS = 5_000;
/** From the start of a connection to its welcome. */
const HELLO_MS = 15_000;
const REQUEST_MS = 15_000;
/** Time for an answer after the browser reported that the network is gone. */
const DOUBT_MS = 1_500;

export interface LinkOptions {
  /** Origin of the kefu server. */
  server: string;
  /** After the origin: `/api/v1/ws/…`. */
  path: string;
  role: 'agent' | 'visitor';
  /** Fingerprint of the company; a server of another one is not spoken to. */
  org: Uint8Array;
  key: SigningKey;
  env: Env;
  onState(c: Connection): void;
  /** Before conversations are resumed. */
  onWelcome(w: Welcome): void;
  /** Everything that is not the link's own business. */
  onFrame(f: ServerFrame): void;
  onRecord(r: WireRecord): void;
  /** The server asks for patience before it shows more of a conversation; null: no more. */
  onHeld(conv: string, wait: Wait | null): void;
  onSynced(conv: string, last: number): void;
  /** The server's log of a conversation is not the one that was read before. */
  onRewound(conv: string, gen: string): void;
  /** What is remembered of a conversation, for the server to compare. */
  known(conv: string): Omit<Resume, 'id' | 'have'>;
  /** Sockets are refused repeatedly before any frame; a browser does not tell why. `because` gives the result of asking the server. */
  onSocketRefused?(): void;
}

/** The code that a browser gives a connection that was refused, or cut without a word. */
const ABNORMAL = 1006;
/** `readyState` of a closed socket. */
const CLOSED = 3;
/** From this attempt on it is asked why sockets are refused. */
const REFUSED_AFTER = 2;

export class Link {
  readonly http: Http;
  readonly follower: Follower;
  private socket: SocketLike | null = null;
  private welcome: Welcome | null = null;
  private attempts = 0;
  /** Why there is no connection, as far as known. */
  private why: ErrorKey = 'error.network';
  private pinged = false;
  private offset = 0;
  private nextReq = 1;
  private readonly waiting = new Map<
    number,
    { done(): void; fail(e: Error): void; timer: ReturnType<typeof setTimeout> }
  >();
  private beatTimer: ReturnType<typeof setTimeout> | undefined;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private helloTimer: ReturnType<typeof setTimeout> | undefined;
  private stopWake: (() => void) | null = null;
  private state: Connection = { state: 'ended' };

  constructor(private readonly o: LinkOptions) {
    this.http = createHttp(o.server, o.env);
    this.follower = new Follower({
      resume: (convs) => this.frame({ t: 'resume', convs }),
      leave: (conv) => void this.frame({ t: 'leave', conv }),
      page: (conv, after, limit) =>
        this.http.bytes(`/conversations/${conv}/records?after=${after}&limit=${limit}&rev=${REVISION}`, this.token()),
      record: (r) => o.onRecord(r),
      held: (conv, wait) => o.onHeld(conv, wait),
      synced: (conv, last) => o.onSynced(conv, last),
      known: (conv) => o.known(conv),
    });
  }

  start(): void {
    if (!this.stopWake) {
      const stops = [this.o.env.onWake(() => this.wake()), this.o.env.onOffline?.(() => this.doubt())];
      this.stopWake = () => stops.forEach((stop) => stop?.());
    }
    if (!this.socket) this.connect();
  }

  /** Ends for good; `start` begins again. */
  stop(reason?: ErrorKey): void {
    this.stopWake?.();
    this.stopWake = null;
    clearTimeout(this.retryTimer);
    this.drop(1000);
    this.set({ state: 'ended', reason });
  }

  /** Tries now: when waiting, and after an end. */
  reconnect(): void {
    this.attempts = 0;
    if (this.state.state === 'waiting' || this.state.state === 'ended') this.start();
    if (this.state.state === 'waiting') this.connect();
  }

  get online(): boolean {
    return this.welcome !== null;
  }

  /** Which opening of its database the server is in; '' if it does not send it. */
  get gen(): string {
    return this.welcome?.gen ?? '';
  }

  /** The server's clock, as far as known; ms. */
  now(): number {
    return this.o.env.now() + this.offset;
  }

  private clock(server: number): void {
    const mine = this.o.env.now();
    this.offset = server - mine;
    compareClocks(server, mine);
  }

  /** For HTTP, while the socket lives. Throws `error.network` without one. */
  token(): string {
    if (!this.welcome) throw new ClientError('error.network', 'not connected');
    return this.welcome.token;
  }

  /** False when not online; the caller tries again after the next welcome. */
  frame(f: ClientFrame): boolean {
    if (!this.socket || !this.welcome) return false;
    this.socket.send(stringify(f));
    return true;
  }

  /** A sealed envelope. Its acknowledgement is its record. */
  envelope(bytes: Uint8Array): boolean {
    // the last check: nothing but a sealed envelope ever leaves in a binary frame
    if (bytes[0] !== 0x4b || bytes[1] !== 0x31 || !this.socket || !this.welcome) return false;
    this.socket.send(bytes);
    return true;
  }

  /** Rejects with `Refused`, or `error.network` when there is no answer. */
  request(r: Request): Promise<void> {
    if (!this.socket || !this.welcome) return Promise.reject(new ClientError('error.network', 'not connected'));
    const req = this.nextReq++;
    return new Promise((done, fail) => {
      const timer = setTimeout(() => {
        this.waiting.delete(req);
        fail(new ClientError('error.network', `no answer to ${r.t}`));
      }, REQUEST_MS);
      this.waiting.set(req, { done, fail, timer });
      this.socket!.send(stringify({ ...r, req }));
    });
  }

  private connect(): void {
    clearTimeout(this.retryTimer);
    this.set({ state: 'connecting' });
    let socket: SocketLike;
    try {
      socket = this.o.env.socket(this.o.server.replace(/^http/, 'ws') + this.o.path, SUBPROTOCOL);
    } catch {
      this.refused();
      return;
    }
    this.socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.onmessage = (e) => {
      if (this.socket === socket) this.heard(e.data);
    };
    socket.onclose = (e) => {
      if (this.socket === socket) this.closed(e.code);
    };
    // a socket that the page's policy refuses is never closed in Chromium
    socket.onerror = () => {
      if (this.socket === socket && socket.readyState === CLOSED) this.closed(ABNORMAL);
    };
    this.helloTimer = setTimeout(() => this.dead(), HELLO_MS);
  }

  private heard(data: unknown): void {
    this.pinged = false;
    this.beat();
    if (data instanceof ArrayBuffer) {
      const r = parseRecord(new Uint8Array(data));
      if (r && this.welcome) this.follower.record(r);
      return;
    }
    const f = typeof data === 'string' ? parseFrame(data) : null;
    if (!f) return;
    switch (f.t) {
      case 'challenge':
        void this.answer(f);
        return;
      case 'welcome':
        this.welcomed(f);
        return;
      case 'pong':
        this.clock(f.now);
        return;
      case 'ok':
        this.settle(f.req, null);
        return;
      case 'error':
        if (f.req !== undefined) this.settle(f.req, new Refused(f));
        else this.o.onFrame(f);
        return;
      case 'synced':
        this.follower.synced(f.conv, f.last);
        return;
      case 'rewound':
        this.follower.rewound(f.conv);
        this.o.onRewound(f.conv, f.gen);
        return;
      case 'behind':
        void this.follower.behind(f.conv, f.last);
        return;
      default:
        this.o.onFrame(f);
    }
  }

  private async answer(f: { nonce: string; org: string }): Promise<void> {
    const socket = this.socket;
    if (f.org !== hex(this.o.org)) {
      this.stop('error.pin');
      return;
    }
    const role = new Uint8Array([this.o.role === 'agent' ? 1 : 2]);
    const sig = await this.o.key.sign('auth', cat(unb64u(f.nonce), this.o.org, role));
    if (this.socket !== socket || !socket) return;
    socket.send(stringify({ t: 'hello', v: 1, ed: b64u(this.o.key.pk), sig: b64u(sig), rev: REVISION }));
  }

  private welcomed(w: Welcome): void {
    clearTimeout(this.helloTimer);
    this.why = 'error.network';
    this.welcome = w;
    this.clock(w.now);
    this.beat();
    this.o.onWelcome(w);
    this.set({ state: 'online' });
    this.follower.connected();
  }

  private settle(req: number, error: Error | null): void {
    const w = this.waiting.get(req);
    if (!w) return;
    this.waiting.delete(req);
    clearTimeout(w.timer);
    if (error) w.fail(error);
    else w.done();
  }

  private beat(): void {
    clearTimeout(this.beatTimer);
    this.beatTimer = setTimeout(() => {
      // a ping was sent one beat ago and nothing came: dead. Counting from the ping, not from the last word, survives timers
      // that a sleeping machine or a hidden tab held back
      if (this.pinged) this.dead();
      else this.ping();
    }, this.welcome?.beat ?? BEAT_MS);
  }

  private ping(): void {
    this.pinged = true;
    this.attempts = 0;
    this.frame({ t: 'ping' });
    this.beat();
  }

  /** The page is visible again, or the network is back. */
  private wake(): void {
    if (this.state.state === 'waiting') this.connect();
    else if (this.welcome && !this.pinged) this.ping();
  }

  /** The browser reports that the network is gone. It may be wrong: a socket that still answers is alive. */
  private doubt(): void {
    if (!this.welcome) return;
    this.ping();
    clearTimeout(this.beatTimer);
    this.beatTimer = setTimeout(() => this.dead(), DOUBT_MS);
  }

  private dead(): void {
    this.drop(Close.silent);
    this.later(this.backOff(), this.why);
  }

  /** The result of asking over HTTP; null: the server is not reachable. A permanent reason ends it. */
  because(why: ErrorKey | null, over = false): void {
    if (this.welcome || this.state.state === 'ended') return;
    if (why && over) return this.stop(why);
    this.why = why ?? 'error.network';
    if (this.state.state === 'waiting') this.set({ ...this.state, reason: this.why });
  }

  private refused(): void {
    if (this.attempts >= REFUSED_AFTER) this.o.onSocketRefused?.();
    this.later(this.backOff(), this.why);
  }

  private closed(code: number): void {
    const silent = !this.welcome && code === ABNORMAL;
    this.drop();
    if (silent) return this.refused();
    const end = endOf(code);
    if (end) this.stop(end);
    else if (code === Close.going_away) this.later(this.o.env.random() * 1000, 'error.network');
    else if (code === Close.busy) this.later(BUSY_MS + this.o.env.random() * LONGEST_MS, 'error.busy');
    else this.later(this.backOff(), 'error.network');
  }

  /** Full jitter: a thousand pages that lost the same server do not come back in the same moment. */
  private backOff(): number {
    const most = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(this.attempts++, 10));
    return this.o.env.random() * most;
  }

  private later(ms: number, reason: ErrorKey): void {
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => this.connect(), ms);
    this.set({ state: 'waiting', reason, retryAt: this.o.env.now() + ms });
  }

  private drop(code?: number): void {
    clearTimeout(this.beatTimer);
    clearTimeout(this.helloTimer);
    const socket = this.socket;
    this.socket = null;
    this.welcome = null;
    this.follower.disconnected();
    this.pinged = false;
    if (socket) {
      socket.onmessage = socket.onclose = socket.onerror = null;
      // pages may only close with 1000 or 3000–4999
      if (code !== undefined) socket.close(code === 1000 ? 1000 : 4002);
    }
    for (const [req, w] of this.waiting) {
      this.waiting.delete(req);
      clearTimeout(w.timer);
      w.fail(new ClientError('error.network', 'the connection was lost'));
    }
  }

  private set(c: Connection): void {
    this.state = c;
    this.o.onState(c);
  }
}
