/** A socket and an environment whose other end is the test. */
import type { Env, SocketLike } from '../../src/link/env';

export class FakeSocket implements SocketLike {
  binaryType = '';
  protocol = 'kefu.v1';
  onopen: ((e: never) => void) | null = null;
  onmessage: ((e: { data: unknown }) => void) | null = null;
  onclose: ((e: { code: number; reason: string }) => void) | null = null;
  onerror: ((e: never) => void) | null = null;
  closed = false;
  readonly sent: (string | Uint8Array)[] = [];
  onsend: (data: string | Uint8Array) => void = (d) => void this.sent.push(d);

  constructor(readonly url: string) {}

  send(data: string | Uint8Array): void {
    if (!this.closed) this.onsend(data instanceof Uint8Array ? data.slice() : data);
  }
  close(): void {
    this.closed = true;
  }

  /** The server sends something. */
  say(frame: unknown): void {
    if (!this.closed) this.onmessage?.({ data: JSON.stringify(frame) });
  }
  bytes(b: Uint8Array): void {
    if (!this.closed) this.onmessage?.({ data: b.slice().buffer });
  }
  /** The server or the network ends it. */
  end(code: number): void {
    if (this.closed) return;
    this.closed = true;
    this.onclose?.({ code, reason: '' });
  }
  /** Text frames sent since the last call. */
  frames(): Record<string, unknown>[] {
    return this.sent.splice(0).map((d) => JSON.parse(d as string) as Record<string, unknown>);
  }
}

export interface FakeEnv extends Env {
  sockets: FakeSocket[];
  wake(): void;
  /** The browser reports that the network is gone. */
  offline(): void;
  /** Answers HTTP; by default nothing is there. */
  http: (url: string, init?: RequestInit) => Promise<Response>;
  rnd: number;
}

export function fakeEnv(onSocket: (s: FakeSocket) => void = () => undefined): FakeEnv {
  const wakers = new Set<() => void>();
  const doubters = new Set<() => void>();
  const env: FakeEnv = {
    sockets: [],
    rnd: 0.5,
    http: async () => new Response('{"code":6,"name":"not_found","text":""}', { status: 404 }),
    socket(url) {
      const s = new FakeSocket(url);
      env.sockets.push(s);
      onSocket(s);
      return s;
    },
    fetch: (url, init) => env.http(url, init),
    random: () => env.rnd,
    now: Date.now,
    turn: async () => undefined,
    onWake(fn) {
      wakers.add(fn);
      return () => wakers.delete(fn);
    },
    onOffline(fn) {
      doubters.add(fn);
      return () => doubters.delete(fn);
    },
    wake: () => [...wakers].forEach((w) => w()),
    offline: () => [...doubters].forEach((w) => w()),
  };
  return env;
}
