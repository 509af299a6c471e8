/** What clients remember of a conversation: across a reload no server shows them another past, and one that lost something gets it back. */
import { describe, expect, it } from 'vitest';
import { hex } from '../src/crypto/bytes';
import { Code, Envelope, Kind } from '../src/proto';
import { lines, rest, stateOf, texts, until, type Tab } from './support/clients';
import { agent, broken, browser, co, messagesSent, open, server, visitor } from './support/world';

const SECRET = 'card 6222020200112233';

const sentSince = (from: number): Envelope[] => server.received.slice(from).map((x) => Envelope.parse(x)!);
const people = (t: Tab): string[] =>
  lines(t.client.thread.value)
    .filter((m) => m.kind === 'text')
    .map((m) => m.text);

describe('a page that is loaded again', () => {
  it('A1: the robot is not let in again by records up to the hand-over', async () => {
    await co.robotOn();
    const { v, id, reload } = await browser();
    expect(v.client.thread.value!.members.value.bot).toBe(true);
    const until1 = server.convs.get(id)!.records.length;
    const a = await agent();
    await a.client.take(id);
    await until(() => v.client.thread.value!.members.value.bot === false);
    await v.client.send('for people');
    await until(() => stateOf(v.client.thread.value, 'for people') !== 'queued');
    server.show = (records, p) => (p.role === 'visitor' ? records.slice(0, until1) : records);
    server.name = (c) => ({ ...c, owner: 'robot', epoch: 0 });
    const again = await reload();
    const from = server.received.length;
    await until(() => broken(again));
    expect(again.client.trust.value.reason).toBe('error.history');
    await expect(again.client.send(SECRET)).rejects.toThrow('error.history');
    await rest(20_000);
    expect(sentSince(from)).toEqual([]);
  });

  it('A1, before the hand-over has an epoch: an owner that was a person once keeps the robot out', async () => {
    await co.robotOn();
    const { v, id, reload } = await browser();
    server.fate = (env) => (env.kind === Kind.announcement ? 'lose' : 'store');
    server.own(id, 'agent:li', 'take');
    await until(() => v.client.robot.value === false);
    await rest();
    server.fate = () => 'store';
    server.name = (c) => ({ ...c, owner: 'robot' });
    server.show = (records) => records.slice(0, -1);
    const again = await reload();
    await until(() => again.client.site.value !== null);
    await again.client.send(SECRET).catch(() => undefined);
    await rest(20_000);
    for (const env of messagesSent().filter((e) => e.epoch === 0))
      expect(env.ctr, 'only what was said to the robot').toBeLessThan(2);
  });

  it('an owner that was a person once keeps the robot out, whatever the server says of the owner later', async () => {
    await co.robotOn();
    const { v, id, reload } = await browser();
    server.fate = (env) => (env.kind === Kind.announcement ? 'lose' : 'store');
    for (const p of server.peers) p.s.say({ t: 'conv', conv: { ...server.convs.get(id)!.conv, owner: 'agent:li' } });
    await until(() => v.client.robot.value === false);
    await rest();
    server.fate = () => 'store';
    const from = messagesSent().length;
    const again = await reload();
    await until(() => again.client.thread.value?.synced.value === true);
    await again.client.send(SECRET);
    await rest(20_000);
    expect(
      messagesSent()
        .slice(from)
        .filter((e) => e.epoch === 0),
    ).toEqual([]);
  });

  it('a log that lost its end is an alarm, unless the database was opened anew', async () => {
    const { v, reload } = await browser();
    await v.client.send('second');
    await until(() => stateOf(v.client.thread.value, 'second') !== 'queued');
    server.show = (records) => records.slice(0, -1);
    const again = await reload();
    await until(() => broken(again));
  });

  it('a conversation that is not named any more is said to be gone; the next one begins only by wish, names it and has no robot', async () => {
    await co.robotOn();
    const { v, id, reload } = await browser();
    const a = await agent();
    await a.client.take(id);
    await until(() => v.client.thread.value!.members.value.bot === false);
    server.name = () => null;
    const again = await reload();
    await until(() => again.client.thread.value?.blocked.value === 'error.conversation_gone');
    await expect(again.client.send(SECRET)).rejects.toThrow('error.conversation_gone');
    const from = server.received.length;
    await rest(20_000);
    expect(sentSince(from)).toEqual([]);
    server.name = (c) => (c.id === id ? null : c);
    again.client.startOver();
    again.client.start({});
    await again.client.send('anew');
    await until(() => stateOf(again.client.thread.value, 'anew') !== 'queued');
    const thread = again.client.thread.value!;
    expect(thread.members.value.bot).toBe(false);
    expect(lines(thread).find((m) => m.kind === 'form')?.form?.after).toBe(id);
  });

  it('of the conversations that a server names, a page takes up only one that its browser took part in', async () => {
    const { store, v, id, reload } = await browser();
    const forget = async (name: string): Promise<unknown> => store.delete(`v/https://kefu.example/shop/${name}`);
    v.client.dispose();
    await forget('conv');
    const again = await reload();
    await until(() => again.client.thread.value?.id === id);

    // with the same keys, but no record of it
    again.client.dispose();
    await rest();
    for (const { name } of await store.list('v/')) if (name.includes(id)) await store.delete(name);
    await forget('conv');
    const without = await reload();
    await until(() => without.client.connection.value.state === 'online');
    await rest(5_000);
    expect(without.client.thread.value).toBeNull();
  });

  it('honest: everything is there, nothing is alarmed, and it goes on', async () => {
    const { reload } = await browser();
    for (const text of ['one', 'two', 'three']) {
      const again = await reload();
      await until(() => again.client.thread.value?.synced.value === true);
      await again.client.send(text);
      await until(() => stateOf(again.client.thread.value, text) !== 'queued');
      expect(lines(again.client.thread.value).some((m) => m.missingBefore || m.unordered)).toBe(false);
    }
  });
});

describe('two tabs', () => {
  it('one that knows less asks again before it writes, and writes nothing if it is shown nothing', async () => {
    const { store, v, id } = await browser();
    const second = visitor(store);
    await until(() => second.client.thread.value?.synced.value === true);
    // the server stops serving the second tab and lets an agent change the epoch
    const peer = server.peers.find((p) => p.s === second.env.sockets.at(-1))!;
    peer.follows.clear();
    const a = await agent();
    await a.client.take(id);
    await co.team('svc');
    await co.renew();
    await server.learnKeys();
    for (const p of server.peers) if (p !== peer) p.s.say({ t: 'directory', seq: co.log.length - 1 });
    await rest();
    await v.client.send('moves the epoch');
    await until(() => stateOf(v.client.thread.value, 'moves the epoch') !== 'queued');
    server.show = (records, p) => (p === peer ? records.slice(0, 4) : records);
    const from = server.received.length;
    await second.client.send(SECRET);
    await until(() => broken(second));
    expect(sentSince(from)).toEqual([]);
    expect(broken(v)).toBe(false);
  });

  it('honest: both go on', async () => {
    const { store, v } = await browser();
    const second = visitor(store);
    await until(() => second.client.thread.value?.synced.value === true);
    await Promise.all([v.client.send('left'), second.client.send('right')]);
    await until(() => people(v).length === 3 && people(second).length === 3);
    expect(broken(v) || broken(second)).toBe(false);
  });
});

describe('a backup is put back', () => {
  /** The end is lost later: a message, an epoch, a message. `rotate`: the epoch has a new team key, so that the first one has no way back as it was. */
  const talk = async (rotate = false) => {
    await co.robotOn();
    const b = await browser();
    const a = await agent();
    const t = a.client.open(b.id);
    await until(() => t.synced.value);
    const keep = server.convs.get(b.id)!.records.length;
    await b.v.client.send('lost 1');
    await until(() => stateOf(b.v.client.thread.value, 'lost 1') !== 'queued');
    if (rotate) {
      await co.team('svc');
      await co.renew();
      await server.learnKeys();
      for (const p of server.peers) p.s.say({ t: 'directory', seq: co.log.length - 1 });
      await rest();
    } else b.v.client.thread.value!.requestPerson();
    await b.v.client.send('lost 2');
    await until(() => stateOf(b.v.client.thread.value, 'lost 2') !== 'queued' && texts(t).includes('lost 2'));
    return { ...b, keep, agentThread: t };
  };
  const texts3 = ['hello', 'lost 1', 'lost 2'];

  it('the page that is open hands back announcements and its own messages, the same bytes, once', async () => {
    const { v, id, keep } = await talk();
    const envelopes = () =>
      server.convs
        .get(id)!
        .records.slice(keep)
        .map((r) => hex(r.subarray(16)))
        .filter((x) => x.startsWith('4b31'));
    const before = envelopes();
    expect(before).toHaveLength(3);
    server.rewind(id, keep);
    server.cut();
    await until(() => v.client.thread.value?.synced.value === true && server.convs.get(id)!.records.length >= keep + 3);
    await rest(5_000);
    expect(envelopes()).toEqual(before);
    expect(people(v)).toEqual(texts3);
    expect(broken(v)).toBe(false);
    expect(lines(v.client.thread.value).some((m) => m.event?.t === 'rewound')).toBe(true);
    await v.client.send('goes on');
    await until(() => stateOf(v.client.thread.value, 'goes on') !== 'queued');
  });

  it('what was sealed to a team key that is over is sealed again, in its order', async () => {
    const { v, id, keep } = await talk(true);
    server.rewind(id, keep);
    server.cut();
    await until(() => v.client.thread.value?.synced.value === true && people(v).length === 3);
    await until(() => texts3.every((text) => stateOf(v.client.thread.value, text) !== 'queued'));
    expect(people(v)).toEqual(texts3);
    expect(broken(v)).toBe(false);
  });

  it('a page that is loaded after it does the same, from what the browser kept', async () => {
    const { id, keep, reload } = await talk();
    server.rewind(id, keep);
    const again = await reload();
    await until(() => people(again).length === 3 && again.client.thread.value?.synced.value === true);
    expect(people(again)).toEqual(texts3);
    expect(broken(again)).toBe(false);
  });

  it('a conversation that is wholly gone is opened again under its id', async () => {
    const { id, reload } = await talk();
    server.rewind(id, 0);
    // a first epoch that the server takes no more is no way back
    const lost = await reload();
    server.refuseOpen = Code.epoch_stale;
    await until(() => lost.client.thread.value?.blocked.value === 'error.conversation_gone');
    const back = await reload();
    await until(() => people(back).length === 3 && back.client.thread.value?.synced.value === true);
    expect(server.convs.has(id)).toBe(true);
    expect(people(back)).toEqual(texts3);
  });

  it('said without a new database it is an alarm', async () => {
    const { v, id } = await browser();
    server.tell(id, { t: 'rewound', conv: id, last: 1, gen: server.gen });
    await until(() => broken(v));
  });

  it('a browser that kept no announcement can hand none back: the conversation is lost, nothing is written', async () => {
    const { v, id, keep, store } = await talk();
    for (const { name, value } of await store.list<{ env?: Uint8Array }>('v/'))
      if (name.includes('/epoch/')) await store.set(name, { ...value, env: undefined });
    server.rewind(id, keep);
    for (const tab of open.splice(0)) tab.dispose();
    server.peers.splice(0);
    const again = visitor(store);
    await until(() => again.client.thread.value?.blocked.value === 'error.conversation_lost');
    expect(broken(again)).toBe(false);
    expect(v).not.toBe(again);
  });

  it('if the epoch stays lost nothing is written, and a new conversation is offered', async () => {
    const { v, id, keep } = await talk();
    server.rewind(id, keep);
    const c = server.convs.get(id)!;
    server.fate = (env) => (env.kind === Kind.message && env.epoch === 0 ? 'store' : Code.epoch_stale);
    c.conv.epoch = 5;
    server.cut();
    await until(() => v.client.thread.value?.blocked.value === 'error.conversation_lost');
    const from = messagesSent().length;
    await expect(v.client.send(SECRET)).rejects.toThrow('error.conversation_lost');
    await rest(20_000);
    expect(
      messagesSent()
        .slice(from)
        .filter((e) => e.epoch > 0),
    ).toEqual([]);
  });
});

describe('recalls', () => {
  it('are envelopes of the sender; both sides read "taken back"', async () => {
    const { v, id } = await browser();
    const a = await agent();
    const t = a.client.open(id);
    await until(() => texts(t).length === 1);
    const m = lines(v.client.thread.value).find((x) => x.text === 'hello')!;
    await v.client.recall(m.id);
    await until(() => lines(t).some((x) => x.kind === 'recalled'));
    expect(Envelope.parse(server.received.at(-1)!)?.kind).toBe(Kind.recall);
    await v.client.send('next');
    await until(() => texts(t).includes('next'));
    expect(lines(t).some((x) => x.missingBefore || x.unordered || x.kind === 'removed')).toBe(false);
  });

  it('one that is refused says why and leaves the message as it was', async () => {
    const { v } = await browser();
    server.fate = (env) => (env.kind === Kind.recall ? Code.too_late : 'store');
    const m = lines(v.client.thread.value).find((x) => x.text === 'hello')!;
    await expect(v.client.recall(m.id)).rejects.toThrow('error.too_late');
    expect(people(v)).toEqual(['hello']);
    await v.client.send('next');
    await until(() => stateOf(v.client.thread.value, 'next') !== 'queued');
  });
});
