/** What the directory adds up to (protocol §6). Its JSON, sorted by key, must be the same everywhere. */
import { sized } from './bytes';
import { isGoodKey } from './ed25519';
import { reject } from './error';

export type Role = 'agent' | 'supervisor' | 'admin';

export interface UserKey {
  ed: string;
  x: string;
  from: number;
  to: number | null;
}
/** Entries in which something held: `from` ≤ seq < `to`. */
export interface Span {
  from: number;
  to: number | null;
}
export interface Membership extends Span {
  team: string;
}
export interface TeamKeySpan extends Span {
  epoch: number;
  pk: string;
}
export interface User {
  name: string;
  role: Role;
  on: boolean;
  teams: string[];
  keys: UserKey[];
  /** When they were in which team. In snapshots from the first `rules` entry on. */
  member?: Membership[];
}
/** A person who enrolled and is not confirmed yet. */
export interface Waiting {
  name: string;
  role: Role;
  teams: string[];
  ed: string;
  x: string;
  inv: string;
  /** Their `enrol` entry. */
  from: number;
  /** End of their invite, ms. */
  exp: number;
}
export interface Team {
  name: string;
  epoch: number;
  pk: string;
  on: boolean;
  /** When it had which key. In snapshots from the first `rules` entry on. */
  keys?: TeamKeySpan[];
}
export interface Site {
  name: string;
  origins: string[];
  team: string;
  on: boolean;
  /** The robot that may be a member of its conversations. */
  bot?: string;
}
export interface Bot {
  name: string;
  ed: string;
  on: boolean;
}
export interface State {
  org: string;
  root: string;
  recovery: string;
  opaque: string;
  suite: number;
  users: Record<string, User>;
  teams: Record<string, Team>;
  sites: Record<string, Site>;
  /** Absent until there is one, so that older states keep their bytes. */
  bots?: Record<string, Bot>;
  used: string[];
  /** Revisions of the rules of readers, each from an entry on. */
  rules?: { rev: number; from: number }[];
  waiting?: Record<string, Waiting>;
}

/** A table keyed by ids from outside; has no inherited names such as `constructor`. */
export function table<T>(from: Record<string, T> = {}): Record<string, T> {
  return Object.assign(Object.create(null) as Record<string, T>, from);
}

/** JSON with all objects sorted by key. */
export function canonical(v: unknown): string {
  if (Array.isArray(v)) return `[${v.map(canonical).join(',')}]`;
  if (typeof v === 'object' && v !== null) {
    const o = v as Record<string, unknown>;
    const keys = Object.keys(o)
      .filter((k) => o[k] !== undefined)
      .sort();
    return `{${keys.map((k) => `${JSON.stringify(k)}:${canonical(o[k])}`).join(',')}}`;
  }
  return JSON.stringify(v);
}

const SLUG = /^[a-z0-9][a-z0-9._-]{0,31}$/;

export const str = (v: unknown): string => (typeof v === 'string' ? v : reject('json', 'a text is missing'));
export const bool = (v: unknown): boolean => (typeof v === 'boolean' ? v : reject('json', 'a boolean is missing'));
export const int = (v: unknown): number =>
  typeof v === 'number' && Number.isSafeInteger(v) && v >= 0 ? v : reject('json', 'a number is missing');
export const slug = (v: unknown): string => (SLUG.test(str(v)) ? (v as string) : reject('json', `bad id ${String(v)}`));
export const list = <T>(v: unknown, of: (x: unknown) => T): T[] =>
  Array.isArray(v) ? v.map(of) : reject('json', 'a list is missing');
export const role = (v: unknown): Role =>
  v === 'agent' || v === 'supervisor' || v === 'admin' ? v : reject('json', `unknown role ${String(v)}`);

export function object(v: unknown): Record<string, unknown> {
  return typeof v === 'object' && v !== null && !Array.isArray(v)
    ? (v as Record<string, unknown>)
    : reject('json', 'an object is missing');
}

/** 32 bytes, b64u. */
export function key32(v: unknown): string {
  try {
    sized(v, 32);
  } catch {
    reject('json', 'a key is missing');
  }
  return v as string;
}

/** An Ed25519 public key that is acceptable. */
export function edKey(v: unknown): string {
  if (!isGoodKey(sized(key32(v), 32))) reject('bad_key');
  return v as string;
}

function record<T>(v: unknown, of: (x: Record<string, unknown>) => T): Record<string, T> {
  const out = table<T>();
  for (const [id, x] of Object.entries(object(v))) out[slug(id)] = of(object(x));
  return out;
}

export const siteOf = (s: Record<string, unknown>): Site => ({
  name: str(s.name),
  origins: list(s.origins, str),
  team: slug(s.team),
  on: bool(s.on),
  bot: s.bot === undefined ? undefined : slug(s.bot),
});
export const botOf = (b: Record<string, unknown>): Bot => ({ name: str(b.name), ed: edKey(b.ed), on: bool(b.on) });

const span = (o: Record<string, unknown>): Span => ({ from: int(o.from), to: o.to === null ? null : int(o.to) });
const optional = <T>(v: unknown, of: (v: unknown) => T): T | undefined => (v === undefined ? undefined : of(v));
const objects = <T>(v: unknown, of: (o: Record<string, unknown>) => T): T[] => list(v, (x) => of(object(x)));

/** A state as a snapshot has it, every field checked. */
export function readState(v: unknown): State {
  const o = object(v);
  return {
    org: str(o.org),
    root: edKey(o.root),
    recovery: key32(o.recovery),
    opaque: key32(o.opaque),
    suite: int(o.suite),
    users: record(o.users, (u) => ({
      name: str(u.name),
      role: role(u.role),
      on: bool(u.on),
      teams: list(u.teams, slug),
      keys: objects(u.keys, (k) => ({ ed: edKey(k.ed), x: key32(k.x), ...span(k) })),
      member: optional(u.member, (m) => objects(m, (x) => ({ team: slug(x.team), ...span(x) }))),
    })),
    teams: record(o.teams, (t) => ({
      name: str(t.name),
      epoch: int(t.epoch),
      pk: key32(t.pk),
      on: bool(t.on),
      keys: optional(t.keys, (k) => objects(k, (x) => ({ epoch: int(x.epoch), pk: key32(x.pk), ...span(x) }))),
    })),
    sites: record(o.sites, siteOf),
    bots: optional(o.bots, (b) => record(b, botOf)),
    used: list(o.used, key32),
    rules: optional(o.rules, (r) => objects(r, (x) => ({ rev: int(x.rev), from: int(x.from) }))),
    waiting: optional(o.waiting, (w) => record(w, waitingOf)),
  };
}

const waitingOf = (w: Record<string, unknown>): Waiting => ({
  name: str(w.name),
  role: role(w.role),
  teams: list(w.teams, slug),
  ed: edKey(w.ed),
  x: key32(w.x),
  inv: key32(w.inv),
  from: int(w.from),
  exp: int(w.exp),
});

/** The key of a user that counts now, if any. */
export const activeKey = (u: User | undefined): UserKey | undefined =>
  u?.on ? u.keys.find((k) => k.to === null) : undefined;
