/** Something signed: the bytes, the key, the signature. */
import type { SignedJson } from '../proto';
import { sized, unb64u } from './bytes';
import { reject } from './error';

/** The bytes of a signed JSON. */
export interface Signed {
  raw: Uint8Array;
  signer: Uint8Array;
  sig: Uint8Array;
}

export function signedOf(j: SignedJson): Signed {
  try {
    return { raw: unb64u(j.raw), signer: sized(j.signer, 32), sig: sized(j.sig, 64) };
  } catch (e) {
    return reject('json', String(e));
  }
}
