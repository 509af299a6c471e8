/** An agent's keys at rest: the keyring under their password's export key, team keys sealed to the agent. */
import type { TeamBox } from '../proto';
import type { Backend, BoxKey } from './backend';
import { b64u, cat, random, sized, text, u32, unb64u, utf8 } from './bytes';
import { reject } from './error';
import { gcm } from './gcm';
import { hkdf } from './hkdf';

/** Ed25519 seed and X25519 secret. */
export interface Secrets {
  ed: Uint8Array;
  x: Uint8Array;
}

/** Encrypts or decrypts with what the export key, the user and the version of their keyring make. */
function crypt(
  use: 'encrypt' | 'decrypt',
  exportKey: Uint8Array,
  nonce: Uint8Array,
  user: string,
  version: number,
  data: Uint8Array,
): Uint8Array {
  const key = hkdf(exportKey, new Uint8Array(0), utf8('kefu/1 keyring'), 32);
  return gcm(use, key, nonce, cat(utf8(`kefu/1 keyring\0${user}\0`), u32(version)), data);
}

export function sealKeyring(
  keys: Secrets,
  exportKey: Uint8Array,
  user: string,
  version: number,
  nonce = random(12),
): Uint8Array {
  const plain = utf8(`{"ed":"${b64u(keys.ed)}","x":"${b64u(keys.x)}"}`);
  return cat(nonce, crypt('encrypt', exportKey, nonce, user, version, plain));
}

export function openKeyring(sealed: Uint8Array, exportKey: Uint8Array, user: string, version: number): Secrets {
  let plain: Uint8Array;
  try {
    plain = crypt('decrypt', exportKey, sealed.subarray(0, 12), user, version, sealed.subarray(12));
  } catch {
    return reject('keyring');
  }
  const keys = JSON.parse(text(plain)) as { ed: string; x: string };
  return { ed: sized(keys.ed, 32), x: sized(keys.x, 32) };
}

const teamInfo = (team: string, epoch: number): Uint8Array => cat(utf8(`kefu/1 team\0${team}\0`), u32(epoch));

export async function sealTeamKey(
  backend: Backend,
  team: string,
  epoch: number,
  secret: Uint8Array,
  recipient: Uint8Array,
): Promise<TeamBox> {
  const { enc, ct } = await backend.seal(recipient, teamInfo(team, epoch), recipient, secret);
  return { team, epoch, enc: b64u(enc), ct: b64u(ct) };
}

/** The team's X25519 secret. Whether it is the certified one, the caller compares by public key. */
export async function openTeamKey(box: TeamBox, recipient: BoxKey): Promise<Uint8Array> {
  const secret = await recipient.open(
    { enc: sized(box.enc, 32), ct: unb64u(box.ct) },
    teamInfo(box.team, box.epoch),
    recipient.pk,
  );
  if (secret.length !== 32) reject('box');
  return secret;
}
