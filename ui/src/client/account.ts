/** How agents get at their keys: by invite code, by password; and how they change the password. */
import type { Backend, BoxKey, SigningKey } from '../crypto/backend';
import { b64u, hex, random, sized, u32, unb64u, utf8 } from '../crypto/bytes';
import type { Directory } from '../crypto/directory';
import { Rejected } from '../crypto/error';
import { boxKid, BoxKind, H, kidOf } from '../crypto/hash';
import { enrolEntry, inviteKeys, parseCode, type InviteCode } from '../crypto/invite';
import { openKeyring, openTeamKey, sealKeyring, sealTeamKey, type Secrets } from '../crypto/keyring';
import { orgName, type Opaque, type OpaqueResult } from '../crypto/opaque';
import { readCert, type Cert } from '../crypto/rules';
import { clocks } from '../link/clock';
import { Refused } from '../link/errors';
import type { Http } from '../link/http';
import { ClientError } from '../model';
import { Code, type TeamBox } from '../proto';
import type { DirectorySync } from './directory-sync';

export const MIN_PASSWORD = 10;
/** Others may enrol at the same moment. */
const CLAIM_TRIES = 5;

/** Who is signed in, with their keys. */
export interface Identity {
  user: string;
  ed: SigningKey;
  x: BoxKey;
}

export interface AccountDeps {
  backend: Backend;
  http: Http;
  opaque: Opaque;
  /** This machine's clock, ms. */
  now(): number;
}

interface LoginReply {
  token: string;
  keyring: string;
  version: number;
  boxes: TeamBox[];
  /** Proves this sign-in to a change of the password, once. */
  change: string;
}

function checkServer(r: NonNullable<OpaqueResult>, dir: Directory): void {
  if (r.serverKey !== dir.state.opaque) throw new ClientError('error.server_key');
}

const need = (r: OpaqueResult): NonNullable<OpaqueResult> => {
  if (!r) throw new ClientError('error.login');
  return r;
};

/** Proves the password and gets the keyring; nobody learns the password. `old`: it is the one before the last change. */
async function authenticate(
  d: AccountDeps,
  dir: Directory,
  user: string,
  password: string,
  old = false,
): Promise<{ reply: LoginReply; keys: Secrets }> {
  const start = need(await d.opaque.call({ op: 'login_start', password }));
  try {
    const ke2 = await d.http.post<{ id: string; m: string }>('/login/start', { user, m: start.m, ...(old && { old }) });
    const org = orgName(dir.fp);
    const finish = need(
      await d.opaque.call({ op: 'login_finish', password, state: start.state!, m: ke2.m, user, org }),
    );
    checkServer(finish, dir);
    const reply = await d.http.post<LoginReply>('/login/finish', { id: ke2.id, m: finish.m });
    return { reply, keys: openKeyring(unb64u(reply.keyring), unb64u(finish.exportKey!), user, reply.version) };
  } catch (e) {
    if (e instanceof Refused && (e.code === Code.unauthorised || e.code === Code.not_found))
      throw new ClientError('error.login');
    if (e instanceof Rejected) throw new ClientError('error.login', String(e));
    throw e;
  }
}

async function identity(backend: Backend, user: string, keys: Secrets): Promise<Identity> {
  const [ed, x] = await Promise.all([backend.signingKey(keys.ed), backend.boxKey(keys.x)]);
  return { user, ed, x };
}

/**
 * Signs in. Until the first sign-in after a password change, the previous password remains valid: `old` tells that this was it,
 * so the new one may never have reached its owner.
 */
export async function login(
  d: AccountDeps,
  sync: DirectorySync,
  user: string,
  password: string,
): Promise<{ me: Identity; old: boolean }> {
  let old = false;
  const { keys } = await authenticate(d, sync.directory, user, password).catch((e: unknown) => {
    if (!(e instanceof ClientError) || e.key !== 'error.login') throw e;
    old = true;
    return authenticate(d, sync.directory, user, password, true);
  });
  const me = await identity(d.backend, user, keys);
  if (!isCertified(sync.directory, me)) await sync.refresh(d.now());
  if (!isCertified(sync.directory, me)) throw notCertified(sync.directory, me);
  return { me, old };
}

const kidFor = (me: Identity): string => hex(kidOf(me.ed.pk));

/** Whether this key is this user's now, by the directory. */
export function isCertified(dir: Directory, me: Identity): boolean {
  return dir.keyNow(kidFor(me))?.user === me.user;
}

/** Why a key counts no more: it waits for confirmation, or was switched off. */
export function notCertified(dir: Directory, me: Identity): ClientError {
  const k = dir.keyOf(kidFor(me));
  if (k?.user === me.user && k.exp !== null) {
    return new ClientError(clocks.value && clocks.value.server <= k.exp ? 'error.clock' : 'error.unconfirmed');
  }
  // the person is on, with another key: they enrolled again elsewhere
  if (dir.state.users[me.user]?.on) return new ClientError('error.unauthorised', 'this key was replaced');
  return new ClientError('error.disabled', 'the directory does not know this key');
}

/** Proves the old password by signing in with it; record and keyring change together, and the new password is used at once. */
export async function changePassword(
  d: AccountDeps,
  dir: Directory,
  user: string,
  old: string,
  next: string,
): Promise<void> {
  checkPassword(next);
  const { reply, keys } = await authenticate(d, dir, user, old);
  const start = need(await d.opaque.call({ op: 'register_start', password: next }));
  const { m } = await d.http.post<{ m: string }>('/password/start', { m: start.m }, reply.token);
  const done = need(
    await d.opaque.call({ op: 'register_finish', password: next, state: start.state!, m, user, org: orgName(dir.fp) }),
  );
  checkServer(done, dir);
  const version = reply.version + 1;
  const keyring = sealKeyring(keys, unb64u(done.exportKey!), user, version);
  const { ed } = await identity(d.backend, user, keys);
  const sig = b64u(await ed.sign('pass', H('pass', utf8(user), u32(version), unb64u(done.m), keyring)));
  await d.http.post(
    '/password/finish',
    { record: done.m, keyring: b64u(keyring), version, change: reply.change, sig },
    reply.token,
  );
  // until the first sign-in with the new one, the old one still opens the account
  await authenticate(d, dir, user, next).catch((e: unknown) => {
    if (e instanceof ClientError && (e.key === 'error.login' || e.key === 'error.server_key')) throw e;
  });
}

export function checkPassword(password: string): void {
  if ([...password].length < MIN_PASSWORD) throw new ClientError('error.password_short');
}

export function readCode(code: string): InviteCode {
  const read = parseCode(code);
  if (!read) throw new ClientError('error.invite_format');
  return read;
}

/** Uses an invite: new keys, a password for them, a place in the directory. The directory must be of the code's company. */
export async function enrol(
  d: AccountDeps,
  sync: DirectorySync,
  code: InviteCode,
  password: string,
): Promise<Identity> {
  checkPassword(password);
  const invite = await inviteKeys(d.backend, code.secret);
  const inv = b64u(invite.sign.pk);
  const offer = await openInvite(d.http, inv);
  const cert = await readInvite(d.backend, sync.directory, offer, inv, d.now());
  const { user } = cert.read;

  const keys: Secrets = { ed: random(32), x: random(32) };
  const me = await identity(d.backend, user, keys);
  const start = need(await d.opaque.call({ op: 'register_start', password }));
  const { m } = await d.http.post<{ m: string }>('/invite/register', { inv, m: start.m }, undefined, inv);
  const done = need(
    await d.opaque.call({
      op: 'register_finish',
      password,
      state: start.state!,
      m,
      user,
      org: orgName(sync.directory.fp),
    }),
  );
  checkServer(done, sync.directory);
  const keyring = b64u(sealKeyring(keys, unb64u(done.exportKey!), user, 1));

  const boxes: TeamBox[] = [];
  for (const box of offer.boxes) {
    const secret = await openTeamKey(box, invite.box);
    boxes.push(await sealTeamKey(d.backend, box.team, box.epoch, secret, me.x.pk));
  }
  for (let i = 1; ; i++) {
    const dir = sync.directory;
    const entry = await enrolEntry(
      { seq: dir.seq + 1, prev: dir.head, at: d.now() },
      invite.sign,
      cert,
      me.ed,
      me.x.pk,
    );
    try {
      await d.http.post('/invite/claim', { inv, entry, record: done.m, keyring, boxes }, undefined, inv);
      break;
    } catch (e) {
      if (!(e instanceof Refused) || (e.code !== Code.conflict && e.code !== Code.directory_stale) || i >= CLAIM_TRIES)
        throw inviteError(e);
      await sync.refresh(d.now());
      if (sync.directory.state.used.includes(inv)) throw new ClientError('error.invite_used');
    }
  }
  await sync.refresh(d.now());
  return me;
}

interface InviteReply {
  cert: string;
  signer: string;
  sig: string;
  boxes: TeamBox[];
}

async function openInvite(http: Http, inv: string): Promise<InviteReply> {
  try {
    return await http.post<InviteReply>('/invite/open', { inv }, undefined, inv);
  } catch (e) {
    throw inviteError(e);
  }
}

function inviteError(e: unknown): unknown {
  if (!(e instanceof Refused)) return e;
  if (e.code === Code.not_found || e.code === Code.conflict || e.code === Code.forbidden)
    return new ClientError('error.invite_used', e.detail);
  return e.code === Code.too_late ? new ClientError(clocks.value ? 'error.clock' : 'error.invite_expired') : e;
}

/** The certificate must be this company's, by a person who may invite, for this code, and not expired. */
async function readInvite(
  backend: Backend,
  dir: Directory,
  offer: InviteReply,
  inv: string,
  now: number,
): Promise<{ raw: Uint8Array; signer: Uint8Array; sig: Uint8Array; read: Cert }> {
  const signed = { raw: unb64u(offer.cert), signer: sized(offer.signer, 32), sig: sized(offer.sig, 64) };
  let read: Cert;
  try {
    read = await readCert(backend, dir.fp, signed.raw, signed.signer, signed.sig);
  } catch (e) {
    throw new ClientError('error.directory', String(e));
  }
  const right = dir.authority(offer.signer);
  if (read.inv !== inv || !right || (right === 'admin' && read.role === 'admin'))
    throw new ClientError('error.directory', 'the invite is not certified');
  if (dir.state.used.includes(inv)) throw new ClientError('error.invite_used');
  if (now > read.exp)
    throw new ClientError(clocks.value && clocks.value.server <= read.exp ? 'error.clock' : 'error.invite_expired');
  return { ...signed, read };
}

/** Team keys sealed to this agent, by box kid. Keys that the directory does not certify are left out. */
export async function openBoxes(
  backend: Backend,
  dir: Directory,
  me: Identity,
  boxes: readonly TeamBox[],
): Promise<Map<string, BoxKey>> {
  const out = new Map<string, BoxKey>();
  for (const box of boxes) {
    try {
      const key = await backend.boxKey(await openTeamKey(box, me.x));
      const kid = hex(boxKid(BoxKind.team, key.pk));
      if (dir.teamKey(kid)?.team === box.team) out.set(kid, key);
    } catch {
      // a box for another key of this user, from before a reset
    }
  }
  return out;
}
