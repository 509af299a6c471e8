/** Envelopes of a writer who keeps no rule. Made from bytes, not with the clients' own writers. */
import type { SigningKey } from '../../src/crypto/backend';
import { cat, hex, random, u16, u32, unhex, utf8 } from '../../src/crypto/bytes';
import { BoxKind, boxKid, H, kidOf } from '../../src/crypto/hash';
import { benchBackend as b } from './backend';
import { K, ZEROS, type Wire } from './wire';

export interface Place {
  conv: string;
  epoch: number;
  inst?: number;
  ctr?: number;
  prev?: string;
  msg?: string;
}

const header = (kind: number, by: SigningKey, p: Place, kid = kidOf(by.pk)): Uint8Array =>
  cat(
    utf8('K1'),
    new Uint8Array([kind, 1]),
    unhex(p.conv),
    u32(p.epoch),
    kid,
    p.msg === undefined ? random(16) : unhex(p.msg),
    u32(p.inst ?? 0x6b666b66),
    u32(p.ctr ?? 0),
    unhex(p.prev ?? ZEROS),
  );

function padded(body: unknown): Uint8Array {
  const bytes = utf8(JSON.stringify(body));
  const out = new Uint8Array(Math.ceil((bytes.length + 1) / 256) * 256);
  out.set(bytes);
  out[bytes.length] = 0x80;
  return out;
}

const signed = async (unsigned: Uint8Array, by: SigningKey, label = 'sig'): Promise<Uint8Array> =>
  cat(unsigned, await by.sign(label, unsigned));

/** `kid`: in whose name, if not the signer's. */
export async function message(
  by: SigningKey,
  p: Place,
  ek: Uint8Array,
  body: Record<string, unknown>,
  kid?: Uint8Array,
): Promise<Uint8Array> {
  const head = header(K.message, by, p, kid);
  const key = await b.epochKey(ek);
  return signed(cat(head, await key.seal(head, padded({ ts: Date.now(), ...body }))), by);
}

export async function recall(
  by: SigningKey,
  p: Place,
  target: Wire,
  hash = target.hash,
  kind: number = K.recall,
): Promise<Uint8Array> {
  return signed(cat(header(kind, by, p), unhex(target.msg), u32(target.inst), u32(target.ctr), unhex(hash)), by);
}

/** Signs again what was changed. */
export async function resigned(
  env: Uint8Array,
  by: SigningKey,
  label: string,
  change: (b: Uint8Array) => void,
): Promise<Uint8Array> {
  const unsigned = env.slice(0, -64);
  change(unsigned);
  return signed(unsigned, by, label);
}

export interface Announcement {
  conv: string;
  epoch: number;
  /** Hash of the announcement before. */
  prev: Uint8Array;
  dirSeq: number;
  dirHead: Uint8Array;
  boxes: { kind: number; pk: Uint8Array; ek?: Uint8Array }[];
  flags?: number;
  ek: Uint8Array;
}

export const annHash = (bytes: Uint8Array): Uint8Array => H('ann-hash', bytes);

export async function announcement(by: SigningKey, a: Announcement): Promise<Uint8Array> {
  const conv = unhex(a.conv);
  const flags = a.flags ?? (a.boxes.some((x) => x.kind === BoxKind.bot) ? 1 : 0);
  const commit = H('ek-commit', conv, u32(a.epoch), a.ek);
  const head = cat(
    utf8('K1'),
    new Uint8Array([K.announcement, 1]),
    conv,
    u32(a.epoch),
    kidOf(by.pk),
    a.prev,
    u32(a.dirSeq),
    a.dirHead,
    commit,
    new Uint8Array([flags]),
  );
  const boxes: Uint8Array[] = [];
  for (const { kind, pk, ek } of a.boxes) {
    const kid = boxKid(kind, pk);
    const { enc, ct } = await b.seal(pk, cat(utf8('kefu/1 ek\0'), new Uint8Array([kind]), kid), head, ek ?? a.ek);
    boxes.push(new Uint8Array([kind]), kid, enc, ct);
  }
  return signed(cat(head, ...boxes), by, 'ann');
}

export async function grant(
  by: SigningKey,
  conv: string,
  keys: { epoch: number; ek: Uint8Array }[],
  teamPk: Uint8Array,
): Promise<Uint8Array> {
  const head = cat(utf8('K1'), new Uint8Array([K.grant, 1]), unhex(conv), kidOf(by.pk), u16(keys.length));
  const kid = boxKid(BoxKind.team, teamPk);
  const boxes: Uint8Array[] = [];
  for (const { epoch, ek } of keys) {
    const { enc, ct } = await b.seal(
      teamPk,
      cat(utf8('kefu/1 grant\0'), new Uint8Array([BoxKind.team]), kid),
      cat(head.subarray(0, 36), u32(epoch)),
      ek,
    );
    boxes.push(u32(epoch), new Uint8Array([BoxKind.team]), kid, enc, ct);
  }
  return signed(cat(head, ...boxes), by, 'grant');
}

export const kidHex = (k: SigningKey): string => hex(kidOf(k.pk));
