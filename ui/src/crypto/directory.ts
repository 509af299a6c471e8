/** The signed log of who is who, as a reader holds it: state, head, and the questions others ask. Rules are in `rules.ts`. */
import type { SignedJson } from '../proto';
import type { Backend } from './backend';
import { hex, sized, unb64u } from './bytes';
import { reject, Rejected } from './error';
import { BoxKind, boxKid, entryHash, kidOf } from './hash';
import { applyEntry, genesisState } from './rules';
import { activeKey, type Bot, type Role, type State } from './state';

/** The bytes of a signed JSON. */
export interface Signed {
  raw: Uint8Array;
  signer: Uint8Array;
  sig: Uint8Array;
}

export function signedOf(j: SignedJson): Signed {
  try {
    return { raw: unb64u(j.raw), signer: sized(j.signer, 32), sig: sized(j.sig, 64) };
  } catch (e) {
    return reject('json', String(e));
  }
}

/** A key of an agent, found by its kid. */
export interface KnownKey {
  user: string;
  name: string;
  role: Role;
  ed: Uint8Array;
  x: Uint8Array;
  from: number;
  to: number | null;
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

export class Directory {
  private readonly heads = new Map<number, Uint8Array>();
  private readonly teamKeys = new Map<string, TeamKey>();
  private readonly byKid = new Map<string, KnownKey>();

  private constructor(
    readonly fp: Uint8Array,
    public state: State,
    /** First entry whose hash is known: 0 for a whole log, else that of the snapshot it began with. */
    readonly base: number,
    public seq: number,
    public head: Uint8Array,
  ) {
    this.heads.set(seq, head);
    this.index();
  }

  /** Begins with a genesis that must be by the root key whose fingerprint is `fp`. */
  static async genesis(backend: Backend, fp: Uint8Array, e: Signed): Promise<Directory> {
    return new Directory(fp, await genesisState(backend, fp, e), 0, 0, entryHash(e.raw, e.signer, e.sig));
  }

  /** Begins with a state that somebody vouched for. */
  static fromState(fp: Uint8Array, state: State, seq: number, head: Uint8Array): Directory {
    return new Directory(fp, state, seq, seq, head);
  }

  /** Verifies a whole log. `covered`: highest entry that a snapshot vouches for; its invites may be expired by now. */
  static async replay(backend: Backend, fp: Uint8Array, entries: readonly Signed[], now: number, covered: number): Promise<Directory> {
    if (!entries[0]) return reject('empty');
    const dir = await Directory.genesis(backend, fp, entries[0]);
    for (const e of entries.slice(1)) await dir.apply(backend, e, now, dir.seq < covered);
    return dir;
  }

  /** Verifies the next entry and applies it; rejects without changing anything. */
  async apply(backend: Backend, e: Signed, now: number, covered = false): Promise<void> {
    this.state = await applyEntry(backend, { state: this.state, fp: this.fp, seq: this.seq + 1, prev: this.head, now, covered }, e);
    this.seq++;
    this.head = entryHash(e.raw, e.signer, e.sig);
    this.heads.set(this.seq, this.head);
    this.index();
  }

  /** A copy that can be thrown away, so that several entries are applied together or not at all. */
  fork(): Directory {
    const copy = new Directory(this.fp, this.state, this.base, this.seq, this.head);
    for (const [seq, head] of this.heads) copy.heads.set(seq, head);
    copy.teamKeys.clear();
    for (const [kid, key] of this.teamKeys) copy.teamKeys.set(kid, key);
    return copy;
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
    return this.byKid.get(kid) ?? null;
  }

  /** The key if it was certified when entry `seq` was the newest. */
  keyAt(kid: string, seq: number): KnownKey | null {
    const k = this.byKid.get(kid);
    const at = Math.min(seq, this.seq);
    return k && k.from <= at && (k.to === null || at < k.to) ? k : null;
  }

  /** The key if it was certified at entry `seq` or later. */
  keySince(kid: string, seq: number): KnownKey | null {
    const k = this.byKid.get(kid);
    return k && (k.to === null || k.to > seq) ? k : null;
  }

  /** The robot that may be a member of a site's new epochs. */
  botOf(site: string): (Bot & { id: string }) | null {
    const id = this.state.sites[site]?.bot;
    const bot = id === undefined ? undefined : this.state.bots?.[id];
    return id !== undefined && bot?.on ? { ...bot, id } : null;
  }

  /** The robot whose key this is, on or off: what it said stays verifiable. */
  botByKid(kid: string): Bot | null {
    return Object.values(this.state.bots ?? {}).find((b) => hex(kidOf(sized(b.ed, 32))) === kid) ?? null;
  }

  /** The team key with this box kid, if it is or was one. */
  teamKey(kid: string): TeamKey | null {
    return this.teamKeys.get(kid) ?? null;
  }

  /** A team's current key. Rejects if there is no such team or it is off. */
  teamPk(team: string): Uint8Array {
    const t = this.state.teams[team];
    if (!t?.on) return reject('team', team);
    return sized(t.pk, 32);
  }

  /** Names of the people who hold a team's key. */
  people(team: string): string[] {
    return Object.values(this.state.users)
      .filter((u) => activeKey(u) && u.teams.includes(team))
      .map((u) => u.name);
  }

  private index(): void {
    for (const [id, t] of Object.entries(this.state.teams)) {
      const pk = sized(t.pk, 32);
      const kid = hex(boxKid(BoxKind.team, pk));
      for (const [k, old] of this.teamKeys) {
        if (old.team === id && k !== kid && old.to === null) this.teamKeys.set(k, { ...old, to: this.seq, current: false });
      }
      const known = this.teamKeys.get(kid);
      this.teamKeys.set(kid, {
        team: id,
        epoch: t.epoch,
        pk,
        // what a snapshot holds was made at some time before it
        from: known ? known.from : this.seq === this.base && this.base > 0 ? 0 : this.seq,
        to: null,
        current: t.on,
      });
    }
    this.byKid.clear();
    for (const [user, u] of Object.entries(this.state.users)) {
      for (const k of u.keys) {
        const ed = sized(k.ed, 32);
        this.byKid.set(hex(kidOf(ed)), { user, name: u.name, role: u.role, ed, x: sized(k.x, 32), from: k.from, to: k.to });
      }
    }
  }
}

/** Whether an error means: somebody is shown a false directory. */
export const isForkAlarm = (e: unknown): boolean =>
  e instanceof Rejected && (e.reason === 'directory_fork' || e.reason === 'directory_rollback');

