/** What an admin's console signs by itself, what it asks about, and what people who wait for confirmation see. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { hex, unb64u } from '../src/crypto/bytes';
import { kidOf } from '../src/crypto/hash';
import { Code } from '../src/proto';
import { rest, until } from './support/clients';
import { NOW, type Person } from './support/company';
import { agent, begin, co, li, server } from './support/world';

const DAY = 86_400_000;
const said = () => co.log.map((e) => JSON.parse(new TextDecoder().decode(unb64u(e.raw))) as Record<string, unknown>);
const types = () => said().map((e) => e.t);
const tell = () => server.peers.forEach((p) => p.s.say({ t: 'directory', seq: co.log.length - 1 }));
const covered = () => (JSON.parse(new TextDecoder().decode(unb64u(co.snapshot!.raw))) as { seq: number }).seq;
const active = async (p: Person) => (await co.directory()).keyNow(hex(kidOf(p.ed.pk))) !== null;
/** Bodies of `POST /directory`, in order. */
let posts: Record<string, unknown>[];

beforeEach(() => {
  posts = [];
  server.routes.set('/directory', (body) => {
    posts.push(body);
    return co.accept(body);
  });
  server.routes.set('/snapshot', (body) => {
    co.snapshot = body as never;
    return {};
  });
});

describe("an admin's console", () => {
  it('says once that revision 2 holds, and names who enrolled late and is covered by nobody', async () => {
    const late = await co.enrol('late', 'agent', ['svc'], { exp: NOW - 1 });
    const intime = await co.enrol('intime', 'agent', ['svc'], { exp: NOW + DAY });
    const a = await agent(co.admin);
    await until(() => types().includes('rules'));
    await rest();
    expect(posts).toHaveLength(1);
    expect(said().at(-1)).toMatchObject({ t: 'rules', rev: 2, late: [late.inv], at: expect.any(Number) });
    expect(covered()).toBe(co.log.length - 1);
    expect([await active(li), await active(intime), await active(late)]).toEqual([true, true, false]);
    expect(a.client.waiting.value).toEqual([
      { user: 'late', name: 'Name of late', teams: ['svc'], at: NOW, until: NOW - 1, invitedBy: 'Name of zhao' },
    ]);
    tell();
    await rest();
    expect(posts).toHaveLength(1);
  });

  it('signs nothing over an admin who enrolled late before anybody could be confirmed: a person is asked', async () => {
    const boss = await co.enrol('boss', 'admin', ['svc'], { exp: NOW - 1 });
    const late = await co.enrol('late', 'agent', ['svc'], { exp: NOW - 1 });
    const before = co.snapshot;
    const a = await agent(co.admin);
    await rest();
    expect([posts, co.snapshot]).toEqual([[], before]);
    expect(a.client.waiting.value.map((w) => w.user)).toEqual(['boss', 'late']);
    await expect(a.client.confirm('late')).rejects.toMatchObject({ key: 'error.forbidden' });
    await a.client.confirm('boss');
    expect(said().at(-1)).toMatchObject({ t: 'rules', late: [late.inv] });
    expect([await active(boss), await active(late), covered()]).toEqual([true, false, co.log.length - 1]);
    await a.client.confirm('late');
    expect([said().at(-1)!.t, await active(late)]).toEqual(['confirm', true]);
  });

  it('goes on by itself once root switched such an admin off', async () => {
    await co.enrol('boss', 'admin', ['svc'], { exp: NOW - 1 });
    await agent(co.admin);
    await rest();
    await co.add({ t: 'agent', user: 'boss', on: false }, co.root);
    tell();
    await until(() => types().includes('rules'));
    expect(posts).toHaveLength(1);
  });

  it('confirms by itself who enrolled in time, and only those', async () => {
    await co.revise();
    await co.renew();
    await agent(co.admin);
    await rest();
    expect(posts).toEqual([]);
    await co.enrol('wang', 'agent', ['svc'], { exp: NOW + DAY });
    await co.enrol('late', 'agent', ['svc'], { exp: NOW - 1 });
    await co.enrol('chen', 'admin', ['svc'], { exp: NOW + DAY });
    tell();
    await until(() => posts.length > 0);
    await rest();
    expect(
      said()
        .slice(-2)
        .map(({ t, user }) => [t, user]),
    ).toEqual([
      ['confirm', 'wang'],
      ['confirm', 'chen'],
    ]);
    expect(covered(), 'one request').toBe(co.log.length - 1);
    expect(posts).toHaveLength(1);
    expect(Object.keys((await co.directory()).state.waiting!)).toEqual(['late']);
  });

  it('does it again when somebody else was faster', async () => {
    await co.revise();
    await co.renew();
    const wang = await co.enrol('wang', 'agent', ['svc'], { exp: NOW + DAY });
    let first = true;
    server.routes.set('/directory', async (body) => {
      posts.push(body);
      if (first) await co.team('vip');
      first = false;
      return co.accept(body);
    });
    await agent(co.admin);
    await until(() => types().at(-1) === 'confirm');
    await rest();
    expect(posts).toHaveLength(2);
    expect(await active(wang)).toBe(true);
  });

  it('a server that takes what is sent and shows none of it is not asked for ever', async () => {
    await co.revise();
    await co.renew();
    await co.enrol('wang', 'agent', ['svc'], { exp: NOW + DAY });
    server.routes.set('/directory', (body) => ({ n: posts.push(body) }));
    await agent(co.admin);
    await rest(5_000);
    expect(posts).toHaveLength(1);
  });

  it('asks about those who are late; confirmed by a person they are as if they had been in time', async () => {
    await co.revise();
    const late = await co.enrol('late', 'agent', ['svc'], { exp: NOW - 1 });
    const root = await co.enrol('boss', 'admin', ['svc'], { exp: NOW - 1, at: NOW - 2 });
    await co.renew();
    const a = await agent(co.admin);
    await rest();
    expect(posts).toEqual([]);
    expect(a.client.waiting.value.map((w) => [w.user, w.invitedBy])).toEqual([
      ['late', 'Name of zhao'],
      ['boss', null],
    ]);
    await a.client.confirm('late');
    expect(await active(late)).toBe(true);
    expect(covered()).toBe(co.log.length - 1);
    await until(() => a.client.waiting.value.length === 1);
    await a.client.confirm(root.user);
    await expect(a.client.confirm('late'), 'nobody waits any more').rejects.toMatchObject({ key: 'error.conflict' });
    const plain = await agent(li);
    await expect(plain.client.confirm('late')).rejects.toMatchObject({ key: 'error.forbidden' });
    expect(posts).toHaveLength(2);
  });

  it('a refusal is said, and nothing is confirmed', async () => {
    await co.revise();
    const late = await co.enrol('late', 'agent', ['svc'], { exp: NOW - 1 });
    await co.renew();
    const a = await agent(co.admin);
    await rest();
    server.routes.set('/directory', () => Promise.reject(Code.storage));
    await expect(a.client.confirm('late')).rejects.toMatchObject({ key: 'error.storage' });
    expect(await active(late)).toBe(false);
  });
});

describe('who waits', () => {
  it('an admin whom root invited confirms themself at once, then does what an admin does', async () => {
    await co.revise();
    await co.renew();
    const chen = await co.enrol('chen', 'admin', ['svc'], { exp: NOW + DAY });
    const wang = await co.enrol('wang', 'agent', ['svc'], { exp: NOW + DAY });
    const a = await agent(chen);
    await until(() => posts.length === 2);
    await rest();
    expect(
      said()
        .slice(-2)
        .map(({ t, user }) => [t, user]),
    ).toEqual([
      ['confirm', 'chen'],
      ['confirm', 'wang'],
    ]);
    expect(
      posts.map((p) => 'snapshot' in p),
      'who waits signs no snapshot',
    ).toEqual([false, true]);
    expect([await active(chen), await active(wang), a.client.session.value]).toEqual([true, true, 'signed-in']);
  });

  it('the first admin of a company says that revision 2 holds, which confirms them, too', async () => {
    await agent(co.admin);
    await until(() => posts.length === 1);
    vi.setSystemTime(NOW + 400 * DAY);
    expect((await co.directory()).waiting()).toEqual([]);
  });

  it('an agent works until the invite ends, then is told so; colleagues see that they wait and go on', async () => {
    await co.revise();
    await co.renew();
    const wang = await co.enrol('wang', 'agent', ['svc'], { exp: NOW + 10_000 });
    const mine = await agent(li);
    const a = await agent(wang);
    expect([a.client.session.value, a.client.me.value?.name, a.client.notices.value]).toEqual([
      'signed-in',
      'Name of wang',
      [],
    ]);
    expect(mine.client.waiting.value).toEqual([expect.objectContaining({ user: 'wang', until: NOW + 10_000 })]);
    await until(() => a.client.session.value === 'signed-out');
    expect(Date.now()).toBeGreaterThan(NOW + 10_000);
    expect(a.client.connection.value.reason).toBe('error.unconfirmed');
    expect(a.client.notices.value.map((n) => n.key)).toEqual(['error.unconfirmed']);
    expect(mine.client.session.value).toBe('signed-in');
    expect(mine.client.trust.value.mode).toBe('pinned');
  });

  it('has a name for visitors, too', async () => {
    await co.revise();
    await co.renew();
    await co.enrol('wang', 'agent', ['svc'], { exp: NOW + DAY });
    const v = await begin();
    const thread = v.client.thread.value!;
    server.own(thread.id, 'agent:wang', 'take');
    await until(() => thread.agentName.value === 'Name of wang');
    expect(thread.members.value.people).toContain('Name of wang');
  });

  it('one who comes back late is told so, also when the server shows them out', async () => {
    await co.revise();
    const wang = await co.enrol('wang', 'agent', ['svc'], { exp: NOW + 10_000 });
    const a = await agent(wang);
    vi.setSystemTime(NOW + 10_001);
    server.cut(4501);
    await until(() => a.client.session.value === 'signed-out');
    expect(a.client.notices.value.map((n) => n.key)).toEqual(['error.unconfirmed']);
  });
});
