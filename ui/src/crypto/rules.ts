/** Which entry may follow a state of the directory (protocol §6). A refused entry changes nothing. */
import { stringify } from '../json';
import type { Backend } from './backend';
import { b64u, hex, sized, text, unb64u, unhex } from './bytes';
import type { Signed } from './signed';
import { isGoodKey } from './ed25519';
import { reject } from './error';
import { fingerprint, H } from './hash';
import { withIdentity } from './identity-keys';
import { confirmed, enter, rekey, waitingWith, type Known } from './replay';
import {
  activeKey,
  bool,
  botOf,
  edKey,
  int,
  key32,
  list,
  object,
  role,
  siteOf,
  slug,
  str,
  table,
  type Role,
  type State,
  type Waiting,
} from './state';

const MAX_ENTRY = 16 * 1024;
type Json = Record<string, unknown>;

export interface Place {
  known: Known;
  fp: Uint8Array;
  seq: number;
  prev: Uint8Array;
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

/** `root` signs everything, an active admin everything except admins; anyone else nothing. */
export function authority(state: State, ed: string): 'root' | 'admin' | null {
  if (ed === state.root) return 'root';
  return Object.values(state.users).some((u) => u.role === 'admin' && activeKey(u)?.ed === ed) ? 'admin' : null;
}

export async function genesisState(backend: Backend, fp: Uint8Array, e: Signed): Promise<Known> {
  const b = readHead(e.raw, 0, new Uint8Array(32));
  if (b.t !== 'genesis') reject('no_genesis');
  if (hex(fingerprint(e.signer)) !== hex(fp)) reject('pin');
  if (b.root !== b64u(e.signer)) reject('root');
  if (!isGoodKey(e.signer)) reject('bad_key');
  if (!(await backend.verify('dir', e.signer, e.raw, e.sig))) reject('signature');
  if (b.suite !== 1) reject('suite');
  const state: State = {
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
  return { state, latest: int(b.at), unconfirmed: table(), enrolled: table(), identities: table() };
}

/** What is known after `e`. What was known before stays as it is. */
export async function applyEntry(backend: Backend, at: Place, e: Signed): Promise<Known> {
  const b = readHead(e.raw, at.seq, at.prev);
  const signer = b64u(e.signer);
  if (b.t === 'genesis') reject('second_genesis');
  if (b.t === 'enrol' && b.ed !== signer) reject('not_own_key');
  const right = authority(at.known.state, signer);
  // an enrolment's right comes from its certificate, a confirmation may be one's own
  if (!right && b.t !== 'enrol' && !(b.t === 'confirm' && b.ed === signer)) reject('signer');
  if (!isGoodKey(e.signer)) reject('bad_key');
  if (!(await backend.verify('dir', e.signer, e.raw, e.sig))) reject('signature');
  const known = { ...at.known, latest: Math.max(at.known.latest, int(b.at)) };
  const p = { ...at, known };
  const { state } = known;
  switch (b.t) {
    case 'enrol':
      return enrol(backend, p, b);
    case 'confirm':
      return confirm(p, b, signer);
    case 'rules':
      return rules(p, b, right === 'root');
    case 'agent':
      return agent(p, b, right === 'root');
    case 'team':
      return { ...known, state: team(p, b) };
    case 'site':
      return { ...known, state: site(state, b) };
    case 'bot':
      return { ...known, state: bot(state, b) };
    case 'revoke':
      return { ...known, state: { ...state, used: withUsed(state, key32(b.inv)) } };
    case 'identity':
      return { ...known, identities: withIdentity(known.identities, b, p.seq) };
    default:
      return known;
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
export async function readCert(
  backend: Backend,
  fp: Uint8Array,
  raw: Uint8Array,
  signer: Uint8Array,
  sig: Uint8Array,
): Promise<Cert> {
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
  if (stringify(b.teams) !== stringify(cert.teams)) reject('cert_mismatch', 'teams');
  const claim = claimHash(raw, sized(edKey(b.ed), 32), sized(key32(b.x), 32));
  if (!(await backend.verify('claim', sized(edKey(cert.inv), 32), claim, bytes(b.claim_sig)))) reject('claim');
  return { cert, signer };
}

async function enrol(backend: Backend, p: Place, b: Json): Promise<Known> {
  const { cert, signer } = await checkEnrol(backend, p.fp, b);
  const { state, latest, unconfirmed, enrolled } = p.known;
  const right = authority(state, signer);
  if (!right || (right === 'admin' && cert.role === 'admin')) reject('cert_signer');
  if (state.used.includes(cert.inv)) reject('invite_used');
  const before = state.users[cert.user];
  if (activeKey(before) || state.waiting?.[cert.user]) reject('user_active', cert.user);
  const { name, teams, inv, exp } = cert;
  const w: Waiting = { name, role: cert.role, teams, ed: edKey(b.ed), x: key32(b.x), inv, from: p.seq, exp };
  const next = { ...state, used: withUsed(state, inv) };
  const known = { ...p.known, enrolled: table({ ...enrolled, [inv]: { at: int(b.at), signer } }) };
  if (state.rules) return { ...known, state: { ...next, waiting: waitingWith(state, cert.user, w) } };
  return {
    ...known,
    state: { ...next, users: table({ ...state.users, [cert.user]: confirmed(w, before) }) },
    unconfirmed: table({ ...unconfirmed, [cert.user]: { inv, exp, from: p.seq, overdue: latest > exp, before } }),
  };
}

/** Root and every admin confirm others. An admin invited by root (nobody else invites admins) confirms themself, if in time. */
function confirm(p: Place, b: Json, signer: string): Known {
  const id = slug(b.user);
  const { state, latest } = p.known;
  const w = state.waiting?.[id];
  if (!w || w.ed !== edKey(b.ed)) return reject('not_waiting', id);
  if (signer === w.ed && (w.role !== 'admin' || latest > w.exp)) reject('own_confirmation', id);
  const users = table({ ...state.users, [id]: confirmed(w, state.users[id]) });
  return { ...p.known, state: { ...state, users, waiting: waitingWith(state, id, null) } };
}

/** The first one confirms everyone it does not name. Only root can demote an admin. */
function rules(p: Place, b: Json, byRoot: boolean): Known {
  const { state, unconfirmed } = p.known;
  const rev = int(b.rev);
  if (rev <= (state.rules?.at(-1)?.rev ?? 1)) reject('rules_rev', String(rev));
  const late = list(b.late, key32);
  const next: State = { ...state, rules: [...(state.rules ?? []), { rev, from: p.seq }] };
  for (const [id, { inv, exp, from, before }] of Object.entries(unconfirmed)) {
    if (!late.includes(inv)) continue;
    const { [id]: user, ...users } = next.users;
    const { name, role: as, teams } = user!;
    if (as === 'admin' && !byRoot) reject('root_only');
    const { ed, x } = activeKey(user)!;
    next.users = table(before ? { ...users, [id]: before } : users);
    next.waiting = waitingWith(next, id, { name, role: as, teams, ed, x, inv, from, exp });
  }
  return { ...p.known, state: next, unconfirmed: table() };
}

function agent(p: Place, b: Json, byRoot: boolean): Known {
  const id = slug(b.user);
  const { state } = p.known;
  const waits = state.waiting?.[id];
  const user = waits ?? state.users[id] ?? reject('unknown_user', id);
  const next = b.role === undefined ? user.role : role(b.role);
  if ((user.role === 'admin' || next === 'admin') && !byRoot) reject('root_only');
  const on = bool(b.on);
  const name = b.name === undefined ? user.name : str(b.name);
  const teams = b.teams === undefined ? user.teams : list(b.teams, slug);
  if (waits)
    return {
      ...p.known,
      state: { ...state, waiting: waitingWith(state, id, on ? { ...waits, name, role: next, teams } : null) },
    };
  const { keys, member = [] } = state.users[id]!;
  const changed = {
    name,
    role: next,
    on,
    teams,
    keys: on ? keys : keys.map((k) => (k.to === null ? { ...k, to: p.seq } : k)),
    member: on && b.teams === undefined ? member : enter(member, on ? teams : [], p.seq),
  };
  const { [id]: early, ...others } = p.known.unconfirmed;
  const unconfirmed = early && on ? p.known.unconfirmed : table(others);
  return { ...p.known, state: { ...state, users: table({ ...state.users, [id]: changed }) }, unconfirmed };
}

function team(p: Place, b: Json): State {
  const { state } = p.known;
  const id = slug(b.id);
  const now = state.teams[id];
  const next = { name: str(b.name), epoch: int(b.epoch), pk: key32(b.pk), on: bool(b.on) };
  const same = now !== undefined && next.epoch === now.epoch;
  if (!same && next.epoch !== (now?.epoch ?? 0) + 1)
    reject('team_epoch', `${id}: ${next.epoch} after ${now?.epoch ?? 0}`);
  if (same !== (now?.pk === next.pk)) reject('team_key', id);
  return {
    ...state,
    teams: table({ ...state.teams, [id]: { ...next, keys: rekey(now, next.epoch, next.pk, p.seq) } }),
  };
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
  const waits = Object.values(state.waiting ?? {}).some((w) => w.ed === ed);
  const person = waits || ed === state.root || Object.values(state.users).some((u) => u.keys.some((k) => k.ed === ed));
  const other = Object.entries(state.bots ?? {}).some(([k, r]) => k !== id && r.ed === ed);
  if ((known && known.ed !== ed) || person || other) reject('bot_key', id);
  return { ...state, bots: table({ ...state.bots, [id]: next }) };
}

/** The fingerprint in `k1-<32 hex>` or plain hex; null if it is neither. */
export function readFingerprint(s: string): Uint8Array | null {
  const m = /^(?:k1-)?([0-9a-f]{32})$/.exec(s.trim().toLowerCase());
  return m ? unhex(m[1]!) : null;
}
