/** A person whom the customer's application knows, on several devices: one visitor, one history, and no robot by the server's word. */
import { describe, expect, it } from 'vitest';
import { b64u, hex } from '../src/crypto/bytes';
import { keysFromSeed } from '../src/client/opening';
import { printFingerprint } from '../src/crypto/hash';
import { Envelope, Kind } from '../src/proto';
import { memoryStore, type Store } from '../src/storage/store';
import { rest, stateOf, texts, until, type Tab } from './support/clients';
import { agent, b, co, open, server, visitor } from './support/world';

const SEED = b64u(Uint8Array.from({ length: 32 }, (_, i) => i));
const OTHER = b64u(new Uint8Array(32).fill(7));

const device = (store: Store = memoryStore(), seed = SEED): Tab => visitor(store, printFingerprint(server.co.fp), seed);
const sent = (t: Tab, text: string): Promise<void> =>
  until(() => ['sent', 'delivered', 'read'].includes(stateOf(t.client.thread.value, text) ?? ''), `${text} is stored`);

async function first(text: string, tab = device()): Promise<Tab> {
  tab.client.start({ name: '王' });
  await tab.client.send(text);
  await sent(tab, text);
  return tab;
}
const sees = (t: Tab, text: string): Promise<void> => until(() => texts(t.client.thread.value).includes(text), text);

describe('a seed', () => {
  it('gives the same keys everywhere, and others for another company', async () => {
    const keys = await keysFromSeed(b, new Uint8Array(16), SEED);
    expect(hex(keys.ed.pk)).toBe('a996abd09bc169e64e57a3ea30d602c1fd98a4aadbfeedc1a8725b539447e524');
    expect(hex(keys.x.pk)).toBe('818bb13755c83a280365f094a15ec427096b44e950c49e927ce26d86b4226062');
    expect(hex((await keysFromSeed(b, new Uint8Array(16).fill(1), SEED)).ed.pk)).not.toBe(hex(keys.ed.pk));
    for (const bad of ['', 'abc', b64u(new Uint8Array(31)), `${SEED}AA`, 'ä'.repeat(43)])
      await expect(keysFromSeed(b, new Uint8Array(16), bad), bad).rejects.toThrow();
  });

  it('makes phone and computer one visitor with one conversation', async () => {
    const phone = await first('from the phone');
    const computer = device();
    await sees(computer, 'from the phone');
    await computer.client.send('from the computer');
    await sent(computer, 'from the computer');
    await sees(phone, 'from the computer');
    await phone.client.send('again from the phone');
    await sees(computer, 'again from the phone');
    expect(server.convs.size).toBe(1);
    const li = await agent();
    const id = phone.client.thread.value!.id;
    li.client.open(id);
    await until(() => texts(li.client.open(id)).length === 3);
    await li.client.take(id);
    await li.client.send(id, 'hello on both');
    await sees(phone, 'hello on both');
    await sees(computer, 'hello on both');
    // the second device remembers it like its own from now on
    for (const t of [phone, computer])
      expect(t.client.thread.value!.messages.value.some((m) => m.missingBefore || m.unordered)).toBe(false);
  });

  it('brings the next conversation to a device where the last one has ended', async () => {
    const phone = await first('the first one');
    const computer = device();
    await sees(computer, 'the first one');
    await phone.client.close();
    await until(() => computer.client.thread.value?.conv.value?.state === 'closed');
    phone.client.startOver();
    await first('the second one', phone);
    await sees(computer, 'the second one');
    expect(server.convs.size).toBe(2);
    expect(texts(computer.client.thread.value)).toEqual(['the second one']);
  });

  it('keeps people at one browser apart, and is nowhere in what the browser keeps', async () => {
    const store = memoryStore();
    const one = await first('of the first person', device(store));
    one.client.dispose();
    const two = device(store, OTHER);
    await until(() => two.client.site.value !== null);
    await rest();
    expect(two.client.thread.value).toBe(null);
    await first('of the second person', two);
    two.client.dispose();
    const back = device(store);
    await sees(back, 'of the first person');
    const without = visitor(store);
    await until(() => without.client.site.value !== null);
    await rest();
    expect(without.client.thread.value).toBe(null);
    const kept = await store.list<unknown>('');
    expect(kept.some(({ name }) => name.endsWith('/keys'))).toBe(false);
    expect(JSON.stringify(kept)).not.toContain(SEED);
  });

  it('that is none ends the page: it does not make somebody else of them', async () => {
    const tab = device(memoryStore(), 'not a seed');
    await until(() => tab.client.connection.value.state === 'ended');
    await expect(tab.client.send('hello')).rejects.toThrow();
    expect(server.convs.size).toBe(0);
  });
});

describe('a robot', () => {
  it('is taken out by the first word from a device that does not remember the conversation, and not before', async () => {
    await co.robotOn();
    const phone = await first('to the robot');
    expect(phone.client.thread.value!.members.value.bot).toBe(true);
    const computer = device();
    await sees(computer, 'to the robot');
    await rest(5_000);
    expect(phone.client.thread.value!.members.value.bot).toBe(true);
    await computer.client.send('for people');
    await sent(computer, 'for people');
    await sees(phone, 'for people');
    for (const t of [phone, computer]) expect(t.client.thread.value!.members.value.bot).toBe(false);
  });

  it('is not let in again by a server that hides the end of the log from a new device', async () => {
    await co.robotOn();
    const phone = await first('to the robot');
    const id = phone.client.thread.value!.id;
    const before = server.convs.get(id)!.records.length;
    const li = await agent();
    await li.client.take(id);
    await until(() => phone.client.thread.value!.members.value.bot === false);
    for (const owner of ['robot', 'none'] as const) {
      const from = server.received.length;
      server.show = (records, p) => (p.role === 'visitor' ? records.slice(0, before) : records);
      server.name = (c) => ({ ...c, owner, epoch: 0, state: owner === 'none' ? 'closed' : 'open' });
      const computer = device();
      await sees(computer, 'to the robot');
      // now it is the robot's, the server says
      server.name = (c) => ({ ...c, owner: 'robot', epoch: 0 });
      for (const p of server.peers)
        if (p.role === 'visitor') p.s.say({ t: 'conv', conv: { ...server.convs.get(id)!.conv, owner: 'robot' } });
      await computer.client.send('a secret for people').catch(() => undefined);
      await rest(20_000);
      const sealed = server.received.slice(from).map((bytes) => Envelope.parse(bytes)!);
      expect(sealed.filter((e) => e.kind === Kind.message && e.epoch === 0)).toEqual([]);
      expect(sealed.filter((e) => e.kind === Kind.announcement).every((e) => e.flags === 0)).toBe(true);
      expect(sealed.length).toBeGreaterThan(0);
      computer.client.dispose();
      open.splice(open.indexOf(computer.client), 1);
    }
  });
});
