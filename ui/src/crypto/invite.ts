/**
 * Invites: a printed code that makes two keys, and the entry by which a new agent takes their place in the directory.
 */
import type { SignedJson } from '../proto';
import type { Backend, BoxKey, SigningKey } from './backend';
import { b64u, cat, equal, utf8 } from './bytes';
import { signEntry, type EntryPlace } from './entry';
import { H } from './hash';
import { hkdf } from './hkdf';
import { claimHash, type Cert } from './rules';

export interface InviteCode {
  secret: Uint8Array;
  /** Fingerprint of the company. */
  org: Uint8Array;
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const LENGTH = 40;

/** Null when mistyped. Case, spaces and dashes do not matter. */
export function parseCode(code: string): InviteCode | null {
  const plain = code.replace(/[\s-]/g, '').toUpperCase();
  if (plain.length !== (LENGTH * 8) / 5) return null;
  const bytes = new Uint8Array(LENGTH);
  let bits = 0;
  let have = 0;
  let at = 0;
  for (const c of plain) {
    const v = ALPHABET.indexOf(c);
    if (v < 0) return null;
    bits = ((bits << 5) | v) & 0xfff;
    have += 5;
    if (have >= 8) {
      have -= 8;
      bytes[at++] = (bits >> have) & 0xff;
    }
  }
  const secret = bytes.slice(0, 20);
  const org = bytes.slice(20, 36);
  return equal(H('code', secret, org).subarray(0, 4), bytes.subarray(36)) ? { secret, org } : null;
}

export function printCode({ secret, org }: InviteCode): string {
  const bytes = cat(secret, org, H('code', secret, org).subarray(0, 4));
  let out = '';
  let bits = 0;
  let have = 0;
  for (const b of bytes) {
    bits = ((bits << 8) | b) & 0x1fff;
    have += 8;
    while (have >= 5) {
      have -= 5;
      out += ALPHABET[(bits >> have) & 31];
    }
  }
  return out.match(/.{1,4}/g)!.join('-');
}

const derive = (secret: Uint8Array, what: string): Uint8Array =>
  hkdf(secret, new Uint8Array(0), utf8(`kefu/1 invite ${what}`), 32);

/** The invite's own keys. */
export async function inviteKeys(backend: Backend, secret: Uint8Array): Promise<{ sign: SigningKey; box: BoxKey }> {
  const [sign, box] = await Promise.all([
    backend.signingKey(derive(secret, 'sign')),
    backend.boxKey(derive(secret, 'kem')),
  ]);
  return { sign, box };
}

/** The `enrol` entry that makes `ed` and `x` the keys of the invited user. */
export async function enrolEntry(
  place: EntryPlace,
  invite: SigningKey,
  cert: { raw: Uint8Array; signer: Uint8Array; sig: Uint8Array; read: Cert },
  ed: SigningKey,
  x: Uint8Array,
): Promise<SignedJson> {
  const { user, role, name, teams } = cert.read;
  const claim = await invite.sign('claim', claimHash(cert.raw, ed.pk, x));
  const certified = {
    cert: b64u(cert.raw),
    cert_signer: b64u(cert.signer),
    cert_sig: b64u(cert.sig),
    claim_sig: b64u(claim),
  };
  return signEntry(place, { t: 'enrol', user, role, name, teams, ed: b64u(ed.pk), x: b64u(x), ...certified }, ed);
}
