/** X25519 in JavaScript, for browsers without it: noble's ladder alone, without the Edwards curve that usually comes with it. */
import { montgomery } from '@noble/curves/abstract/montgomery.js';

const P = 2n ** 255n - 19n;

/** By a public exponent bit by bit, so the steps do not depend on `x`. */
function powPminus2(x: bigint): bigint {
  let out = 1n;
  for (let bit = 254n; bit >= 0n; bit--) {
    out = (out * out) % P;
    if (((P - 2n) >> bit) & 1n) out = (out * x) % P;
  }
  return out;
}

/** RFC 7748 §5. */
function adjustScalarBytes(bytes: Uint8Array): Uint8Array {
  bytes[0]! &= 248;
  bytes[31]! &= 127;
  bytes[31]! |= 64;
  return bytes;
}

/** `getSharedSecret` throws on keys of small order. */
export const x25519 = /* @__PURE__ */ montgomery({ P, type: 'x25519', powPminus2, adjustScalarBytes });
