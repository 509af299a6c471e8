/**
 * A part of the index: some thousand messages with the terms that they are found by, and, apart, their texts. Both are bytes, sealed
 * when they are stored. The first stays in memory; texts are read when one is to be shown.
 */
import { foldText, termsOf } from './fold';

/** One message. */
export interface Doc {
  /** Conversation, hex. */
  conv: string;
  seq: number;
  at: number;
  /** Message id, hex. */
  msg: string;
  who: Who;
  note: boolean;
  text: string;
}

/** Who wrote it: user id of an agent, or one of these. */
export type Who = 'visitor' | 'robot' | { user: string };

/** Of a message everything but its text. */
export type DocHead = Omit<Doc, 'text'>;

interface Names {
  convs: string[];
  users: string[];
  docs: number;
  terms: number;
  postings: number;
}

/** Bytes of one message in the columns. */
const COLUMNS = 8 + 4 + 4 + 2 + 2 + 1 + 16;
const NOTE = 1;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Of a text: whether it is still the same. */
export function textHash(s: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < s.length; i++) h = Math.imul(h ^ s.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

const align = (n: number): number => (n + 7) & ~7;

/** The index and the texts of these messages. */
export function buildSegment(docs: readonly Doc[]): { index: Uint8Array; texts: Uint8Array } {
  const convs = new Map<string, number>();
  const users = new Map<string, number>();
  const number = (of: Map<string, number>, name: string): number => {
    const known = of.get(name);
    if (known !== undefined) return known;
    of.set(name, of.size);
    return of.size - 1;
  };
  const lists = new Map<number, number[]>();
  docs.forEach((doc, i) => {
    number(convs, doc.conv);
    if (typeof doc.who === 'object') number(users, doc.who.user);
    for (const term of termsOf(foldText(doc.text))) {
      const list = lists.get(term);
      if (list) list.push(i);
      else lists.set(term, [i]);
    }
  });
  const terms = Uint32Array.from(lists.keys()).sort();
  const offsets = new Uint32Array(terms.length + 1);
  const postings: number[] = [];
  terms.forEach((term, i) => {
    let last = -1;
    for (const doc of lists.get(term)!) {
      let gap = doc - last - 1;
      for (; gap >= 0x80; gap >>= 7) postings.push((gap & 0x7f) | 0x80);
      postings.push(gap);
      last = doc;
    }
    offsets[i + 1] = postings.length;
  });
  const names: Names = {
    convs: [...convs.keys()],
    users: [...users.keys()],
    docs: docs.length,
    terms: terms.length,
    postings: postings.length,
  };
  const head = encoder.encode(JSON.stringify(names));
  const start = align(4 + head.length);
  const bytes = new Uint8Array(align(start + docs.length * COLUMNS + 8) + 4 * (2 * terms.length + 1) + postings.length);
  new DataView(bytes.buffer).setUint32(0, head.length);
  bytes.set(head, 4);
  const c = columns(bytes, start, docs.length);
  docs.forEach((doc, i) => {
    c.at[i] = doc.at;
    c.seq[i] = doc.seq;
    c.hash[i] = textHash(doc.text);
    c.conv[i] = convs.get(doc.conv)!;
    c.who[i] = doc.who === 'visitor' ? 0 : doc.who === 'robot' ? 1 : 2 + users.get(doc.who.user)!;
    c.flags[i] = doc.note ? NOTE : 0;
    for (let n = 0; n < 16; n++) c.msg[16 * i + n] = Number.parseInt(doc.msg.slice(2 * n, 2 * n + 2), 16);
  });
  const p = postingsAt(bytes, start, names);
  p.terms.set(terms);
  p.offsets.set(offsets);
  p.postings.set(postings);
  return { index: bytes, texts: packTexts(docs.map((doc) => doc.text)) };
}

function columns(bytes: Uint8Array, start: number, n: number) {
  const { buffer } = bytes;
  let at = bytes.byteOffset + start;
  const next = (size: number): number => {
    const here = at;
    at += size * n;
    return here;
  };
  return {
    at: new Float64Array(buffer, next(8), n),
    seq: new Uint32Array(buffer, next(4), n),
    hash: new Uint32Array(buffer, next(4), n),
    conv: new Uint16Array(buffer, next(2), n),
    who: new Uint16Array(buffer, next(2), n),
    flags: new Uint8Array(buffer, next(1), n),
    msg: new Uint8Array(buffer, next(16), 16 * n),
  };
}

function postingsAt(bytes: Uint8Array, start: number, { docs, terms, postings }: Names) {
  const at = bytes.byteOffset + align(start + docs * COLUMNS);
  return {
    terms: new Uint32Array(bytes.buffer, at, terms),
    offsets: new Uint32Array(bytes.buffer, at + 4 * terms, terms + 1),
    postings: new Uint8Array(bytes.buffer, at + 4 * (2 * terms + 1), postings),
  };
}

/** n u32, then n + 1 offsets u32, then UTF-8. */
function packTexts(texts: readonly string[]): Uint8Array {
  const parts = texts.map((text) => encoder.encode(text));
  const head = 4 * (texts.length + 2);
  const out = new Uint8Array(parts.reduce((n, part) => n + part.length, head));
  const numbers = new Uint32Array(out.buffer, 0, texts.length + 2);
  numbers[0] = texts.length;
  let at = 0;
  parts.forEach((part, i) => {
    out.set(part, head + at);
    at += part.length;
    numbers[i + 2] = at;
  });
  return out;
}

/** Texts of a segment, as `buildSegment` packed them. */
export class Texts {
  private readonly offsets: Uint32Array;

  constructor(private readonly bytes: Uint8Array) {
    const n = new Uint32Array(bytes.buffer, bytes.byteOffset, 1)[0]!;
    this.offsets = new Uint32Array(bytes.buffer, bytes.byteOffset + 4, n + 1);
  }

  get size(): number {
    return this.bytes.length;
  }

  get(doc: number): string {
    const head = 4 * (this.offsets.length + 1);
    return decoder.decode(this.bytes.subarray(head + this.offsets[doc]!, head + this.offsets[doc + 1]!));
  }
}

/** The index of a segment, read in place. */
export class Segment {
  readonly docs: number;
  readonly convs: readonly string[];
  readonly users: readonly string[];
  private readonly columns: ReturnType<typeof columns>;
  private readonly index: ReturnType<typeof postingsAt>;

  /** `bytes` begin at a multiple of 8 of their buffer. */
  constructor(readonly bytes: Uint8Array) {
    const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
    const names = JSON.parse(decoder.decode(bytes.subarray(4, 4 + length))) as Names;
    const start = align(4 + length);
    this.docs = names.docs;
    this.convs = names.convs;
    this.users = names.users;
    this.columns = columns(bytes, start, names.docs);
    this.index = postingsAt(bytes, start, names);
  }

  head(doc: number): DocHead {
    const c = this.columns;
    const who = c.who[doc]!;
    let msg = '';
    for (const x of c.msg.subarray(16 * doc, 16 * doc + 16)) msg += x.toString(16).padStart(2, '0');
    return {
      conv: this.convs[c.conv[doc]!]!,
      seq: c.seq[doc]!,
      at: c.at[doc]!,
      msg,
      who: who === 0 ? 'visitor' : who === 1 ? 'robot' : { user: this.users[who - 2]! },
      note: (c.flags[doc]! & NOTE) !== 0,
    };
  }

  at(doc: number): number {
    return this.columns.at[doc]!;
  }

  /** Place of its conversation in `convs`. */
  convOf(doc: number): number {
    return this.columns.conv[doc]!;
  }

  seqOf(doc: number): number {
    return this.columns.seq[doc]!;
  }

  /** A writer as a number of this segment; −1: nobody here. */
  numberOf(who: Who): number {
    if (typeof who !== 'object') return who === 'visitor' ? 0 : 1;
    const at = this.users.indexOf(who.user);
    return at < 0 ? -1 : 2 + at;
  }

  whoOf(doc: number): number {
    return this.columns.who[doc]!;
  }

  hashOf(doc: number): number {
    return this.columns.hash[doc]!;
  }

  /** Messages that have all of these terms, ascending. */
  find(terms: readonly number[]): Uint16Array {
    const ranges: [number, number][] = [];
    for (const term of terms) {
      const range = this.range(term);
      if (!range) return new Uint16Array(0);
      ranges.push(range);
    }
    // the rarest first
    ranges.sort((a, b) => a[1] - a[0] - (b[1] - b[0]));
    let found: Uint16Array | null = null;
    for (const range of ranges) {
      const list = this.list(range);
      found = found ? both(found, list) : list;
      if (!found.length) break;
    }
    return found ?? Uint16Array.from({ length: this.docs }, (_, i) => i);
  }

  private range(term: number): [number, number] | null {
    const { terms, offsets } = this.index;
    let [low, high] = [0, terms.length - 1];
    while (low <= high) {
      const mid = (low + high) >> 1;
      const there = terms[mid]!;
      if (there === term) return [offsets[mid]!, offsets[mid + 1]!];
      if (there < term) low = mid + 1;
      else high = mid - 1;
    }
    return null;
  }

  private list([from, to]: [number, number]): Uint16Array {
    const { postings } = this.index;
    const out = new Uint16Array(to - from);
    let n = 0;
    let last = -1;
    for (let at = from; at < to; at++) {
      let gap = 0;
      let shift = 0;
      while (postings[at]! & 0x80) {
        gap |= (postings[at++]! & 0x7f) << shift;
        shift += 7;
      }
      gap |= postings[at]! << shift;
      last += gap + 1;
      out[n++] = last;
    }
    return out.subarray(0, n);
  }
}

function both(a: Uint16Array, b: Uint16Array): Uint16Array {
  const out = new Uint16Array(Math.min(a.length, b.length));
  let [i, j, n] = [0, 0, 0];
  while (i < a.length && j < b.length) {
    const [x, y] = [a[i]!, b[j]!];
    if (x === y) {
      out[n++] = x;
      i++;
      j++;
    } else if (x < y) i++;
    else j++;
  }
  return out.subarray(0, n);
}
