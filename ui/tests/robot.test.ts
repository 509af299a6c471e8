/** The robot as a member: who may let it in, what it may send, and that it is out before people read. */
import { describe, expect, it } from 'vitest';
import type { EpochKey, SigningKey } from '../src/crypto/backend';
import { hex, random, unhex, utf8 } from '../src/crypto/bytes';
import { sealMessage } from '../src/crypto/envelope';
import { acceptAnnouncement, announce, emptyChain, openBox, type Receiver } from '../src/crypto/epoch';
import { BoxKind, boxKid, kidOf } from '../src/crypto/hash';
import { Code, Envelope, Kind } from '../src/proto';
import { memoryStore } from '../src/storage/store';
import { lines, rest, stateOf, texts, until } from './support/clients';
import { NOW } from './support/company';
import { FakeSocket } from './support/socket';
import { agent, b, begin, co, li, server, visitor } from './support/world';

const sent = (from = 0) => server.received.slice(from).map((x) => Envelope.parse(x)!);
const flags = () =>
  [...server.convs.values()]
    .flatMap((c) => c.records.map((r) => Envelope.parse(r.subarray(16))))
    .flatMap((e) => (e?.kind === Kind.announcement ? [e.flags] : []));
const only = () => [...server.convs.values()][0]!;

/** Key of an epoch as the robot opens it; null if no box is for it. */
async function robotKey(epoch: number): Promise<EpochKey | null> {
  const env = only()
    .records.map((r) => Envelope.parse(r.subarray(16)))
    .find((e) => e?.kind === Kind.announcement && e.epoch === epoch)!;
  const { day } = co.robot!;
  const ek = await openBox(env, unhex(env.conv), new Map([[hex(boxKid(BoxKind.bot, day.pk)), day]]));
  return ek && b.epochKey(ek);
}

/** The robot posts a body in epoch 0. */
async function says(body: Record<string, unknown>, by: SigningKey = co.robot!.ed, ctr = 0, inst = 7): Promise<void> {
  const key = (await robotKey(0))!;
  const { id } = only().conv;
  const fields = { conv: unhex(id), epoch: 0, msg: random(16), inst, ctr, prev: new Uint8Array(16) };
  server.append(id, await sealMessage(fields, key, utf8(JSON.stringify({ ts: NOW, ...body })), by));
}
const answer = {
  t: 'text',
  text: '三天内到',
  buttons: [{ label: '查订单', send: '我要查订单' }, { label: 3 }],
  bot: { intent: 'delivery', p: 0.91, why: 'knowledge' },
};

describe('letting it in', () => {
  it('with a valid day key the first epoch has it, and it is the owner', async () => {
    await co.robotOn();
    const v = await begin();
    expect(flags()).toEqual([1]);
    expect(v.client.robot.value).toBe(true);
    expect(v.client.thread.value!.members.value.bot).toBe(true);
    expect(await robotKey(0)).not.toBeNull();
  });

  it.each([
    ['signed by somebody else', async () => (co.offer = await co.dayKey({}, co.admin.ed)), true],
    ['of another company', async () => (co.offer = await co.dayKey({ org: '00'.repeat(16) })), true],
    ['that lives too long', async () => (co.offer = await co.dayKey({ until: NOW + 49 * 3_600_000 })), true],
    ['that is no JSON', async () => (co.offer = { raw: 'AAAA', sig: 'AAAA' }), true],
    ['that is over', async () => (co.offer = await co.dayKey({ until: NOW })), false],
    [
      'of the far future',
      async () => (co.offer = await co.dayKey({ at: NOW + 25 * 3_600_000, until: NOW + 26 * 3_600_000 })),
      false,
    ],
  ])('a day key %s lets nobody in, and the conversation goes to people', async (_, spoil, alarm) => {
    await co.robotOn();
    await spoil();
    const v = await begin();
    expect(flags()).toEqual([0]);
    expect(v.client.robotRefused.value).toBe(alarm);
    expect(v.client.trust.value.mode).toBe('pinned');
  });

  it('a site that names no robot has none, whatever the server offers', async () => {
    await co.robotOn();
    await co.add({ t: 'site', id: 'shop', name: 'Shop', origins: [], team: 'svc', on: true });
    await co.renew();
    await begin();
    expect(flags()).toEqual([0]);
  });

  it('a key that ends soon is fetched again before it is used', async () => {
    await co.robotOn();
    const v = visitor();
    await until(() => v.client.robot.value);
    const old = co.robot!.day;
    await rest(48 * 3_600_000 - 60_000);
    co.robot!.day = await b.newBoxKey();
    co.robot!.at = NOW + 47 * 3_600_000;
    co.offer = await co.dayKey();
    await v.client.send('late');
    await until(() => stateOf(v.client.thread.value, 'late') !== 'queued');
    expect(flags()).toEqual([1]);
    expect(await robotKey(0)).not.toBeNull();
    co.robot!.day = old;
    expect(await robotKey(0)).toBeNull();
  });

  it('asked for before the first message, a person is what the conversation begins with', async () => {
    await co.robotOn();
    const v = visitor();
    await until(() => v.client.robot.value);
    v.client.requestPerson();
    expect(v.client.robot.value).toBe(false);
    await v.client.send('a person');
    await until(() => stateOf(v.client.thread.value, 'a person') !== 'queued');
    expect(flags()).toEqual([0]);
  });
});

describe('what it says', () => {
  it("is shown as the robot's, with its buttons, and what it understood", async () => {
    await co.robotOn();
    const v = await begin();
    await says(answer);
    await until(() => texts(v.client.thread.value).includes('三天内到'));
    const m = lines(v.client.thread.value).find((x) => x.text === '三天内到')!;
    expect(m).toMatchObject({
      side: 'robot',
      author: { name: '小智' },
      buttons: [{ label: '查订单', send: '我要查订单' }],
      thought: { intent: 'delivery', p: 0.91 },
    });
    const a = await agent();
    const t = a.client.open(v.client.thread.value!.id);
    await until(() => texts(t).includes('三天内到'));
    expect(lines(t).find((x) => x.text === '三天内到')!.side).toBe('robot');
    expect(t.unread.value).toBe(1);
  });

  it('another key, an agent in its epoch, the robot in an epoch without it: none is shown as text', async () => {
    await co.robotOn();
    const v = await begin();
    const shows = () => lines(v.client.thread.value).filter((x) => x.kind === 'broken').length;
    await says(answer, await b.newSigningKey());
    await rest();
    await says(answer, li.ed, 0, 8);
    await rest();
    expect(shows()).toBe(2);
    v.client.requestPerson();
    await until(() => flags().length === 2);
    const { id } = only().conv;
    const fields = { conv: unhex(id), epoch: 1, msg: random(16), inst: 9, ctr: 0, prev: new Uint8Array(16) };
    server.append(
      id,
      await sealMessage(fields, await b.epochKey(random(32)), utf8('{"t":"text","text":"x"}'), co.robot!.ed),
    );
    await until(() => shows() === 3);
    expect(texts(v.client.thread.value)).toEqual(['hello']);
  });

  it('buttons and thoughts count only if it is the robot who wrote them', async () => {
    await co.robotOn();
    const v = await begin();
    await v.client.thread.value!.outbox.add({ ...answer, t: 'text', ts: NOW, text: 'mine' } as never);
    await until(() => texts(v.client.thread.value).includes('mine'));
    expect(lines(v.client.thread.value).find((x) => x.text === 'mine')).not.toHaveProperty('buttons');
  });

  it('a robot that was switched off is not believed live', async () => {
    await co.robotOn();
    const v = await begin();
    await co.add({ t: 'site', id: 'shop', name: 'Shop', origins: [], team: 'svc', on: true });
    await co.renew();
    for (const p of server.peers) p.s.say({ t: 'directory', seq: co.log.length - 1 });
    await rest();
    await says(answer);
    await until(() => lines(v.client.thread.value).some((x) => x.kind === 'broken'));
  });
});

describe('taking it out', () => {
  it('one press announces the next epoch at once; what follows is not for it', async () => {
    await co.robotOn();
    const v = await begin();
    const from = server.received.length;
    v.client.requestPerson();
    await until(() => only().conv.owner === 'queue');
    expect(sent(from).map((e) => [e.kind, e.flags & 1])).toEqual([[Kind.announcement, 0]]);
    expect(await robotKey(1)).toBeNull();
    await until(() => !v.client.thread.value!.members.value.bot);
    expect(v.client.robot.value).toBe(false);
    await v.client.send('secret');
    await until(() => stateOf(v.client.thread.value, 'secret') !== 'queued');
    expect(sent().at(-1)!.epoch).toBe(1);
  });

  it('pressed while offline: announced first, queued messages are sealed again, also after a reload', async () => {
    await co.robotOn();
    const store = memoryStore();
    const v = visitor(store);
    await v.client.send('hello');
    await until(() => stateOf(v.client.thread.value, 'hello') !== 'queued');
    v.env.socket = (url) => new FakeSocket(url); // nobody answers
    server.cut();
    await rest();
    await v.client.send('queued one');
    v.client.requestPerson();
    expect(v.client.robot.value).toBe(false);
    await v.client.send('queued two');
    await rest();
    v.client.dispose();
    const from = server.received.length;
    const w = visitor(store);
    await until(() => stateOf(w.client.thread.value, 'queued two') === 'sent');
    const out = sent(from);
    expect(out.map((e) => [e.kind, e.epoch])).toEqual([
      [Kind.announcement, 1],
      [Kind.message, 1],
      [Kind.message, 1],
    ]);
    expect(out[0]!.flags).toBe(0);
    expect(await robotKey(1)).toBeNull();
  });

  it('whoever takes over, the next epoch is announced before anything else, with nothing to send, too', async () => {
    await co.robotOn();
    const v = await begin();
    await agent();
    const from = server.received.length;
    server.own(only().conv.id, 'agent:li', 'take');
    await until(() => flags().length === 2);
    await v.client.send('to people');
    await until(() => stateOf(v.client.thread.value, 'to people') !== 'queued');
    expect(sent(from).map((e) => [e.kind, e.epoch])).toEqual([
      [Kind.announcement, 1],
      [Kind.message, 1],
    ]);
    expect(flags()).toEqual([1, 0]);
  });

  it('a message that met the change of owner is sealed again for the next epoch under its id', async () => {
    await co.robotOn();
    const v = await begin();
    let once = true;
    const from = server.received.length;
    server.fate = (env) => {
      if (env.kind !== Kind.message || !once) return 'store';
      once = false;
      server.own(env.conv, 'queue', 'handoff');
      return Code.epoch_stale;
    };
    await v.client.send('met');
    await until(() => stateOf(v.client.thread.value, 'met') === 'sent');
    const out = sent(from);
    expect(out.map((e) => [e.kind, e.epoch])).toEqual([
      [Kind.message, 0],
      [Kind.announcement, 1],
      [Kind.message, 1],
    ]);
    expect(out[2]!.msg).toBe(out[0]!.msg);
  });

  it('the visitor gone, the agent who took it takes the robot out; before that they write notes only', async () => {
    await co.robotOn();
    const v = await begin();
    const id = v.client.thread.value!.id;
    v.client.dispose();
    const a = await agent();
    const t = a.client.open(id);
    await until(() => t.synced.value);
    await a.client.note(id, 'watching');
    await until(() => lines(t).some((m) => m.text === 'watching' && m.state === 'sent'));
    expect(flags()).toEqual([1]);
    await a.client.take(id);
    await until(() => t.blocked.value === null);
    await a.client.send(id, 'here I am');
    await until(() => stateOf(t, 'here I am') !== 'queued');
    expect(flags()).toEqual([1, 0]);
  });

  it("a new team key while it is the owner: the visitor's next epoch has it again", async () => {
    await co.robotOn();
    const v = await begin();
    await co.team('svc');
    await co.renew();
    await server.learnKeys();
    await v.client.send('again');
    await until(() => stateOf(v.client.thread.value, 'again') === 'sent');
    expect(flags()).toEqual([1, 1]);
    expect(only().conv.owner).toBe('robot');
  });
});

describe('announcements with a robot box', () => {
  async function world() {
    await co.robotOn();
    const [ed, x, bot] = [await b.newSigningKey(), await b.newBoxKey(), await b.newBoxKey()];
    const directory = await co.directory();
    const conv = random(16);
    const made = {
      conv,
      last: emptyChain(),
      dirSeq: directory.seq,
      dirHead: directory.head,
      teamPk: directory.teamPk('svc'),
      visitorX: x.pk,
      botX: bot.pk,
    };
    const want: Receiver = {
      conv,
      last: emptyChain(),
      before: null,
      transfer: null,
      visitorEd: ed.pk,
      visitorX: x.pk,
      directory,
      mine: new Map(),
      live: true,
    };
    return { ed, made, want };
  }
  /** Signs again what was changed. */
  async function resigned(bytes: Uint8Array, change: (b: Uint8Array) => void, by: SigningKey): Promise<Envelope> {
    const unsigned = bytes.slice(0, -64);
    change(unsigned);
    const out = new Uint8Array(bytes.length);
    out.set(unsigned);
    out.set(await by.sign('ann', unsigned), unsigned.length);
    return Envelope.parse(out)!;
  }

  it("only the visitor's is accepted, with the flag and exactly one box", async () => {
    const { ed, made, want } = await world();
    const good = await announce(b, made, ed);
    expect(await acceptAnnouncement(b, Envelope.parse(good)!, want)).toMatchObject({ bot: true });
    await expect(acceptAnnouncement(b, Envelope.parse(await announce(b, made, li.ed))!, want)).rejects.toMatchObject({
      reason: 'creator',
    });
    const later = {
      last: { epoch: 0, hash: random(32) },
      before: { team: 'svc', bot: true, dirSeq: want.directory.seq },
    };
    const byAgent = Envelope.parse(await announce(b, { ...made, ...later }, li.ed))!;
    await expect(acceptAnnouncement(b, byAgent, { ...want, ...later })).rejects.toMatchObject({ reason: 'ghost_box' });
    await expect(
      acceptAnnouncement(b, Envelope.parse(await announce(b, made, co.robot!.ed))!, want),
    ).rejects.toMatchObject({ reason: 'creator' });
    await expect(acceptAnnouncement(b, await resigned(good, (x) => (x[140] = 0), ed), want)).rejects.toMatchObject({
      reason: 'bot_flag',
    });
    const without = await announce(b, { ...made, botX: null }, ed);
    await expect(acceptAnnouncement(b, await resigned(without, (x) => (x[140] = 1), ed), want)).rejects.toMatchObject({
      reason: 'bot_flag',
    });
    const twice = new Uint8Array(good.length + 97);
    twice.set(good.subarray(0, -64));
    twice.set(good.subarray(-64 - 97, -64), good.length - 64);
    await expect(acceptAnnouncement(b, await resigned(twice, () => undefined, ed), want)).rejects.toMatchObject({
      reason: 'ghost_box',
    });
  });

  it('a robot is no agent: its key certifies nothing', async () => {
    await co.robotOn();
    const dir = await co.directory();
    const kid = hex(kidOf(co.robot!.ed.pk));
    expect(dir.keyOf(kid)).toBeNull();
    expect(dir.botByKid(kid)).toMatchObject({ name: '小智' });
  });
});
