/**
 * What waits to be sent in one conversation. One envelope is on its way at a time, resent unchanged until its record comes
 * back or an error names it. Only sealed bytes are kept and sent; a message that needs another epoch or counter is sealed
 * again under the same message id, so it can never appear twice.
 */
import { hex, random, unhex } from '../crypto/bytes';
import { decodeBody, encodeBody, openMessage, sealMessage, type Body, type HeaderFields } from '../crypto/envelope';
import { Rejected } from '../crypto/error';
import { signRecall, type RecallTarget } from '../crypto/recall';
import { keyOf, passes, retryMsOf, waitOf } from '../link/errors';
import { ClientError, type ErrorKey, type Unsent, type Wait } from '../model';
import { Code, Envelope, Kind, type ErrorFrame } from '../proto';
import { MAX_REFUSALS, Rotation, type OutboxHost } from './rotation';
import { nextTeam } from './writable';

/** Without an answer the envelope goes out again after this, ms. */
const RESEND_MS = 10_000;
/** When the server does not say how long to wait, ms. */
const RATE_MS = 1_000;
/** The longest of those, ms. */
const MAX_RATE_MS = 60_000;
/** A shorter wait is not worth a word, ms. */
const SAID_MS = 2_000;
/** Somebody changed the conversation in the same instant: the same envelope again, at once. */
const CONFLICT_MS = 20;
/** Others announced the epoch first: their record is on its way. */
const RACE_MS = 500;

export interface Outgoing {
  msg: string;
  /** A note, or the recall of one. */
  note: boolean;
  /** Null for a recall, which has a target. */
  body: Body | null;
  target?: RecallTarget;
  env: Envelope;
  /** Hash of the announcement whose epoch it is sealed in, hex. */
  under: string;
  at: number;
  error: ErrorKey | null;
  refusals: number;
  /** Of a note for others than the conversation's team. */
  team?: string;
}

/** As it is kept. The text is only in the envelope. */
interface Kept {
  bytes: Uint8Array;
  at: number;
  error: ErrorKey | null;
  /** Page run that wrote it. */
  by: number;
}

/** Writes beside the conversation need no right to announce: they go into whatever epoch is current. */
const isBeside = (o: Outgoing): boolean => o.note || !!o.target;

/** Kinds that have a number in their sender's run. */
const COUNTED: readonly number[] = [Kind.message, Kind.note, Kind.recall, Kind.noteRecall];

export class Outbox {
  readonly items: Outgoing[] = [];
  private inFlight: string | null = null;
  /** While true nothing is sent. */
  protected held = false;
  private readonly rotation: Rotation;
  private pauseUntil = 0;
  /** Refusals in a row that pass. */
  private waits = 0;
  /** Until when what waits here must wait, and why. */
  wait: Wait | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private work: Promise<void> = Promise.resolve();
  private readonly next = new Map<number, number>();
  /** Who waits for a recall. */
  private readonly recalls = new Map<string, (error: ErrorKey | null) => void>();

  constructor(
    protected readonly h: OutboxHost,
    private readonly id: string,
  ) {
    this.rotation = new Rotation(h, id);
  }

  /** The visitor asked for a person: no robot from here on. */
  get person(): boolean {
    return this.rotation.person;
  }

  /** Seals, keeps, and sends when its turn comes. The text is safe when this resolves. */
  add(body: Body, note = false, team?: string): Promise<Outgoing> {
    return this.serial(async () => {
      const out = await this.seal(
        { msg: hex(random(16)), note, body, at: this.h.port.now(), error: null, refusals: 0, team },
        this.items.length,
      );
      this.items.push(out);
      await this.keep(out);
      this.h.changed();
      return out;
    }).finally(() => this.pump());
  }

  /** The first ones of a conversation, under ids that are known. `save` keeps them in one step with whatever else begins it. */
  first(
    bodies: readonly (readonly [msg: string, body: Body])[],
    save: (kept: [string, unknown][]) => Promise<void>,
  ): Promise<void> {
    return this.serial(async () => {
      const at = this.h.port.now();
      for (const [msg, body] of bodies)
        this.items.push(await this.seal({ msg, note: false, body, at, error: null, refusals: 0 }, this.items.length));
      await save(this.items.map((o) => [this.name(o.msg), this.kept(o)]));
    }).finally(() => this.pump());
  }

  /** Takes back what was sent. Rejects if the server refuses. */
  async recall(target: RecallTarget): Promise<void> {
    const msg = hex(random(16));
    const done = new Promise<void>((ok, fail) =>
      this.recalls.set(msg, (error) => (error ? fail(new ClientError(error)) : ok())),
    );
    await this.serial(async () => {
      const out = await this.seal(
        { msg, note: target.note, body: null, target, at: this.h.port.now(), error: null, refusals: 0 },
        this.items.length,
      );
      this.items.push(out);
      await this.keep(out);
    });
    this.pump();
    return done;
  }

  /** Own envelopes that a server lost and no longer takes as they are: sealed again under the same ids. */
  requeue(envs: readonly Envelope[], error: ErrorKey | null): Promise<void> {
    return this.serial(async () => {
      for (const env of envs) {
        const body = COUNTED.includes(env.kind) && !isRecall(env) ? await this.read(env) : null;
        if (!body || this.items.some((o) => o.msg === env.msg)) continue;
        const out = {
          msg: env.msg,
          note: env.kind === Kind.note,
          body,
          env,
          under: this.h.ledger.hashOf(env.epoch),
          at: this.h.port.now(),
          error,
          refusals: 0,
        };
        this.items.push(out);
        await this.keep(out);
      }
      this.h.changed();
    }).finally(() => this.pump());
  }

  /** The epoch of what waits never came to be: all is sealed again at once, because the old key goes with the page. */
  reseal(): Promise<void> {
    return this.serial(async () => {
      for (let i = 0; i < this.items.length; i++) {
        const o = this.items[i]!;
        if (o.under === hex(this.h.ledger.chain.hash)) continue;
        const sealed = await this.seal(o, i);
        this.items[i] = sealed;
        await this.keep(sealed);
      }
    });
  }

  /** Messages of earlier page loads and of tabs that are gone. Needs the epochs they were sealed in. */
  restore(alive: (inst: number) => Promise<boolean>): Promise<void> {
    return this.serial(async () => {
      this.rotation.person ||= (await this.h.port.store.get(this.personName)) === true;
      for (const { name, value } of await this.h.port.store.list<Kept>(this.name(''))) {
        const env = Envelope.parse(value.bytes);
        if (
          !env ||
          this.items.some((o) => o.msg === env.msg) ||
          (value.by !== this.h.port.inst && (await alive(value.by)))
        )
          continue;
        if (this.h.ledger.has(env.msg)) {
          await this.h.port.store.delete(name).catch(() => undefined);
          continue;
        }
        // what can't be read yet stays: its epoch may come with the records
        const target = isRecall(env) ? { ...env.recalled, note: env.kind === Kind.noteRecall } : undefined;
        const body = target ? null : await this.read(env);
        if (!body && !target) continue;
        const [note, under] = [env.kind === Kind.note || env.kind === Kind.noteRecall, this.h.ledger.hashOf(env.epoch)];
        this.items.push({
          msg: env.msg,
          note,
          body,
          target,
          env,
          under,
          at: value.at,
          error: value.error,
          refusals: 0,
        });
      }
      this.items.sort((a, b) => a.at - b.at);
      this.h.changed();
    }).finally(() => this.pump());
  }

  /** Whoever reads the next epoch is a person; announced at once, or when the server is there again. */
  askPerson(): void {
    this.rotation.person = true;
    void this.h.port.store.set(this.personName, true).catch(() => undefined);
    this.h.changed();
    this.pump();
  }

  private get personName(): string {
    return `${this.h.port.space}person/${this.id}`;
  }

  private async read(env: Envelope): Promise<Body | null> {
    const { port, ledger } = this.h;
    try {
      if (env.kind === Kind.note) return await this.readNote(env);
      const key = ledger.epochs.get(env.epoch)?.key;
      return key ? decodeBody(await openMessage(port.backend, env, key, port.me.pk)) : null;
    } catch {
      return null;
    }
  }

  retry(msg: string): void {
    const o = this.items.find((x) => x.msg === msg && x.error);
    if (!o) return;
    o.error = null;
    o.refusals = 0;
    this.items.splice(this.items.indexOf(o), 1);
    this.items.push(o);
    this.h.changed();
    void this.serial(() => this.keep(o)).finally(() => this.pump());
  }

  /** The text of one that was refused, or that cannot be sent: it is its writer's again. */
  takeBack(msg: string): string {
    const refused = this.items.find((o) => o.msg === msg);
    if (!refused) return '';
    const text = this.takeOut(refused)[0]?.text ?? '';
    this.h.changed();
    this.pump();
    return text;
  }

  protected takeOut(o: Outgoing): Unsent[] {
    this.items.splice(this.items.indexOf(o), 1);
    void this.h.port.store.delete(this.name(o.msg)).catch(() => undefined);
    // a judgement of the robot is no text of a person
    return o.body && 'text' in o.body && !('fix' in o.body && o.body.fix) ? [{ text: o.body.text, note: o.note }] : [];
  }

  /** A record came back, of any envelope of this conversation. */
  record(env: Envelope): void {
    if (env.sender === this.h.port.kid) {
      this.next.set(env.inst, Math.max(this.next.get(env.inst) ?? 0, COUNTED.includes(env.kind) ? env.ctr + 1 : 0));
    }
    this.rotation.record(env);
    const mine = this.h.ledger.isShown(env);
    const at = mine ? this.items.findIndex((o) => o.msg === env.msg) : -1;
    if (at >= 0) {
      this.items.splice(at, 1);
      void this.h.port.store.delete(this.name(env.msg)).catch(() => undefined);
      this.recallEnded(env.msg, null);
      this.h.changed();
    }
    if (mine && this.inFlight === env.msg) {
      this.inFlight = null;
      this.waits = 0;
    }
    this.pump();
  }

  private recallEnded(msg: string, error: ErrorKey | null): void {
    this.recalls.get(msg)?.(error);
    this.recalls.delete(msg);
  }

  /** An error that names an envelope. True if it was one of these. */
  refused(f: ErrorFrame): boolean {
    if (this.rotation.isAnnouncing(f.msg)) {
      void this.announcementRefused(f);
      return true;
    }
    const o = this.items.find((x) => x.msg === f.msg);
    if (!o) return false;
    this.inFlight = null;
    if (passes(f.code)) this.pauseAsAsked(f);
    else if (++o.refusals > MAX_REFUSALS) this.fail(o, keyOf(f));
    else if (f.code === Code.conflict) this.pause(CONFLICT_MS);
    else if (f.code === Code.epoch_stale) {
      if (!isBeside(o)) this.rotation.over(o.env.epoch);
      void this.refreshThenPump();
    } else if (f.code === Code.directory_stale) void this.refreshThenPump();
    else this.fail(o, keyOf(f));
    this.pump();
    return true;
  }

  private async announcementRefused(f: ErrorFrame): Promise<void> {
    if (!this.rotation.refused(f.code, passes(f.code))) return this.failAll('error.refused');
    if (passes(f.code)) this.pauseAsAsked(f);
    else if (f.code === Code.directory_stale) await this.refreshThenPump();
    else if (f.code === Code.epoch_stale || f.code === Code.conflict) this.pause(RACE_MS);
    else this.failAll(keyOf(f));
  }

  private failAll(error: ErrorKey): void {
    for (const o of this.items.filter((x) => !x.error)) this.fail(o, error);
  }

  private async refreshThenPump(): Promise<void> {
    this.pause(RATE_MS);
    await this.h.port.refreshDirectory().catch(() => undefined);
    this.pauseUntil = 0;
    this.pump();
  }

  /** The link is gone: what was on its way goes out again after the next catch-up. */
  offline(): void {
    this.inFlight = null;
    clearTimeout(this.timer);
  }

  pump(): void {
    void this.serial(() => this.step()).catch(() => undefined);
  }

  private async step(): Promise<void> {
    const { port } = this.h;
    const head = this.items.find((o) => !o.error);
    if (!(head || this.rotation.robotMustLeave()) || this.held || this.inFlight || !this.h.ready() || port.broken())
      return;
    const wait = this.pauseUntil - port.now();
    if (wait > 0) return this.again(wait);
    this.say(null);
    try {
      if (await this.rotation.isBehind()) return this.h.behind();
      if (!(await this.rotation.ready(!!head && isBeside(head)))) return this.again(RESEND_MS);
      if (!head) return;
      const place = this.items.filter((o) => !o.error).indexOf(head);
      const sealed = this.fits(head) ? head : await this.seal(head, place);
      if (sealed !== head) {
        this.items[this.items.indexOf(head)] = sealed;
        await this.keep(sealed);
      }
      if (!this.items.includes(sealed) || !this.h.ready() || this.rotation.robotMustLeave()) return;
      // a record that came while it was sealed may have begun another epoch
      if (!this.fits(sealed)) return this.pump();
      if (port.envelope(sealed.env.bytes)) {
        this.inFlight = sealed.msg;
        this.resendLater();
      }
    } catch (e) {
      if (e instanceof ClientError && e.key === 'error.network') this.pause(RATE_MS);
      else if (head)
        this.fail(
          head,
          e instanceof ClientError
            ? e.key
            : e instanceof Rejected && e.reason === 'too_large'
              ? 'error.too_large'
              : 'error.refused',
        );
    }
  }

  /** Sealed in the current epoch and, if it is of this page's run, with the counter that comes next. */
  private fits(o: Outgoing): boolean {
    const run = o.note ? this.h.port.noteInst : this.h.port.inst;
    if (o.under !== hex(this.h.ledger.chain.hash)) return false;
    return o.env.inst === run ? o.env.ctr === this.counter(run) : o.env.ctr >= this.counter(o.env.inst);
  }

  private counter(inst: number): number {
    return Math.max(this.next.get(inst) ?? 0, this.h.ledger.nextCounter(this.h.port.kid, inst));
  }

  private resendLater(): void {
    this.again(RESEND_MS, () => {
      this.inFlight = null;
    });
  }

  private again(ms: number, first?: () => void): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      first?.();
      this.pump();
    }, ms);
  }

  private pause(ms: number): void {
    this.pauseUntil = this.h.port.now() + ms;
    this.again(ms);
  }

  /** It passes, however long it takes: what waits is neither lost nor said to have failed. */
  private pauseAsAsked(f: ErrorFrame): void {
    const ms = retryMsOf(f) ?? Math.min(RATE_MS * 2 ** this.waits++, MAX_RATE_MS);
    this.pause(ms);
    this.say(ms < SAID_MS ? null : waitOf(f, ms));
  }

  private say(wait: Wait | null): void {
    if (!wait && !this.wait) return;
    this.wait = wait;
    this.h.changed();
  }

  /** The conversation holds as much as one may. */
  get full(): boolean {
    return this.items.some((o) => o.error === 'error.full');
  }

  private fail(o: Outgoing, error: ErrorKey): void {
    const now = this.items.find((x) => x.msg === o.msg);
    if (!now) return;
    if (now.target) {
      // nothing to try again: the line stands as it was
      this.items.splice(this.items.indexOf(now), 1);
      void this.h.port.store.delete(this.name(now.msg)).catch(() => undefined);
      this.recallEnded(now.msg, error);
      return this.pump();
    }
    now.error = error;
    void this.keep(now);
    this.h.changed();
    this.pump();
  }

  private async seal(o: Omit<Outgoing, 'env' | 'under'>, place: number): Promise<Outgoing> {
    const { port, ledger } = this.h;
    const epoch = ledger.current;
    const inst = o.note ? port.noteInst : port.inst;
    // those before it in the queue come first
    const before = this.items
      .slice(0, place)
      .filter((x) => !x.error && x.note === o.note && x.env.inst === inst).length;
    const fields = {
      conv: unhex(this.id),
      epoch: ledger.chain.epoch,
      msg: unhex(o.msg),
      inst,
      ctr: this.counter(inst) + before,
      prev: ledger.last,
    };
    if (!epoch) throw new ClientError('error.no_key', 'no epoch yet');
    let bytes: Uint8Array;
    if (o.target) bytes = await signRecall(fields, o.target, port.me);
    else if (o.note) bytes = await this.sealNote(fields, encodeBody(o.body!), o.team ?? nextTeam(port, ledger));
    else {
      if (!epoch.key) throw new ClientError('error.no_key');
      bytes = await sealMessage(fields, epoch.key, encodeBody(o.body!), port.me);
    }
    return { ...o, env: Envelope.parse(bytes)!, under: hex(epoch.hash) };
  }

  protected readNote(_env: Envelope): Promise<Body | null> {
    return Promise.resolve(null);
  }

  /** Only agents write notes. */
  protected sealNote(_fields: HeaderFields, _body: Uint8Array, _team: string): Promise<Uint8Array> {
    throw new ClientError('error.refused');
  }

  private kept(o: Outgoing): Kept {
    return { bytes: o.env.bytes, at: o.at, error: o.error, by: this.h.port.inst };
  }

  private async keep(o: Outgoing): Promise<void> {
    await this.h.port.store.set(this.name(o.msg), this.kept(o)).catch(() => undefined);
  }

  private name(msg: string): string {
    return `${this.h.port.space}out/${this.id}/${msg}`;
  }

  /** One thing at a time: counters are given out here. */
  protected serial<T>(fn: () => Promise<T>): Promise<T> {
    const done = this.work.then(fn);
    this.work = done.then(
      () => undefined,
      () => undefined,
    );
    return done;
  }
}

const isRecall = (env: Envelope): boolean => env.kind === Kind.recall || env.kind === Kind.noteRecall;
