/** Snapshots of the directory: what visitors verify instead of the log, what agents compare it with, what admins sign. */
import type { SignedJson, SiteReply } from '../proto';
import type { Backend, SigningKey } from './backend';
import { b64u, equal, hex, unhex, utf8 } from './bytes';
import { Directory } from './directory';
import { signedOf, type Signed } from './signed';
import { isGoodKey } from './ed25519';
import { reject } from './error';
import { kidOf } from './hash';
import { authority, checkEnrol, genesisState, readJson } from './rules';
import { canonical, int, readState, str, type State } from './state';

/** Longest life of a snapshot: 180 days. */
export const MAX_LIFE_MS = 180 * 86_400_000;
/** How far ahead the signer's clock may be, ms: visitors' clocks are set by hand and to wrong zones. */
export const MAX_AHEAD_MS = 86_400_000;
/** What an admin's console signs: 30 days. */
export const LIFE_MS = 30 * 86_400_000;
const MAX_SNAPSHOT = 8 * 1024 * 1024;

/** Of a snapshot: the entry it covers up to, when it was signed, until when it holds (ms). */
export interface Life {
  seq: number;
  at: number;
  until: number;
}

export interface SnapshotBody extends Life {
  head: Uint8Array;
  state: State;
}

/** Signature and times (`now` null: it need not hold now). Whether the signer may is the caller's question. */
async function check(backend: Backend, s: Signed, now: number | null): Promise<SnapshotBody> {
  const b = readJson(s.raw, MAX_SNAPSHOT);
  if (b.v !== 1) reject('version');
  if (!isGoodKey(s.signer) || !(await backend.verify('fresh', s.signer, s.raw, s.sig))) reject('signature');
  const head = str(b.head);
  if (!/^[0-9a-f]{64}$/.test(head)) reject('json', 'head');
  const body = { seq: int(b.seq), head: unhex(head), at: int(b.at), until: int(b.until), state: readState(b.state) };
  if (body.until - body.at > MAX_LIFE_MS) reject('snapshot_too_long');
  if (now !== null && body.at > now + MAX_AHEAD_MS) reject('snapshot_future');
  if (now !== null && now > body.until) reject('snapshot_expired');
  return body;
}

/** A snapshot against a directory that reaches as far or further. The states are compared only with that of a whole log. */
export async function verifySnapshot(
  backend: Backend,
  dir: Directory,
  j: SignedJson,
  now: number,
): Promise<SnapshotBody> {
  const s = signedOf(j);
  const body = await check(backend, s, now);
  if (!dir.authority(b64u(s.signer))) reject('signer');
  const own = dir.headAt(body.seq);
  if (!own) reject('directory_withheld', String(body.seq));
  if (!equal(own, body.head)) reject('directory_fork', String(body.seq));
  if (dir.base === 0 && body.seq === dir.seq && canonical(body.state) !== canonical(dir.state))
    reject('snapshot_state');
  return body;
}

/**
 * Up to which entry of `dir` a snapshot confirms enrolments before the first `rules` entry; −1 if it confirms none. It may be
 * expired, but must be by root or by a person who was an admin at that entry: a server's own claims confirm nobody.
 */
export async function coverage(backend: Backend, dir: Directory, j: SignedJson | null): Promise<number> {
  if (!j) return -1;
  try {
    const s = signedOf(j);
    const { seq, head } = await check(backend, s, null);
    const k = dir.keyOf(hex(kidOf(s.signer)));
    const admin = k?.role === 'admin' && k.from <= seq && (k.to === null ? dir.authority(b64u(s.signer)) : seq < k.to);
    const own = dir.headAt(seq);
    return (admin || b64u(s.signer) === dir.state.root) && own && equal(own, head) ? seq : -1;
  } catch {
    return -1;
  }
}

/** Verification by a visitor who knows only the company's fingerprint: genesis, admin, snapshot, then the entries after it. */
export async function verifyBundle(
  backend: Backend,
  fp: Uint8Array,
  d: SiteReply['directory'],
  now: () => number,
): Promise<{ directory: Directory; life: Life }> {
  const { state: genesis } = await genesisState(backend, fp, signedOf(d.genesis));
  if (!d.snapshot) return reject('snapshot_expired', 'none');
  const signed = signedOf(d.snapshot);
  const { state, seq, head, at, until } = await check(backend, signed, now());
  const signer = b64u(signed.signer);
  if (signer !== genesis.root) {
    if (!d.admin) return reject('signer');
    await vouchedAdmin(backend, fp, signedOf(d.admin), genesis.root, signer);
  }
  for (const k of ['org', 'root', 'recovery', 'opaque', 'suite'] as const)
    if (state[k] !== genesis[k]) reject('snapshot_state', k);
  if (!authority(state, signer)) reject('signer');
  const directory = Directory.fromState(fp, state, seq, head, at, now);
  for (const e of d.tail) await directory.apply(backend, signedOf(e));
  return { directory, life: { seq, at, until } };
}

/** `e` enrols `signer` as an admin on an invite by root. */
async function vouchedAdmin(backend: Backend, fp: Uint8Array, e: Signed, root: string, signer: string): Promise<void> {
  const b = readJson(e.raw, 16 * 1024);
  if (b.t !== 'enrol' || b.ed !== signer || b64u(e.signer) !== signer || b.role !== 'admin' || b.cert_signer !== root)
    reject('signer');
  if (!(await backend.verify('dir', e.signer, e.raw, e.sig))) reject('signature');
  await checkEnrol(backend, fp, b);
}

/** States how far `dir` is. */
export async function signSnapshot(dir: Directory, at: number, until: number, key: SigningKey): Promise<SignedJson> {
  const raw = utf8(canonical({ v: 1, seq: dir.seq, head: hex(dir.head), at, until, state: dir.state }));
  return { raw: b64u(raw), signer: b64u(key.pk), sig: b64u(await key.sign('fresh', raw)) };
}
