/**
 * Parts of a page that are fetched when they are first needed: in the console as chunks, in the widget as its third file. The network may
 * be gone just then, so a page that waits for one tries again by itself, and says so meanwhile.
 */
import { signal, when, type ReadonlySignal } from './signals';

export interface Part<T> {
  /** Null until it is here. */
  readonly here: ReadonlySignal<T | null>;
  /** The last try failed. */
  readonly failed: ReadonlySignal<boolean>;
  /** Rejects if it cannot be fetched now. */
  fetch(): Promise<T>;
  /** Resolves once it is here. */
  wait(): Promise<T>;
}

/** Those that wait for a part. */
const waiting = new Set<() => void>();

/** Calls `fn` when a try may succeed: the network is back, or another part came. Returns how to stop that. */
export function whenReachable(fn: () => void): () => void {
  waiting.add(fn);
  globalThis.addEventListener?.('online', fn);
  return () => {
    waiting.delete(fn);
    globalThis.removeEventListener?.('online', fn);
  };
}

export function makePart<T>(load: () => Promise<T>): Part<T> {
  const here = signal<T | null>(null);
  const failed = signal(false);
  let under: Promise<T> | null = null;
  const fetch = (): Promise<T> =>
    (under ??= load().then(
      (part) => {
        failed.value = false;
        here.value = part;
        for (const fn of waiting) fn();
        return part;
      },
      (e: unknown) => {
        under = null;
        failed.value = true;
        throw e;
      },
    ));
  const wait = async (): Promise<T> => {
    const go = (): void => void fetch().catch(() => undefined);
    const stop = whenReachable(go);
    go();
    return when(() => here.value).finally(stop);
  };
  return { here, failed, fetch, wait };
}
