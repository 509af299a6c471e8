/**
 * What this browser remembers of one conversation, so that a server cannot show it another past: the announcements it accepted,
 * how far the log was, that the robot left, and its own newest envelopes, which it can hand back to a server that lost them.
 * Written before anything that rests on it is shown or sealed. Values are read and written here and nowhere else.
 */
import type { KeptKey } from '../crypto/backend';
import { hex } from '../crypto/bytes';
import { Envelope } from '../proto';
import type { Epoch } from './log-entry';
import type { Participant, Persistence } from './context';

/** Most own envelopes kept of a conversation, and most bytes of them. */
const MAX_SENT = 100;
const MAX_SENT_BYTES = 1024 * 1024;
/** Most returns to a backup that are remembered. */
const MAX_REWINDS = 8;

/** The log went back: records after `after` are missing or were handed back. `at`: local time, ms. */
export interface Rewind {
  after: number;
  at: number;
}

export interface Remembered {
  /** Newest epoch accepted, −1 before the first, and the hash of its announcement. */
  epoch: number;
  hash: string;
  /** The robot left, or never was in: it is let in no more. */
  left: boolean;
  /** The last record accepted, under which `gen` of the server. */
  gen: string;
  seq: number;
  mark: string;
  /** Over the marks of all records up to that one, hex. */
  digest: string;
  /** Hash of the last message, announcement or recall accepted, hex; '' if none. */
  prev: string;
  rewinds: readonly Rewind[];
}

export interface RememberedEpoch {
  hash: string;
  /** Of a visitor; an agent opens the box again. */
  key: KeptKey | null;
  team: string | null;
  bot: boolean;
  by: string | null;
  dirSeq: number;
  /** The announcement. Absent if a widget of 0.1.0 kept this. */
  env?: Uint8Array;
}

interface Sent {
  name: string;
  bytes: Uint8Array;
}

const NOTHING: Remembered = {
  epoch: -1,
  hash: '',
  left: false,
  gen: '',
  seq: 0,
  mark: '',
  digest: '',
  prev: '',
  rewinds: [],
};

/** What two tabs of one browser know together. Never less than either. */
function merged(a: Remembered, b: Remembered): Remembered {
  const epochs = b.epoch > a.epoch ? b : a;
  const rewinds = a.rewinds.length > b.rewinds.length ? a.rewinds : b.rewinds;
  return { epoch: epochs.epoch, hash: epochs.hash, left: a.left || b.left, ...logOf(a.seq > b.seq ? a : b), rewinds };
}

const logOf = ({
  gen,
  seq,
  mark,
  digest,
  prev,
}: Remembered): Pick<Remembered, 'gen' | 'seq' | 'mark' | 'digest' | 'prev'> => ({ gen, seq, mark, digest, prev });

/** Whether all that is given is there already. */
const isIn = (some: Partial<Remembered>, all: Remembered): boolean =>
  (Object.keys(some) as (keyof Remembered)[]).every((k) => some[k] === all[k]);

export class Memory {
  /** As of the last `load`, `refresh` or `save`. */
  now: Remembered = NOTHING;
  readonly epochs = new Map<number, RememberedEpoch>();
  private sent: Sent[] = [];
  private loaded: Promise<void> | null = null;
  private newEpochs: [number, Epoch][] = [];
  private newSent: [number, Envelope][] = [];

  constructor(
    private readonly context: Participant & Persistence,
    private readonly conv: string,
  ) {}

  private name(what: string, n?: number): string {
    const prefix = `${this.context.storagePrefix}${what}/${this.conv}`;
    return n === undefined ? prefix : `${prefix}/${String(n).padStart(what === 'epoch' ? 6 : 12, '0')}`;
  }

  /** Reads it all, once. Never rejects. */
  load(): Promise<void> {
    return (this.loaded ??= this.read().catch(() => this.context.notKept()));
  }

  private async read(): Promise<void> {
    const { store } = this.context;
    const now = await store.get<Remembered>(this.name('mem'));
    for (const { name, value } of await store.list<RememberedEpoch>(`${this.name('epoch')}/`))
      this.epochs.set(Number(name.slice(-6)), value);
    this.sent = (await store.list<Uint8Array>(`${this.name('sent')}/`)).map(({ name, value }) => ({
      name,
      bytes: value,
    }));
    this.now = now ?? this.older();
  }

  /** A widget of 0.1.0 kept epochs and nothing else. */
  private older(): Remembered {
    const last = Math.max(-1, ...this.epochs.keys());
    const epoch = this.epochs.get(last);
    return epoch ? { ...NOTHING, epoch: last, hash: epoch.hash, left: !epoch.bot } : NOTHING;
  }

  /** Other tabs may know more by now. */
  async refresh(): Promise<Remembered> {
    await this.load();
    const there = await this.context.store.get<Remembered>(this.name('mem')).catch(() => undefined);
    if (there) this.now = merged(there, this.now);
    return this.now;
  }

  /** For the next `save`. */
  accepted(epoch: Epoch): void {
    this.newEpochs.push([epoch.epoch, epoch]);
  }

  /** An own envelope is record `seq`; for the next `save`. */
  acknowledged(seq: number, env: Envelope): void {
    this.newSent.push([seq, env]);
  }

  /** Own envelopes, oldest first. */
  own(): Envelope[] {
    return this.sent.flatMap((s) => Envelope.parse(s.bytes) ?? []);
  }

  /** It was recalled: it is handed back no more. */
  async forget(msg: string): Promise<void> {
    this.newSent = this.newSent.filter(([, env]) => env.msg !== msg);
    const gone = this.sent.filter((s) => Envelope.parse(s.bytes)?.msg === msg);
    this.sent = this.sent.filter((s) => !gone.includes(s));
    for (const s of gone) await this.context.store.delete(s.name).catch(() => undefined);
  }

  /** What was accepted since the last time, in one step. Never rejects: a browser that keeps nothing is named as such. */
  save(log: Partial<Remembered>): Promise<void> {
    const nothingNew = !this.newEpochs.length && !this.newSent.length && isIn(log, this.now);
    if (nothingNew) return Promise.resolve();
    // nothing but this: another tab may have come back from a backup meanwhile, to a place that is lower
    return this.write({ ...NOTHING, gen: this.now.gen, ...log }, merged);
  }

  /** After the log went back: the new place counts, though it may be lower. */
  replace(log: Partial<Remembered>, rewind: Rewind): Promise<void> {
    const rewinds = [...this.now.rewinds, rewind].slice(-MAX_REWINDS);
    const keep = (there: Remembered, mine: Remembered): Remembered => {
      const further = there.gen === mine.gen && there.seq > mine.seq;
      return { ...merged(there, mine), ...logOf(further ? there : mine), rewinds };
    };
    return this.write({ ...this.now, ...log }, keep);
  }

  private async write(mine: Remembered, join: (there: Remembered, mine: Remembered) => Remembered): Promise<void> {
    const { store } = this.context;
    const [epochs, sent] = [this.newEpochs.splice(0), this.newSent.splice(0)];
    const also: [string, unknown][] = [];
    for (const [n, e] of epochs) {
      const value = {
        hash: hex(e.hash),
        key: this.context.role === 'visitor' && e.key ? await e.key.keep() : null,
        team: e.team,
        bot: e.bot,
        by: e.by,
        dirSeq: e.dirSeq,
        env: e.env.bytes.slice(),
      };
      this.epochs.set(n, value);
      also.push([this.name('epoch', n), value]);
    }
    for (const [seq, env] of sent) {
      const s = { name: this.name('sent', seq), bytes: env.bytes.slice() };
      this.sent = [...this.sent.filter((x) => x.name !== s.name), s];
      also.push([s.name, s.bytes]);
    }
    this.now = join(this.now, mine);
    try {
      this.now = await store.update<Remembered>(
        this.name('mem'),
        (there) => (there ? join(there, mine) : this.now),
        also,
      );
      await this.prune();
    } catch {
      this.context.notKept();
    }
  }

  private async prune(): Promise<void> {
    let bytes = this.sent.reduce((n, s) => n + s.bytes.length, 0);
    while (this.sent.length > MAX_SENT || bytes > MAX_SENT_BYTES) {
      const { name, bytes: old } = this.sent.shift()!;
      bytes -= old.length;
      await this.context.store.delete(name);
    }
  }
}
