/** OPAQUE for the page: hands the work to a Worker, because it takes a second. Console only. */
import { hex } from './bytes';

export type OpaqueCall =
  | { op: 'login_start'; password: string }
  | { op: 'login_finish'; password: string; state: string; m: string; user: string; org: string }
  | { op: 'register_start'; password: string }
  | { op: 'register_finish'; password: string; state: string; m: string; user: string; org: string };

/** `m`: what goes to the server. `null`: wrong password. */
export type OpaqueResult = { state?: string; m: string; exportKey?: string; serverKey?: string } | null;

export interface Opaque {
  call(c: OpaqueCall): Promise<OpaqueResult>;
  close(): void;
}

/** A Worker that lives until `close`. */
export function workerOpaque(): Opaque {
  const worker = new Worker(new URL('./opaque.worker.ts', import.meta.url), { type: 'module' });
  let next = 0;
  const waiting = new Map<number, { done(r: OpaqueResult): void; fail(e: Error): void }>();
  worker.onmessage = ({ data }: MessageEvent<{ id: number; result?: OpaqueResult; error?: string }>) => {
    const w = waiting.get(data.id);
    waiting.delete(data.id);
    if (data.error !== undefined) w?.fail(new Error(data.error));
    else w?.done(data.result ?? null);
  };
  worker.onerror = (e) => {
    for (const w of waiting.values()) w.fail(new Error(e.message || 'the worker failed'));
    waiting.clear();
  };
  return {
    call: (c) =>
      new Promise((done, fail) => {
        const id = next++;
        waiting.set(id, { done, fail });
        worker.postMessage({ id, call: c });
      }),
    close: () => worker.terminate(),
  };
}

/** The server's identifier names the company by its fingerprint in hex. */
export const orgName = (fp: Uint8Array): string => hex(fp);
