/**
 * Files on their way out of one conversation. They are sealed into what the browser keeps, and go out one after the other, in their order,
 * part by part from where the server is: after a reload, a lost connection or a restart of the server, too. The message that names a
 * file waits in the send queue until the server has all of it.
 */
import { ciphersOf } from './file-access';
import { b64u, random, unhex } from '../crypto/bytes';
import type { FileBody } from '../crypto/envelope';
import { FileSealer, PART, partsOf, PLAIN_PART, sealedSize } from '../crypto/file';
import { passes, Refused, retryDelay } from '../link/errors';
import { ClientError, type ErrorKey, type Picked, type Upload } from '../model';
import { Code } from '../proto';
import { signal, type Signal } from '../signals';
import type { ConversationContext } from './context';
import { UploadStore } from './upload-store';

/** First pause after a failure that passes, and the longest, ms. */
const RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;
/** A shorter wait is not worth a word, ms. */
const SAID_MS = 2_000;
/** How often a server may name another place than where the upload is, or take a part and not move. */
const MAX_CONFLICTS = 8;
/** Plaintext that a browser which keeps nothing holds in memory until it is sent. */
const MEMORY_MAX = 64 * 2 ** 20;

/** What no message names is cleared away after this, ms. */
const ABANDONED_MS = 600_000;

interface Item {
  msg: string;
  size: number;
  shown: Signal<Upload>;
  stop: AbortController | null;
  conflicts: number;
  failed: boolean;
}

export interface UploadHost {
  /** All records are here and the link is up. */
  ready(): boolean;
  /** The server has all of one. */
  complete(): void;
  failed(msg: string, why: ErrorKey): void;
}

export class Uploads {
  private readonly items = new Map<string, Item>();
  private readonly store: UploadStore;
  private sealing: Promise<unknown> = Promise.resolve();
  private running = false;
  private wanted = false;
  private over = false;
  private failures = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** Nothing goes out before; local time, ms. */
  private until = 0;

  constructor(
    private readonly context: ConversationContext,
    private readonly id: string,
    private readonly host: UploadHost,
  ) {
    this.store = new UploadStore(context, id);
  }

  // ---- before

  /** Seals it into what this browser keeps. One after the other, however many are chosen at once. */
  seal(msg: string, file: Picked, progress: (share: number) => void, signal?: AbortSignal): Promise<FileBody> {
    const done = this.sealing.then(() => this.sealNow(msg, file, progress, signal));
    this.sealing = done.catch(() => undefined);
    return done;
  }

  private async sealNow(
    msg: string,
    { blob, ...about }: Picked,
    progress: (share: number) => void,
    signal?: AbortSignal,
  ): Promise<FileBody> {
    const { size } = blob;
    if (!this.context.store.kept && size > MEMORY_MAX) throw new ClientError('error.file_space', 'in memory');
    const key = random(32);
    const sealer = new FileSealer(ciphersOf(this.context), key, { conv: unhex(this.id), msg: unhex(msg), size });
    const parts = partsOf(size);
    try {
      await this.store.begin(msg, sealedSize(size), parts);
      for (let n = 0; n < parts; n++) {
        const plain = await blob
          .slice(n * PLAIN_PART, (n + 1) * PLAIN_PART)
          .arrayBuffer()
          .catch((e: unknown) => Promise.reject(new ClientError('error.file_unread', String(e))));
        await this.store.putPart(msg, n, await sealer.part(new Uint8Array(plain)));
        progress((n + 1) / parts);
        await this.context.turn();
        if (signal?.aborted || this.over) throw new ClientError('error.file_lost', 'given up');
      }
      await this.store.complete(msg);
      const { thumb, ...rest } = about;
      return {
        t: 'file',
        ts: this.context.now(),
        ...rest,
        size,
        key: b64u(key),
        sha: b64u(sealer.digest()),
        thumb: thumb && b64u(thumb),
      };
    } catch (e) {
      await this.store.erase(msg, parts);
      throw e instanceof ClientError ? e : new ClientError('error.file_unread', String(e));
    } finally {
      key.fill(0);
    }
  }

  // ---- the queue of messages

  /** Its message waits in the queue from here on. */
  add(msg: string, size: number): void {
    const shown = signal<Upload>({ state: 'waiting', sent: 0, size });
    this.items.set(msg, { msg, size, shown, stop: null, conflicts: 0, failed: false });
    this.pump();
  }

  /** The message may go: the server has the file, or nothing is known of one. */
  isThere(msg: string): boolean {
    const item = this.items.get(msg);
    return !item || item.shown.value.state === 'done';
  }

  shown(msg: string): Signal<Upload> | null {
    return this.items.get(msg)?.shown ?? null;
  }

  /** One of an earlier page load: this page's from now on, another one's, or its bytes are gone. */
  async adopt(msg: string, alive: (run: number) => Promise<boolean>): Promise<'mine' | 'other' | 'lost'> {
    if (this.items.has(msg)) return 'mine';
    const kept = await this.store.get(msg);
    if (!kept?.sealed || kept.gone) return 'lost';
    if (!(await this.store.claim(msg, kept, alive))) return 'other';
    this.add(msg, kept.size);
    return 'mine';
  }

  /** The server does not know it, though it said that it has all of it. False if nothing can be sent again. */
  again(msg: string): boolean {
    const item = this.items.get(msg);
    if (!item) return false;
    this.say(item, 'waiting', 0);
    this.pump();
    return true;
  }

  retry(msg: string): void {
    const item = this.items.get(msg);
    if (!item) return;
    item.failed = false;
    item.conflicts = 0;
    // behind those that were sent meanwhile
    this.items.delete(msg);
    this.items.set(msg, item);
    this.again(msg);
  }

  /** Its record is here. */
  async posted(msg: string): Promise<void> {
    this.stop(msg);
    const kept = await this.store.get(msg);
    if (kept) await this.store.erase(msg, kept.parts);
  }

  /** It is not sent, here and on the server. */
  async drop(msg: string): Promise<void> {
    this.stop(msg);
    if (!(await this.store.abandon(msg))) return;
    // the page may be done with the conversation already
    if (this.over) await this.forgetOne();
    else this.pump();
  }

  private stop(msg: string): void {
    const item = this.items.get(msg);
    this.items.delete(msg);
    item?.stop?.abort();
  }

  /** What earlier page loads left of files whose messages are not there any more. */
  async sweep(waits: (msg: string) => boolean, alive: (run: number) => Promise<boolean>): Promise<void> {
    for (const [msg, kept] of await this.store.list()) {
      if (waits(msg) || this.items.has(msg) || kept.gone || kept.by === this.context.counterRun) continue;
      // where it is not known whether a tab lives, it may be at it just now
      if (Date.now() - kept.at < ABANDONED_MS || (await alive(kept.by))) continue;
      await this.store.abandon(msg);
    }
    this.pump();
  }

  // ---- the person

  pause(msg: string): void {
    const item = this.items.get(msg);
    if (!item || item.shown.value.state === 'done') return;
    this.say(item, 'paused');
    item.stop?.abort();
  }

  resume(msg: string): void {
    const item = this.items.get(msg);
    if (item?.shown.value.state !== 'paused') return;
    this.say(item, 'waiting');
    this.pump();
  }

  // ---- going out

  offline(): void {
    for (const item of this.items.values()) item.stop?.abort();
    clearTimeout(this.timer);
    this.until = 0;
  }

  dispose(): void {
    this.over = true;
    this.offline();
  }

  pump(): void {
    this.wanted = true;
    if (this.running || this.over) return;
    this.running = true;
    this.wanted = false;
    void this.run()
      .catch(() => undefined)
      .finally(() => {
        this.running = false;
        // something came while the last look found nothing
        if (this.wanted) this.pump();
      });
  }

  private async run(): Promise<void> {
    while (this.host.ready() && !this.over) {
      const left = this.until - Date.now();
      if (left > 0) {
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.pump(), left);
        return;
      }
      if (await this.forgetOne()) continue;
      const next = [...this.items.values()].find((i) => i.shown.value.state === 'waiting' && !i.failed);
      if (!next) return;
      await this.send(next);
    }
  }

  /** Tells the server of one that was given up. */
  private async forgetOne(): Promise<boolean> {
    const [msg, kept] = (await this.store.list()).find(([, k]) => k.gone) ?? [];
    if (msg === undefined) return false;
    try {
      await this.context.files.cancel(this.id, msg);
    } catch (e) {
      // it forgets by itself what it does not hear of for a day
      if (this.waits(e)) return true;
    }
    await this.store.erase(msg, kept!.parts);
    return true;
  }

  private async send(item: Item): Promise<void> {
    const { msg, size } = item;
    const { files } = this.context;
    item.stop = new AbortController();
    const { signal } = item.stop;
    // by another name: a person may pause it, or take it back, at any moment
    const goesOn = (): boolean => !signal.aborted && this.items.get(msg) === item;
    try {
      let have = this.checked(await files.begin(this.id, msg, size), size);
      while (goesOn()) {
        this.say(item, have === size ? 'done' : 'sending', have);
        if (have === size) return this.host.complete();
        const part = await this.store.part(msg, have / PART);
        if (!part) throw new ClientError('error.file_lost');
        const from = have;
        have = this.checked(
          await files.put(this.id, msg, have, part, (n) => goesOn() && this.say(item, 'sending', from + n), signal),
          size,
        );
        if (have > from) this.failures = 0;
        else if (++item.conflicts >= MAX_CONFLICTS) throw new ClientError('error.server', 'it does not move');
      }
    } catch (e) {
      if (goesOn()) this.sendFailed(item, e);
    } finally {
      item.stop = null;
      // the connection went; a pause stays one
      if (item.shown.value.state === 'sending') this.say(item, 'waiting');
    }
  }

  private sendFailed(item: Item, e: unknown): void {
    this.say(item, 'waiting');
    // it is at another place, or was forgotten: asked for again at once
    const elsewhere = e instanceof Refused && (e.have !== undefined || e.code === Code.not_found);
    if (elsewhere && ++item.conflicts < MAX_CONFLICTS) return;
    if (this.waits(e)) {
      const left = this.until - Date.now();
      const wait = e instanceof Refused && left > SAID_MS ? e.wait : undefined;
      this.say(item, 'waiting', undefined, wait);
      return;
    }
    item.failed = true;
    this.host.failed(item.msg, whyRefused(e));
  }

  /** It passes (a line that was too slow may be faster, another connection has another token): nothing goes out for a while. */
  private waits(e: unknown): boolean {
    const passing =
      e instanceof Refused
        ? passes(e.code) || e.code === Code.unauthorised || e.code === Code.too_late
        : e instanceof ClientError && e.key === 'error.network';
    if (!passing) return false;
    const ms = retryDelay(e, Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** Math.min(this.failures++, 10)));
    this.until = Date.now() + ms;
    return true;
  }

  /** A hostile server's word may be anything. */
  private checked(have: number, size: number): number {
    if (have < 0 || have > size || (have !== size && have % PART !== 0)) throw new ClientError('error.server', 'have');
    return have;
  }

  private say(item: Item, state: Upload['state'], sent = item.shown.value.sent, wait?: Upload['wait']): void {
    item.shown.value = { state, sent, size: item.size, wait };
  }
}

const KEYS: Partial<Record<number, ErrorKey>> = {
  [Code.too_large]: 'error.file_large',
  [Code.forbidden]: 'error.file_refused',
  [Code.not_found]: 'error.file_refused',
  [Code.conflict]: 'error.file_refused',
  [Code.closed]: 'error.file_refused',
};

function whyRefused(e: unknown): ErrorKey {
  if (e instanceof Refused) return KEYS[e.code] ?? e.key;
  return e instanceof ClientError ? e.key : 'error.server';
}
