/** Makes entries of the directory. Whether one is valid is up to `rules.ts`. */
import { stringify } from '../json';
import type { SignedJson } from '../proto';
import type { SigningKey } from './backend';
import { b64u, hex, utf8 } from './bytes';

/** Where an entry goes: its number, the hash of the one before it, the date (ms). */
export interface EntryPlace {
  seq: number;
  prev: Uint8Array;
  at: number;
}

export async function signEntry(
  place: EntryPlace,
  fields: { t: string } & Record<string, unknown>,
  key: SigningKey,
): Promise<SignedJson> {
  const raw = utf8(stringify({ v: 1, seq: place.seq, prev: hex(place.prev), at: place.at, ...fields }));
  return { raw: b64u(raw), signer: b64u(key.pk), sig: b64u(await key.sign('dir', raw)) };
}
