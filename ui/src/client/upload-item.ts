/** What is known of files on their way out, and the parts of them that are in memory. */
import { PLAIN_PART } from '../crypto/file';
import { Refused } from '../link/errors';
import { ClientError, type ErrorKey, type Upload } from '../model';
import { Code } from '../proto';
import { signal, type Signal } from '../signals';

/** Kept parts that stay in memory, so that they need not be read back. */
const FRESH = 4;
/** Parts that are read at once. */
const READ = 4;

export interface Item {
  msg: string;
  size: number;
  shown: Signal<Upload>;
  stop: AbortController | null;
  conflicts: number;
  failed: ErrorKey | null;
  /** Parts that are sealed and kept; in order. */
  kept: number;
  /** Some of those that are not sent yet. */
  fresh: Map<number, Uint8Array>;
  /** Something happened that sending waits for. */
  wake(): void;
}

/** A part on its way. */
export interface Flight {
  at: number;
  /** Behind another one that was on its way. */
  ahead: boolean;
  sent: number;
  stop: AbortController;
  /** What the server has then, or why it does not have it. */
  outcome?: { have: number } | { why: unknown };
}

export const newItem = (msg: string, size: number, kept: number): Item => ({
  msg,
  size,
  shown: signal<Upload>({ state: 'waiting', sent: 0, size }),
  stop: null,
  conflicts: 0,
  failed: null,
  kept,
  fresh: new Map(),
  wake: () => undefined,
});

/** One part more may go out; they are kept in their order. */
export function isKept(item: Item, n: number, part: Uint8Array): void {
  item.kept = n + 1;
  if (item.fresh.size < FRESH) item.fresh.set(n, part);
  item.wake();
}

/** Reads a few parts at once, and the next few meanwhile: each time, a browser asks another process. To be called for one part after the other. */
export function readAhead(blob: Blob): (n: number) => Promise<Uint8Array> {
  const read = (from: number): Promise<ArrayBuffer> => {
    const bytes = blob.slice(from * PLAIN_PART, (from + READ) * PLAIN_PART).arrayBuffer();
    bytes.catch(() => undefined);
    return bytes;
  };
  let next = read(0);
  let bytes: ArrayBuffer;
  return async (n) => {
    const i = n % READ;
    if (!i) {
      bytes = await next.catch((e: unknown) => Promise.reject(new ClientError('error.file_unread', String(e))));
      next = read(n + READ);
    }
    return new Uint8Array(bytes).subarray(i * PLAIN_PART, (i + 1) * PLAIN_PART);
  };
}

const KEYS: Partial<Record<number, ErrorKey>> = {
  [Code.too_large]: 'error.file_large',
  [Code.forbidden]: 'error.file_refused',
  [Code.not_found]: 'error.file_refused',
  [Code.conflict]: 'error.file_refused',
  [Code.closed]: 'error.file_refused',
};

export function whyRefused(e: unknown): ErrorKey {
  if (e instanceof Refused) return KEYS[e.code] ?? e.key;
  return e instanceof ClientError ? e.key : 'error.server';
}
