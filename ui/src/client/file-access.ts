/** Fetches files, a few at a time, and keeps what was opened while the page lives, up to so many bytes. */
import type { Backend } from '../crypto/backend';
import { unb64u, unhex } from '../crypto/bytes';
import type { FileBody } from '../crypto/envelope';
import { FileOpener, PART, sealedSize, type Ciphers } from '../crypto/file';
import { Rejected } from '../crypto/error';
import type { FileTransfer } from '../link/file-transfer';
import { passes, Refused, retryDelay } from '../link/errors';
import { ClientError, type LoadOptions } from '../model';
import { Code } from '../proto';

/** Bytes of opened files that are kept. */
const KEPT_BYTES = 64 * 2 ** 20;
/** Files that are fetched at the same time. */
const AT_ONCE = 3;
/** A part that the network lost is asked for again. */
const TRIES = 4;
/** Before that, and at most; ms. */
const AGAIN_MS = 500;
const MAX_WAIT_MS = 15_000;

/** Those of this page. */
export const ciphersOf = ({ backend, turn }: { backend: Backend; turn: () => Promise<void> }): Ciphers => ({
  name: backend.name,
  aes: backend.aes,
  turn,
});

interface Loading {
  done: Promise<Blob>;
  /** Who waits for it. */
  users: Set<LoadOptions>;
  stop: AbortController;
}

export class FileAccess {
  private readonly kept = new Map<string, Blob>();
  private bytes = 0;
  private readonly loading = new Map<string, Loading>();
  private busy = 0;
  private readonly queue: (() => void)[] = [];

  constructor(
    private readonly ciphers: Ciphers,
    private readonly transfer: FileTransfer,
  ) {}

  /** What was opened, or is sent from here. The oldest go. */
  keep(conv: string, msg: string, file: Blob): void {
    if (file.size > KEPT_BYTES / 2) return;
    this.forget(conv, msg);
    this.kept.set(conv + msg, file);
    this.bytes += file.size;
    for (const [name, { size }] of this.kept) {
      if (this.bytes <= KEPT_BYTES) break;
      this.kept.delete(name);
      this.bytes -= size;
    }
  }

  forget(conv: string, msg: string): void {
    this.bytes -= this.kept.get(conv + msg)?.size ?? 0;
    this.kept.delete(conv + msg);
  }

  load(conv: string, msg: string, body: FileBody, o: LoadOptions = {}): Promise<Blob> {
    const name = conv + msg;
    const here = this.kept.get(name);
    if (here) {
      // the newest
      this.keep(conv, msg, here);
      return Promise.resolve(here);
    }
    const one = this.loading.get(name) ?? this.begin(conv, msg, body);
    one.users.add(o);
    o.signal?.addEventListener('abort', () => {
      one.users.delete(o);
      if (one.users.size) return;
      this.ended(name, one);
      one.stop.abort();
    });
    return one.done;
  }

  private begin(conv: string, msg: string, body: FileBody): Loading {
    const stop = new AbortController();
    const users = new Set<LoadOptions>();
    const progress = (share: number): void => users.forEach((u) => u.progress?.(share));
    const one: Loading = {
      users,
      stop,
      done: this.turn(stop.signal)
        .then(() => this.fetch(conv, msg, body, progress, stop.signal).finally(() => this.next()))
        .then((file) => {
          this.keep(conv, msg, file);
          return file;
        })
        .finally(() => this.ended(conv + msg, one)),
    };
    this.loading.set(conv + msg, one);
    return one;
  }

  private ended(name: string, one: Loading): void {
    if (this.loading.get(name) === one) this.loading.delete(name);
  }

  /** Waits for a free place. */
  private turn(signal: AbortSignal): Promise<void> {
    return new Promise((go, fail) => {
      const start = (): void => {
        if (signal.aborted) return this.leave(fail);
        this.busy++;
        go();
      };
      if (this.busy < AT_ONCE) start();
      else this.queue.push(start);
    });
  }

  /** It is not wanted any more. */
  private leave(fail: (e: Error) => void): void {
    fail(new ClientError('error.network', 'not wanted any more'));
    this.queue.shift()?.();
  }

  private next(): void {
    this.busy--;
    this.queue.shift()?.();
  }

  /** The network may be back, and a busy server less so: after a while. */
  private async mayPass(e: unknown): Promise<boolean> {
    const busy = e instanceof Refused && passes(e.code);
    if (!busy && !(e instanceof ClientError && e.key === 'error.network')) return false;
    await new Promise((done) => setTimeout(done, Math.min(MAX_WAIT_MS, retryDelay(e, AGAIN_MS))));
    return true;
  }

  private async fetch(
    conv: string,
    msg: string,
    body: FileBody,
    progress: (share: number) => void,
    signal: AbortSignal,
  ): Promise<Blob> {
    const key = unb64u(body.key);
    const opener = new FileOpener(this.ciphers, key, { conv: unhex(conv), msg: unhex(msg), size: body.size });
    const all = sealedSize(body.size);
    const out: Blob[] = [];
    try {
      for (let from = 0, tries = 0; from < all; from = opener.at) {
        const to = Math.min(all, from + PART);
        let part: Uint8Array;
        try {
          part = await this.transfer.get(conv, msg, from, to, all, (got) => progress((from + got) / all), signal);
        } catch (e) {
          if (signal.aborted || ++tries === TRIES || !(await this.mayPass(e))) throw e;
          continue;
        }
        tries = 0;
        if (signal.aborted) throw new ClientError('error.network', 'not wanted any more');
        // the browser may put it on disk: one part is in memory at a time
        out.push(new Blob([(await opener.part(part)) as Uint8Array<ArrayBuffer>]));
      }
      opener.end(unb64u(body.sha));
      return new Blob(out);
    } catch (e) {
      if (e instanceof Rejected) throw new ClientError('error.file_false', String(e));
      throw e instanceof Refused && e.code === Code.not_found ? new ClientError('error.file_gone') : e;
    } finally {
      key.fill(0);
    }
  }
}
