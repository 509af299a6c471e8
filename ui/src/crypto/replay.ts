/** What replaying the log keeps beside the state that snapshots have, and how spans and confirmations grow (protocol §6). */
import type { IdentityKeys } from './identity-keys';
import { table, type Membership, type State, type Team, type User, type Waiting } from './state';

/** Before the first `rules` entry everyone who enrols is a user at once; this is what else is known of unconfirmed ones. */
export interface Unconfirmed {
  inv: string;
  exp: number;
  from: number;
  /** An entry up to their own is dated later than the invite's end. */
  overdue: boolean;
  /** The user as they were before, if they had been one. */
  before: User | undefined;
}

export interface Known {
  /** With spans of members and team keys from the first entry on. */
  state: State;
  /** Latest date of an entry so far, ms. */
  latest: number;
  /** By user. Empty from the first `rules` entry on. */
  unconfirmed: Record<string, Unconfirmed>;
  /** By invite: when it was used, and whose it was. */
  enrolled: Record<string, { at: number; signer: string }>;
  /** Who vouches for visitors. In no snapshot: known only to who replays the whole log. */
  identities: IdentityKeys;
}

/** Begins with a snapshot signed at `at`. Memberships without spans count from the first entry on. */
export function knownOf(s: State, at: number): Known {
  const users = map(s.users, (u) => ({ ...u, member: u.member ?? (u.on ? enter([], u.teams, 0) : []) }));
  const teams = map(s.teams, (t) => ({ ...t, keys: t.keys ?? [{ epoch: t.epoch, pk: t.pk, from: 0, to: null }] }));
  return { state: { ...s, users, teams }, latest: at, unconfirmed: table(), enrolled: table(), identities: table() };
}

/** The state as snapshots have it: older ones keep their bytes. */
export function asSigned(s: State): State {
  if (s.rules) return s;
  return { ...s, users: map(s.users, ({ member: _, ...u }) => u), teams: map(s.teams, ({ keys: _, ...t }) => t) };
}

const map = <A, B>(from: Record<string, A>, of: (a: A) => B): Record<string, B> =>
  table(Object.fromEntries(Object.entries(from).map(([id, a]) => [id, of(a)])));

/** The spans of a user who is in exactly these teams from entry `seq` on. */
export function enter(spans: readonly Membership[], teams: readonly string[], seq: number): Membership[] {
  const wanted = new Set(teams);
  const out = spans.map((m) => (m.to !== null || wanted.delete(m.team) ? m : { ...m, to: seq }));
  for (const team of wanted) out.push({ team, from: seq, to: null });
  return out;
}

/** The spans of a team whose key is `pk` from entry `seq` on. */
export function rekey(old: Team | undefined, epoch: number, pk: string, seq: number): NonNullable<Team['keys']> {
  const spans = old?.keys ?? [];
  if (old?.epoch === epoch) return spans;
  return [...spans.map((k) => (k.to === null ? { ...k, to: seq } : k)), { epoch, pk, from: seq, to: null }];
}

/** The user that a waiting person becomes. Their key and their teams count from the `enrol` on. */
export function confirmed(w: Waiting, before: User | undefined): User {
  return {
    name: w.name,
    role: w.role,
    on: true,
    teams: w.teams,
    keys: [...(before?.keys ?? []), { ed: w.ed, x: w.x, from: w.from, to: null }],
    member: enter(before?.member ?? [], w.teams, w.from),
  };
}

/** A table with one more, or one less. The table is absent when it is empty, as in snapshots. */
export function waitingWith(s: State, id: string, w: Waiting | null): State['waiting'] {
  const { [id]: _, ...rest } = s.waiting ?? {};
  const next = table(w ? { ...rest, [id]: w } : rest);
  return Object.keys(next).length ? next : undefined;
}
