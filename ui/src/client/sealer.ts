/** Seals what one conversation sends, with the counters of this page's runs, and opens what earlier page loads sealed. */
import { hex, unhex } from '../crypto/bytes';
import { decodeBody, encodeBody, openMessage, sealMessage, type Body, type HeaderFields } from '../crypto/envelope';
import { Rejected } from '../crypto/error';
import { signRecall } from '../crypto/recall';
import { ClientError, type ErrorKey } from '../model';
import { Envelope, Kind } from '../proto';
import type { ConversationLog } from './conversation-log';
import { COUNTED, type Outgoing } from './outgoing';
import type { DirectoryAccess, Participant, Persistence } from './context';
import { nextTeam } from './writable';

/** Seals and opens notes, which only agents write. */
export interface NoteCodec {
  seal(
    context: Participant & DirectoryAccess,
    fields: HeaderFields,
    body: Uint8Array,
    team: string,
  ): Promise<Uint8Array>;
  open(context: Participant, env: Envelope): Promise<Body | null>;
}

export class Sealer {
  /** The number after the last one that came back, by run. */
  private readonly next = new Map<number, number>();

  constructor(
    private readonly context: Participant & DirectoryAccess & Persistence,
    private readonly log: ConversationLog,
    private readonly id: string,
    private readonly notes: NoteCodec | undefined,
  ) {}

  /** An own record came back. */
  record(env: Envelope): void {
    this.next.set(env.inst, Math.max(this.next.get(env.inst) ?? 0, COUNTED.includes(env.kind) ? env.ctr + 1 : 0));
  }

  /** `ahead`: what is sent before it. */
  async seal(o: Omit<Outgoing, 'env' | 'under'>, ahead: readonly Outgoing[]): Promise<Outgoing> {
    const { context, log } = this;
    const epoch = log.epochs.current;
    const inst = o.note ? context.noteCounterRun : context.counterRun;
    const before = ahead.filter((x) => !x.error && x.note === o.note && x.env.inst === inst).length;
    const fields = {
      conv: unhex(this.id),
      epoch: log.epochs.chain.epoch,
      msg: unhex(o.msg),
      inst,
      ctr: this.counter(inst) + before,
      prev: log.last,
    };
    if (!epoch) throw new ClientError('error.no_key', 'no epoch yet');
    let bytes: Uint8Array;
    if (o.target) bytes = await signRecall(fields, o.target, context.me);
    else if (o.note) {
      if (!this.notes) throw new ClientError('error.refused');
      bytes = await this.notes.seal(context, fields, encodeBody(o.body!), o.team ?? nextTeam(context, log.epochs));
    } else {
      if (!epoch.key) throw new ClientError('error.no_key');
      bytes = await sealMessage(fields, epoch.key, encodeBody(o.body!), context.me);
    }
    return { ...o, env: Envelope.parse(bytes)!, under: hex(epoch.hash) };
  }

  /** Content of an own envelope; null if it cannot be decrypted yet. */
  async open(env: Envelope): Promise<Body | null> {
    const { context, log } = this;
    try {
      if (env.kind === Kind.note) return (await this.notes?.open(context, env)) ?? null;
      const key = log.epochs.get(env.epoch)?.key;
      return key ? decodeBody(await openMessage(context.backend, env, key, context.me.pk)) : null;
    } catch {
      return null;
    }
  }

  isOfThisEpoch(o: Outgoing): boolean {
    return o.under === hex(this.log.epochs.chain.hash);
  }

  /** Sealed in the current epoch and, if it is of this page's run, with the counter that comes next. */
  fits(o: Outgoing): boolean {
    const run = o.note ? this.context.noteCounterRun : this.context.counterRun;
    if (!this.isOfThisEpoch(o)) return false;
    return o.env.inst === run ? o.env.ctr === this.counter(run) : o.env.ctr >= this.counter(o.env.inst);
  }

  private counter(inst: number): number {
    return Math.max(this.next.get(inst) ?? 0, this.log.lines.order.next(this.context.kid, inst));
  }
}

export function whyUnsealed(e: unknown): ErrorKey {
  if (e instanceof ClientError) return e.key;
  return e instanceof Rejected && e.reason === 'too_large' ? 'error.too_large' : 'error.refused';
}
