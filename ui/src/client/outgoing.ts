/** One envelope that waits to be sent, and the store that keeps it until the server has it. */
import type { Body } from '../crypto/envelope';
import type { RecallTarget } from '../crypto/recall';
import type { ErrorKey } from '../model';
import { Kind, type Envelope } from '../proto';
import type { Persistence } from './context';

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

/** What is stored of it. The text is only in the envelope. */
interface Stored {
  bytes: Uint8Array;
  at: number;
  error: ErrorKey | null;
  /** Page run that wrote it. */
  by: number;
}

/** Kinds that have a number in their sender's run. */
export const COUNTED: readonly number[] = [Kind.message, Kind.note, Kind.recall, Kind.noteRecall];

export const isRecall = (env: Envelope): boolean => env.kind === Kind.recall || env.kind === Kind.noteRecall;

/** Notes and recalls need no right to announce: they go into whatever epoch is current. */
export const needsNoOwner = (o: Outgoing): boolean => o.note || !!o.target;

/** A browser that keeps nothing sends all the same: nothing here rejects but `list`. */
export class OutgoingStore {
  constructor(
    private readonly context: Persistence,
    private readonly id: string,
  ) {}

  private name(msg: string): string {
    return `${this.context.storagePrefix}out/${this.id}/${msg}`;
  }

  /** Name and value, for a write in one step with others. */
  entry(o: Outgoing): [string, Stored] {
    return [this.name(o.msg), { bytes: o.env.bytes, at: o.at, error: o.error, by: this.context.counterRun }];
  }

  /** Keeps it as long as it waits: what was taken back while it was sealed or written leaves no copy. */
  async keep(o: Outgoing, waits: (msg: string) => boolean): Promise<void> {
    if (waits(o.msg)) await this.context.store.set(...this.entry(o)).catch(() => undefined);
    if (!waits(o.msg)) await this.remove(o.msg);
  }

  async remove(msg: string): Promise<void> {
    await this.context.store.delete(this.name(msg)).catch(() => undefined);
  }

  async list(): Promise<Stored[]> {
    return (await this.context.store.list<Stored>(this.name(''))).map(({ value }) => value);
  }
}
