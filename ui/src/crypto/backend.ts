/**
 * Where keys live and who computes with them: three back ends with one face.
 *
 * `native` leaves all to WebCrypto, private keys can't be read even by this page. `mixed` is for browsers whose WebCrypto
 * has no 25519: JavaScript computes those, WebCrypto the rest, and what is kept is wrapped by a key that can't be read. `pure`
 * is for pages without WebCrypto (plain http). Which one is found by trying, never by the browser's name.
 */

import type { Aes } from './hpke';

/** An Ed25519 key pair. */
export interface SigningKey {
  readonly pk: Uint8Array;
  sign(label: string, m: Uint8Array): Promise<Uint8Array>;
  /** A form that IndexedDB can hold, for `restoreSigningKey`. */
  keep(): Promise<KeptKey>;
}

/** An X25519 key pair: opens what was sealed to it (HPKE base mode, single shot). */
export interface BoxKey {
  readonly pk: Uint8Array;
  /** Throws `Rejected('box')` if it does not open. */
  open(sealed: Sealed, info: Uint8Array, aad: Uint8Array): Promise<Uint8Array>;
  keep(): Promise<KeptKey>;
}

/** An epoch's key: only derives the key of one message at a time. */
export interface EpochKey {
  /** AES-256-GCM of `padded` under the key of the message whose header (80 bytes) this is. */
  seal(header: Uint8Array, padded: Uint8Array): Promise<Uint8Array>;
  /** Throws `Rejected('open')`. */
  open(header: Uint8Array, ct: Uint8Array): Promise<Uint8Array>;
  keep(): Promise<KeptKey>;
}

export interface Sealed {
  enc: Uint8Array;
  ct: Uint8Array;
}

/** What storage holds of a key. Opaque to everyone but the back end. */
export type KeptKey =
  | { form: 'native'; pk?: Uint8Array; key: CryptoKey }
  | { form: 'wrapped'; pk: Uint8Array; iv: Uint8Array; ct: Uint8Array }
  | { form: 'raw'; key: Uint8Array };

export interface Backend {
  readonly name: 'native' | 'mixed' | 'pure';
  newSigningKey(): Promise<SigningKey>;
  /** From its seed of 32 bytes. */
  signingKey(seed: Uint8Array): Promise<SigningKey>;
  newBoxKey(): Promise<BoxKey>;
  boxKey(secret: Uint8Array): Promise<BoxKey>;
  epochKey(ek: Uint8Array): Promise<EpochKey>;
  restoreSigningKey(kept: KeptKey): Promise<SigningKey>;
  restoreBoxKey(kept: KeptKey): Promise<BoxKey>;
  restoreEpochKey(kept: KeptKey): Promise<EpochKey>;
  seal(pk: Uint8Array, info: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Promise<Sealed>;
  /** Strict: false for keys that `isGoodKey` refuses, for non-canonical signatures, for anything malformed. */
  verify(label: string, pk: Uint8Array, m: Uint8Array, sig: Uint8Array): Promise<boolean>;
  /** AES-256-GCM under a key of the caller; rejects if something does not open. */
  aes: Aes;
}

/** Salt, info and length of a message's key and nonce; one definition for all back ends. */
export const MESSAGE_KEY_BITS = 352;
