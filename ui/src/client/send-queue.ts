/**
 * What waits to be sent in one conversation. One envelope is on its way at a time, resent unchanged until its record comes
 * back or an error names it. Only sealed bytes are kept and sent; a message that needs another epoch or counter is sealed
 * again under the same message id, so it can never appear twice. Which epoch that is, `epoch-rotation.ts` decides.
 * A message that names a file waits for its upload; others overtake it.
 */
import { hex, random } from '../crypto/bytes';
import type { Body, FileBody } from '../crypto/envelope';
import { sealedSize } from '../crypto/file';
import type { RecallTarget } from '../crypto/recall';
import { keyOf, passes } from '../link/errors';
import { ClientError, type ErrorKey, type Unsent, type Wait } from '../model';
import { Code, Envelope, Kind, type ErrorFrame } from '../proto';
import { MAX_REFUSALS, type EpochRotation } from './epoch-rotation';
import type { ConversationLog } from './conversation-log';
import { COUNTED, isRecall, needsNoOwner, OutgoingStore, type Outgoing } from './outgoing';
import type { ConversationContext } from './context';
import type { RobotMembership } from './robot-membership';
import { Sealer, whyUnsealed, type NoteCodec } from './sealer';
import type { Uploads } from './uploads';
import { RATE_MS, SendPause } from './send-pause';

/** Without an answer the envelope goes out again after this, ms. */
const RESEND_MS = 10_000;
/** The conversation changed in the same instant: the same envelope again, at once. */
const CONFLICT_MS = 20;
/** Others announced the epoch first: their record is on its way. */
const RACE_MS = 500;

export interface SendQueueHost {
  /** All records are here and the link is up. */
  ready(): boolean;
  /** The memory knows more than the log shows: asks for the conversation again. */
  behind(): void;
  changed(): void;
}

export class SendQueue {
  private readonly queue: Outgoing[] = [];
  private readonly sealer: Sealer;
  private readonly store: OutgoingStore;
  private inFlight: string | null = null;
  /** While true nothing is sent. */
  private held = false;
  private readonly pause: SendPause;
  private work: Promise<void> = Promise.resolve();
  /** Who waits for a recall. */
  private readonly recalls = new Map<string, (error: ErrorKey | null) => void>();

  constructor(
    private readonly context: ConversationContext,
    private readonly log: ConversationLog,
    private readonly rotation: EpochRotation,
    private readonly robot: RobotMembership,
    private readonly uploads: Uploads,
    private readonly host: SendQueueHost,
    notes?: NoteCodec,
  ) {
    this.sealer = new Sealer(context, log, log.id, notes);
    this.store = new OutgoingStore(context, log.id);
    this.pause = new SendPause(
      () => context.now(),
      () => this.pump(),
      () => host.changed(),
    );
  }

  /** In the order in which they are sent. */
  get items(): readonly Outgoing[] {
    return this.queue;
  }

  /** Until when what waits here must wait, and why. */
  get wait(): Wait | null {
    return this.pause.wait;
  }

  /** The conversation holds as much as one may. */
  get full(): boolean {
    return this.queue.some((o) => o.error === 'error.full');
  }

  // ---- what is written here

  /** Seals, keeps, and sends when its turn comes. The text is safe when this resolves. */
  add(body: Body, note = false, team?: string): Promise<Outgoing> {
    return this.serial(async () => {
      const out = await this.append({ msg: hex(random(16)), note, body, team });
      await this.keep(out);
      this.host.changed();
      return out;
    }).finally(() => this.pump());
  }

  /** Sealed, kept and on its way already (`uploads.ts`). */
  /** Under an id that the server was told before. */
  addAs(msg: string, body: Body): Promise<void> {
    return this.serial(async () => {
      await this.keep(await this.append({ msg, note: false, body }));
      this.host.changed();
    }).finally(() => this.pump());
  }

  addFile(msg: string, body: FileBody): Promise<void> {
    return this.serial(async () => {
      this.uploads.add(msg, sealedSize(body.size));
      try {
        await this.keep(await this.append({ msg, note: false, body }));
      } catch (e) {
        void this.uploads.drop(msg);
        throw e;
      }
      this.host.changed();
    }).finally(() => this.pump());
  }

  /** The first ones of a conversation, under ids that are known. `save` keeps them in one step with whatever else begins it. */
  first(
    bodies: readonly (readonly [msg: string, body: Body])[],
    save: (kept: [string, unknown][]) => Promise<void>,
  ): Promise<void> {
    return this.serial(async () => {
      const at = this.context.now();
      for (const [msg, body] of bodies) await this.append({ msg, note: false, body }, at);
      await save(this.queue.map((o) => this.store.entry(o)));
    }).finally(() => this.pump());
  }

  /** Recalls what was sent. Rejects if the server refuses. */
  async recall(target: RecallTarget): Promise<void> {
    const msg = hex(random(16));
    const done = new Promise<void>((ok, fail) =>
      this.recalls.set(msg, (error) => (error ? fail(new ClientError(error)) : ok())),
    );
    await this.serial(async () => this.keep(await this.append({ msg, note: target.note, body: null, target })));
    this.pump();
    return done;
  }

  private async append(
    o: Pick<Outgoing, 'msg' | 'note' | 'body' | 'target' | 'team'>,
    at = this.context.now(),
  ): Promise<Outgoing> {
    const out = await this.sealer.seal({ ...o, at, error: null, refusals: 0 }, this.ahead(this.queue));
    this.queue.push(out);
    return out;
  }

  /** Of these, what is sent before another that is added: a file may take its time. */
  private ahead(list: readonly Outgoing[]): Outgoing[] {
    return list.filter((o) => this.uploads.isThere(o.msg));
  }

  retry(msg: string): void {
    const o = this.queue.find((x) => x.msg === msg && x.error);
    if (!o) return;
    o.error = null;
    o.refusals = 0;
    this.queue.splice(this.queue.indexOf(o), 1);
    this.queue.push(o);
    this.uploads.retry(msg);
    this.host.changed();
    void this.serial(() => this.keep(o)).finally(() => this.pump());
  }

  /** The text of one that was refused, or that cannot be sent: it is its writer's again. */
  takeBack(msg: string): string {
    const refused = this.queue.find((o) => o.msg === msg);
    if (!refused) return '';
    const text = this.takeOut(refused)[0]?.text ?? '';
    this.host.changed();
    this.pump();
    return text;
  }

  /** It is sent no more. What a person wrote in it; of a file its name. */
  takeOut(o: Outgoing): Unsent[] {
    this.remove(o);
    const { body, note } = o;
    if (body?.t === 'file') {
      void this.uploads.drop(o.msg);
      return [{ text: body.text || body.name, note }];
    }
    // a judgement of the robot is no text of a person
    return body && 'text' in body && !('fix' in body && body.fix) ? [{ text: body.text, note }] : [];
  }

  private remove(o: Outgoing): void {
    this.queue.splice(this.queue.indexOf(o), 1);
    void this.store.remove(o.msg);
  }

  // ---- what was kept, and sealed too early

  /** Messages of earlier page loads and of tabs that are gone. Needs the epochs they were sealed in. */
  restore(alive: (inst: number) => Promise<boolean>): Promise<void> {
    return this.serial(async () => {
      await this.robot.restore();
      const kept = new Set<string>();
      for (const { bytes, by, at, error } of await this.store.list()) {
        const env = Envelope.parse(bytes);
        if (env) kept.add(env.msg);
        if (!env || this.queue.some((o) => o.msg === env.msg) || (by !== this.context.counterRun && (await alive(by))))
          continue;
        if (this.log.has(env.msg)) {
          await this.store.remove(env.msg);
          await this.uploads.posted(env.msg);
          continue;
        }
        const note = env.kind === Kind.note || env.kind === Kind.noteRecall;
        // what can't be read yet stays: its epoch may come with the records
        const target = isRecall(env) ? { ...env.recalled, note } : undefined;
        const body = target ? null : await this.sealer.open(env);
        const file = body?.t === 'file' ? await this.uploads.adopt(env.msg, alive) : null;
        if (file === 'other') continue;
        const lost = file === 'lost' ? 'error.file_lost' : null;
        if (body || target) this.readmit(env, { note, body, target, at, error: error ?? lost });
      }
      await this.uploads.sweep((msg) => kept.has(msg) || this.queue.some((o) => o.msg === msg), alive);
      this.queue.sort((a, b) => a.at - b.at);
      this.host.changed();
    }).finally(() => this.pump());
  }

  /** Own envelopes that a server lost and no longer takes as they are: sealed again under the same ids. */
  requeue(envs: readonly Envelope[], error: ErrorKey | null): Promise<void> {
    return this.serial(async () => {
      for (const env of envs) {
        const body = COUNTED.includes(env.kind) && !isRecall(env) ? await this.sealer.open(env) : null;
        if (!body || this.queue.some((o) => o.msg === env.msg)) continue;
        await this.keep(this.readmit(env, { note: env.kind === Kind.note, body, at: this.context.now(), error }));
      }
      this.host.changed();
    }).finally(() => this.pump());
  }

  private readmit(env: Envelope, o: Pick<Outgoing, 'note' | 'body' | 'target' | 'at' | 'error'>): Outgoing {
    const out = { ...o, msg: env.msg, env, under: this.log.epochs.hashOf(env.epoch), refusals: 0 };
    this.queue.push(out);
    return out;
  }

  /** The epoch of what waits never came to be: all is sealed again at once, because the old key goes with the page. */
  reseal(): Promise<void> {
    return this.serial(async () => {
      for (let i = 0; i < this.queue.length; i++) {
        const o = this.queue[i]!;
        if (!this.sealer.isOfThisEpoch(o)) await this.sealAgain(o);
      }
    });
  }

  /** In its place, under the same message id. */
  private async sealAgain(o: Outgoing): Promise<Outgoing> {
    const sealed = await this.sealer.seal(o, this.ahead(this.queue.slice(0, this.queue.indexOf(o))));
    const at = this.queue.indexOf(o);
    // it may have been taken back meanwhile
    if (at >= 0) this.queue[at] = sealed;
    await this.keep(sealed);
    return sealed;
  }

  // ---- from the server

  /** A record came back, of any envelope of this conversation. */
  record(env: Envelope): void {
    if (env.sender === this.context.kid) this.sealer.record(env);
    this.rotation.record(env);
    const mine = this.log.isShown(env);
    const known = mine && this.queue.find((o) => o.msg === env.msg);
    if (known) {
      this.remove(known);
      if (known.body?.t === 'file') void this.uploads.posted(known.msg);
      this.recallEnded(env.msg, null);
      this.host.changed();
    }
    if (mine && this.inFlight === env.msg) {
      this.inFlight = null;
      this.pause.accepted();
    }
    this.pump();
  }

  /** An error that names an envelope. True if it was one of these. */
  refused(f: ErrorFrame): boolean {
    if (this.rotation.isAnnouncing(f.msg)) {
      void this.announcementRefused(f);
      return true;
    }
    const o = this.queue.find((x) => x.msg === f.msg);
    if (!o) return false;
    this.inFlight = null;
    if (passes(f.code)) this.pause.startAsAsked(f);
    else if (++o.refusals > MAX_REFUSALS) this.fail(o, keyOf(f));
    else if (f.code === Code.conflict && o.body?.t === 'file' && this.uploads.again(o.msg)) this.pump();
    else if (f.code === Code.conflict) this.pause.start(CONFLICT_MS);
    else if (f.code === Code.epoch_stale) {
      if (!needsNoOwner(o)) this.rotation.over(o.env.epoch);
      void this.refreshThenPump();
    } else if (f.code === Code.directory_stale) void this.refreshThenPump();
    else this.fail(o, keyOf(f));
    this.pump();
    return true;
  }

  private async announcementRefused(f: ErrorFrame): Promise<void> {
    if (!this.rotation.refused(f.code, passes(f.code))) return this.failAll('error.refused');
    if (passes(f.code)) this.pause.startAsAsked(f);
    else if (f.code === Code.directory_stale) await this.refreshThenPump();
    else if (f.code === Code.epoch_stale || f.code === Code.conflict) this.pause.start(RACE_MS);
    else this.failAll(keyOf(f));
  }

  private failAll(error: ErrorKey): void {
    for (const o of this.queue.filter((x) => !x.error)) this.fail(o, error);
  }

  private fail(o: Outgoing, error: ErrorKey): void {
    const now = this.queue.find((x) => x.msg === o.msg);
    if (!now) return;
    if (now.target) {
      // nothing to try again: the line stays as it was
      this.takeOut(now);
      this.recallEnded(now.msg, error);
      return this.pump();
    }
    now.error = error;
    void this.keep(now);
    this.host.changed();
    this.pump();
  }

  private recallEnded(msg: string, error: ErrorKey | null): void {
    this.recalls.get(msg)?.(error);
    this.recalls.delete(msg);
  }

  private async refreshThenPump(): Promise<void> {
    this.pause.start(RATE_MS);
    await this.context.refreshDirectory().catch(() => undefined);
    this.pause.end();
  }

  /** Its upload came to an end that another try would not mend. */
  uploadFailed(msg: string, error: ErrorKey): void {
    void this.serial(async () => {
      const o = this.queue.find((x) => x.msg === msg);
      if (o) this.fail(o, error);
    });
  }

  /** The link is gone: what was on its way goes out again after the next catch-up. */
  offline(): void {
    this.inFlight = null;
    this.pause.stop();
  }

  // ---- sending

  /** Nothing is sent while `fn` runs: a transfer changes the epoch. */
  async hold<T>(fn: () => Promise<T>): Promise<T> {
    this.held = true;
    try {
      return await this.serial(fn);
    } finally {
      this.held = false;
      this.pump();
    }
  }

  pump(): void {
    void this.serial(() => this.step()).catch(() => undefined);
  }

  private async step(): Promise<void> {
    const { context, rotation, robot, host, pause } = this;
    const head = this.queue.find((o) => !o.error && this.uploads.isThere(o.msg));
    if (!(head || robot.mustLeave()) || this.held || this.inFlight || !host.ready() || context.broken()) return;
    const wait = pause.left;
    if (wait > 0) return pause.wake(wait);
    pause.tell(null);
    try {
      if (await rotation.isBehind()) return host.behind();
      if (!(await rotation.ready(!!head && needsNoOwner(head)))) return pause.wake(RESEND_MS);
      if (!head) return;
      const sealed = this.sealer.fits(head) ? head : await this.sealAgain(head);
      if (!this.queue.includes(sealed) || !host.ready() || robot.mustLeave()) return;
      // a record that came while it was sealed may have begun another epoch
      if (!this.sealer.fits(sealed)) return this.pump();
      if (context.envelope(sealed.env.bytes)) {
        this.inFlight = sealed.msg;
        pause.wake(RESEND_MS, () => {
          this.inFlight = null;
        });
      }
    } catch (e) {
      if (e instanceof ClientError && e.key === 'error.network') pause.start(RATE_MS);
      else if (head) this.fail(head, whyUnsealed(e));
    }
  }

  private keep(o: Outgoing): Promise<void> {
    return this.store.keep(o, (msg) => this.queue.some((x) => x.msg === msg));
  }

  /** One thing at a time: counters are given out here. */
  private serial<T>(fn: () => Promise<T>): Promise<T> {
    const done = this.work.then(fn);
    this.work = done.then(
      () => undefined,
      () => undefined,
    );
    return done;
  }
}
