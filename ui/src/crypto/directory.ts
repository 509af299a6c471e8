/** The signed log of who is who, as a reader holds it: state, head, and the questions others ask. Rules are in `rules.ts`. */
import type { Backend } from './backend';
import { hex, sized } from './bytes';
import { reject, Rejected } from './error';
import { BoxKind, boxKid, entryHash, kidOf } from './hash';
import type { IdentityKey } from './identity-keys';
import { asSigned, knownOf, type Known } from './replay';
import { applyEntry, authority, genesisState } from './rules';
import type { Signed } from './signed';
import type { Bot, Role, State } from './state';

/** A key of an agent, found by its kid. */
export interface KnownKey {
  user: string;
  name: string;
  role: Role;
  ed: Uint8Array;
  x: Uint8Array;
  from: number;
  to: number | null;
  /** Nobody confirmed this person yet: their key counts until their invite ends (ms, by this machine's clock). Else null. */
  exp: number | null;
}

/** A team's key, current or replaced. `from`, `to`: entries between which it was current. */
export interface TeamKey {
  team: string;
  epoch: number;
  pk: Uint8Array;
  from: number;
  to: number | null;
  /** It is the team's key now and the team is on. */
  current: boolean;
}

/** A person who waits for confirmation. */
export interface Waiter {
  user: string;
  name: string;
  role: Role;
  teams: string[];
  ed: string;
  inv: string;
  /** End of their invite, ms. */
  exp: number;
  /** When they enrolled by their own word, ms, and who signed their invite; null if this directory began later. */
  at: number | null;
  signer: string | null;
}

interface Index {
  teamKeys: Map<string, TeamKey>;
  byKid: Map<string, KnownKey>;
  /** The newest key of each user, if nothing ended it. */
  byUser: Map<string, KnownKey>;
}

export class Directory {
  private readonly heads = new Map<number, Uint8Array>();
  private indexed: Index | null = null;
  /** Enrolments up to here count as confirmed, because a snapshot covers them. */
  private covered: number;
  private signed: State | null = null;

  private constructor(
    readonly fp: Uint8Array,
    private known: Known,
    /** First entry whose hash is known: 0 for a whole log, else that of the snapshot it began with. */
    readonly base: number,
    public seq: number,
    public head: Uint8Array,
    private readonly now: () => number,
  ) {
    this.heads.set(seq, head);
    this.covered = base;
  }

  /** What the log adds up to, as snapshots have it. */
  get state(): State {
    return (this.signed ??= asSigned(this.known.state));
  }

  /** Begins with a genesis that must be by the root key whose fingerprint is `fp`. `now`: this machine's clock, ms. */
  static async genesis(backend: Backend, fp: Uint8Array, e: Signed, now: () => number): Promise<Directory> {
    return new Directory(fp, await genesisState(backend, fp, e), 0, 0, entryHash(e.raw, e.signer, e.sig), now);
  }

  /** Begins with a state signed at the time `at`. */
  static fromState(
    fp: Uint8Array,
    state: State,
    seq: number,
    head: Uint8Array,
    at: number,
    now: () => number,
  ): Directory {
    return new Directory(fp, knownOf(state, at), seq, seq, head, now);
  }

  /** Verifies the next entry and applies it; rejects without changing anything. */
  async apply(backend: Backend, e: Signed): Promise<void> {
    this.known = await applyEntry(backend, { known: this.known, fp: this.fp, seq: this.seq + 1, prev: this.head }, e);
    this.signed = null;
    this.seq++;
    this.head = entryHash(e.raw, e.signer, e.sig);
    this.heads.set(this.seq, this.head);
    this.indexed = null;
  }

  /** A snapshot by root or an admin covers the entries up to here: who enrolled in them is confirmed. */
  cover(seq: number): void {
    this.covered = Math.max(this.covered, seq);
    this.indexed = null;
  }

  /** A copy that can be thrown away, so that several entries are applied together or not at all. */
  fork(): Directory {
    const copy = new Directory(this.fp, this.known, this.base, this.seq, this.head, this.now);
    for (const [seq, head] of this.heads) copy.heads.set(seq, head);
    copy.covered = this.covered;
    return copy;
  }

  /** Revision of the rules of readers now. */
  get rev(): number {
    return this.revisionAt(this.seq);
  }

  /** Revision of the rules of readers in force when entry `seq` was the newest: 1 or 2. */
  revisionAt(seq: number): number {
    return this.state.rules?.some((r) => r.from <= seq) ? 2 : 1;
  }

  /**
   * Whether a key signs for the company. One that enrolled before there were confirmations does, unless the log itself shows
   * that the invite was over.
   */
  authority(ed: string): 'root' | 'admin' | null {
    const right = authority(this.state, ed);
    const overdue = (user: string): boolean => this.early(user)?.overdue === true;
    return right === 'admin' && overdue(this.keyOf(hex(kidOf(sized(ed, 32))))?.user ?? '') ? null : right;
  }

  headAt(seq: number): Uint8Array | null {
    return this.heads.get(seq) ?? null;
  }

  /** This memory of an earlier visit must not contradict what is shown now. */
  checkMemory(memory: { seq: number; head: string } | null): void {
    if (!memory) return;
    if (this.seq < memory.seq) reject('directory_rollback', `${this.seq} < ${memory.seq}`);
    const own = this.headAt(memory.seq);
    if (own ? hex(own) !== memory.head : memory.seq >= this.base) reject('directory_fork', String(memory.seq));
  }

  /** Whose key this is or was. */
  keyOf(kid: string): KnownKey | null {
    return this.index.byKid.get(kid) ?? null;
  }

  /** The key if it was active when entry `seq` was the newest. */
  keyAt(kid: string, seq: number): KnownKey | null {
    const k = this.counting(kid);
    return k && within(k, Math.min(seq, this.seq)) ? k : null;
  }

  /** The key if it was active at entry `seq` or later. */
  keySince(kid: string, seq: number): KnownKey | null {
    const k = this.counting(kid);
    return k && (k.to === null || k.to > seq) ? k : null;
  }

  /** The key if it is active now. */
  keyNow(kid: string): KnownKey | null {
    return this.keyAt(kid, this.seq);
  }

  /** Whether a user was in a team when entry `seq` was the newest. */
  inTeamAt(user: string, team: string, seq: number): boolean {
    const at = Math.min(seq, this.seq);
    const w = this.state.waiting?.[user];
    if (w && this.now() <= w.exp && w.from <= at && w.teams.includes(team)) return true;
    return this.known.state.users[user]?.member?.some((m) => m.team === team && within(m, at)) ?? false;
  }

  /** Whether a user was in a team when entry `seq` was the newest, or joined it later. */
  inTeamSince(user: string, team: string, seq: number): boolean {
    const w = this.state.waiting?.[user];
    if (w && this.now() <= w.exp && w.teams.includes(team)) return true;
    return this.known.state.users[user]?.member?.some((m) => m.team === team && (m.to === null || m.to > seq)) ?? false;
  }

  /** Whether a user is in a team now, with an active key. */
  inTeamNow(user: string, team: string): boolean {
    return this.inTeamAt(user, team, this.seq) && this.active(user);
  }

  /** A person's name, also of a waiting person. */
  nameOf(user: string): string | null {
    return (this.state.waiting?.[user] ?? this.state.users[user])?.name ?? null;
  }

  /** Who waits for confirmation, in time or late. */
  waiting(): Waiter[] {
    const { state, unconfirmed, enrolled } = this.known;
    const early = Object.keys(unconfirmed).flatMap((id) => {
      const e = this.early(id);
      const u = state.users[id]!;
      return e ? [{ user: id, ...u, ed: u.keys.at(-1)!.ed, ...e }] : [];
    });
    const waits = Object.entries(state.waiting ?? {}).map(([user, w]) => ({ user, ...w }));
    return [...early, ...waits].map(({ user, name, role, teams, ed, inv, exp }) => {
      const known = enrolled[inv];
      return { user, name, role, teams, ed, inv, exp, at: known?.at ?? null, signer: known?.signer ?? null };
    });
  }

  /** Latest date of an entry, or of the snapshot this began with, ms. */
  get latest(): number {
    return this.known.latest;
  }

  /** The team whose queue a site's conversations enter, by its signed entry. */
  siteTeam(site: string): string | null {
    return this.state.sites[site]?.team ?? null;
  }

  /** The robot that may be a member of a site's new epochs. */
  botOf(site: string): (Bot & { id: string }) | null {
    const id = this.state.sites[site]?.bot;
    const bot = id === undefined ? undefined : this.state.bots?.[id];
    return id !== undefined && bot?.on ? { ...bot, id } : null;
  }

  /** The robot whose key this is, on or off: its messages stay verifiable. */
  botByKid(kid: string): Bot | null {
    return Object.values(this.state.bots ?? {}).find((b) => hex(kidOf(sized(b.ed, 32))) === kid) ?? null;
  }

  /** The team key with this box kid, if it is or was one. */
  teamKey(kid: string): TeamKey | null {
    return this.index.teamKeys.get(kid) ?? null;
  }

  /** The keys that vouched for a site's visitors when entry `seq` was the newest, or later. */
  identityKeys(site: string, seq: number): IdentityKey[] {
    return this.known.identities[site]?.filter((k) => k.to === null || k.to > seq) ?? [];
  }

  /** A team's current key. Rejects if there is no such team or it is off. */
  teamPk(team: string): Uint8Array {
    const t = this.state.teams[team];
    if (!t?.on) return reject('team', team);
    return sized(t.pk, 32);
  }

  /** Names of the people who hold a team's key. */
  people(team: string): string[] {
    const { users, waiting } = this.state;
    return Object.keys({ ...users, ...waiting })
      .filter((id) => this.inTeamNow(id, team))
      .map((id) => this.nameOf(id)!);
  }

  private active(user: string): boolean {
    const k = this.index.byUser.get(user);
    return k !== undefined && !this.over(k);
  }

  private over(k: KnownKey): boolean {
    return k.exp !== null && this.now() > k.exp;
  }

  private counting(kid: string): KnownKey | null {
    const k = this.keyOf(kid);
    return k && !this.over(k) ? k : null;
  }

  /** An enrolment before the first `rules` entry that was not confirmed in any way. */
  private early(user: string): Known['unconfirmed'][string] | null {
    const e = this.known.unconfirmed[user];
    return e && e.from > this.covered ? e : null;
  }

  private get index(): Index {
    return (this.indexed ??= this.makeIndex());
  }

  private makeIndex(): Index {
    const teamKeys = new Map<string, TeamKey>();
    const byKid = new Map<string, KnownKey>();
    const byUser = new Map<string, KnownKey>();
    const { users, teams, waiting } = this.known.state;
    for (const [team, t] of Object.entries(teams)) {
      for (const k of t.keys!) {
        const pk = sized(k.pk, 32);
        teamKeys.set(hex(boxKid(BoxKind.team, pk)), { ...k, team, pk, current: t.on && k.to === null });
      }
    }
    const add = (
      user: string,
      of: { name: string; role: Role },
      k: { ed: string; x: string; from: number; to: number | null },
      exp: number | null,
    ): void => {
      const ed = sized(k.ed, 32);
      const key = { user, name: of.name, role: of.role, ed, x: sized(k.x, 32), from: k.from, to: k.to, exp };
      byKid.set(hex(kidOf(ed)), key);
      if (k.to === null) byUser.set(user, key);
    };
    for (const [user, u] of Object.entries(users)) {
      const early = this.early(user);
      for (const k of u.keys) add(user, u, k, k.from === early?.from ? early.exp : null);
    }
    for (const [user, w] of Object.entries(waiting ?? {})) add(user, w, { ...w, to: null }, w.exp);
    return { teamKeys, byKid, byUser };
  }
}

const within = (s: { from: number; to: number | null }, seq: number): boolean =>
  s.from <= seq && (s.to === null || seq < s.to);

/** Whether an error means that a false directory is being shown. */
export const isForkAlarm = (e: unknown): boolean =>
  e instanceof Rejected && (e.reason === 'directory_fork' || e.reason === 'directory_rollback');
