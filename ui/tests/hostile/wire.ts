/** Envelopes and records as bytes, read by the bench itself: it must not rely on the clients' own parser. */
import { createHash } from 'node:crypto';
import { cat, hex, u32, unhex, utf8 } from '../../src/crypto/bytes';
import { labelled } from '../../src/crypto/hash';

export const K = {
  message: 1,
  announcement: 2,
  grant: 3,
  note: 4,
  recall: 5,
  noteRecall: 6,
  tombstone: 9,
  noteTombstone: 10,
} as const;
export const HEADER = 80;
const ANNOUNCEMENT = 141;
const BOX = 97;
const GRANT = 38;
const GRANT_BOX = 101;
export const ZEROS = '00'.repeat(16);

export interface Box {
  kind: number;
  kid: string;
  enc: Uint8Array;
  ct: Uint8Array;
  /** Only in grants. */
  epoch?: number;
}

export interface Wire {
  bytes: Uint8Array;
  kind: number;
  conv: string;
  epoch: number;
  sender: string;
  msg: string;
  inst: number;
  ctr: number;
  prev: string;
  /** As `prev` names it. */
  hash: string;
  flags: number;
  dirSeq: number;
  boxes: Box[];
  /** Target of a recall. */
  target: { msg: string; hash: string } | null;
}

const sha = (label: string, part: Uint8Array): string =>
  createHash('sha256')
    .update(labelled(label, cat(u32(part.length), part)))
    .digest('hex');
const boxAt = (b: Uint8Array, at: number): Box => ({
  kind: b[at]!,
  kid: hex(b.subarray(at + 1, at + 17)),
  enc: b.slice(at + 17, at + 49),
  ct: b.slice(at + 49, at + 97),
});

const cache = new WeakMap<Uint8Array, Wire | null>();

/** Null if it is no envelope. */
export function wire(b: Uint8Array): Wire | null {
  let w = cache.get(b);
  if (w === undefined) cache.set(b, (w = parse(b)));
  return w;
}

function parse(b: Uint8Array): Wire | null {
  if (b.length < HEADER || b[0] !== 0x4b || b[1] !== 0x31) return null;
  const kind = b[2]!;
  const v = new DataView(b.buffer, b.byteOffset, b.length);
  const signed = kind === K.announcement || kind === K.grant;
  const w: Wire = {
    bytes: b,
    kind,
    conv: hex(b.subarray(4, 20)),
    epoch: kind === K.grant ? -1 : v.getUint32(20),
    sender: hex(kind === K.grant ? b.subarray(20, 36) : b.subarray(24, 40)),
    msg: hex(signed ? b.subarray(-64, -48) : b.subarray(40, 56)),
    inst: v.getUint32(56),
    ctr: v.getUint32(60),
    prev: hex(b.subarray(64, 80)),
    hash: sha('env', b).slice(0, 32),
    flags: 0,
    dirSeq: 0,
    boxes: [],
    target: null,
  };
  if (kind === K.announcement) {
    w.flags = b[140]!;
    w.dirSeq = v.getUint32(72);
    for (let at = ANNOUNCEMENT; at + BOX <= b.length - 64; at += BOX) w.boxes.push(boxAt(b, at));
  } else if (kind === K.grant) {
    for (let at = GRANT; at + GRANT_BOX <= b.length - 64; at += GRANT_BOX)
      w.boxes.push({ ...boxAt(b, at + 4), epoch: v.getUint32(at) });
  } else if (kind === K.note) {
    w.boxes.push({ kind: 1, kid: hex(b.subarray(80, 96)), enc: b.slice(96, 128), ct: b.slice(128, -64) });
  } else if (kind === K.recall || kind === K.noteRecall) {
    w.target = { msg: hex(b.subarray(80, 96)), hash: hex(b.subarray(104, 120)) };
  }
  return w;
}

/** A record as one reader is shown it. */
export interface Rec {
  seq: number;
  at: number;
  body: Uint8Array;
}

const u64 = (n: number): Uint8Array => cat(u32(Math.floor(n / 2 ** 32)), u32(n % 2 ** 32));
export const recordBytes = (r: Rec): Uint8Array => cat(u64(r.seq), u64(r.at), r.body);
export const markOf = (r: Rec): string =>
  createHash('sha256')
    .update(cat(u64(r.seq), u64(r.at), r.body.subarray(4, 80)))
    .digest('hex')
    .slice(0, 16);
/** Sequence numbers 1, 2, 3 … again, after something was put in or left out. */
export const renumber = (list: readonly Rec[]): Rec[] => list.map((r, i) => ({ ...r, seq: i + 1 }));

export const eventBody = (conv: string, json: unknown): Uint8Array =>
  cat(utf8('K0'), new Uint8Array(2), unhex(conv), utf8(JSON.stringify(json)));
export function eventOf(body: Uint8Array): Record<string, unknown> | null {
  if (body[0] !== 0x4b || body[1] !== 0x30) return null;
  try {
    return JSON.parse(new TextDecoder().decode(body.subarray(20))) as Record<string, unknown>;
  } catch {
    return null;
  }
}

/** What stays of what was taken back. */
export function tombstoneOf(body: Uint8Array): Uint8Array {
  const t = body.slice(0, HEADER);
  t[2] = t[2] === K.note ? K.noteTombstone : K.tombstone;
  return t;
}
