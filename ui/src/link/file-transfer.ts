/** Sealed bytes of files over HTTP, with the token of the socket. What stands still too long is given up, however much of it there is. */
import { ClientError } from '../model';
import type { Env } from './env';
import { createHttp, refusal } from './http';

/** Without a byte in either direction a transfer is dead after this, ms. */
const STALL_MS = 30_000;
/** For a part that goes out where a browser does not tell how far it is, ms. */
const BLIND_MS = 180_000;

/** Files by conversation and message, both hex. What rejects, rejects with a `ClientError`, or because `signal` was aborted. */
export interface FileTransfer {
  /** Begins it, or asks how far it is. Bytes that the server has. */
  begin(conv: string, msg: string, size: number): Promise<number>;
  /** One part. Bytes that the server has then. */
  put(
    conv: string,
    msg: string,
    at: number,
    part: Uint8Array,
    progress: (sent: number) => void,
    signal: AbortSignal,
  ): Promise<number>;
  cancel(conv: string, msg: string): Promise<void>;
  /** Bytes from `from`, up to `to` and without it. `all`: so many there are. */
  get(
    conv: string,
    msg: string,
    from: number,
    to: number,
    all: number,
    progress: (got: number) => void,
    signal: AbortSignal,
  ): Promise<Uint8Array>;
}

/** Calls `over` unless it is told often enough that something moves. */
function watchdog(ms: number, over: () => void): { moves(): void; stop(): void } {
  let timer = setTimeout(over, ms);
  return {
    moves() {
      clearTimeout(timer);
      timer = setTimeout(over, ms);
    },
    stop: () => clearTimeout(timer),
  };
}

const network = (e: unknown): ClientError =>
  e instanceof ClientError ? e : new ClientError('error.network', String(e));

/** With `XMLHttpRequest`: `fetch` does not tell how much has gone out. */
function upload(
  url: string,
  headers: Record<string, string>,
  body: Uint8Array,
  progress: (sent: number) => void,
  signal: AbortSignal,
): Promise<Response> {
  return new Promise((done, fail) => {
    const x = new XMLHttpRequest();
    const guard = watchdog(STALL_MS, () => x.abort());
    const stop = (): void => x.abort();
    const lost = (): void => fail(new ClientError('error.network', 'the upload was cut'));
    x.open('PUT', url);
    for (const [name, value] of Object.entries(headers)) x.setRequestHeader(name, value);
    x.upload.onprogress = (e) => {
      guard.moves();
      progress(e.loaded);
    };
    x.onload = () => done(new Response(x.responseText, { status: x.status }));
    x.onerror = x.onabort = lost;
    x.onloadend = () => {
      guard.stop();
      signal.removeEventListener('abort', stop);
    };
    signal.addEventListener('abort', stop);
    if (signal.aborted) lost();
    // bytes would be copied by this thread, a blob is not
    else x.send(new Blob([body as Uint8Array<ArrayBuffer>]));
  });
}

/** What the body of an answer has, up to `most` bytes. */
async function read(r: Response, most: number, moves: (got: number) => void): Promise<Uint8Array> {
  const out = new Uint8Array(most);
  let got = 0;
  const take = (piece: Uint8Array): void => {
    if (got + piece.length > most) throw new ClientError('error.server', 'more than was asked for');
    out.set(piece, got);
    moves((got += piece.length));
  };
  const reader = r.body?.getReader();
  if (!reader) take(new Uint8Array(await r.arrayBuffer()));
  else {
    for (let next = await reader.read(); !next.done; next = await reader.read()) take(next.value);
  }
  if (got < most) throw new ClientError('error.network', 'the answer was cut');
  return out;
}

/** `token`: throws without a connection. */
export function createFileTransfer(server: string, env: Env, token: () => string): FileTransfer {
  const http = createHttp(server, env);
  const path = (conv: string, msg: string): string => `/conversations/${conv}/files/${msg}`;
  const have = ({ have: n }: { have?: unknown }): number => (Number.isSafeInteger(n) ? (n as number) : -1);
  return {
    begin: async (conv, msg, size) => have(await http.post(path(conv, msg), { size }, token())),
    async put(conv, msg, at, part, progress, signal) {
      const url = `${server}/api/v1${path(conv, msg)}?at=${at}`;
      const headers = { Authorization: `Bearer ${token()}`, 'Content-Type': 'application/octet-stream' };
      try {
        let r: Response;
        if (typeof XMLHttpRequest === 'undefined') {
          const stop = new AbortController();
          signal.addEventListener('abort', () => stop.abort());
          const guard = watchdog(BLIND_MS, () => stop.abort());
          const body = part as Uint8Array<ArrayBuffer>;
          r = await env.fetch(url, { method: 'PUT', headers, body, signal: stop.signal }).finally(() => guard.stop());
        } else r = await upload(url, headers, part, progress, signal);
        if (!r.ok) throw await refusal(r);
        return have((await r.json()) as { have?: unknown });
      } catch (e) {
        throw network(e);
      }
    },
    cancel: (conv, msg) => http.delete(path(conv, msg), token()),
    async get(conv, msg, from, to, all, progress, signal) {
      const stop = new AbortController();
      const guard = watchdog(STALL_MS, () => stop.abort());
      const abort = (): void => stop.abort();
      signal.addEventListener('abort', abort);
      if (signal.aborted) abort();
      try {
        const headers = { Authorization: `Bearer ${token()}`, Range: `bytes=${from}-${to - 1}` };
        const r = await env.fetch(`${server}/api/v1${path(conv, msg)}`, {
          method: 'GET',
          headers,
          signal: stop.signal,
        });
        if (!r.ok) throw await refusal(r);
        // a proxy that knows no ranges gives all of it
        if (r.status !== 206 && to - from !== all) throw new ClientError('error.server', 'no range');
        return await read(r, to - from, (got) => {
          guard.moves();
          progress(got);
        });
      } catch (e) {
        throw network(e);
      } finally {
        guard.stop();
        signal.removeEventListener('abort', abort);
        // what is left of an answer that was not taken
        abort();
      }
    },
  };
}
