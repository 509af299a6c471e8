/**
 * SHA-256 and SHA-512 (FIPS 180-4), synchronous: WebCrypto gives digests only as promises, and pages over plain http have
 * none of it. The constants are computed: a table of them does not compress, and every visitor would load it.
 */

/** The first 64 bits behind the point of the `k`-th root of `n`. Newton's way down from above. */
function fraction(n: bigint, k: bigint): bigint {
  const target = n << (64n * k);
  for (let x = 1n << 70n; ; ) {
    const next = ((k - 1n) * x + target / x ** (k - 1n)) / k;
    if (next >= x) return BigInt.asUintN(64, x);
    x = next;
  }
}

const PRIMES: bigint[] = [];
for (let n = 2n; PRIMES.length < 80; n++) if (PRIMES.every((p) => n % p)) PRIMES.push(n);

/** 64-bit words as pairs: high, low. */
const words = (list: bigint[]): Uint32Array =>
  Uint32Array.from(list.flatMap((w) => [Number(w >> 32n), Number(w & 0xffffffffn)]));
/** Round constants: of SHA-512 all of it, of SHA-256 the high words of the first 64. */
const K = /* @__PURE__ */ words(PRIMES.map((p) => fraction(p, 3n)));
/** Where both begin, in the same manner. */
const START = /* @__PURE__ */ words(PRIMES.slice(0, 8).map((p) => fraction(p, 2n)));

const W = new Uint32Array(160);
/** The low word of `high ‖ low` rotated right by `n` < 32; the high word with the two exchanged. */
const ror = (high: number, low: number, n: number): number => (low >>> n) | (high << (32 - n));
const choose = (x: number, y: number, z: number): number => (x & y) ^ (~x & z);
const majority = (x: number, y: number, z: number): number => (x & y) ^ (x & z) ^ (y & z);

/** Takes in one block. `Uint32Array` keeps the low 32 bits of the sums put into it. */
type Block = (block: DataView, at: number, state: Uint32Array) => void;

/** Signed words: engines compute with them without a detour over floating point. Files are hashed with this, so nothing is called in it. */
const V = new Int32Array(64);
const K256 = /* @__PURE__ */ Int32Array.from(V, (_, i) => K[2 * i]!);

const block256: Block = (block, at, state) => {
  for (let i = 0; i < 16; i++) V[i] = block.getInt32(at + 4 * i);
  for (let i = 16; i < 64; i++) {
    const x = V[i - 15]!;
    const y = V[i - 2]!;
    V[i] =
      (((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3)) +
      (((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10)) +
      V[i - 7]! +
      V[i - 16]!;
  }
  let a = state[0]! | 0;
  let b = state[1]! | 0;
  let c = state[2]! | 0;
  let d = state[3]! | 0;
  let e = state[4]! | 0;
  let f = state[5]! | 0;
  let g = state[6]! | 0;
  let h = state[7]! | 0;
  for (let i = 0; i < 64; i++) {
    const t =
      (h +
        (((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7))) +
        ((e & f) ^ (~e & g)) +
        K256[i]! +
        V[i]!) |
      0;
    h = g;
    g = f;
    f = e;
    e = (d + t) | 0;
    d = c;
    c = b;
    b = a;
    a =
      (t +
        (((b >>> 2) | (b << 30)) ^ ((b >>> 13) | (b << 19)) ^ ((b >>> 22) | (b << 10))) +
        ((b & c) ^ (b & d) ^ (c & d))) |
      0;
  }
  state[0]! += a;
  state[1]! += b;
  state[2]! += c;
  state[3]! += d;
  state[4]! += e;
  state[5]! += f;
  state[6]! += g;
  state[7]! += h;
};

/** What a sum of low words carries over. */
const carry = (sum: number): number => (sum / 2 ** 32) | 0;
const big0 = (h: number, l: number): number => ror(h, l, 28) ^ ror(l, h, 2) ^ ror(l, h, 7);
const big1 = (h: number, l: number): number => ror(h, l, 14) ^ ror(h, l, 18) ^ ror(l, h, 9);
/** `over`: what a shift moves in from above: the high word for the low one, 0 for the high one. */
const small0 = (h: number, l: number, over: number): number => ror(h, l, 1) ^ ror(h, l, 8) ^ ror(over, l, 7);
const small1 = (h: number, l: number, over: number): number => ror(h, l, 19) ^ ror(l, h, 29) ^ ror(over, l, 6);

const block512: Block = (block, at, state) => {
  for (let i = 0; i < 160; i += 2) {
    if (i < 32) {
      W[i] = block.getUint32(at + 4 * i);
      W[i + 1] = block.getUint32(at + 4 * i + 4);
    } else {
      const xh = W[i - 30]!;
      const xl = W[i - 29]!;
      const yh = W[i - 4]!;
      const yl = W[i - 3]!;
      const low = (small0(xh, xl, xh) >>> 0) + (small1(yh, yl, yh) >>> 0) + W[i - 13]! + W[i - 31]!;
      W[i] = small0(xl, xh, 0) + small1(yl, yh, 0) + W[i - 14]! + W[i - 32]! + carry(low);
      W[i + 1] = low;
    }
  }
  const v = state.slice();
  const get = (i: number): number => v[i]!;
  for (let i = 0; i < 160; i += 2) {
    const tl =
      get(15) + (big1(get(8), get(9)) >>> 0) + (choose(get(9), get(11), get(13)) >>> 0) + K[i + 1]! + W[i + 1]!;
    const th = get(14) + big1(get(9), get(8)) + choose(get(8), get(10), get(12)) + K[i]! + W[i]! + carry(tl);
    const ul = tl + (big0(get(0), get(1)) >>> 0) + (majority(get(1), get(3), get(5)) >>> 0);
    const uh = th - carry(tl) + big0(get(1), get(0)) + majority(get(0), get(2), get(4)) + carry(ul);
    const dh = get(6);
    const dl = get(7) + tl;
    v.copyWithin(2, 0);
    v[0] = uh;
    v[1] = ul;
    v[8] = dh + th - carry(tl) + carry(dl);
    v[9] = dl;
  }
  for (let i = 0; i < 16; i += 2) {
    const low = state[i + 1]! + get(i + 1);
    state[i]! += get(i) + carry(low);
    state[i + 1] = low;
  }
};

/** The padding behind the last `rest` bytes of a message of `length` bytes. The length in bits is in the last 8 bytes: messages here stay below 2^53 bits. */
function padded(rest: Uint8Array, length: number, size: number): Uint8Array {
  const out = new Uint8Array(Math.ceil((rest.length + 1 + size / 8) / size) * size);
  out.set(rest);
  out[rest.length] = 0x80;
  const view = new DataView(out.buffer);
  view.setUint32(out.length - 8, length / 2 ** 29);
  view.setUint32(out.length - 4, length << 3);
  return out;
}

/** Takes in whole blocks. */
function blocks(whole: Uint8Array, size: number, state: Uint32Array, block: Block): void {
  const view = new DataView(whole.buffer, whole.byteOffset, whole.length);
  for (let at = 0; at < whole.length; at += size) block(view, at, state);
}

function written(state: Uint32Array): Uint8Array {
  const out = new DataView(new ArrayBuffer(4 * state.length));
  state.forEach((x, i) => out.setUint32(4 * i, x));
  return new Uint8Array(out.buffer);
}

function digest(m: Uint8Array, size: number, state: Uint32Array, block: Block): Uint8Array {
  blocks(padded(m, m.length, size), size, state, block);
  return written(state);
}

const start256 = (): Uint32Array => START.filter((_, i) => i % 2 === 0);

export const sha256 = (m: Uint8Array): Uint8Array => digest(m, 64, start256(), block256);
export const sha512 = (m: Uint8Array): Uint8Array => digest(m, 128, START.slice(), block512);

/** SHA-256 of what comes piece by piece. */
export class Sha256 {
  private readonly state = start256();
  private rest = new Uint8Array(0);
  private length = 0;

  update(piece: Uint8Array): void {
    this.length += piece.length;
    let from = 0;
    if (this.rest.length) {
      from = Math.min(piece.length, 64 - this.rest.length);
      const filled = new Uint8Array(this.rest.length + from);
      filled.set(this.rest);
      filled.set(piece.subarray(0, from), this.rest.length);
      this.rest = filled;
      if (filled.length < 64) return;
      blocks(filled, 64, this.state, block256);
    }
    const whole = from + Math.floor((piece.length - from) / 64) * 64;
    blocks(piece.subarray(from, whole), 64, this.state, block256);
    this.rest = piece.slice(whole);
  }

  /** Nothing is added after it. */
  digest(): Uint8Array {
    blocks(padded(this.rest, this.length, 64), 64, this.state, block256);
    return written(this.state);
  }
}
