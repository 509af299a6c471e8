/**
 * The company of the bench, made once: honest people, partners of the server, and their keys. `Log` is its directory in one run, with
 * entries that only these tests write.
 */
import type { BoxKey, SigningKey } from '../../src/crypto/backend';
import { b64u, hex, random, unb64u, utf8 } from '../../src/crypto/bytes';
import { signedOf } from '../../src/crypto/signed';
import { BoxKind, boxKid, entryHash, H } from '../../src/crypto/hash';
import { inviteKeys } from '../../src/crypto/invite';
import type { DayKeyJson, SignedJson, SiteReply, TeamBox } from '../../src/proto';
import { Company, NOW, SITE, type Person } from '../support/company';
import { benchBackend as b } from './backend';

export const DAY_MS = 86_400_000;

export interface Invite {
  sign: SigningKey;
  cert: Uint8Array;
  signer: string;
  sig: string;
  user: string;
  role: string;
  teams: string[];
}

/**
 * `li` (svc) and `wu` (vip) are honest. `qi` (svc) has been, and is dismissed in some runs; `mo` (ops) is with the server, and so
 * is the robot, whose keys it holds. `zhao` is the admin, whose key the server has only where an attack says so.
 */
export interface Cast {
  co: Company;
  li: Person;
  wu: Person;
  qi: Person;
  mo: Person;
  zhao: Person;
  /** How `qi` came in: used long ago. */
  oldInvite: Invite;
  /** Never used, and expired. */
  lateInvite: Invite;
  /** Of who uses it. */
  bo: SigningKey;
  robot: SigningKey;
  day: BoxKey;
  /** A key that nobody certified. */
  mallory: SigningKey;
  malloryBox: BoxKey;
  /** Of the server's own. */
  other: Company;
}

export async function invite(
  co: Company,
  user: string,
  role: string,
  teams: string[],
  exp: number,
  by?: SigningKey,
): Promise<Invite> {
  const inv = await inviteKeys(b, random(20));
  const signer = by ?? (role === 'admin' ? co.root : co.admin.ed);
  const cert = utf8(
    JSON.stringify({
      v: 1,
      org: hex(co.fp),
      user,
      role,
      name: `Name of ${user}`,
      teams,
      inv: b64u(inv.sign.pk),
      inv_x: b64u(inv.box.pk),
      exp,
    }),
  );
  return {
    sign: inv.sign,
    cert,
    signer: b64u(signer.pk),
    sig: b64u(await signer.sign('invite', cert)),
    user,
    role,
    teams,
  };
}

/** Content of an `enrol` entry; `claim` by another key if one is given. */
export async function enrolBody(
  i: Invite,
  ed: Uint8Array,
  x: Uint8Array,
  claim: SigningKey = i.sign,
): Promise<Record<string, unknown>> {
  const { user, role, teams } = i;
  const sig = await claim.sign('claim', H('claim', i.cert, ed, x));
  return {
    t: 'enrol',
    user,
    role,
    name: `Name of ${user}`,
    teams,
    ed: b64u(ed),
    x: b64u(x),
    cert: b64u(i.cert),
    cert_signer: i.signer,
    cert_sig: i.sig,
    claim_sig: b64u(sig),
  };
}

export async function makeCast(): Promise<Cast> {
  const co = await Company.create(b);
  await co.team('ops');
  const person = async (user: string, team: string): Promise<Person> => co.enrol(user, 'agent', [team]);
  const [li, wu, mo] = [await person('li', 'svc'), await person('wu', 'vip'), await person('mo', 'ops')];
  const oldInvite = await invite(co, 'qi', 'agent', ['svc'], NOW + 1_000);
  const qi = { user: 'qi', ed: await b.newSigningKey(), x: await b.newBoxKey(), inv: b64u(oldInvite.sign.pk) };
  await co.add(await enrolBody(oldInvite, qi.ed.pk, qi.x.pk), qi.ed);
  await co.robotOn();
  await co.add({ t: 'rules', rev: 2, late: [] }, co.root);
  await co.renew();
  const lateInvite = await invite(co, 'bo', 'agent', ['svc'], NOW - DAY_MS);
  const other = await Company.create(b);
  // by its root, so that nothing else in it names this company
  await other.renew(undefined, other.root);
  const [mallory, malloryBox] = [await b.newSigningKey(), await b.newBoxKey()];
  return {
    co,
    li,
    wu,
    qi,
    mo,
    zhao: co.admin,
    oldInvite,
    lateInvite,
    bo: await b.newSigningKey(),
    robot: co.robot!.ed,
    day: co.robot!.day,
    mallory,
    malloryBox,
    other,
  };
}

/** Signed so that it follows `entries`; `over` changes its claimed place. */
export async function entryAfter(
  entries: readonly SignedJson[],
  body: Record<string, unknown>,
  by: SigningKey,
): Promise<SignedJson> {
  const last = entries.at(-1);
  const prev = last ? hex(hashOf(last)) : '0'.repeat(64);
  const raw = utf8(JSON.stringify({ v: 1, seq: entries.length, prev, at: Date.now(), ...body }));
  return { raw: b64u(raw), signer: b64u(by.pk), sig: b64u(await by.sign('dir', raw)) };
}

export function hashOf(j: SignedJson): Uint8Array {
  const s = signedOf(j);
  return entryHash(s.raw, s.signer, s.sig);
}

const kids = new Map<string, string>();
/** Box kid of a team's secret. */
export async function kidOfSecret(secret: Uint8Array): Promise<string> {
  const name = hex(secret);
  if (!kids.has(name)) kids.set(name, hex(boxKid(BoxKind.team, (await b.boxKey(secret)).pk)));
  return kids.get(name)!;
}

const SEALED = new Map<string, TeamBox[]>();

/** The directory of one run. The company that was made once stays as it is. */
export class Log {
  readonly co: Company;
  /** What admins' pages signed in this run. */
  readonly posted: SignedJson[] = [];
  private readonly current = new Set<string>();
  private readonly teams: Record<string, string[]> = {
    li: ['svc'],
    wu: ['vip'],
    qi: ['svc'],
    mo: ['ops'],
    zhao: ['svc'],
  };

  private constructor(readonly cast: Cast) {
    const { co } = cast;
    const secrets = new Map([...co.teamSecrets].map(([id, keys]) => [id, [...keys]]));
    this.co = Object.assign(Object.create(Company.prototype) as Company, co, {
      log: [...co.log],
      teamSecrets: secrets,
    });
  }

  static async of(cast: Cast): Promise<Log> {
    const log = new Log(cast);
    await log.learn();
    return log;
  }

  get entries(): SignedJson[] {
    return this.co.log;
  }
  get snapshot(): SignedJson | null {
    return this.co.snapshot;
  }
  set snapshot(s: SignedJson | null) {
    this.co.snapshot = s;
  }
  get fp(): Uint8Array {
    return this.co.fp;
  }
  /** The day key that the site offers. */
  set offer(k: DayKeyJson) {
    this.co.offer = k;
  }

  site(): SiteReply {
    return this.co.site();
  }

  teamsOf(user: string): string[] {
    return this.teams[user] ?? [];
  }

  /** Whether it is the kid of a team's key of now. */
  isCurrent(kid: string): boolean {
    return this.current.has(kid);
  }

  private async learn(): Promise<void> {
    this.current.clear();
    for (const keys of this.co.teamSecrets.values()) this.current.add(await kidOfSecret(keys.at(-1)!.secret));
  }

  /** All keys of the teams of `user`, sealed to them. */
  async boxes(user: string): Promise<TeamBox[]> {
    const person = [this.cast.li, this.cast.wu, this.cast.qi, this.cast.mo, this.cast.zhao].find(
      (p) => p.user === user,
    );
    if (!person) return [];
    const teams = this.teamsOf(user);
    const name = `${hex(person.x.pk)} ${teams.flatMap((t) => this.co.teamSecrets.get(t)!.map((k) => hex(k.secret))).join(' ')}`;
    if (!SEALED.has(name)) SEALED.set(name, await this.co.boxes(teams, person.x.pk));
    return SEALED.get(name)!;
  }

  /** A genuine entry, with the snapshot that an admin signs after it. */
  async add(body: Record<string, unknown>, by: SigningKey = this.cast.zhao.ed): Promise<void> {
    this.entries.push(await entryAfter(this.entries, body, by));
    await this.renew();
  }

  async renew(until = Date.now() + 30 * DAY_MS, at = Date.now()): Promise<void> {
    await this.co.renew(until, this.cast.zhao.ed, at);
  }

  /** As the company does it: their key ends and their team gets a new one. */
  async dismiss(user: 'qi' | 'li'): Promise<void> {
    this.entries.push(await entryAfter(this.entries, { t: 'agent', user, on: false }, this.cast.zhao.ed));
    await this.rotate('svc');
  }

  async rotate(team: string): Promise<void> {
    const keys = this.co.teamSecrets.get(team)!;
    const secret = random(32);
    keys.push({ epoch: keys.length + 1, secret });
    const pk = b64u((await b.boxKey(secret)).pk);
    await this.add({ t: 'team', id: team, name: `Team ${team}`, epoch: keys.length, pk, on: true });
    await this.learn();
  }

  /** An older state of the same log. */
  async before(n: number): Promise<{ entries: SignedJson[]; snapshot: SignedJson }> {
    return this.branch(this.entries.slice(0, n));
  }

  /** Another log of the same company with a snapshot of its own, as only an admin who is with the server can make one. */
  async branch(
    entries: SignedJson[],
    by: SigningKey = this.cast.zhao.ed,
    until = Date.now() + 30 * DAY_MS,
  ): Promise<{ entries: SignedJson[]; snapshot: SignedJson }> {
    const other = Object.assign(Object.create(Company.prototype) as Company, this.co, { log: entries });
    await other.renew(until, by, Date.now());
    return { entries, snapshot: other.snapshot! };
  }

  teamSecret(team: string, epoch?: number): Uint8Array {
    const keys = this.co.teamSecrets.get(team)!;
    return (epoch === undefined ? keys.at(-1)! : keys[epoch - 1]!).secret;
  }
}

/** What the site would answer for another log. */
export function siteFor(log: Log, entries: readonly SignedJson[], snapshot: SignedJson): SiteReply {
  const seq = (JSON.parse(new TextDecoder().decode(unb64u(snapshot.raw))) as { seq: number }).seq;
  return {
    ...log.site(),
    site: SITE,
    directory: { genesis: entries[0]!, admin: entries[1]!, snapshot, tail: entries.slice(seq + 1) },
  };
}
