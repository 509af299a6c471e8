/** Every hash of the protocol (§1). Synchronous: SHA-256 of short inputs is cheap everywhere. */
import { cat, hex, u32, utf8 } from './bytes';
import { sha256 } from './sha2';

export function H(label: string, ...parts: Uint8Array[]): Uint8Array {
  return sha256(cat(utf8(`kefu/1 ${label}\0`), ...parts.flatMap((p) => [u32(p.length), p])));
}

/** What is signed: the label keeps one kind of statement from passing for another. */
export const labelled = (label: string, m: Uint8Array): Uint8Array => cat(utf8(`kefu/1 ${label}\0`), m);

export const BoxKind = { team: 1, visitor: 2, bot: 3, agent: 4 } as const;

export const fingerprint = (rootPk: Uint8Array): Uint8Array => H('org', rootPk).slice(0, 16);
export const printFingerprint = (fp: Uint8Array): string => `k1-${hex(fp)}`;
export const kidOf = (edPk: Uint8Array): Uint8Array => H('kid', edPk).slice(0, 16);
export const boxKid = (kind: number, xPk: Uint8Array): Uint8Array =>
  H('boxkid', new Uint8Array([kind]), xPk).slice(0, 16);
export const commitment = (conv: Uint8Array, epoch: number, ek: Uint8Array): Uint8Array =>
  H('ek-commit', conv, u32(epoch), ek);
export const announcementHash = (ann: Uint8Array): Uint8Array => H('ann-hash', ann);
export const envelopeHash = (env: Uint8Array): Uint8Array => H('env', env).slice(0, 16);
export const entryHash = (raw: Uint8Array, signer: Uint8Array, sig: Uint8Array): Uint8Array =>
  H('dir-hash', raw, signer, sig);

/** Mark of a record as this reader is shown it; a recall leaves it as it is. */
export function recordMark(seq: number, at: number, body: Uint8Array): Uint8Array {
  const u64 = (n: number): Uint8Array => cat(u32(Math.floor(n / 2 ** 32)), u32(n % 2 ** 32));
  return sha256(cat(u64(seq), u64(at), body.subarray(4, 80))).slice(0, 8);
}

export function conversationId(
  nonce: Uint8Array,
  org: Uint8Array,
  site: string,
  ed: Uint8Array,
  x: Uint8Array,
): Uint8Array {
  return H('conv', nonce, org, utf8(site), ed, x).slice(0, 16);
}
