/** Which Ed25519 public keys are acceptable at all, and strict verification (no ZIP-215). */
import { ed25519 } from '@noble/curves/ed25519.js';
import { equal, hex } from './bytes';

const known = new Map<string, boolean>();
const KNOWN_MAX = 1000;

/** False for keys of small order and for encodings that are not the canonical one of their point. */
export function isGoodKey(pk: Uint8Array): boolean {
  if (pk.length !== 32) return false;
  const name = hex(pk);
  let good = known.get(name);
  if (good === undefined) {
    try {
      const point = ed25519.Point.fromBytes(pk);
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
    return ed25519.verify(sig, m, pk, { zip215: false });
  } catch {
    return false;
  }
}
