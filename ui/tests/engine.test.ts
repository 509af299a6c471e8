/** Visitor and agent over a server that loses, refuses and restarts. An acknowledged message is never lost, never doubled. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { pureBackend } from '../src/crypto/noble';
import { Code, Envelope, Kind } from '../src/proto';
import { memoryStore } from '../src/storage/store';
import { agentTab, lines, rest, stateOf, texts, until, visitorTab, type Tab } from './support/clients';
import { Company, NOW, type Person } from './support/company';
import { FakeServer } from './support/server';

const b = pureBackend();
let co: Company;
let server: FakeServer;
let li: Person;
const open: { dispose(): void }[] = [];

beforeEach(async () => {
  vi.useFakeTimers({ now: NOW });
  co = await Company.create(b);
  li = await co.enrol('li', 'agent', ['svc']);
  await co.renew();
  server = new FakeServer(co);
  await server.learnKeys();
});
afterEach(() => {
  for (const c of open.splice(0)) c.dispose();
  vi.useRealTimers();
});

const visitor = (...more: Parameters<typeof visitorTab> extends [unknown, unknown, ...infer R] ? R : never): Tab => {
  const tab = visitorTab(server, b, ...more);
  open.push(tab.client);
  return tab;
};
const agent = async (p = li, teams = ['svc']) => {
  const tab = await agentTab(server, b, p, teams);
  open.push(tab.client);
  return tab;
};
const messagesSent = () => server.received.map((x) => Envelope.parse(x)!).filter((e) => e.kind === Kind.message);
const stored = () => [...server.convs.values()].flatMap((c) => c.records.map((r) => Envelope.parse(r.subarray(16)))).filter((e) => e?.kind === Kind.message);
const begin = async (text = 'hello'): Promise<Tab> => {
  const v = visitor();
  v.client.start({ name: '王' });
  await v.client.send(text);
  await until(() => stateOf(v.client.thread.value, text) !== 'queued', 'the first message is stored');
  return v;
};

describe('a conversation', () => {
  it('begins at the first message, with the form before it; both sides read and see how far the other is', async () => {
    const v = visitor();
    await rest();
    expect(server.convs.size).toBe(0);
    expect(v.client.site.value).toMatchObject({ name: 'Shop', orgName: 'Bank' });
    expect(v.client.needsForm.value).toBe(true);
    v.client.start({ name: '王' });
    await v.client.send('你好');
    expect(stateOf(v.client.thread.value, '你好')).toBe('queued');
    await until(() => stateOf(v.client.thread.value, '你好') === 'sent');

    const a = await agent();
    await until(() => a.client.conversations.value[0]?.preview === '你好');
    expect(a.client.conversations.value[0]).toMatchObject({ name: '王', unread: 2, tabs: { queue: true, mine: false } });
    const id = a.client.conversations.value[0]!.id;
    await a.client.take(id);
    const t = a.client.open(id);
    await a.client.send(id, '请讲');
    await until(() => texts(v.client.thread.value).includes('请讲'));
    const answer = lines(v.client.thread.value).find((m) => m.text === '请讲');
    expect(answer).toMatchObject({ side: 'agent', mine: false, author: { user: 'li', name: 'Name of li' }, missingBefore: false });
    await until(() => stateOf(t, '请讲') === 'delivered');
    v.client.markRead();
    await until(() => stateOf(t, '请讲') === 'read');
    expect(v.client.unread.value).toBe(0);
    expect(v.client.thread.value!.members.value).toEqual({ people: ['Name of li', 'Name of zhao'], bot: false });
    expect(v.client.thread.value!.agentName.value).toBe('Name of li');
  });

  it('no text leaves the page unsealed', async () => {
    const v = await begin('canary-8d1f0c7b');
    await v.client.send('canary-5a2e9f44');
    await rest();
    const all = Buffer.concat([...server.received.map((x) => Buffer.from(x)), ...server.requests.map((r) => Buffer.from(JSON.stringify(r)))]);
    expect(all.length).toBeGreaterThan(1000);
    for (const c of ['canary-', '王']) for (const s of [c, Buffer.from(c).toString('base64url').slice(0, -1)]) expect(all.includes(s)).toBe(false);
  });

  it('notes stay between agents', async () => {
    const v = await begin();
    const a = await agent();
    const id = v.client.thread.value!.id;
    await until(() => a.client.open(id).synced.value);
    await a.client.note(id, 'careful');
    await until(() => lines(a.client.open(id)).some((m) => m.kind === 'note' && m.text === 'careful' && m.state === 'sent'));
    await rest();
    expect(lines(v.client.thread.value).some((m) => m.kind === 'note' || m.kind === 'broken')).toBe(false);
    await a.client.send(id, 'answer');
    await until(() => texts(v.client.thread.value).includes('answer'));
    expect(lines(v.client.thread.value).every((m) => !m.missingBefore)).toBe(true);
  });

  it('a message can be taken back for two minutes', async () => {
    const v = await begin('oops');
    const m = lines(v.client.thread.value).find((x) => x.text === 'oops')!;
    expect(m.canRecall()).toBe(true);
    await v.client.recall(m.id);
    await until(() => lines(v.client.thread.value).some((x) => x.kind === 'recalled'));
    expect(texts(v.client.thread.value)).toEqual([]);
    await v.client.send('later');
    await until(() => stateOf(v.client.thread.value, 'later') === 'sent');
    const later = lines(v.client.thread.value).find((x) => x.text === 'later')!;
    await rest(121_000);
    expect(later.canRecall()).toBe(false);
  });
});

describe('exactly once', () => {
  it('a lost acknowledgement: the same bytes go out again, the message appears once', async () => {
    const v = await begin();
    const before = server.received.length;
    let muted = false;
    server.fate = (e) => (e.kind === Kind.message && !muted ? ((muted = true), 'mute') : 'store');
    await v.client.send('twice?');
    await rest();
    expect(stateOf(v.client.thread.value, 'twice?')).toBe('queued');
    server.cut();
    await until(() => stateOf(v.client.thread.value, 'twice?') === 'sent');
    expect(texts(v.client.thread.value)).toEqual(['hello', 'twice?']);
    // the record came by resume, nothing had to be sent again
    expect(server.received.length - before).toBe(1);
    expect(stored()).toHaveLength(3);
  });

  it('an envelope lost on the way is resent unchanged, on the same and on a new connection', async () => {
    const v = await begin();
    let lose = 2;
    server.fate = () => (lose-- > 0 ? 'lose' : 'store');
    const from = server.received.length;
    await v.client.send('persistent');
    await until(() => lose < 2);
    server.cut();
    await until(() => stateOf(v.client.thread.value, 'persistent') === 'sent');
    const tries = server.received.slice(from).map((x) => Buffer.from(x).toString('hex'));
    expect(tries).toHaveLength(3);
    expect(new Set(tries).size).toBe(1);
    expect(stored()).toHaveLength(3);
  });

  it('one at a time and in order, even if all are refused once', async () => {
    const v = await begin();
    const refused = new Set<string>();
    server.fate = (e) => (refused.has(e.msg) ? 'store' : (refused.add(e.msg), Code.rate_limited));
    await Promise.all(['a', 'b', 'c'].map((t) => v.client.send(t)));
    await until(() => stateOf(v.client.thread.value, 'c') === 'sent');
    expect(texts(v.client.thread.value)).toEqual(['hello', 'a', 'b', 'c']);
    expect(stored().map((e) => e!.ctr)).toEqual([0, 1, 2, 3, 4]);
    const a = await agent();
    const t = a.client.open(v.client.thread.value!.id);
    await until(() => texts(t).length === 4);
    expect(lines(t).some((m) => m.missingBefore || m.kind === 'broken')).toBe(false);
  });

  it('somebody changes the conversation in the same instant: the same bytes go out again', async () => {
    const v = await begin();
    const refused = new Set<string>();
    server.fate = (e) => (refused.has(e.msg) ? 'store' : (refused.add(e.msg), Code.conflict));
    await Promise.all(['a', 'b', 'c'].map((t) => v.client.send(t)));
    await until(() => stateOf(v.client.thread.value, 'c') === 'sent');
    expect(texts(v.client.thread.value)).toEqual(['hello', 'a', 'b', 'c']);
    expect(stored().map((e) => e!.ctr)).toEqual([0, 1, 2, 3, 4]);
    const a = await agent();
    const t = a.client.open(v.client.thread.value!.id);
    await until(() => texts(t).length === 4);
    expect(lines(t).some((m) => m.missingBefore || m.kind === 'broken')).toBe(false);
  });

  it('what cannot be stored says so and can be tried again; the next ones go on without a gap', async () => {
    const v = await begin();
    let bad = true;
    server.fate = (e) => (e.kind === Kind.message && bad ? Code.forbidden : 'store');
    await v.client.send('no');
    await until(() => stateOf(v.client.thread.value, 'no') === 'failed');
    bad = false;
    await v.client.send('yes');
    await until(() => stateOf(v.client.thread.value, 'yes') === 'sent');
    const failed = lines(v.client.thread.value).find((m) => m.text === 'no')!;
    expect(failed.error).toBe('error.forbidden');
    v.client.retry(failed.id);
    await until(() => stateOf(v.client.thread.value, 'no') === 'sent');
    expect(stored().map((e) => e!.ctr)).toEqual([0, 1, 2, 3]);
  });

  it('a reload keeps what was queued, sealed; it goes out once', async () => {
    const store = memoryStore();
    const v = visitor(store);
    v.client.start({});
    await v.client.send('first');
    await until(() => stateOf(v.client.thread.value, 'first') === 'sent');
    server.fate = () => 'lose';
    await v.client.send('unsent canary-77aa');
    await rest();
    v.client.dispose();
    const kept = await store.list<{ bytes: Uint8Array }>('');
    expect(kept.some((k) => k.name.includes('/out/'))).toBe(true);
    expect(JSON.stringify(kept.map((k) => (k.value?.bytes ? Buffer.from(k.value.bytes).toString('latin1') : k.value)))).not.toContain('canary');
    server.fate = () => 'store';
    const again = visitor(store);
    await until(() => stateOf(again.client.thread.value, 'unsent canary-77aa') === 'sent');
    expect(texts(again.client.thread.value)).toEqual(['first', 'unsent canary-77aa']);
    expect((await store.list('')).some((k) => k.name.includes('/out/'))).toBe(false);
    expect(server.convs.size).toBe(1);
  });

  it('a message written before the server ever answered survives the reload', async () => {
    const store = memoryStore();
    const v = visitor(store);
    await until(() => v.client.site.value !== null);
    v.env.socket = () => {
      throw new TypeError('offline');
    };
    v.client.start({});
    await v.client.send('written offline');
    await rest();
    expect(server.convs.size).toBe(0);
    v.client.dispose();
    const again = visitor(store);
    await until(() => stateOf(again.client.thread.value, 'written offline') === 'sent');
    expect(texts(again.client.thread.value)).toEqual(['written offline']);
    expect(stored()).toHaveLength(2);
  });

  it('two tabs are one visitor with two counters', async () => {
    const store = memoryStore();
    const one = visitor(store);
    one.client.start({});
    await one.client.send('from one');
    await until(() => stateOf(one.client.thread.value, 'from one') === 'sent');
    const two = visitor(store);
    await until(() => texts(two.client.thread.value).length === 1);
    await Promise.all([one.client.send('1a'), two.client.send('2a'), one.client.send('1b'), two.client.send('2b')]);
    const all = ['from one', '1a', '1b', '2a', '2b'];
    for (const t of [one, two]) await until(() => texts(t.client.thread.value).length === 5 && lines(t.client.thread.value).every((m) => m.state !== 'queued'));
    for (const t of [one, two]) {
      expect([...texts(t.client.thread.value)].sort()).toEqual([...all].sort());
      expect(lines(t.client.thread.value).every((m) => m.mine || m.kind === 'event')).toBe(true);
      expect(lines(t.client.thread.value).some((m) => m.missingBefore || m.kind === 'broken')).toBe(false);
    }
    expect(new Set(stored().map((e) => e!.inst)).size).toBe(2);
    expect(server.convs.size).toBe(1);
  });
});

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
    expect(sent.map((e) => [e.kind, e.epoch])).toEqual([[Kind.message, 0], [Kind.announcement, 1], [Kind.message, 1]]);
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
    const kinds = server.convs.get(id)!.records.map((r) => Envelope.parse(r.subarray(16))?.kind).filter(Boolean);
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
    const w = new (await import('../src/client/visitor-client')).Visitor(
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
    server.routes.set('/snapshot', (body) => {
      co.snapshot = body as never;
      return {};
    });
    const a = await agent(co.admin);
    await until(() => a.client.notices.value.some((n) => n.key === 'notice.snapshot_renewed'));
    const v = visitor();
    await until(() => v.client.site.value !== null);
    expect(v.client.trust.value.mode).toBe('pinned');
  });

  it('does not write where he has no key, into closed conversations, or into those of others', async () => {
    const v = await begin();
    const id = v.client.thread.value!.id;
    const a = await agent(li, []);
    const t = a.client.open(id);
    await until(() => t.synced.value && lines(t).length > 3);
    expect(lines(t).filter((m) => m.kind === 'broken').every((m) => m.error === 'error.no_key')).toBe(true);
    expect(t.blocked.value).toBe('error.no_key');
    expect(messagesSent().every((e) => e.sender !== '')).toBe(true);
  });
});
