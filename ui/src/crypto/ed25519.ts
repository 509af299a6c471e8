/** Ed25519 in JavaScript: which public keys are acceptable at all, and strict verification (no ZIP-215). */
import { getPublicKey, hashes, Point, sign, verify } from '@noble/ed25519';
import { equal, hex } from './bytes';
import { sha512 } from './sha2';

// Pages over plain http have no WebCrypto, which noble would take by itself.
hashes.sha512 = (m) => sha512(m) as Uint8Array<ArrayBuffer>;

const known = new Map<string, boolean>();
const KNOWN_MAX = 1000;

/** False for keys of small order and for encodings that are not the canonical one of their point. */
export function isGoodKey(pk: Uint8Array): boolean {
  if (pk.length !== 32) return false;
  const name = hex(pk);
  let good = known.get(name);
  if (good === undefined) {
    try {
      const point = Point.fromBytes(pk);
      good = !point.isSmallOrder() && equal(point.toBytes(), pk);
    } catch {
      good = false;
    }
    if (known.size >= KNOWN_MAX) known.clear();
    known.set(name, good);
  }
  return good;
}

export function verifyStrict(pk: Uint8Array, m: Uint8Array, sig: Uint8Array): boolean {
  if (sig.length !== 64 || !isGoodKey(pk)) return false;
  try {
    return verify(sig, m, pk, { zip215: false });
  } catch {
    return false;
  }
}

/** Of a seed of 32 bytes. */
export const publicKeyOf = (seed: Uint8Array): Uint8Array => getPublicKey(seed);
export const signWith = (seed: Uint8Array, m: Uint8Array): Uint8Array => sign(m, seed);
