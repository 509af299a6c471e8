/** What the link needs of a browser, so that tests can replace it. */

export interface SocketLike {
  binaryType: string;
  readonly protocol: string;
  readonly readyState?: number;
  onopen: ((e: never) => void) | null;
  onmessage: ((e: { data: unknown }) => void) | null;
  onclose: ((e: { code: number; reason: string }) => void) | null;
  onerror: ((e: never) => void) | null;
  send(data: string | Uint8Array): void;
  close(code?: number): void;
}

export interface Env {
  socket(url: string, protocol: string): SocketLike;
  fetch(url: string, init?: RequestInit): Promise<Response>;
  /** 0 ≤ x < 1. */
  random(): number;
  now(): number;
  /** Lets the page do what waits: keys that were pressed, a frame. Not held back in a hidden tab, as timers are. */
  turn(): Promise<void>;
  /** Calls `fn` when the network or the person came back; returns how to stop that. */
  onWake(fn: () => void): () => void;
  /** Calls `fn` when the browser reports that the network is gone; returns how to stop that. */
  onOffline?(fn: () => void): () => void;
  /** Whether the page's own security policy refused to connect to this origin. Asked after something failed. */
  forbidden?(server: string): Promise<boolean>;
}

/** Browsers report what a policy refused in a task of its own, which may come after the failure; ms. */
const REPORT_MS = 100;

export function browserEnv(): Env {
  const refused = watchPolicy();
  return {
    socket: (url, protocol) => new WebSocket(url, protocol) as unknown as SocketLike,
    // no cookies go to kefu: tokens are in a header
    fetch: (url, init) =>
      fetch(url, { credentials: 'omit', cache: 'no-store', referrerPolicy: 'no-referrer', ...init }),
    random: Math.random,
    now: Date.now,
    turn: () =>
      new Promise((done) => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => {
          port1.close();
          done();
        };
        port2.postMessage(0);
      }),
    onWake(fn) {
      const visible = (): void => {
        if (document.visibilityState === 'visible') fn();
      };
      addEventListener('online', fn);
      addEventListener('pageshow', fn);
      document.addEventListener('visibilitychange', visible);
      return () => {
        removeEventListener('online', fn);
        removeEventListener('pageshow', fn);
        document.removeEventListener('visibilitychange', visible);
      };
    },
    onOffline(fn) {
      addEventListener('offline', fn);
      return () => removeEventListener('offline', fn);
    },
    async forbidden(server) {
      await new Promise((done) => setTimeout(done, REPORT_MS));
      const is = refused.has(new URL(server).host);
      if (is)
        console.error(
          `kefu: the security policy of this page does not let the chat connect; add to its connect-src: ${server} ${server.replace(/^http/, 'ws')}`,
        );
      return is;
    },
  };
}

/** Hosts that the page's policy does not let scripts connect to. */
function watchPolicy(): Set<string> {
  const hosts = new Set<string>();
  document.addEventListener('securitypolicyviolation', (e) => {
    // what is only reported was let through
    if (e.disposition !== 'enforce' || e.effectiveDirective !== 'connect-src') return;
    try {
      hosts.add(new URL(e.blockedURI).host);
    } catch {
      // no address
    }
  });
  return hosts;
}
