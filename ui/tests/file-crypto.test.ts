/** Files, sealed and opened chunk by chunk: the bytes of the form, and every way in which they may not be what was sealed. */
import { describe, expect, it } from 'vitest';
import type { Backend } from '../src/crypto/backend';
import { b64u, cat, hex, random, utf8 } from '../src/crypto/bytes';
import { decodeBody, encodeBody, MAX_THUMB, type FileBody } from '../src/crypto/envelope';
import { CHUNK, FileOpener, FileSealer, padme, PART, partsOf, PLAIN_PART, sealedSize } from '../src/crypto/file';
import { nativeBackend } from '../src/crypto/native';
import { Sha256, sha256 } from '../src/crypto/sha2';
import { backends } from './support/backends';

const SEALED_CHUNK = CHUNK + 16;
const native = nativeBackend();
const of = (b: Uint8Array): Uint8Array<ArrayBuffer> => b as Uint8Array<ArrayBuffer>;
const webSha = async (m: Uint8Array): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', of(m)));
/** Bytes that are easy to make and unlike each other. */
const bytes = (n: number): Uint8Array => Uint8Array.from({ length: n }, (_, i) => (i * 31 + (i >> 8)) & 0xff);

interface Sealed {
  key: Uint8Array;
  conv: Uint8Array;
  msg: Uint8Array;
  plain: Uint8Array;
  whole: Uint8Array;
  sha: Uint8Array;
}

async function seal(plain: Uint8Array, b: Backend = native): Promise<Sealed> {
  const [key, conv, msg] = [random(32), random(16), random(16)];
  const sealer = new FileSealer(b, key, { conv, msg, size: plain.length });
  const parts: Uint8Array[] = [];
  for (let i = 0; i < partsOf(plain.length); i++)
    parts.push(await sealer.part(plain.subarray(i * PLAIN_PART, (i + 1) * PLAIN_PART)));
  return { key, conv, msg, plain, whole: cat(...parts), sha: sealer.digest() };
}

async function open(s: Sealed, whole = s.whole, b: Backend = native): Promise<Uint8Array> {
  const opener = new FileOpener(b, s.key, { conv: s.conv, msg: s.msg, size: s.plain.length });
  const out: Uint8Array[] = [];
  for (let at = 0; at < whole.length; at += PART) out.push(await opener.part(whole.subarray(at, at + PART)));
  opener.end(s.sha);
  return cat(...out);
}

const flipped = (b: Uint8Array, at: number): Uint8Array => b.map((x, i) => (i === at ? x ^ 1 : x));

describe('lengths', () => {
  it('are padded as PADMÉ does, computed here from its bits', () => {
    const byBits = (n: bigint): bigint => {
      const e = BigInt(n.toString(2).length - 1);
      const s = BigInt(e.toString(2).length);
      const mask = (1n << (e - s)) - 1n;
      return (n + mask) & ~mask;
    };
    const some = [2, 3, 7, 8, 9, 100, 65_535, 65_536, 65_537, 1_000_000, 20_971_520, 2 ** 31 - 1, 2 ** 31 + 5, 3e9];
    for (const n of [...some, ...Array.from({ length: 5_000 }, (_, i) => i + 2)]) {
      expect(padme(n), String(n)).toBe(Number(byBits(BigInt(n))));
      expect(padme(n) / n).toBeLessThan(1.12);
    }
    expect([padme(0), padme(1)]).toEqual([0, 1]);
  });

  it('of all chunks and parts', () => {
    for (const [size, sealed, parts] of [
      [0, 16, 1],
      [1, 17, 1],
      [65_536, 65_552, 1],
      [65_537, 67_584 + 32, 1],
      [PLAIN_PART, PART, 1],
      [PLAIN_PART + 1, padme(PLAIN_PART + 1) + 17 * 16, 2],
    ] as const) {
      expect(sealedSize(size), String(size)).toBe(sealed);
      expect(partsOf(size), String(size)).toBe(parts);
    }
    expect(PART).toBe(1_048_832);
  });
});

describe.each(backends)('with the %s back end', (_, make) => {
  it('what is sealed opens, at every border', async () => {
    const b = await make();
    const sizes = b.name === 'pure' ? [0, 1, 100, CHUNK + 1] : [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, PLAIN_PART + 7];
    for (const n of sizes) {
      const s = await seal(bytes(n), b);
      expect(s.whole.length, String(n)).toBe(sealedSize(n));
      expect(hex(await webSha(await open(s, s.whole, b))), String(n)).toBe(hex(await webSha(s.plain)));
    }
  });
});

describe('the form', () => {
  it('is the one of the contract, computed here from WebCrypto alone', async () => {
    const key = Uint8Array.from({ length: 32 }, (_, i) => i);
    const [conv, msg] = [new Uint8Array(16).fill(0x11), new Uint8Array(16).fill(0x22)];
    const plain = bytes(100_000);
    // 100,000 is 17 bits long: e = 16, s = 5, so the last 11 bits are rounded up
    const padded = new Uint8Array(100_352);
    padded.set(plain);
    const aes = await crypto.subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt']);
    const aad = of(cat(utf8('kefu/1 file'), conv, msg));
    const chunk = async (i: number, last: number): Promise<Uint8Array> => {
      const iv = new Uint8Array([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, i, last]);
      const clear = padded.slice(i * 65_536, (i + 1) * 65_536);
      return new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData: aad }, aes, clear));
    };
    const expected = cat(await chunk(0, 0), await chunk(1, 1));
    const sealer = new FileSealer(native, key, { conv, msg, size: plain.length });
    const whole = await sealer.part(plain);
    expect(hex(whole)).toBe(hex(expected));
    expect(hex(sealer.digest())).toBe(hex(await webSha(plain)));
    // of these bytes, for other implementations
    expect(hex(await webSha(whole))).toBe(VECTOR);
  });

  it('seals nothing that is not as long as it was said to be', async () => {
    const place = { conv: random(16), msg: random(16), size: 10 };
    for (const n of [9, 11, 0])
      await expect(new FileSealer(native, random(32), place).part(bytes(n))).rejects.toThrow();
  });
});

const VECTOR = '121693c1cd18bf4453c204a99af2d3f2cf3cce02bfa665330237b64c2cc5532d';

describe('nothing opens', () => {
  const SIZE = 2 * PLAIN_PART + 3 * CHUNK + 5;
  const chunkAt = (w: Uint8Array, i: number): Uint8Array => w.subarray(i * SEALED_CHUNK, (i + 1) * SEALED_CHUNK);
  const without = (w: Uint8Array, i: number): Uint8Array =>
    cat(w.subarray(0, i * SEALED_CHUNK), w.subarray((i + 1) * SEALED_CHUNK));

  it('with a bit changed, wherever it is', async () => {
    const s = await seal(bytes(CHUNK + 10));
    for (const at of [0, CHUNK, SEALED_CHUNK - 1, SEALED_CHUNK, s.whole.length - 1])
      await expect(open(s, flipped(s.whole, at)), String(at)).rejects.toMatchObject({ reason: 'file' });
  });

  it('with chunks swapped, left out, repeated, added or cut off', async () => {
    const s = await seal(bytes(SIZE));
    const w = s.whole;
    const swapped = w.slice();
    swapped.set(chunkAt(w, 1), 0);
    swapped.set(chunkAt(w, 0), SEALED_CHUNK);
    const repeated = w.slice();
    repeated.set(chunkAt(w, 3), 4 * SEALED_CHUNK);
    const parts = w.slice();
    parts.set(w.subarray(PART, 2 * PART), 0);
    parts.set(w.subarray(0, PART), PART);
    const bad: Record<string, Uint8Array> = {
      swapped,
      repeated,
      'parts swapped': parts,
      'one left out': without(w, 2),
      'the last left out': w.subarray(0, w.length - SEALED_CHUNK),
      'cut in a chunk': w.subarray(0, w.length - 1),
      'cut at a part': w.subarray(0, PART),
      'one more chunk': cat(w, chunkAt(w, 0)),
      'one more byte': cat(w, new Uint8Array(1)),
      nothing: new Uint8Array(0),
    };
    for (const [name, whole] of Object.entries(bad))
      await expect(open(s, whole), name).rejects.toMatchObject({ reason: 'file' });
    await expect(open(s)).resolves.toHaveLength(SIZE);
  });

  it('replayed from another conversation, under another id, with another key', async () => {
    const s = await seal(bytes(1_000));
    for (const other of [{ conv: random(16) }, { msg: random(16) }, { key: random(32) }])
      await expect(open({ ...s, ...other })).rejects.toMatchObject({ reason: 'file' });
    // a chunk of another file in the same place
    const t = await seal(bytes(1_000));
    await expect(open(s, t.whole)).rejects.toMatchObject({ reason: 'file' });
  });

  it('of another size or hash than the message says, though every chunk opens', async () => {
    const s = await seal(bytes(1_000));
    await expect(open({ ...s, sha: sha256(bytes(999)) })).rejects.toMatchObject({ reason: 'file' });
    // 999 and 1,001 are padded to the same length
    expect(padme(1_001)).toBe(padme(1_000));
    await expect(open({ ...s, plain: bytes(1_001) })).rejects.toMatchObject({ reason: 'file' });
    await expect(open({ ...s, plain: bytes(997) })).rejects.toMatchObject({ reason: 'file' });
  });

  it('cut off before its end, though its hash is that of what is there', async () => {
    const s = await seal(bytes(PLAIN_PART + 5));
    const opener = new FileOpener(native, s.key, { conv: s.conv, msg: s.msg, size: s.plain.length });
    await opener.part(s.whole.subarray(0, PART));
    expect(() => opener.end(sha256(s.plain.subarray(0, PLAIN_PART)))).toThrow(/file/);
  });

  it('with anything but zeros behind its end', async () => {
    const [key, conv, msg] = [random(32), random(16), random(16)];
    const plain = bytes(997);
    const padded = new Uint8Array(padme(997));
    padded.set(plain);
    padded[padded.length - 1] = 1;
    const aad = cat(utf8('kefu/1 file'), conv, msg);
    const whole = await native.aes('encrypt', key, new Uint8Array([...new Uint8Array(11), 1]), aad, padded);
    await expect(open({ key, conv, msg, plain, whole, sha: sha256(plain) })).rejects.toMatchObject({ reason: 'file' });
  });

  it('and a chunk of the middle is no end, nor the other way round', async () => {
    const [key, conv, msg] = [random(32), random(16), random(16)];
    const aad = cat(utf8('kefu/1 file'), conv, msg);
    // sealed as if more came
    const whole = await native.aes('encrypt', key, new Uint8Array(12), aad, bytes(512));
    await expect(open({ key, conv, msg, plain: bytes(512), whole, sha: sha256(bytes(512)) })).rejects.toMatchObject({
      reason: 'file',
    });
  });
});

describe('SHA-256 of pieces', () => {
  it('is that of the whole, however it is cut', async () => {
    const whole = bytes(10_000);
    const expected = hex(await webSha(whole));
    for (const step of [1, 3, 55, 63, 64, 65, 128, 4_096, 10_000]) {
      const hash = new Sha256();
      for (let at = 0; at < whole.length; at += step) hash.update(whole.subarray(at, at + step));
      expect(hex(hash.digest()), String(step)).toBe(expected);
    }
    expect(hex(new Sha256().digest())).toBe(hex(sha256(new Uint8Array(0))));
  });
});

describe('the message that names a file', () => {
  const body: FileBody = {
    t: 'file',
    ts: 5,
    name: '截图\u202egnp.exe',
    type: 'image/png',
    size: 12,
    key: b64u(random(32)),
    sha: b64u(random(32)),
    w: 3,
    h: 4,
    thumb: b64u(random(MAX_THUMB)),
    secs: 7,
    text: '看这里',
  };
  const read = (change: object): unknown => decodeBody(utf8(JSON.stringify({ ...body, ...change })));

  it('is read as it was written, its name unchanged, without fields that are not known', () => {
    expect(decodeBody(encodeBody(body))).toEqual(body);
    expect(read({ evil: 1, ts: 'x' })).toEqual({ ...body, ts: 0 });
    const { w, h, thumb, secs, text, ...least } = body;
    expect(decodeBody(encodeBody(least))).toEqual(least);
    expect([w, h, thumb, secs, text]).toBeTruthy();
  });

  it.each([
    ['a name that is no text', { name: 5 }],
    ['a long name', { name: 'x'.repeat(256) }],
    ['no name', { name: undefined }],
    ['a long type', { type: 'x'.repeat(128) }],
    ['a negative size', { size: -1 }],
    ['half a byte', { size: 1.5 }],
    ['a size that is no number', { size: '12' }],
    ['more bytes than any file has', { size: 2 ** 40 }],
    ['a short key', { key: b64u(random(31)) }],
    ['a key with padding', { key: `${b64u(random(32))}=` }],
    ['a long hash', { sha: b64u(random(33)) }],
    ['a picture without a height', { h: undefined }],
    ['a picture of no width', { w: 0 }],
    ['a thumbnail above its size', { thumb: b64u(random(MAX_THUMB + 3)) }],
    ['a thumbnail that is no base64url', { thumb: '<svg>' }],
    ['a voice note of no length', { secs: 'x' }],
    ['words that are none', { text: {} }],
  ])('is refused with %s', (_, change) => {
    expect(() => read(change)).toThrow(/body/);
  });
});
