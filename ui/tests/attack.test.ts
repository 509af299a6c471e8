/** A hostile server, and honest ones in bad luck, against the clients: what a page was shown once is not taken back unnoticed, and nobody is alarmed for nothing. */
import { beforeEach, describe, expect, it } from 'vitest';
import { cat, random, u32, unhex, utf8 } from '../src/crypto/bytes';
import { encodeBody, sealMessage } from '../src/crypto/envelope';
import { ClientError } from '../src/model';
import { Code, Envelope, Kind } from '../src/proto';
import { memoryStore } from '../src/storage/store';
import { lines, rest, stateOf, texts, until, type Tab } from './support/clients';
import { read, Talk } from './support/talk';
import { agent, broken, browser, co, open, server, visitor } from './support/world';

const SECRET = 'card 6222020200112233';

const hidden = (like: Uint8Array): Uint8Array =>
  cat(like.slice(0, 16), utf8('K0'), new Uint8Array(2), like.slice(20, 36), utf8('{"t":"hidden"}'));

/** An agent's words that the visitor has read. */
async function answered(b: { v: Tab; id: string }, text: string): Promise<void> {
  const a = await agent();
  await a.client.take(b.id);
  await a.client.send(b.id, text);
  await until(() => texts(b.v.client.thread.value).includes(text));
  await rest();
}

describe('what was shown before', () => {
  it('another log is not taken for the remembered one because it is longer and the page went before it was complete', async () => {
    const b = await browser();
    await answered(b, 'we pay it back');
    const at = server.convs.get(b.id)!.records.length;
    // the answer is replaced, records are added, and the first page load is never told that this was all
    server.show = (records) => {
      const out = records
        .slice(0, at)
        .map((r) => (Envelope.parse(r.subarray(16))?.kind === Kind.message && r === records[at - 1] ? hidden(r) : r));
      const next = hidden(records[at - 1]!);
      for (let i = at + 1; i < at + 4; i++) out.push(cat(u32(0), u32(i), next.slice(8)));
      return out;
    };
    server.mute = true;
    await b.reload();
    await rest(3_000);
    server.mute = false;
    const again = await b.reload();
    await until(() => broken(again));
  });

  it('a message before the last record is not left out', async () => {
    const b = await browser();
    await answered(b, 'we pay it back');
    server.event(b.id, { t: 'closed', by: '@idle' });
    await rest();
    server.show = (records) => records.map((r, i) => (i === records.length - 2 ? hidden(r) : r));
    const again = await b.reload();
    await until(() => broken(again));
  });

  it('is remembered before it is seen, also while the next record is looked at', async () => {
    const b = await browser();
    const a = await agent();
    await a.client.take(b.id);
    await rest();
    const thread = b.v.client.thread.value!;
    const peer = server.peers.find((p) => p.role === 'visitor')!;
    const { http } = b.v.env;
    b.v.env.http = (url, init) => (url.includes('/directory') ? new Promise(() => undefined) : http(url, init));
    peer.follows.clear();
    await a.client.send(b.id, 'we pay it back');
    const { records } = server.convs.get(b.id)!;
    const before = records.length;
    await until(() => records.length > before);
    // an unknown sender: the page requests the directory and waits
    server.append(
      b.id,
      cat(
        utf8('K1'),
        new Uint8Array([1, 1]),
        unhex(b.id),
        u32(0),
        random(16),
        random(16),
        u32(1),
        u32(0),
        random(16),
        random(32 + 16 + 64),
      ),
    );
    for (const r of records.slice(before)) peer.s.bytes(r);
    await rest(100);
    peer.s.say({ t: 'conv', conv: server.convs.get(b.id)!.conv });
    await rest(100);
    const seen = texts(thread).includes('we pay it back');
    server.show = (all) => all.slice(0, before);
    const again = await b.reload();
    await until(() => again.client.thread.value?.synced.value === true || broken(again));
    expect(seen && !broken(again), 'seen once, and gone without an alarm').toBe(false);
  });
});

describe('the robot', () => {
  it('that was said to be no owner any more is kept out after a reload, whatever the log shows', async () => {
    await co.robotOn();
    const b = await browser();
    server.fate = () => 'lose';
    server.tell(b.id, { t: 'conv', conv: { ...server.convs.get(b.id)!.conv, owner: 'agent:li' } });
    await until(() => b.v.client.robot.value === false);
    void b.v.client.send(SECRET);
    await rest();
    server.fate = () => 'store';
    const from = server.received.length;
    await b.reload();
    await rest(20_000);
    const robotEpoch = server.received
      .slice(from)
      .map((x) => Envelope.parse(x)!)
      .filter((e) => e.kind === Kind.message && e.epoch === 0);
    expect(robotEpoch).toEqual([]);
  });

  it('is not let in by a new first announcement, after a person was asked for and the page was loaded again', async () => {
    await co.robotOn();
    const store = memoryStore();
    const v = visitor(store);
    await until(() => v.client.site.value !== null);
    v.client.requestPerson();
    v.client.start({});
    let refusal: number | null = Code.storage;
    Object.defineProperty(server, 'refuseOpen', { configurable: true, get: () => refusal, set: () => undefined });
    const opens = () => server.requests.filter((r) => r.t === 'open').length;
    await v.client.send('for people');
    await until(() => opens() > 0);
    const reload = (): Tab => {
      for (const tab of open.splice(0)) tab.dispose();
      server.peers.splice(0);
      return visitor(store);
    };
    // at each page load the first announcement is refused, and the page goes before it tries again
    refusal = Code.epoch_stale;
    for (let i = 0; i < 2; i++) {
      const before = opens();
      reload();
      await until(() => opens() > before);
      await rest(500);
    }
    refusal = null;
    const again = reload();
    await until(() => server.convs.size > 0);
    const first = [...server.convs.values()][0]!.records
      .map((r) => Envelope.parse(r.subarray(16)))
      .find((e) => e?.kind === Kind.announcement);
    expect(first!.flags).toBe(0);
    await until(
      () =>
        stateOf(again.client.thread.value, 'for people') === 'sent' ||
        stateOf(again.client.thread.value, 'for people') === 'delivered',
    );
  });
});

describe('a conversation that is gone', () => {
  it('is named by the next one, which has no robot, also if the page is loaded again in between', async () => {
    await co.robotOn();
    const b = await browser();
    const a = await agent();
    await a.client.take(b.id);
    await until(() => b.v.client.thread.value!.members.value.bot === false);
    server.name = () => null;
    const gone = await b.reload();
    await until(() => gone.client.thread.value?.blocked.value === 'error.conversation_gone');
    gone.client.startOver();
    await rest();
    const again = await b.reload();
    await until(() => again.client.site.value !== null);
    server.name = (c) => (c.id === b.id ? null : c);
    again.client.start({});
    await again.client.send('anew');
    await until(() => stateOf(again.client.thread.value, 'anew') !== 'queued');
    expect(again.client.thread.value!.members.value.bot).toBe(false);
    expect(lines(again.client.thread.value).find((m) => m.kind === 'form')?.form?.after).toBe(b.id);
  });
});

describe('own messages', () => {
  it.each([Kind.note, Kind.grant])(
    'do not vanish because the server shows something of kind %i under their id',
    async (kind) => {
      const b = await browser();
      server.fate = () => 'lose';
      await b.v.client.send('do not lose me');
      await until(() => server.received.some((x) => Envelope.parse(x)?.ctr === 2));
      const env = Envelope.parse(server.received.at(-1)!)!;
      const fake =
        kind === Kind.note
          ? cat(env.bytes.slice(0, 2), new Uint8Array([4]), env.bytes.slice(3, 80), random(16 + 32 + 48 + 64))
          : cat(
              utf8('K1'),
              new Uint8Array([3, 1]),
              unhex(b.id),
              unhex(env.sender),
              new Uint8Array([0, 1]),
              random(4 + 97 - 0),
              unhex(env.msg),
              random(48),
            );
      expect(Envelope.parse(fake)?.msg).toBe(env.msg);
      server.append(b.id, fake);
      await rest();
      const all = lines(b.v.client.thread.value);
      expect(all.some((m) => m.text === 'do not lose me' || m.kind === 'broken')).toBe(true);
    },
  );
});

describe('tombstones', () => {
  let t: Talk;
  beforeEach(async () => {
    t = await Talk.create();
  });

  it('before the first epoch are nothing: they move no counter and explain no order', async () => {
    const opening = t.opening();
    const place = ++t.seq;
    const ann = await t.epoch(t.visitor.ed);
    const cancel = await t.say('CANCEL', t.visitor.ed, { inst: 5, ctr: 0 });
    const yes = await t.say('yes', t.visitor.ed, { inst: 5, ctr: 1 });
    const left = { ...t.left(cancel), seq: place };
    const out = await read(await t.reader(t.li), [opening, left, ann, yes]);
    expect(out.at(-1)).toBe('message:yes missing unordered');
  });
});

describe('message ids', () => {
  it("of somebody else's message are no ids of one's own", async () => {
    const t = await Talk.create();
    const begun = [t.opening(), await t.epoch(t.visitor.ed)];
    const a = await t.say('a');
    const head = { conv: t.conv, epoch: 0, msg: a.body.slice(40, 56), inst: 9, ctr: 0, prev: t.last };
    const same = t.record(
      await sealMessage(head, await t.b.epochKey(t.eks[0]!), encodeBody({ t: 'text', ts: 0, text: 'b' }), t.li.ed),
    );
    const back = await t.recall(a, t.visitor.ed);
    expect(await read(await t.reader(t.li), [...begun, a, same, back])).toEqual(['recalled', 'broken']);
  });
});

describe('an honest server', () => {
  it('that put a backup back raises no alarm when the page asks once more', async () => {
    const b = await browser();
    const keep = server.convs.get(b.id)!.records.length;
    server.event(b.id, { t: 'closed', by: '@idle' });
    server.event(b.id, { t: 'reopened', by: 'visitor' });
    server.event(b.id, { t: 'closed', by: '@idle' });
    await rest();
    server.rewind(b.id, keep);
    server.cut();
    await until(() => b.v.client.thread.value?.synced.value === true);
    await rest(5_000);
    server.tell(b.id, { t: 'synced', conv: b.id, last: keep });
    await rest();
    expect(broken(b.v)).toBe(false);
    expect(b.v.client.thread.value!.ended).toBe(null);
  });

  it('that put a backup back raises no alarm in two tabs, whoever comes back first', async () => {
    const b = await browser();
    const second = visitor(b.store);
    await until(() => second.client.thread.value?.synced.value === true);
    const keep = server.convs.get(b.id)!.records.length;
    for (const text of ['one', 'two', 'three']) {
      await b.v.client.send(text);
      await until(() => stateOf(b.v.client.thread.value, text) !== 'queued');
    }
    await until(() => texts(second.client.thread.value).length === 4);
    server.rewind(b.id, keep);
    second.env.rnd = 0.999;
    b.v.env.rnd = 0;
    server.cut(4000);
    await until(() => b.v.client.thread.value!.synced.value && texts(b.v.client.thread.value).length === 4);
    for (const text of ['four', 'five', 'six']) {
      await b.v.client.send(text);
      await until(() => stateOf(b.v.client.thread.value, text) !== 'queued');
    }
    await until(() => second.client.thread.value!.synced.value && texts(second.client.thread.value).length === 7);
    for (const tab of [b.v, second]) expect(broken(tab)).toBe(false);
    await second.client.send('seven');
    await until(() => texts(b.v.client.thread.value).includes('seven'));
    server.cut(4000);
    await rest(20_000);
    const again = await b.reload();
    await until(() => again.client.thread.value?.synced.value === true);
    expect(texts(again.client.thread.value)).toEqual(['hello', 'one', 'two', 'three', 'four', 'five', 'six', 'seven']);
    expect(lines(again.client.thread.value).some((m) => m.missingBefore || m.unordered)).toBe(false);
  });

  it('that refuses a transfer after it was announced leaves the conversation with the one who has it', async () => {
    await co.revise();
    await co.renew();
    const b = await browser();
    const a = await agent();
    await a.client.take(b.id);
    const t = a.client.open(b.id);
    await until(() => t.synced.value);
    server.fate = (env) => (env.kind === Kind.grant ? Code.rate_limited : 'store');
    await expect(a.client.transfer(b.id, { team: 'vip' })).rejects.toThrow('error.rate_limited');
    server.fate = () => 'store';
    await a.client.send(b.id, 'I am still here');
    await until(() => texts(b.v.client.thread.value).includes('I am still here'));
    await b.v.client.send('good');
    await until(() => texts(t).includes('good'));
  });

  it('whose team key changed right after an agent began an epoch leaves the page in the conversation', async () => {
    const t = await Talk.create();
    const begun = [t.opening(), await t.epoch(t.visitor.ed)];
    const next = await t.epoch(t.li.ed);
    const hi = await t.say('hi', t.li.ed);
    await t.co.team('svc');
    await t.grown();
    const v = await t.reader('visitor');
    expect(await read(v, [...begun, next, hi], true)).toEqual(['message:hi']);
  });

  it('whose directory can not be fetched for long has its epoch read when it can', async () => {
    const t = await Talk.create();
    const begun = [t.opening(), await t.epoch(t.visitor.ed)];
    const v = await t.reader('visitor');
    await read(v, begun);
    const before = t.dir;
    await t.co.team('vip');
    await t.grown();
    const [next, after] = [await t.epoch(t.li.ed), t.dir];
    t.dir = before;
    let down = true;
    t.grown = async () => {
      if (down) throw new ClientError('error.network');
      t.dir = after;
    };
    const done = v.apply(next, true);
    await rest(300_000);
    down = false;
    await rest(20_000);
    await done;
    expect(v.epochs.current?.epoch).toBe(1);
  });

  it('that lost a message and its recall takes what else was lost', async () => {
    const b = await browser();
    const keep = server.convs.get(b.id)!.records.length;
    await b.v.client.send('oops');
    await until(() => stateOf(b.v.client.thread.value, 'oops') !== 'queued');
    await b.v.client.recall(lines(b.v.client.thread.value).find((m) => m.text === 'oops')!.id);
    await b.v.client.send('better');
    await until(() => stateOf(b.v.client.thread.value, 'better') !== 'queued');
    server.rewind(b.id, keep);
    server.cut();
    await until(
      () =>
        texts(b.v.client.thread.value).includes('better') &&
        stateOf(b.v.client.thread.value, 'better') !== 'queued' &&
        b.v.client.thread.value!.synced.value,
    );
    await rest(30_000);
    expect(b.v.client.thread.value!.ended).toBe(null);
    await b.v.client.send('goes on');
    await until(() => stateOf(b.v.client.thread.value, 'goes on') !== 'queued');
  });

  it('whose directory grew while the page was loading is no false one', async () => {
    const store = memoryStore();
    const first = visitor(store);
    await until(() => first.client.site.value !== null);
    const second = visitor(store);
    const { http } = second.env;
    const old = JSON.stringify(co.site());
    second.env.http = (url, init) => (url.includes('/site/') ? Promise.resolve(new Response(old)) : http(url, init));
    // the reply of before is on its way while the other tab learns more
    await co.team('vip');
    await co.renew();
    const third = visitor(store);
    await until(() => third.client.site.value !== null);
    const late = visitor(store);
    late.env.http = (url, init) => (url.includes('/site/') ? Promise.resolve(new Response(old)) : http(url, init));
    await until(() => late.client.site.value !== null || broken(late));
    expect(broken(late)).toBe(false);
  });
});
