/** Bytes and their spellings. No keys here. */

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

export const utf8 = (s: string): Uint8Array => encoder.encode(s);
/** Throws on bytes that are not UTF-8. */
export const text = (b: Uint8Array): string => decoder.decode(b);

export function cat(...parts: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

export const u16 = (n: number): Uint8Array => new Uint8Array([n >>> 8, n]);
export const u32 = (n: number): Uint8Array => new Uint8Array([n >>> 24, n >>> 16, n >>> 8, n]);

export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let differ = 0;
  for (let i = 0; i < a.length; i++) differ |= a[i]! ^ b[i]!;
  return differ === 0;
}

export function hex(b: Uint8Array): string {
  let s = '';
  for (const x of b) s += (x < 16 ? '0' : '') + x.toString(16);
  return s;
}

/** Lower case only. Throws on anything else. */
export function unhex(s: string): Uint8Array {
  if (s.length % 2 || !/^[0-9a-f]*$/.test(s)) throw new TypeError('not lower-case hexadecimal');
  const out = new Uint8Array(s.length / 2);
  for (let i = 0; i < out.length; i++) out[i] = parseInt(s.slice(2 * i, 2 * i + 2), 16);
  return out;
}

/** base64url without padding. */
export function b64u(b: Uint8Array): string {
  let s = '';
  for (let i = 0; i < b.length; i += 0x2000) s += String.fromCharCode(...b.subarray(i, i + 0x2000));
  return btoa(s).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}

/** Throws on padding, foreign characters and unused bits that are not zero: one spelling for one value. */
export function unb64u(s: string): Uint8Array {
  if (typeof s !== 'string' || !/^[A-Za-z0-9_-]*$/.test(s) || s.length % 4 === 1) throw new TypeError('not base64url');
  const bin = atob(s.replace(/-/g, '+').replace(/_/g, '/'));
  const out = new Uint8Array(bin.length);
  for (let i = 0; i < bin.length; i++) out[i] = bin.charCodeAt(i);
  if (b64u(out) !== s) throw new TypeError('not canonical base64url');
  return out;
}

/** `b64u` of exactly `n` bytes. */
export function sized(s: unknown, n: number): Uint8Array {
  const b = unb64u(s as string);
  if (b.length !== n) throw new TypeError(`expected ${n} bytes, got ${b.length}`);
  return b;
}

/** Browsers without any source of randomness can't be served; getRandomValues then throws. */
export const random = (n: number): Uint8Array => crypto.getRandomValues(new Uint8Array(n));
