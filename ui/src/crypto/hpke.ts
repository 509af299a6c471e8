/**
 * HPKE (RFC 9180), the one mode kefu uses: base, single shot, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM.
 * X25519 and AES-GCM come from the back end; what is computed here is the KEM's and the key schedule's HKDF.
 */
import type { Sealed } from './backend';
import { cat, equal, u16, utf8 } from './bytes';
import { expand, extract } from './hkdf';

/** An X25519 key pair. */
export interface DhKey {
  readonly pk: Uint8Array;
  /** The raw shared point. Throws on bytes that are no key. */
  dh(peer: Uint8Array): Promise<Uint8Array>;
}

/** AES-256-GCM in one call; ciphertexts end with the tag of 16 bytes. Throws if one does not open. */
export type Aes = (
  use: 'encrypt' | 'decrypt',
  key: Uint8Array,
  iv: Uint8Array,
  aad: Uint8Array,
  data: Uint8Array,
) => Promise<Uint8Array>;

const NONE = new Uint8Array(0);
const KEM_ID = u16(0x20);
/** suite_id of the KEM, and of KEM, KDF and AEAD together. */
const KEM = cat(utf8('KEM'), KEM_ID);
const SUITE = cat(utf8('HPKE'), KEM_ID, u16(1), u16(2));
const VERSION = utf8('HPKE-v1');

const labelledExtract = (suite: Uint8Array, salt: Uint8Array, label: string, ikm: Uint8Array): Uint8Array =>
  extract(salt, cat(VERSION, suite, utf8(label), ikm));
const labelledExpand = (suite: Uint8Array, prk: Uint8Array, label: string, info: Uint8Array, n: number): Uint8Array =>
  expand(prk, cat(u16(n), VERSION, suite, utf8(label), info), n);

/** ExtractAndExpand of the KEM. Throws on the all-zero point, which keys of small order give (§7.1.4). */
export function sharedSecret(dh: Uint8Array, enc: Uint8Array, pk: Uint8Array): Uint8Array {
  if (enc.length !== 32 || pk.length !== 32 || equal(dh, new Uint8Array(32))) throw new TypeError('not an X25519 key');
  return labelledExpand(KEM, labelledExtract(KEM, NONE, 'eae_prk', dh), 'shared_secret', cat(enc, pk), 32);
}

/** Key and nonce of the first and only message (§5.1, mode base: no psk). */
function schedule(shared: Uint8Array, info: Uint8Array): [key: Uint8Array, nonce: Uint8Array] {
  const hash = (label: string, ikm: Uint8Array) => labelledExtract(SUITE, NONE, label, ikm);
  const context = cat(new Uint8Array(1), hash('psk_id_hash', NONE), hash('info_hash', info));
  const secret = labelledExtract(SUITE, shared, 'secret', NONE);
  return [labelledExpand(SUITE, secret, 'key', context, 32), labelledExpand(SUITE, secret, 'base_nonce', context, 12)];
}

/** `ephemeral` must be fresh: it is used for this one message. */
export async function hpkeSeal(
  aes: Aes,
  ephemeral: DhKey,
  pk: Uint8Array,
  info: Uint8Array,
  aad: Uint8Array,
  plaintext: Uint8Array,
): Promise<Sealed> {
  const enc = ephemeral.pk;
  const [key, nonce] = schedule(sharedSecret(await ephemeral.dh(pk), enc, pk), info);
  return { enc, ct: await aes('encrypt', key, nonce, aad, plaintext) };
}

/** Throws, whatever is wrong. */
export async function hpkeOpen(
  aes: Aes,
  own: DhKey,
  { enc, ct }: Sealed,
  info: Uint8Array,
  aad: Uint8Array,
): Promise<Uint8Array> {
  const [key, nonce] = schedule(sharedSecret(await own.dh(enc), enc, own.pk), info);
  return aes('decrypt', key, nonce, aad, ct);
}
