/** Epochs, trust and what an agent may do, over a server that rotates keys, forks and deceives. */
import { describe, expect, it } from 'vitest';
import { Visitor } from '../src/client/visitor-client';
import { Code, Envelope, Kind } from '../src/proto';
import { memoryStore } from '../src/storage/store';
import { clocks } from '../src/link/clock';
import { lines, rest, stateOf, texts, until, visitorTab } from './support/clients';
import { Company, NOW } from './support/company';
import { FakeServer } from './support/server';
import { agent, b, begin, co, li, messagesSent, open, server, visitor } from './support/world';

describe('epochs', () => {
  const rotate = async () => {
    await co.team('svc');
    await co.renew();
    await server.learnKeys();
  };

  it('a team key replaced while a message is on its way: next epoch, sealed again, same message id', async () => {
    const v = await begin();
    await rotate(); // nobody told the visitor
    const from = server.received.length;
    await v.client.send('under the new key');
    await until(() => stateOf(v.client.thread.value, 'under the new key') === 'sent');
    const sent = server.received.slice(from).map((x) => Envelope.parse(x)!);
    expect(sent.map((e) => [e.kind, e.epoch])).toEqual([
      [Kind.message, 0],
      [Kind.announcement, 1],
      [Kind.message, 1],
    ]);
    expect(sent[2]!.msg).toBe(sent[0]!.msg);
    expect(sent[2]!.ctr).toBe(sent[0]!.ctr);
    const a = await agent();
    const t = a.client.open(v.client.thread.value!.id);
    await until(() => texts(t).length === 2);
    expect(lines(t).some((m) => m.kind === 'broken')).toBe(false);
  });

  it('told of it in time, it changes the epoch before it seals', async () => {
    const v = await begin();
    await rotate();
    for (const p of server.peers) p.s.say({ t: 'directory', seq: co.log.length - 1 });
    await rest();
    const from = server.received.length;
    await v.client.send('lazily');
    await until(() => stateOf(v.client.thread.value, 'lazily') === 'sent');
    expect(server.received.slice(from).map((x) => Envelope.parse(x)!.kind)).toEqual([Kind.announcement, Kind.message]);
  });

  it('nothing is written into an epoch whose maker is out, even if the team key stayed', async () => {
    const v = await begin();
    const a = await agent();
    const id = v.client.thread.value!.id;
    await a.client.take(id);
    const t = a.client.open(id);
    await until(() => t.synced.value && t.blocked.value === null);
    await rotate();
    for (const p of server.peers) p.s.say({ t: 'directory', seq: co.log.length - 1 });
    await rest();
    await a.client.send(id, 'in an epoch of li');
    await until(() => texts(v.client.thread.value).includes('in an epoch of li'));
    await v.client.send('he is still here');
    await until(() => stateOf(v.client.thread.value, 'he is still here') !== 'queued');
    await co.add({ t: 'agent', user: 'li', on: false });
    await co.renew();
    for (const p of server.peers) p.s.say({ t: 'directory', seq: co.log.length - 1 });
    await rest();
    const from = server.received.length;
    await v.client.send('not for li');
    await until(() => stateOf(v.client.thread.value, 'not for li') !== 'queued');
    const sent = server.received.slice(from).map((x) => Envelope.parse(x)!);
    expect(sent.map((e) => [e.kind, e.epoch])).toEqual([
      [Kind.announcement, 2],
      [Kind.message, 2],
    ]);
  });

  it('both sides announce at once: one wins, both messages arrive', async () => {
    const v = await begin();
    const a = await agent();
    const id = v.client.thread.value!.id;
    await a.client.take(id);
    const t = a.client.open(id);
    await until(() => t.synced.value && t.blocked.value === null);
    await rotate();
    for (const p of server.peers) p.s.say({ t: 'directory', seq: co.log.length - 1 });
    await rest();
    await Promise.all([v.client.send('from v'), a.client.send(id, 'from a')]);
    await until(() => texts(t).length === 3 && lines(t).every((m) => m.state !== 'queued'));
    await until(() => texts(v.client.thread.value).length === 3);
    expect(server.convs.get(id)!.conv.epoch).toBe(1);
    expect(lines(t).some((m) => m.kind === 'broken')).toBe(false);
  });

  it('the first epoch refused: the team changed before the conversation was opened', async () => {
    const v = visitor();
    await until(() => v.client.site.value !== null);
    await rotate();
    server.refuseOpen = Code.epoch_stale;
    v.client.start({});
    await v.client.send('again');
    await until(() => stateOf(v.client.thread.value, 'again') === 'sent');
    const a = await agent();
    const t = a.client.open(v.client.thread.value!.id);
    await until(() => texts(t).includes('again'));
  });

  it('transfer to another team: its key opens everything, before the server moves it', async () => {
    const wu = await co.enrol('wu', 'agent', ['vip']);
    await co.renew();
    const v = await begin('the past');
    const a = await agent();
    const id = v.client.thread.value!.id;
    await a.client.take(id);
    await a.client.transfer(id, { team: 'vip' });
    const kinds = server.convs
      .get(id)!
      .records.map((r) => Envelope.parse(r.subarray(16))?.kind)
      .filter(Boolean);
    expect(kinds.slice(-2)).toEqual([Kind.announcement, Kind.grant]);
    a.client.dispose();
    const w = await agent(wu, ['vip']);
    const t = w.client.open(id);
    await until(() => texts(t).includes('the past'));
    await v.client.send('to vip');
    await until(() => texts(t).includes('to vip'));
    expect(lines(t).some((m) => m.kind === 'broken')).toBe(false);
  });
});

describe('trust', () => {
  it('a server of another company: nothing is made, nothing is sent', async () => {
    const v = visitor(undefined, `k1-${'00'.repeat(16)}`);
    await until(() => v.client.trust.value.mode === 'broken');
    expect(v.client.trust.value.reason).toBe('error.pin');
    await expect(v.client.send('hi')).rejects.toMatchObject({ key: 'error.pin' });
    expect(v.env.sockets).toHaveLength(0);
  });

  it('without a pin the first company seen is remembered', async () => {
    const store = memoryStore();
    const v = visitorTab(server, b, store, undefined);
    open.push(v.client);
    await until(() => v.client.site.value !== null);
    expect(v.client.trust.value.mode).toBe('pinned'); // the default of the helper pins
    const other = new FakeServer(await Company.create(b));
    const pinned = memoryStore();
    await pinned.set('pin/https://kefu.example', `k1-${'11'.repeat(16)}`);
    const w = new Visitor(
      { server: 'https://kefu.example', site: 'shop', lang: 'en' },
      { env: other.env(), openStore: async () => pinned, backend: b, secure: true },
    );
    open.push(w);
    await until(() => w.trust.value.mode === 'broken');
    expect(w.trust.value.reason).toBe('error.pin');
  });

  it('an expired and a forged snapshot fail closed', async () => {
    await co.renew(NOW - 1, co.admin.ed, NOW - 1000);
    const v = visitor();
    await until(() => v.client.trust.value.mode === 'broken');
    expect(v.client.trust.value.reason).toBe('error.snapshot_expired');
    await co.renew(NOW + 1000, li.ed);
    const w = visitor();
    await until(() => w.client.trust.value.mode === 'broken');
    expect(w.client.trust.value.reason).toBe('error.directory');
    await expect(w.client.send('x')).rejects.toMatchObject({ key: 'error.directory' });
  });

  it('a directory that goes back is an alarm', async () => {
    const store = memoryStore();
    await co.team('svc');
    await co.renew();
    const v = visitor(store);
    await until(() => v.client.site.value !== null);
    co.log.pop();
    await co.renew();
    const again = visitor(store);
    await until(() => again.client.trust.value.mode === 'broken');
    expect(again.client.trust.value.reason).toBe('error.directory_fork');
  });

  it('a forked entry while connected: nothing more is sent', async () => {
    const v = await begin();
    const fork = { ...co.log[3]! };
    server.entries = () => [fork];
    for (const p of server.peers) p.s.say({ t: 'directory', seq: 99 });
    await until(() => v.client.trust.value.mode === 'broken');
    const from = server.received.length;
    await expect(v.client.send('no')).rejects.toThrow();
    await rest();
    expect(server.received.length).toBe(from);
    expect(v.client.thread.value!.blocked.value).not.toBeNull();
  });

  it('an invite used late, covered by nobody who may, stops nobody', async () => {
    const v = await begin();
    const a = await agent();
    await rest(2_000);
    await co.enrol('wu', 'agent', ['svc']); // on an invite that ended a second ago
    await co.renew(NOW + 86_400_000, li.ed);
    for (const p of server.peers) p.s.say({ t: 'directory', seq: co.log.length - 1 });
    await rest();
    expect([v.client.trust.value.mode, a.client.trust.value.mode]).toEqual(['pinned', 'pinned']);
    await v.client.send('still here');
    await until(() => stateOf(v.client.thread.value, 'still here') === 'sent');
    const t = a.client.open(v.client.thread.value!.id);
    await until(() => texts(t).includes('still here'));
    expect(t.members.value.people).toEqual(['Name of zhao', 'Name of li']);
  });

  it('a storage that keeps nothing is said so', async () => {
    const v = visitor();
    await until(() => v.client.site.value !== null);
    expect(v.client.trust.value.storage).toBe('memory');
  });

  it('an agent who was switched off is signed out', async () => {
    const a = await agent();
    await co.add({ t: 'agent', user: 'li', on: false });
    for (const p of server.peers) p.s.say({ t: 'directory', seq: co.log.length - 1 });
    await until(() => a.client.session.value === 'signed-out');
    expect(a.client.notices.value.map((n) => n.key)).toContain('error.disabled');
  });
});

describe('the agent', () => {
  it('accepts offers that are automatic, shows the others', async () => {
    const a = await agent();
    const s = server.peers.at(-1)!.s;
    s.say({ t: 'offer', conv: '00'.repeat(16), until: Date.now() + 5000, auto: true });
    s.say({ t: 'offer', conv: '11'.repeat(16), until: Date.now() + 5000, auto: false });
    await rest(10);
    expect(server.requests.filter((r) => r.t === 'accept').map((r) => r.conv)).toEqual(['00'.repeat(16)]);
    expect(a.client.offers.value.map((o) => o.conv)).toEqual(['11'.repeat(16)]);
    s.say({ t: 'offer_gone', conv: '11'.repeat(16), why: 'late' });
    await rest(10);
    expect(a.client.offers.value).toEqual([]);
    expect(a.client.notices.value.map((n) => n.key)).toContain('notice.offer_missed');
  });

  it('an admin renews a snapshot that is older than a day, and visitors accept it', async () => {
    await co.renew(NOW + 86_400_000, co.admin.ed, NOW - 2 * 86_400_000);
    server.routes.set('/directory', (body) => co.accept(body));
    server.clock = () => Date.now() + 240_000;
    const a = await agent(co.admin);
    await until(() => a.client.notices.value.some((n) => n.key === 'notice.snapshot_renewed'));
    const signed = JSON.parse(Buffer.from(co.snapshot!.raw, 'base64url').toString()) as { at: number };
    expect(Math.abs(signed.at - Date.now()), 'the server does not choose how long it holds').toBeLessThan(60_000);
    const v = visitor();
    await until(() => v.client.site.value !== null);
    expect(v.client.trust.value.mode).toBe('pinned');
  });

  it('an admin whose clock and the server’s are years apart signs nothing before one is set', async () => {
    await co.renew(NOW + 86_400_000, co.admin.ed, NOW - 2 * 86_400_000);
    const before = co.snapshot!.raw;
    server.routes.set('/directory', (body) => co.accept(body));
    server.clock = () => Date.now() + 3650 * 86_400_000;
    const a = await agent(co.admin);
    await until(() => clocks.value !== null);
    await rest(10_000);
    expect([co.snapshot!.raw === before, a.client.notices.value.map((n) => n.key)]).toEqual([true, []]);
    server.clock = () => Date.now();
    server.cut();
    await until(() => clocks.value === null && a.client.connection.value.state === 'online');
    await until(() => a.client.notices.value.some((n) => n.key === 'notice.snapshot_renewed'));
  });

  it('does not write where they have no key, into closed conversations, or into those of others', async () => {
    const v = await begin();
    const id = v.client.thread.value!.id;
    const a = await agent(li, []);
    const t = a.client.open(id);
    await until(() => t.synced.value && lines(t).length > 3);
    expect(
      lines(t)
        .filter((m) => m.kind === 'broken')
        .every((m) => m.error === 'error.no_key'),
    ).toBe(true);
    expect(t.blocked.value).toBe('error.no_key');
    expect(messagesSent().every((e) => e.sender !== '')).toBe(true);
  });
});
