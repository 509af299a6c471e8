/** Seals what one conversation sends, with the counters of this page's runs, and opens what earlier page loads sealed. */
import { hex, unhex } from '../crypto/bytes';
import { decodeBody, encodeBody, openMessage, sealMessage, type Body, type HeaderFields } from '../crypto/envelope';
import { Rejected } from '../crypto/error';
import { signRecall } from '../crypto/recall';
import { ClientError, type ErrorKey } from '../model';
import { Envelope, Kind } from '../proto';
import type { Ledger } from './ledger';
import { COUNTED, type Outgoing } from './outgoing';
import type { Port } from './port';
import { nextTeam } from './writable';

/** Seals and opens notes, which only agents write. */
export interface NoteCodec {
  seal(port: Port, fields: HeaderFields, body: Uint8Array, team: string): Promise<Uint8Array>;
  open(port: Port, env: Envelope): Promise<Body | null>;
}

export class Sealer {
  /** The number after the last one that came back, by run. */
  private readonly next = new Map<number, number>();

  constructor(
    private readonly port: Port,
    private readonly ledger: Ledger,
    private readonly id: string,
    private readonly notes: NoteCodec | undefined,
  ) {}

  /** An own record came back. */
  record(env: Envelope): void {
    this.next.set(env.inst, Math.max(this.next.get(env.inst) ?? 0, COUNTED.includes(env.kind) ? env.ctr + 1 : 0));
  }

  /** `ahead`: what is sent before it. */
  async seal(o: Omit<Outgoing, 'env' | 'under'>, ahead: readonly Outgoing[]): Promise<Outgoing> {
    const { port, ledger } = this;
    const epoch = ledger.current;
    const inst = o.note ? port.noteInst : port.inst;
    const before = ahead.filter((x) => !x.error && x.note === o.note && x.env.inst === inst).length;
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
    else if (o.note) {
      if (!this.notes) throw new ClientError('error.refused');
      bytes = await this.notes.seal(port, fields, encodeBody(o.body!), o.team ?? nextTeam(port, ledger));
    } else {
      if (!epoch.key) throw new ClientError('error.no_key');
      bytes = await sealMessage(fields, epoch.key, encodeBody(o.body!), port.me);
    }
    return { ...o, env: Envelope.parse(bytes)!, under: hex(epoch.hash) };
  }

  /** What an own envelope says; null if it cannot be opened yet. */
  async open(env: Envelope): Promise<Body | null> {
    const { port, ledger } = this;
    try {
      if (env.kind === Kind.note) return (await this.notes?.open(port, env)) ?? null;
      const key = ledger.epochs.get(env.epoch)?.key;
      return key ? decodeBody(await openMessage(port.backend, env, key, port.me.pk)) : null;
    } catch {
      return null;
    }
  }

  isOfThisEpoch(o: Outgoing): boolean {
    return o.under === hex(this.ledger.chain.hash);
  }

  /** Sealed in the current epoch and, if it is of this page's run, with the counter that comes next. */
  fits(o: Outgoing): boolean {
    const run = o.note ? this.port.noteInst : this.port.inst;
    if (!this.isOfThisEpoch(o)) return false;
    return o.env.inst === run ? o.env.ctr === this.counter(run) : o.env.ctr >= this.counter(o.env.inst);
  }

  private counter(inst: number): number {
    return Math.max(this.next.get(inst) ?? 0, this.ledger.nextCounter(this.port.kid, inst));
  }
}

export function whyUnsealed(e: unknown): ErrorKey {
  if (e instanceof ClientError) return e.key;
  return e instanceof Rejected && e.reason === 'too_large' ? 'error.too_large' : 'error.refused';
}
