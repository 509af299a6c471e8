/** Which entry may follow a state of the directory (protocol §6). A refused entry changes nothing. */
import type { Backend } from './backend';
import { b64u, hex, sized, text, unb64u, unhex } from './bytes';
import type { Signed } from './directory';
import { isGoodKey } from './ed25519';
import { reject } from './error';
import { fingerprint, H } from './hash';
import { activeKey, bool, botOf, edKey, int, key32, list, object, role, siteOf, slug, str, table, type Role, type State } from './state';

const MAX_ENTRY = 16 * 1024;
type Json = Record<string, unknown>;

export interface Place {
  state: State;
  fp: Uint8Array;
  seq: number;
  prev: Uint8Array;
  now: number;
  /** A snapshot vouches for this entry, so its invite may be expired by now. */
  covered: boolean;
}

/** The JSON of signed bytes. Rejects with `json`. */
export function readJson(raw: Uint8Array, max: number): Json {
  if (raw.length > max) reject('too_large');
  try {
    return object(JSON.parse(text(raw)));
  } catch (e) {
    return reject('json', String(e));
  }
}

function readHead(raw: Uint8Array, seq: number, prev: Uint8Array): Json {
  const b = readJson(raw, MAX_ENTRY);
  if (b.v !== 1) reject('version');
  if (int(b.seq) !== seq) reject('directory_seq', `${String(b.seq)} where ${seq} comes next`);
  if (b.prev !== hex(prev)) reject('directory_fork', `entry ${seq}`);
  int(b.at);
  str(b.t);
  return b;
}

/** `root` signs everything, an active admin all but admins; anybody else nothing. */
export function authority(state: State, ed: string): 'root' | 'admin' | null {
  if (ed === state.root) return 'root';
  return Object.values(state.users).some((u) => u.role === 'admin' && activeKey(u)?.ed === ed) ? 'admin' : null;
}

export async function genesisState(backend: Backend, fp: Uint8Array, e: Signed): Promise<State> {
  const b = readHead(e.raw, 0, new Uint8Array(32));
  if (b.t !== 'genesis') reject('no_genesis');
  if (hex(fingerprint(e.signer)) !== hex(fp)) reject('pin');
  if (b.root !== b64u(e.signer)) reject('root');
  if (!isGoodKey(e.signer)) reject('bad_key');
  if (!(await backend.verify('dir', e.signer, e.raw, e.sig))) reject('signature');
  if (b.suite !== 1) reject('suite');
  return {
    org: str(b.org),
    root: edKey(b.root),
    recovery: key32(b.recovery),
    opaque: key32(b.opaque),
    suite: 1,
    users: table(),
    teams: table(),
    sites: table(),
    used: [],
  };
}

/** The state after `e`. The given one stays as it is. */
export async function applyEntry(backend: Backend, p: Place, e: Signed): Promise<State> {
  const b = readHead(e.raw, p.seq, p.prev);
  const signer = b64u(e.signer);
  if (b.t === 'genesis') reject('second_genesis');
  if (b.t === 'enrol' && b.ed !== signer) reject('not_own_key');
  const right = b.t === 'enrol' ? null : (authority(p.state, signer) ?? reject('signer'));
  if (!isGoodKey(e.signer)) reject('bad_key');
  if (!(await backend.verify('dir', e.signer, e.raw, e.sig))) reject('signature');
  switch (b.t) {
    case 'enrol':
      return enrol(backend, p, b);
    case 'agent':
      return agent(p, b, right === 'root');
    case 'team':
      return team(p.state, b);
    case 'site':
      return site(p.state, b);
    case 'bot':
      return bot(p.state, b);
    case 'revoke':
      return { ...p.state, used: withUsed(p.state, key32(b.inv)) };
    default:
      return p.state;
  }
}

const withUsed = (s: State, inv: string): string[] => [...new Set([...s.used, inv])].sort();

/** An invite's certificate. */
export interface Cert {
  org: string;
  user: string;
  role: Role;
  name: string;
  teams: string[];
  inv: string;
  inv_x: string;
  exp: number;
}

/** Verifies who signed a certificate and that it is this company's. Whether the signer may invite is the caller's question. */
export async function readCert(backend: Backend, fp: Uint8Array, raw: Uint8Array, signer: Uint8Array, sig: Uint8Array): Promise<Cert> {
  if (!(await backend.verify('invite', signer, raw, sig))) reject('cert');
  const c = readJson(raw, MAX_ENTRY);
  if (c.v !== 1) reject('version');
  if (c.org !== hex(fp)) reject('cert_org');
  return {
    org: str(c.org),
    user: slug(c.user),
    role: role(c.role),
    name: str(c.name),
    teams: list(c.teams, slug),
    inv: key32(c.inv),
    inv_x: key32(c.inv_x),
    exp: int(c.exp),
  };
}

/** What an invite's key signs to hand its place to new keys. */
export const claimHash = (cert: Uint8Array, ed: Uint8Array, x: Uint8Array): Uint8Array => H('claim', cert, ed, x);

/** Certificate and claim of an `enrol`, checked against the entry. */
export async function checkEnrol(backend: Backend, fp: Uint8Array, b: Json): Promise<{ cert: Cert; signer: string }> {
  const bytes = (v: unknown): Uint8Array => {
    try {
      return unb64u(str(v));
    } catch {
      return reject('json', 'cert');
    }
  };
  const raw = bytes(b.cert);
  const signer = edKey(b.cert_signer);
  const cert = await readCert(backend, fp, raw, sized(signer, 32), bytes(b.cert_sig));
  for (const what of ['user', 'role', 'name'] as const) if (b[what] !== cert[what]) reject('cert_mismatch', what);
  if (JSON.stringify(b.teams) !== JSON.stringify(cert.teams)) reject('cert_mismatch', 'teams');
  const claim = claimHash(raw, sized(edKey(b.ed), 32), sized(key32(b.x), 32));
  if (!(await backend.verify('claim', sized(edKey(cert.inv), 32), claim, bytes(b.claim_sig)))) reject('claim');
  return { cert, signer };
}

async function enrol(backend: Backend, p: Place, b: Json): Promise<State> {
  const { cert, signer } = await checkEnrol(backend, p.fp, b);
  const right = authority(p.state, signer);
  if (!right || (right === 'admin' && cert.role === 'admin')) reject('cert_signer');
  if (p.state.used.includes(cert.inv)) reject('invite_used');
  const known = p.state.users[cert.user];
  if (activeKey(known)) reject('user_active', cert.user);
  if (p.now > cert.exp && !p.covered) reject('invite_expired');
  const key = { ed: edKey(b.ed), x: key32(b.x), from: p.seq, to: null };
  const user = { name: cert.name, role: cert.role, on: true, teams: cert.teams, keys: [...(known?.keys ?? []), key] };
  return { ...p.state, users: table({ ...p.state.users, [cert.user]: user }), used: withUsed(p.state, cert.inv) };
}

function agent(p: Place, b: Json, byRoot: boolean): State {
  const id = slug(b.user);
  const user = p.state.users[id] ?? reject('unknown_user', id);
  const next = b.role === undefined ? user.role : role(b.role);
  if ((user.role === 'admin' || next === 'admin') && !byRoot) reject('root_only');
  const on = bool(b.on);
  const changed = {
    name: b.name === undefined ? user.name : str(b.name),
    role: next,
    on,
    teams: b.teams === undefined ? user.teams : list(b.teams, slug),
    keys: on ? user.keys : user.keys.map((k) => (k.to === null ? { ...k, to: p.seq } : k)),
  };
  return { ...p.state, users: table({ ...p.state.users, [id]: changed }) };
}

function team(state: State, b: Json): State {
  const id = slug(b.id);
  const now = state.teams[id];
  const next = { name: str(b.name), epoch: int(b.epoch), pk: key32(b.pk), on: bool(b.on) };
  const same = now !== undefined && next.epoch === now.epoch;
  if (!same && next.epoch !== (now?.epoch ?? 0) + 1) reject('team_epoch', `${id}: ${next.epoch} after ${now?.epoch ?? 0}`);
  if (same !== (now?.pk === next.pk)) reject('team_key', id);
  return { ...state, teams: table({ ...state.teams, [id]: next }) };
}

function site(state: State, b: Json): State {
  const next = siteOf(b);
  if (next.bot !== undefined && !state.bots?.[next.bot]) reject('unknown_bot');
  return { ...state, sites: table({ ...state.sites, [slug(b.id)]: next }) };
}

/** A robot keeps its key as long as its id, and the key is nobody else's. */
function bot(state: State, b: Json): State {
  const id = slug(b.id);
  const next = botOf(b);
  const { ed } = next;
  const known = state.bots?.[id];
  const person = ed === state.root || Object.values(state.users).some((u) => u.keys.some((k) => k.ed === ed));
  const other = Object.entries(state.bots ?? {}).some(([k, r]) => k !== id && r.ed === ed);
  if ((known && known.ed !== ed) || person || other) reject('bot_key', id);
  return { ...state, bots: table({ ...state.bots, [id]: next }) };
}

/** The fingerprint in `k1-<32 hex>` or plain hex; null if it is neither. */
export function readFingerprint(s: string): Uint8Array | null {
  const m = /^(?:k1-)?([0-9a-f]{32})$/.exec(s.trim().toLowerCase());
  return m ? unhex(m[1]!) : null;
}
