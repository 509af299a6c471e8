/** X25519 (RFC 7748) in JavaScript, for browsers without it. */
const P = 2n ** 255n - 19n;

/** Little-endian. */
const number = (b: Uint8Array): bigint => b.reduceRight((n, x) => (n << 8n) | BigInt(x), 0n);
const bytes = (n: bigint): Uint8Array => Uint8Array.from({ length: 32 }, (_, i) => Number((n >> BigInt(8 * i)) & 255n));
const mod = (n: bigint): bigint => ((n % P) + P) % P;

/** To the power of P − 2, a public exponent, so the steps do not depend on `x`. */
function invert(x: bigint): bigint {
  let out = 1n;
  for (let bit = 254n; bit >= 0n; bit--) {
    out = (out * out) % P;
    if (((P - 2n) >> bit) & 1n) out = (out * x) % P;
  }
  return out;
}

/** The ladder of §5: the same steps for every scalar, exchanges by a mask. */
function multiply(scalar: Uint8Array, point: Uint8Array): Uint8Array {
  if (scalar.length !== 32 || point.length !== 32) throw new RangeError('X25519 wants 32 bytes');
  // bits 0, 1, 2 and 255 off, 254 on
  const k = (number(scalar) & (2n ** 254n - 8n)) | (2n ** 254n);
  const u = mod(number(point) & (2n ** 255n - 1n));
  let [x2, z2, x3, z3, swapped] = [1n, 0n, u, 1n, 0n];
  const exchange = (bit: bigint): void => {
    const [x, z] = [(x2 ^ x3) & -bit, (z2 ^ z3) & -bit];
    x2 ^= x;
    x3 ^= x;
    z2 ^= z;
    z3 ^= z;
  };
  for (let at = 254n; at >= 0n; at--) {
    const bit = (k >> at) & 1n;
    exchange(bit ^ swapped);
    swapped = bit;
    const [a, b, c, d] = [x2 + z2, x2 - z2, x3 + z3, x3 - z3];
    const [aa, bb, da, cb] = [mod(a * a), mod(b * b), d * a, c * b];
    const e = aa - bb;
    x2 = mod(aa * bb);
    z2 = mod(e * (aa + 121665n * e));
    x3 = mod((da + cb) ** 2n);
    z3 = mod(u * mod((da - cb) ** 2n));
  }
  exchange(swapped);
  return bytes(mod(x2 * invert(z2)));
}

export const publicKey = (secret: Uint8Array): Uint8Array => multiply(secret, bytes(9n));

/** Throws on keys of small order, which give zero. */
export function sharedPoint(secret: Uint8Array, peer: Uint8Array): Uint8Array {
  const point = multiply(secret, peer);
  if (point.every((x) => !x)) throw new RangeError('not an X25519 key');
  return point;
}
