/** A file that a component fetches: how far it is, and why it is not here. Given up when the component goes. */
import { useEffect, useRef } from 'preact/hooks';
import { ClientError, type ErrorKey, type ThreadFiles } from '../model';
import { useSignal } from './signals';

export interface Load {
  /** 0 to 1; null: nothing is being fetched. */
  share: number | null;
  error: ErrorKey | null;
  /** Null if it was given up or failed. One at a time. */
  start(): Promise<Blob | null>;
  stop(): void;
}

export function useLoad(files: ThreadFiles, id: string): Load {
  const share = useSignal<number | null>(null);
  const error = useSignal<ErrorKey | null>(null);
  const abort = useRef<AbortController | null>(null);
  const stop = (): void => {
    abort.current?.abort();
    abort.current = null;
    share.value = null;
  };
  useEffect(() => stop, [id]);
  const start = async (): Promise<Blob | null> => {
    if (abort.current) return null;
    const mine = (abort.current = new AbortController());
    error.value = null;
    share.value = 0;
    try {
      const blob = await files.load(id, {
        signal: mine.signal,
        progress: (n) => {
          if (abort.current === mine) share.value = n;
        },
      });
      return abort.current === mine ? blob : null;
    } catch (e) {
      if (abort.current === mine) error.value = e instanceof ClientError ? e.key : 'error.network';
      return null;
    } finally {
      if (abort.current === mine) {
        abort.current = null;
        share.value = null;
      }
    }
  };
  return { share: share.value, error: error.value, start, stop };
}
