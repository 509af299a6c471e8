/** A company made up for tests: root, admins, agents, teams, a site; its directory as the server would hand it out. */
import type { Backend, BoxKey, SigningKey } from '../../src/crypto/backend';
import { b64u, hex, random, unb64u, utf8 } from '../../src/crypto/bytes';
import type { Directory } from '../../src/crypto/directory';
import { replayLog } from '../../src/crypto/replay-log';
import { signedOf } from '../../src/crypto/signed';
import { entryHash, fingerprint } from '../../src/crypto/hash';
import { printCode } from '../../src/crypto/invite';
import { inviteKeys } from '../../src/crypto/invite';
import { sealTeamKey } from '../../src/crypto/keyring';
import { claimHash, readJson } from '../../src/crypto/rules';
import { signSnapshot, verifySnapshot } from '../../src/crypto/snapshot';
import { Code, type DayKeyJson, type SignedJson, type SiteReply, type TeamBox } from '../../src/proto';

export const NOW = 1_790_000_000_000;
export const SITE = 'shop';

export interface Person {
  user: string;
  ed: SigningKey;
  x: BoxKey;
  /** The invite they used, b64u. */
  inv: string;
}

export class Company {
  readonly log: SignedJson[] = [];
  readonly teamSecrets = new Map<string, { epoch: number; secret: Uint8Array }[]>();
  root!: SigningKey;
  fp!: Uint8Array;
  admin!: Person;
  snapshot: SignedJson | null = null;

  /** The robot's signing key and today's box key, if the company has one. */
  robot: { ed: SigningKey; day: BoxKey; at: number } | null = null;
  /** Served instead of the right day key. */
  offer: DayKeyJson | null = null;

  private constructor(readonly b: Backend) {}

  /**
   * With an admin `zhao`, teams `svc` and `vip`, and a site. `opaque`: public key of the login server, b64u. `rev`: 2 for one that
   * signs at once that revision 2 of the rules of readers holds; `revise` does it later.
   */
  static async create(b: Backend, opaque?: string, rev: 1 | 2 = 1): Promise<Company> {
    const c = new Company(b);
    c.root = await b.newSigningKey();
    c.fp = fingerprint(c.root.pk);
    const key = async () => b64u((await b.newBoxKey()).pk);
    await c.add(
      {
        t: 'genesis',
        org: 'Bank',
        root: b64u(c.root.pk),
        recovery: await key(),
        opaque: opaque ?? (await key()),
        suite: 1,
      },
      c.root,
    );
    c.admin = await c.enrol('zhao', 'admin', ['svc']);
    if (rev === 2) await c.revise();
    await c.team('svc');
    await c.team('vip');
    await c.add({ t: 'site', id: SITE, name: 'Shop', origins: ['https://shop.example'], team: 'svc', on: true });
    await c.renew();
    return c;
  }

  /** Certifies a robot and names it on the site. */
  async robotOn(): Promise<void> {
    const ed = await this.b.newSigningKey();
    this.robot = { ed, day: await this.b.newBoxKey(), at: NOW };
    await this.add({ t: 'bot', id: 'robot', name: '小智', ed: b64u(ed.pk), on: true });
    await this.add({
      t: 'site',
      id: SITE,
      name: 'Shop',
      origins: ['https://shop.example'],
      team: 'svc',
      on: true,
      bot: 'robot',
    });
    await this.renew();
    this.offer = await this.dayKey();
  }

  /** Signed by the robot unless another key is given. */
  async dayKey(over: Record<string, unknown> = {}, by: SigningKey = this.robot!.ed): Promise<DayKeyJson> {
    const { day, at } = this.robot!;
    const raw = utf8(
      JSON.stringify({
        v: 1,
        org: hex(this.fp),
        bot: 'robot',
        x: b64u(day.pk),
        at,
        until: at + 48 * 3_600_000,
        ...over,
      }),
    );
    return { raw: b64u(raw), sig: b64u(await by.sign('bot', raw)) };
  }

  private get head(): Uint8Array {
    const last = this.log.at(-1);
    if (!last) return new Uint8Array(32);
    const s = signedOf(last);
    return entryHash(s.raw, s.signer, s.sig);
  }

  /** Signs and appends, by the admin unless another key is given. Nothing is checked: clients do that. */
  async add(body: Record<string, unknown>, by: SigningKey = this.admin.ed): Promise<void> {
    const raw = utf8(JSON.stringify({ v: 1, seq: this.log.length, prev: hex(this.head), at: NOW, ...body }));
    this.log.push({ raw: b64u(raw), signer: b64u(by.pk), sig: b64u(await by.sign('dir', raw)) });
  }

  async team(id: string): Promise<void> {
    const keys = this.teamSecrets.get(id) ?? [];
    const secret = random(32);
    keys.push({ epoch: keys.length + 1, secret });
    this.teamSecrets.set(id, keys);
    await this.add({
      t: 'team',
      id,
      name: `Team ${id}`,
      epoch: keys.length,
      pk: b64u((await this.b.boxKey(secret)).pk),
      on: true,
    });
  }

  private async cert(
    user: string,
    role: string,
    teams: string[],
    inv: { sign: SigningKey; box: BoxKey },
    exp = NOW + 1000,
    by = role === 'admin' ? this.root : this.admin.ed,
  ) {
    const fields = {
      v: 1,
      org: hex(this.fp),
      user,
      role,
      name: `Name of ${user}`,
      teams,
      inv: b64u(inv.sign.pk),
      inv_x: b64u(inv.box.pk),
      exp,
    };
    const raw = utf8(JSON.stringify(fields));
    return { raw, fields, signer: b64u(by.pk), sig: b64u(await by.sign('invite', raw)) };
  }

  /**
   * A person uses an invite that expires at `exp`, at a time that they claim. From revision 2 on they wait until `confirm`.
   * `certBy`: who signed the invite.
   */
  async enrol(
    user: string,
    role: string,
    teams: string[],
    o: { exp?: number; at?: number; certBy?: SigningKey } = {},
  ): Promise<Person> {
    const inv = await inviteKeys(this.b, random(20));
    const [ed, x] = await Promise.all([this.b.newSigningKey(), this.b.newBoxKey()]);
    const cert = await this.cert(user, role, teams, inv, o.exp, o.certBy);
    const claim = await inv.sign.sign('claim', claimHash(cert.raw, ed.pk, x.pk));
    await this.add(
      {
        t: 'enrol',
        user,
        role,
        name: `Name of ${user}`,
        teams,
        ed: b64u(ed.pk),
        x: b64u(x.pk),
        cert: b64u(cert.raw),
        cert_signer: cert.signer,
        cert_sig: cert.sig,
        claim_sig: b64u(claim),
        ...(o.at !== undefined && { at: o.at }),
      },
      ed,
    );
    return { user, ed, x, inv: b64u(inv.sign.pk) };
  }

  /** Revision 2 from here on. Confirms everyone who enrolled before, except by these invites. */
  revise(late: string[] = [], by?: SigningKey): Promise<void> {
    return this.add({ t: 'rules', rev: 2, late }, by);
  }

  async confirm(p: Person, by?: SigningKey, at?: number): Promise<void> {
    await this.add({ t: 'confirm', user: p.user, ed: b64u(p.ed.pk), ...(at !== undefined && { at }) }, by);
  }

  /** What `kefu user add` prints, and what the server keeps of it. */
  async invite(user: string, teams: string[], exp?: number) {
    const secret = random(20);
    const inv = await inviteKeys(this.b, secret);
    const cert = await this.cert(user, 'agent', teams, inv, exp);
    return {
      code: printCode({ secret, org: this.fp }),
      inv: b64u(inv.sign.pk),
      cert: b64u(cert.raw),
      signer: cert.signer,
      sig: cert.sig,
      boxes: await this.boxes(teams, inv.box.pk),
    };
  }

  /** All keys of these teams, sealed to a recipient. */
  async boxes(teams: string[], to: Uint8Array): Promise<TeamBox[]> {
    const out: TeamBox[] = [];
    for (const t of teams)
      for (const k of this.teamSecrets.get(t) ?? []) out.push(await sealTeamKey(this.b, t, k.epoch, k.secret, to));
    return out;
  }

  /** `POST /directory` of a genuine server: all of it or nothing. */
  async accept(body: Record<string, unknown>): Promise<object> {
    const { entries, snapshot } = body as { entries: SignedJson[]; snapshot?: SignedJson };
    const dir = await this.directory();
    if (entries[0] && readJson(signedOf(entries[0]).raw, 16_384).seq !== dir.seq + 1) throw Code.conflict;
    for (const e of entries) await dir.apply(this.b, signedOf(e));
    if (snapshot) await verifySnapshot(this.b, dir, snapshot, Date.now());
    this.log.push(...entries);
    this.snapshot = snapshot ?? this.snapshot;
    return {};
  }

  async directory(entries = this.log): Promise<Directory> {
    return replayLog(this.b, this.fp, entries.map(signedOf), () => NOW);
  }

  async renew(until = NOW + 30 * 86_400_000, by: SigningKey = this.admin.ed, at = NOW): Promise<void> {
    this.snapshot = await signSnapshot(await this.directory(), at, until, by);
  }

  /** `GET /site/<id>`. */
  site(): SiteReply {
    const covered = this.snapshot
      ? (JSON.parse(new TextDecoder().decode(unb64u(this.snapshot.raw))) as { seq: number }).seq
      : -1;
    return {
      org: hex(this.fp),
      site: SITE,
      now: NOW,
      directory: {
        genesis: this.log[0]!,
        admin: this.log[1]!,
        snapshot: this.snapshot,
        tail: this.log.slice(covered + 1),
      },
      form: [{ id: 'name', label: { zh: '称呼', en: 'Name' }, type: 'text', required: false }],
      greeting: { zh: '您好', en: 'Hello' },
      presence: 'open',
      require_secure: false,
      ...(this.offer && { bot: this.offer }),
    };
  }
}
