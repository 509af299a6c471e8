/**
 * AES-256-GCM (FIPS 197, SP 800-38D) in JavaScript, for pages without WebCrypto. Nonces of 12 bytes, tags of 16.
 *
 * The S-box is a table of 256 bytes, so the time depends a little on the key, as in every AES without help of the processor
 * that is fast enough. GHASH has no tables.
 */
import { cat, equal } from './bytes';

const ROUNDS = 14;

/** Doubles in GF(2^8). */
const twice = (x: number): number => (x << 1) ^ ((x >> 7) * 0x11b);

/** Inverse and affine map of every byte: `p` goes through all by powers of 3, `q` through their inverses. */
const SBOX = /* @__PURE__ */ (() => {
  const box = new Uint8Array(256).fill(0x63);
  let [p, q] = [1, 1];
  do {
    p ^= twice(p);
    for (const n of [1, 2, 4]) q ^= q << n;
    q = (q & 0xff) ^ (q & 0x80 && 9);
    const wide = q * 0x101;
    box[p] = q ^ (wide >> 7) ^ (wide >> 6) ^ (wide >> 5) ^ (wide >> 4) ^ 0x63;
  } while (p !== 1);
  return box;
})();

/** Round keys, 16 bytes each. */
function expandKey(key: Uint8Array): Uint8Array {
  const w = new Uint8Array(16 * (ROUNDS + 1));
  w.set(key);
  for (let i = 32, rcon = 1; i < w.length; i += 4) {
    let t = [...w.subarray(i - 4, i)] as [number, number, number, number];
    if (i % 32 === 0) t = [t[1], t[2], t[3], t[0]];
    if (i % 16 === 0) t = t.map((x) => SBOX[x]!) as typeof t;
    if (i % 32 === 0) {
      t[0] ^= rcon;
      rcon = twice(rcon);
    }
    t.forEach((x, j) => (w[i + j] = w[i + j - 32]! ^ x));
  }
  return w;
}

/** One block. The state is stored column by column. */
function cipher(keys: Uint8Array, block: Uint8Array): Uint8Array {
  let s = block.map((x, i) => x ^ keys[i]!);
  for (let round = 1; round <= ROUNDS; round++) {
    // SubBytes, ShiftRows: row r of column c comes from column c + r
    const t = s.map((_, i) => SBOX[s[(5 * i) % 16]!]!);
    s = t.map((x, i) => {
      const column = i & 12;
      const next = t[column + ((i + 1) % 4)]!;
      const mixed = x ^ t[column]! ^ t[column + 1]! ^ t[column + 2]! ^ t[column + 3]! ^ twice(x ^ next);
      return (round < ROUNDS ? mixed : x) ^ keys[16 * round + i]!;
    });
  }
  return s;
}

/** GHASH of whole blocks under `h`, bit by bit with masks: no branch and no address depends on them. */
function ghash(h: Uint8Array, data: Uint8Array): Uint8Array {
  const read = (b: Uint8Array, at: number): number[] =>
    [0, 4, 8, 12].map((i) => new DataView(b.buffer, b.byteOffset).getInt32(at + i));
  let y = [0, 0, 0, 0];
  for (let at = 0; at < data.length; at += 16) {
    const x = read(data, at).map((w, i) => w ^ y[i]!);
    let [v0, v1, v2, v3] = read(h, 0) as [number, number, number, number];
    let [z0, z1, z2, z3] = [0, 0, 0, 0];
    for (let bit = 0; bit < 128; bit++) {
      const take = -((x[bit >> 5]! >>> (31 - (bit & 31))) & 1);
      z0 ^= v0 & take;
      z1 ^= v1 & take;
      z2 ^= v2 & take;
      z3 ^= v3 & take;
      const out = -(v3 & 1);
      v3 = (v3 >>> 1) | (v2 << 31);
      v2 = (v2 >>> 1) | (v1 << 31);
      v1 = (v1 >>> 1) | (v0 << 31);
      v0 = (v0 >>> 1) ^ (out & 0xe1000000);
    }
    y = [z0, z1, z2, z3];
  }
  const view = new DataView(new ArrayBuffer(16));
  y.forEach((w, i) => view.setInt32(4 * i, w));
  return new Uint8Array(view.buffer);
}

/** Ciphertexts end with the tag. Throws if one does not open. */
export function gcm(
  use: 'encrypt' | 'decrypt',
  key: Uint8Array,
  iv: Uint8Array,
  aad: Uint8Array,
  data: Uint8Array,
): Uint8Array {
  if (key.length !== 32 || iv.length !== 12) throw new RangeError('AES-256-GCM wants 32 bytes of key and 12 of nonce');
  const keys = expandKey(key);
  const counter = cat(iv, new Uint8Array(4));
  const count = new DataView(counter.buffer);
  const stream = (n: number): Uint8Array => {
    count.setUint32(12, n);
    return cipher(keys, counter);
  };
  const crypt = (from: Uint8Array): Uint8Array => {
    const out = from.slice();
    for (let at = 0; at < out.length; at += 16) {
      const mask = stream(2 + at / 16);
      for (let i = 0; i < 16 && at + i < out.length; i++) out[at + i]! ^= mask[i]!;
    }
    return out;
  };
  const fill = (b: Uint8Array): Uint8Array => new Uint8Array(-b.length & 15);
  const tagOf = (ct: Uint8Array): Uint8Array => {
    const lengths = new Uint8Array(16);
    const view = new DataView(lengths.buffer);
    // in bits; what is sealed here stays far below 2^29 bytes
    view.setUint32(4, aad.length * 8);
    view.setUint32(12, ct.length * 8);
    const sum = ghash(cipher(keys, new Uint8Array(16)), cat(aad, fill(aad), ct, fill(ct), lengths));
    const mask = stream(1);
    return sum.map((x, i) => x ^ mask[i]!);
  };
  if (use === 'encrypt') {
    const ct = crypt(data);
    return cat(ct, tagOf(ct));
  }
  const end = data.length - 16;
  const ct = data.subarray(0, Math.max(0, end));
  if (end < 0 || !equal(tagOf(ct), data.subarray(end))) throw new Error('does not open');
  return crypt(ct);
}
