/** The directory over time: confirmation, revisions, who was in which team, which key was whose. */
import { beforeEach, describe, expect, it } from 'vitest';
import { DirectorySync, type SyncDeps } from '../src/client/directory-sync';
import { syncFromLog } from '../src/client/log-sync';
import { b64u, hex, unb64u } from '../src/crypto/bytes';
import { replayLog } from '../src/crypto/replay-log';
import { signedOf } from '../src/crypto/signed';
import { BoxKind, boxKid, kidOf } from '../src/crypto/hash';
import { pureBackend } from '../src/crypto/pure';
import { coverage, LIFE_MS, signSnapshot, verifyBundle } from '../src/crypto/snapshot';
import { canonical, readState, type State } from '../src/crypto/state';
import { createHttp } from '../src/link/http';
import { memoryStore } from '../src/storage/store';
import { Company, NOW, SITE, type Person } from './support/company';
import { FakeServer } from './support/server';

const b = pureBackend();
const DAY = 86_400_000;
let co: Company;
let clock: number;
const now = () => clock;
const kid = (p: Person) => hex(kidOf(p.ed.pk));
const teamKid = async (team: string, n: number) =>
  hex(boxKid(BoxKind.team, (await b.boxKey(co.teamSecrets.get(team)![n]!.secret)).pk));
const replay = (entries = co.log) => replayLog(b, co.fp, entries.map(signedOf), now);
const snapshotState = () => JSON.parse(new TextDecoder().decode(unb64u(co.snapshot!.raw))).state as State;
/** Why the entry that was added last is refused; 'valid' if it isn't. */
const why = async (log = co.log) => {
  const dir = await replay(log.slice(0, -1));
  const before = canonical(dir.state);
  const reason = await dir.apply(b, signedOf(log.at(-1)!)).then(
    () => 'valid',
    (e: { reason?: string }) => e.reason,
  );
  if (reason !== 'valid') expect([canonical(dir.state), dir.seq]).toEqual([before, log.length - 2]);
  return reason;
};
/** Takes back what was tried. */
const refused = async (add: () => Promise<unknown>) => {
  await add();
  const reason = await why();
  co.log.pop();
  return reason;
};

beforeEach(async () => {
  clock = NOW;
  co = await Company.create(b, undefined, 2);
});

describe('confirmation', () => {
  it('who enrols acts like everybody else until their invite ends, then waits; a confirmation reaches back to the enrolment', async () => {
    const li = await co.enrol('li', 'agent', ['svc'], { exp: NOW + DAY });
    const enrolled = co.log.length - 1;
    await co.team('vip');
    let dir = await replay();
    expect(dir.state.users.li).toBeUndefined();
    expect(dir.state.waiting!.li).toMatchObject({
      name: 'Name of li',
      role: 'agent',
      teams: ['svc'],
      from: enrolled,
      exp: NOW + DAY,
      inv: li.inv,
    });
    const seen = () => [
      dir.keyNow(kid(li))?.user,
      dir.keyAt(kid(li), enrolled)?.user,
      dir.keyAt(kid(li), enrolled - 1),
      dir.inTeamAt('li', 'svc', enrolled),
      dir.inTeamNow('li', 'svc'),
      dir.people('svc').includes('Name of li'),
    ];
    expect(seen()).toEqual(['li', 'li', null, true, true, true]);
    clock = NOW + DAY;
    expect(dir.keyNow(kid(li))?.exp, 'the last moment counts').toBe(NOW + DAY);
    clock++;
    expect(seen()).toEqual([undefined, undefined, null, false, false, false]);
    expect([dir.keyOf(kid(li))?.user, dir.nameOf('li')]).toEqual(['li', 'Name of li']);
    expect(dir.waiting()).toEqual([
      expect.objectContaining({ user: 'li', inv: li.inv, at: NOW, signer: b64u(co.admin.ed.pk), exp: NOW + DAY }),
    ]);
    await co.confirm(li);
    dir = await replay();
    expect(seen()).toEqual(['li', 'li', null, true, true, true]);
    expect(dir.keyNow(kid(li))?.exp).toBeNull();
    expect(dir.waiting()).toEqual([]);
    expect(dir.state.users.li!.member).toEqual([{ team: 'svc', from: enrolled, to: null }]);
    expect(canonical(dir.state)).not.toContain('waiting');
    expect(dir.people('svc')).toEqual(['Name of zhao', 'Name of li']);
  });

  it('one late enrolment stops nobody: the log is valid at every later time, for visitors, too', async () => {
    await co.renew();
    const li = await co.enrol('li', 'agent', ['svc'], { exp: NOW - 1 });
    const wang = await co.enrol('wang', 'agent', ['svc'], { exp: NOW + 400 * DAY });
    for (const later of [0, DAY, 20 * DAY]) {
      clock = NOW + later;
      const { directory } = await verifyBundle(b, co.fp, co.site().directory, now);
      for (const dir of [await replay(), directory])
        expect([dir.keyNow(kid(li)), dir.keyNow(kid(wang))?.user]).toEqual([null, 'wang']);
    }
  });

  it('who may confirm: root, an admin; nobody who waits, no agent, nobody themself', async () => {
    const li = await co.enrol('li', 'agent', ['svc']);
    const wang = await co.enrol('wang', 'agent', ['svc']);
    const chen = await co.enrol('chen', 'admin', ['svc']);
    expect(await refused(() => co.confirm(li, li.ed))).toBe('own_confirmation');
    expect(await refused(() => co.confirm(li, wang.ed))).toBe('signer');
    expect(await refused(() => co.confirm(li, chen.ed)), 'an admin who waits signs nothing for the company').toBe(
      'signer',
    );
    expect(await refused(() => co.team('vip').then(() => co.add({ t: 'revoke', inv: li.inv }, chen.ed)))).toBe(
      'signer',
    );
    co.log.pop();
    expect(await refused(() => co.confirm({ ...li, ed: wang.ed }))).toBe('not_waiting');
    expect(await refused(() => co.confirm({ ...li, user: 'nobody' }))).toBe('not_waiting');
    expect(await refused(() => co.confirm(li, co.root))).toBe('valid');
    await co.confirm(li);
    expect(await refused(() => co.confirm(li)), 'twice').toBe('not_waiting');
    await co.confirm(wang);
    expect(await refused(() => co.confirm(chen, wang.ed)), 'an agent').toBe('signer');
    await co.confirm(chen);
    expect(await refused(() => co.add({ t: 'revoke', inv: li.inv }, chen.ed))).toBe('valid');
  });

  it('an admin confirms themself only if the log shows that they are in time', async () => {
    const chen = await co.enrol('chen', 'admin', ['svc'], { exp: NOW + DAY });
    expect(await refused(() => co.confirm(chen, chen.ed, NOW + DAY))).toBe('valid');
    expect(await refused(() => co.confirm(chen, chen.ed, NOW + DAY + 1)), 'their own date').toBe('own_confirmation');
    await co.add({ t: 'agent', user: 'zhao', on: true, at: NOW + DAY + 1 }, co.root);
    expect(await refused(() => co.confirm(chen, chen.ed, NOW)), 'dated back').toBe('own_confirmation');
    expect(await refused(() => co.confirm(chen, co.admin.ed, NOW)), 'somebody else').toBe('valid');
  });

  it('for a reader who began with a snapshot its date is one before', async () => {
    const chen = await co.enrol('chen', 'admin', ['svc'], { exp: NOW + DAY });
    for (const [at, reason] of [
      [NOW + DAY, 'valid'],
      [NOW + DAY + 1, 'own_confirmation'],
    ] as const) {
      clock = at;
      await co.renew(at + LIFE_MS, co.admin.ed, at);
      await co.confirm(chen, chen.ed, NOW);
      const got = await verifyBundle(b, co.fp, co.site().directory, now).then(
        () => 'valid',
        (e: { reason?: string }) => e.reason,
      );
      co.log.pop();
      expect(got).toBe(reason);
    }
  });

  it('what waits is changed and removed by `agent`; the user from before stays as they were', async () => {
    let li = await co.enrol('li', 'agent', ['svc']);
    await co.confirm(li);
    await co.add({ t: 'agent', user: 'li', on: false });
    const off = (await replay()).state.users.li;
    li = await co.enrol('li', 'agent', ['svc']);
    const from = co.log.length - 1;
    expect(await refused(() => co.enrol('li', 'agent', ['svc']))).toBe('user_active');
    await co.add({ t: 'agent', user: 'li', on: true, teams: ['vip', 'svc'], name: 'Li' });
    expect(await refused(() => co.add({ t: 'agent', user: 'li', on: true, role: 'admin' }))).toBe('root_only');
    let dir = await replay();
    expect(dir.state.users.li).toEqual(off);
    expect(dir.state.waiting!.li).toMatchObject({ name: 'Li', teams: ['vip', 'svc'] });
    expect(dir.inTeamAt('li', 'vip', from)).toBe(true);
    const mark = co.log.length;
    await co.confirm(li);
    dir = await replay();
    expect(dir.state.users.li!.member!.filter((m) => m.to === null)).toEqual([
      { team: 'vip', from, to: null },
      { team: 'svc', from, to: null },
    ]);
    expect(dir.state.users.li).toMatchObject({
      name: 'Li',
      on: true,
      keys: [{ to: expect.any(Number) }, { from, to: null }],
    });
    co.log.length = mark;
    await co.add({ t: 'agent', user: 'li', on: false });
    dir = await replay();
    expect(dir.state.users.li).toEqual(off);
    expect([dir.state.waiting, dir.keyOf(kid(li))]).toEqual([undefined, null]);
    expect(await refused(() => co.confirm(li))).toBe('not_waiting');
  });

  it("a robot can't take the key of somebody who waits", async () => {
    const li = await co.enrol('li', 'agent', ['svc']);
    expect(await refused(() => co.add({ t: 'bot', id: 'r', name: 'R', ed: b64u(li.ed.pk), on: true }))).toBe('bot_key');
  });
});

describe('before the first `rules` entry', () => {
  beforeEach(async () => {
    co = await Company.create(b);
  });

  it('older states keep their bytes', async () => {
    await co.enrol('li', 'agent', ['svc']);
    const { state } = await replay();
    expect(Object.keys(state.users.li!).sort()).toEqual(['keys', 'name', 'on', 'role', 'teams']);
    expect(Object.keys(state.teams.svc!).sort()).toEqual(['epoch', 'name', 'on', 'pk']);
    expect(canonical(state)).not.toMatch(/"(rules|waiting|member)"/);
  });

  it('an enrolment that nobody covered counts until its invite ends; root or an admin confirm it by a snapshot, nobody else', async () => {
    const li = await co.enrol('li', 'agent', ['svc'], { exp: NOW + DAY });
    const plain = await replay();
    const by = async (who: Person['ed']) => signSnapshot(plain, NOW, NOW + DAY, who);
    clock = NOW + 2 * DAY;
    const seen = async (j: Parameters<typeof coverage>[2]) => {
      const dir = await replay();
      dir.cover(await coverage(b, dir, j));
      return dir.keyNow(kid(li))?.user ?? null;
    };
    expect(await seen(null)).toBeNull();
    expect(await seen(co.snapshot), 'the snapshot from before').toBeNull();
    expect(await seen(await by(li.ed))).toBeNull();
    expect(await seen(await by(co.admin.ed)), 'an expired one will do').toBe('li');
    expect(await seen(await by(co.root))).toBe('li');
    const forged = { ...(await by(co.admin.ed)), sig: co.snapshot!.sig };
    expect(await seen(forged), 'a server may claim any').toBeNull();
  });

  it('an admin on an invite that the log shows to be over covers not even themself', async () => {
    await co.add({ t: 'revoke', inv: co.admin.inv, at: NOW + 2 * DAY });
    const old = await co.enrol('old', 'admin', ['svc'], { exp: NOW + DAY, at: NOW });
    clock = NOW + 3 * DAY;
    const dir = await replay();
    expect(await coverage(b, dir, await signSnapshot(dir, clock, clock + DAY, old.ed))).toBe(-1);
    expect(await coverage(b, dir, await signSnapshot(dir, clock, clock + DAY, co.admin.ed))).toBe(dir.seq);
    expect(dir.authority(b64u(old.ed.pk))).toBeNull();
    dir.cover(dir.seq);
    expect(dir.authority(b64u(old.ed.pk)), 'an admin answers for them').toBe('admin');
  });

  it('`rules` confirms whom it does not name and makes the others wait, as if they always had', async () => {
    let wang = await co.enrol('wang', 'agent', ['svc']);
    await co.add({ t: 'agent', user: 'wang', on: false });
    const before = (await replay()).state.users.wang!;
    const li = await co.enrol('li', 'agent', ['svc']);
    wang = await co.enrol('wang', 'agent', ['vip']);
    const from = co.log.length - 1;
    await co.add({ t: 'agent', user: 'wang', on: true, teams: ['vip', 'svc'] });
    await co.revise([wang.inv]);
    clock = NOW + DAY;
    let dir = await replay();
    expect([dir.keyNow(kid(li))?.user, dir.keyNow(kid(wang))]).toEqual(['li', null]);
    expect(dir.state.users.wang).toMatchObject(before);
    expect(dir.state.waiting).toEqual({
      wang: expect.objectContaining({ teams: ['vip', 'svc'], from, inv: wang.inv }),
    });
    await co.confirm(wang);
    dir = await replay();
    expect(dir.keyAt(kid(wang), from)?.user).toBe('wang');
    expect(dir.state.users.wang!.member!.filter((m) => m.to === null)).toEqual([
      { team: 'vip', from, to: null },
      { team: 'svc', from, to: null },
    ]);
  });

  it('nobody waits there, and only root takes an admin back', async () => {
    const li = await co.enrol('li', 'agent', ['svc']);
    expect(await refused(() => co.confirm(li))).toBe('not_waiting');
    const chen = await co.enrol('chen', 'admin', ['svc']);
    expect(await refused(() => co.revise([chen.inv]))).toBe('root_only');
    expect(await refused(() => co.revise([chen.inv], co.root))).toBe('valid');
    expect(await refused(() => co.revise([li.inv]))).toBe('valid');
  });
});

describe('revisions', () => {
  it('hold from their entry on; only a higher one follows, by root or an admin', async () => {
    co = await Company.create(b);
    const li = await co.enrol('li', 'agent', ['svc']);
    expect((await replay()).rev).toBe(1);
    expect(await refused(() => co.add({ t: 'rules', rev: 1, late: [] }))).toBe('rules_rev');
    expect(await refused(() => co.add({ t: 'rules', rev: 2 }))).toBe('json');
    expect(await refused(() => co.revise([], li.ed))).toBe('signer');
    await co.revise([], co.root);
    const from = co.log.length - 1;
    expect(await refused(() => co.revise())).toBe('rules_rev');
    await co.team('svc');
    const dir = await replay();
    expect([dir.rev, dir.revisionAt(from - 1), dir.revisionAt(from), dir.revisionAt(from + 1)]).toEqual([2, 1, 2, 2]);
    expect(dir.siteTeam(SITE)).toBe('svc');
    expect(dir.siteTeam('none')).toBeNull();
  });

  it('spans reach back to the genesis, stand in snapshots, and survive them', async () => {
    co = await Company.create(b);
    const li = await co.enrol('li', 'agent', ['svc']);
    const s = co.log.length - 1;
    await co.add({ t: 'agent', user: 'li', on: true, teams: ['vip', 'svc'] });
    await co.team('svc');
    await co.add({ t: 'agent', user: 'li', on: true, teams: ['vip'] });
    await co.revise();
    await co.add({ t: 'agent', user: 'li', on: false });
    await co.add({ t: 'agent', user: 'li', on: true }); // names no teams: in none
    await co.renew();
    const state = snapshotState();
    expect(state.users.li!.member).toEqual([
      { team: 'svc', from: s, to: s + 3 },
      { team: 'vip', from: s + 1, to: s + 5 },
    ]);
    expect(state.teams.svc!.keys).toMatchObject([
      { epoch: 1, to: s + 2 },
      { epoch: 2, from: s + 2, to: null },
    ]);
    expect(canonical(readState(state))).toBe(canonical(state));
    const { directory } = await verifyBundle(b, co.fp, co.site().directory, now);
    for (const dir of [await replay(), directory]) {
      expect([s - 1, s, s + 2, s + 3].map((at) => dir.inTeamAt('li', 'svc', at))).toEqual([false, true, true, false]);
      expect([s, s + 1, s + 4, s + 5].map((at) => dir.inTeamAt('li', 'vip', at))).toEqual([false, true, true, false]);
      expect(dir.inTeamNow('li', 'vip')).toBe(false);
      expect(dir.keyAt(kid(li), s + 4)?.user).toBe('li');
      expect(dir.keyNow(kid(li))).toBeNull();
      expect(dir.teamKey(await teamKid('svc', 0))).toMatchObject({
        team: 'svc',
        epoch: 1,
        from: expect.any(Number),
        to: s + 2,
        current: false,
      });
      expect(dir.teamKey(await teamKid('svc', 1))).toMatchObject({ epoch: 2, from: s + 2, to: null, current: true });
    }
  });

  it('a reader who began with a snapshot without spans takes what it says for valid since 0', async () => {
    co = await Company.create(b);
    const li = await co.enrol('li', 'agent', ['svc']);
    await co.renew();
    const base = co.log.length - 1;
    await co.team('svc');
    await co.add({ t: 'agent', user: 'li', on: true, teams: ['vip'] });
    const { directory: dir } = await verifyBundle(b, co.fp, co.site().directory, now);
    expect([0, base + 1, base + 2].map((at) => dir.inTeamAt('li', 'svc', at))).toEqual([true, true, false]);
    expect(dir.inTeamNow('li', 'vip')).toBe(true);
    expect(dir.teamKey(await teamKid('svc', 0))).toMatchObject({ from: 0, to: base + 1 });
    clock = NOW + DAY;
    expect(dir.keyNow(kid(li))?.user, 'the snapshot covers them').toBe('li');
  });
});

describe('the directory of a page', () => {
  let server: FakeServer;
  let deps: SyncDeps & { alarms: string[]; changes: number };

  beforeEach(async () => {
    await co.renew();
    server = new FakeServer(co);
    const alarms: string[] = [];
    deps = {
      backend: b,
      store: memoryStore(),
      http: createHttp('https://kefu.example', server.env()),
      now,
      alarms,
      changes: 0,
      onChange: () => deps.changes++,
      onAlarm: (e) => alarms.push(e.key),
    };
  });
  const ofVisitor = () => DirectorySync.fromBundle(deps, co.fp, co.site().directory);

  it('a snapshot ends while the page is open; a newer one is taken, an older, forged or foreign one is not', async () => {
    const sync = await ofVisitor();
    const agents = await syncFromLog(deps, co.fp);
    const until = NOW + LIFE_MS;
    expect([sync.life.until, sync.fresh(until), sync.fresh(until + 1)]).toEqual([until, true, false]);
    expect(agents.fresh(until + 1), 'an agent holds the whole log').toBe(true);
    await co.renew(NOW + DAY);
    await sync.refresh(clock);
    expect(sync.life.until).toBe(until);
    const li = await co.enrol('li', 'agent', ['svc']);
    await co.confirm(li);
    await co.renew(NOW + 2 * LIFE_MS, li.ed);
    await sync.refresh(clock);
    expect([sync.life.until, sync.directory.seq]).toEqual([until, co.log.length - 1]);
    clock = until + 1;
    await co.renew(clock + LIFE_MS, co.admin.ed, clock);
    await sync.refresh(clock);
    expect([sync.life.until, sync.fresh(clock)]).toEqual([clock + LIFE_MS, true]);
    expect(deps.alarms).toEqual([]);
  });

  it('a snapshot of a longer log than is shown is an alarm', async () => {
    const sync = await ofVisitor();
    await co.team('svc');
    await co.renew(NOW + 2 * LIFE_MS);
    server.entries = () => [];
    await expect(sync.refresh(clock)).rejects.toMatchObject({ key: 'error.directory_fork' });
    expect(deps.alarms).toEqual(['error.directory_fork']);
    expect(sync.life.until).toBe(NOW + LIFE_MS);
  });

  it('a late enrolment is taken in and changes nothing for the others', async () => {
    const sync = await ofVisitor();
    const li = await co.enrol('li', 'agent', ['svc'], { exp: NOW - DAY });
    await sync.refresh(clock);
    expect([deps.alarms, deps.changes, sync.directory.keyNow(kid(li))]).toEqual([[], 1, null]);
    expect(sync.directory.keyNow(kid(co.admin))?.user).toBe('zhao');
  });
});
