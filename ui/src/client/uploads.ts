/**
 * Files on their way out of one conversation. They are sealed into what the browser keeps, and go out one after the other, in their order,
 * part by part from where the server is: after a reload, a lost connection or a restart of the server, too. A part goes out as soon as it
 * is kept, while the next ones are sealed (once each: whatever is sent again is what was kept). The message that names a file is sealed
 * when all of it is, and waits in the send queue until the server has all of it.
 */
import { ciphersOf } from './file-access';
import { b64u, random, unhex } from '../crypto/bytes';
import type { FileBody } from '../crypto/envelope';
import { FileSealer, PART, partsOf, sealedSize } from '../crypto/file';
import { passes, Refused, retryDelay } from '../link/errors';
import { ClientError, type ErrorKey, type Picked, type Upload } from '../model';
import { Code } from '../proto';
import type { Signal } from '../signals';
import type { ConversationContext } from './context';
import { isKept, newItem, readAhead, whyRefused, type Flight, type Item } from './upload-item';
import { UploadStore } from './upload-store';

/** First pause after a failure that passes, and the longest, ms. */
const RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;
/** A shorter wait is not worth a word, ms. */
const SAID_MS = 2_000;
/** How often a server may name another place than where the upload is, or take a part and not move. */
const MAX_CONFLICTS = 8;
/** Parts that are sent at the same time: the server takes the second while it stores the first. */
const AT_ONCE = 2;
/** Parts that are being kept at the same time. */
const KEEPING = 3;
/** Plaintext that a browser which keeps nothing holds in memory until it is sent. */
const MEMORY_MAX = 64 * 2 ** 20;

/** What no message names is cleared away after this, ms. */
const ABANDONED_MS = 600_000;

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
    const item = this.register(msg, sealedSize(size), 0);
    try {
      await this.store.begin(msg, item.size, parts);
      this.pump();
      const keeping: Promise<void>[] = [];
      const read = readAhead(blob);
      for (let n = 0; n < parts; n++) {
        const part = await sealer.part(await read(n));
        const kept = this.store.putPart(msg, n, part).then(() => isKept(item, n, part));
        kept.catch(() => undefined);
        if (keeping.push(kept) === KEEPING) await keeping.shift();
        progress((n + 1) / parts);
        await this.context.turn();
        if (signal?.aborted || this.over) throw new ClientError('error.file_lost', 'given up');
      }
      await Promise.all(keeping);
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
      // what went ahead goes, too
      await this.drop(msg);
      throw e instanceof ClientError ? e : new ClientError('error.file_unread', String(e));
    } finally {
      key.fill(0);
    }
  }

  private register(msg: string, size: number, kept: number): Item {
    const item = newItem(msg, size, kept);
    this.items.set(msg, item);
    return item;
  }

  // ---- the queue of messages

  /** Its message waits in the queue from here on. */
  add(msg: string, size: number): void {
    const { failed } = this.items.get(msg) ?? this.register(msg, size, Infinity);
    if (failed) this.host.failed(msg, failed);
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
    item.failed = null;
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
    signal.addEventListener('abort', () => item.wake());
    const flights: Flight[] = [];
    const land = (): void => flights.splice(0).forEach((f) => f.stop.abort());
    let atOnce = AT_ONCE;
    try {
      let have = this.checked(await files.begin(this.id, msg, size), size);
      for (let next = have; goesOn(); ) {
        const sent = flights.reduce((sum, f) => sum + f.sent, have);
        this.say(item, have === size ? 'done' : 'sending', Math.min(sent, size));
        if (have === size) return this.host.complete();
        while (flights.length < atOnce && next < size && next / PART < item.kept) {
          flights.push(this.fly(item, next, flights.length > 0));
          next = Math.min(size, next + PART);
        }
        const [first] = flights;
        const outcome = first?.outcome;
        if (!first || !outcome) {
          await new Promise<void>((done) => (item.wake = done));
          continue;
        }
        flights.shift();
        if ('why' in outcome) {
          if (!first.ahead) throw outcome.why;
          // a server that takes one at a time, or another one: again, in its turn
          atOnce = 1;
        } else {
          const from = have;
          have = this.checked(outcome.have, size);
          if (have > from) this.failures = 0;
          else if (++item.conflicts >= MAX_CONFLICTS) throw new ClientError('error.server', 'it does not move');
        }
        if ('why' in outcome || have !== Math.min(size, first.at + PART)) {
          land();
          next = have;
        }
      }
    } catch (e) {
      if (goesOn()) this.sendFailed(item, e);
    } finally {
      land();
      item.stop = null;
      // the connection went; a pause stays one
      if (item.shown.value.state === 'sending') this.say(item, 'waiting');
    }
  }

  private fly(item: Item, at: number, ahead: boolean): Flight {
    const flight: Flight = { at, ahead, sent: 0, stop: new AbortController() };
    const { signal } = flight.stop;
    const n = at / PART;
    const progress = (sent: number): void => {
      flight.sent = sent;
      item.wake();
    };
    const go = async (): Promise<number> => {
      const part = item.fresh.get(n) ?? (await this.store.part(item.msg, n));
      item.fresh.delete(n);
      if (!part) throw new ClientError('error.file_lost');
      return this.context.files.put(this.id, item.msg, at, part, progress, signal);
    };
    void go()
      .then(
        (have) => (flight.outcome = { have }),
        (why: unknown) => (flight.outcome = { why }),
      )
      .then(() => item.wake());
    return flight;
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
    item.failed = whyRefused(e);
    this.host.failed(item.msg, item.failed);
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
