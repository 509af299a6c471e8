/** The log of one conversation as an honest server keeps it, and as each role is shown it. */
import type { Conv } from '../../src/proto';
import { eventBody, eventOf, K, tombstoneOf, wire, type Rec, type Wire } from './wire';

export class Stored {
  readonly records: Rec[] = [];

  constructor(readonly conv: Conv) {}

  get id(): string {
    return this.conv.id;
  }

  append(body: Uint8Array): Rec {
    const last = this.records.at(-1);
    const r = { seq: this.records.length + 1, at: Math.max(last?.at ?? 0, Date.now()), body };
    this.records.push(r);
    this.conv.last = r.seq;
    const w = wire(body);
    if (w?.kind === K.announcement) this.conv.epoch = w.epoch;
    if (w?.kind === K.recall || w?.kind === K.noteRecall) this.bury(w.target!.msg);
    return r;
  }

  /** The text goes, the place stays. */
  bury(msg: string): Rec | null {
    const r = this.find(msg);
    if (!r) return null;
    this.records[r.seq - 1] = { ...r, body: tombstoneOf(r.body) };
    return r;
  }

  find(msg: string): Rec | undefined {
    return this.records.find((r) => wire(r.body)?.msg === msg);
  }

  announcement(): Wire | null {
    return (
      this.wires()
        .filter((w) => w.kind === K.announcement)
        .at(-1) ?? null
    );
  }

  wires(): Wire[] {
    return this.records.map((r) => wire(r.body)).filter((w): w is Wire => w !== null);
  }

  /** What is not a visitor's, and what a client of revision 1 does not know, is masked. The same record gives the same object. */
  shown(role: 'visitor' | 'agent', rev: number): Rec[] {
    return this.records.map((r) => {
      const name = `${role}/${rev}`;
      let made = masks.get(r);
      if (!made) masks.set(r, (made = new Map()));
      let m = made.get(name);
      if (!m) made.set(name, (m = mask(r, this, role, rev)));
      return m;
    });
  }
}

const masks = new WeakMap<Rec, Map<string, Rec>>();
const NOT_FOR_VISITORS: readonly number[] = [K.note, K.grant, K.noteRecall, K.noteTombstone];

function mask(r: Rec, s: Stored, role: 'visitor' | 'agent', rev: number): Rec {
  const w = wire(r.body);
  const e = eventOf(r.body);
  if (role === 'visitor' && ((w && NOT_FOR_VISITORS.includes(w.kind)) || (e?.t === 'recalled' && e.note === true)))
    return { ...r, body: eventBody(s.id, { t: 'hidden' }) };
  if (rev < 2 && w?.kind === K.noteRecall) return { ...r, body: eventBody(s.id, { t: 'hidden' }) };
  if (rev < 2 && w?.kind === K.recall)
    return {
      ...r,
      body: eventBody(s.id, { t: 'recalled', seq: s.find(w.target!.msg)?.seq ?? 0, msg: w.target!.msg, by: w.sender }),
    };
  return r;
}
