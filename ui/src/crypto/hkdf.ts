/** HMAC-SHA256 (RFC 2104) and HKDF-SHA256 (RFC 5869), synchronous. */
import { cat } from './bytes';
import { sha256 } from './sha2';

const BLOCK = 64;

export function hmac(key: Uint8Array, m: Uint8Array): Uint8Array {
  const padded = new Uint8Array(BLOCK);
  padded.set(key.length > BLOCK ? sha256(key) : key);
  const keyed = (pad: number, rest: Uint8Array): Uint8Array =>
    sha256(
      cat(
        padded.map((b) => b ^ pad),
        rest,
      ),
    );
  return keyed(0x5c, keyed(0x36, m));
}

/** No salt is an empty one. */
export const extract = (salt: Uint8Array, secret: Uint8Array): Uint8Array => hmac(salt, secret);

/** At most 255 · 32 bytes. */
export function expand(prk: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  const out = new Uint8Array(32 * Math.ceil(length / 32));
  for (let at = 0; at < length; at += 32) {
    const last = out.subarray(Math.max(0, at - 32), at);
    out.set(hmac(prk, cat(last, info, new Uint8Array([at / 32 + 1]))), at);
  }
  return out.slice(0, length);
}

export const hkdf = (secret: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array =>
  expand(extract(salt, secret), info, length);
