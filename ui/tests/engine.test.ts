/** Visitor and agent over a server that loses, refuses and restarts. An acknowledged message is never lost, never doubled. */
import { describe, expect, it, vi } from 'vitest';
import { utf8 } from '../src/crypto/bytes';
import { decodeBody } from '../src/crypto/envelope';
import { Code, Kind } from '../src/proto';
import { memoryStore } from '../src/storage/store';
import { lines, rest, stateOf, texts, until } from './support/clients';
import { agent, begin, server, stored, visitor } from './support/world';

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
    await until(() => a.client.conversations.value[0]?.last?.text === '你好');
    expect(a.client.conversations.value[0]).toMatchObject({
      name: '王',
      unread: 1,
      tabs: { queue: true, mine: false },
    });
    const id = a.client.conversations.value[0]!.id;
    await a.client.take(id);
    const t = a.client.open(id);
    await until(() => lines(t).some((m) => m.kind === 'form'));
    expect(lines(t).find((m) => m.kind === 'form')?.form).toMatchObject({
      fields: { name: '王' },
      lang: 'zh',
      mode: 'pinned',
    });
    await a.client.send(id, '请讲');
    await until(() => texts(v.client.thread.value).includes('请讲'));
    const answer = lines(v.client.thread.value).find((m) => m.text === '请讲');
    expect(answer).toMatchObject({
      side: 'agent',
      mine: false,
      author: { user: 'li', name: 'Name of li' },
      missingBefore: false,
    });
    await until(() => stateOf(t, '请讲') === 'delivered');
    v.client.markRead();
    await until(() => stateOf(t, '请讲') === 'read');
    expect(v.client.unread.value).toBe(0);
    expect(v.client.thread.value!.members.value).toEqual({ people: ['Name of li', 'Name of zhao'], bot: false });
    expect(v.client.thread.value!.agentName.value).toBe('Name of li');
  });

  it('says in the form whether the page was pinned; what is neither word is dropped', () => {
    const read = (mode: unknown) => decodeBody(utf8(JSON.stringify({ t: 'form', ts: 1, fields: {}, mode })));
    for (const mode of ['pinned', 'unpinned']) expect(read(mode)).toMatchObject({ mode });
    for (const mode of ['Pinned', '', true, null, {}, undefined])
      expect((read(mode) as { mode?: unknown }).mode).toBeUndefined();
  });

  it('no text leaves the page unsealed', async () => {
    const v = await begin('canary-8d1f0c7b');
    await v.client.send('canary-5a2e9f44');
    await rest();
    const all = Buffer.concat([
      ...server.received.map((x) => Buffer.from(x)),
      ...server.requests.map((r) => Buffer.from(JSON.stringify(r))),
    ]);
    expect(all.length).toBeGreaterThan(1000);
    // in clear and in base64; a piece of three characters would be found in random bytes now and then
    for (const c of ['canary-', '王'])
      for (const s of [c, Buffer.from(c).toString('base64url').slice(0, -1)].filter(
        (s) => Buffer.byteLength(s) > 4 || s === c,
      ))
        expect(all.includes(s)).toBe(false);
  });

  it('notes stay between agents', async () => {
    const v = await begin();
    const a = await agent();
    const id = v.client.thread.value!.id;
    await until(() => a.client.open(id).synced.value);
    await a.client.note(id, 'careful');
    await until(() =>
      lines(a.client.open(id)).some((m) => m.kind === 'note' && m.text === 'careful' && m.state === 'sent'),
    );
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
    const a = await agent();
    await until(() => a.client.conversations.value[0]?.last?.kind === 'recalled');
    expect(a.client.conversations.value[0]).toMatchObject({ last: { text: '', mine: false }, unread: 0 });
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

  it('a page that reads very much gets its turn in between, also when its keys come late', async () => {
    const v = await begin();
    for (let i = 0; i < 100; i++) void v.client.send(`text ${i}`);
    await until(() => stateOf(v.client.thread.value, 'text 99') === 'sent');
    let turns = 0;
    const env = server.env.bind(server);
    server.env = () => Object.assign(env(), { turn: async () => void turns++ });
    const a = await agent();
    const t = a.client.open(v.client.thread.value!.id);
    await until(() => texts(t).length === 101);
    expect(turns).toBeGreaterThanOrEqual(3);
    // keys that open nothing new are no reason to look at every line again
    const before = turns;
    t.retryKeys();
    await rest();
    expect(turns).toBe(before);
  });

  it('a burst is shown a few times, and all of it in the end', async () => {
    const v = await begin();
    const a = await agent();
    const t = a.client.open(v.client.thread.value!.id);
    await until(() => texts(t).length === 1);
    for (let i = 0; i < 300; i++) void v.client.send(`text ${i}`);
    const [shown, started] = [vi.fn(), Date.now()];
    t.messages.subscribe(shown);
    await until(() => texts(t).length === 301);
    expect(shown.mock.calls.length).toBeLessThanOrEqual((Date.now() - started) / 50 + 5);
    // what has not changed in the list of conversations is not another
    await rest();
    const before = a.client.conversations.value[0];
    t.publish();
    await rest();
    expect(a.client.conversations.value[0]).toBe(before);
  });

  it('a conflict is answered by the same bytes, at once', async () => {
    const v = await begin();
    const from = server.received.length;
    let clashes = 3;
    server.fate = (e) => (e.kind === Kind.message && clashes-- > 0 ? Code.conflict : 'store');
    await v.client.send('again');
    await rest(300);
    expect(stateOf(v.client.thread.value, 'again')).not.toBe('queued');
    const tries = server.received.slice(from).map((x) => Buffer.from(x).toString('hex'));
    expect([tries.length, new Set(tries).size]).toEqual([4, 1]);
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
    expect(
      JSON.stringify(kept.map((k) => (k.value?.bytes ? Buffer.from(k.value.bytes).toString('latin1') : k.value))),
    ).not.toContain('canary');
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
    for (const t of [one, two])
      await until(
        () =>
          texts(t.client.thread.value).length === 5 && lines(t.client.thread.value).every((m) => m.state !== 'queued'),
      );
    for (const t of [one, two]) {
      expect([...texts(t.client.thread.value)].sort()).toEqual([...all].sort());
      expect(lines(t.client.thread.value).every((m) => m.mine || m.kind === 'event')).toBe(true);
      expect(lines(t.client.thread.value).some((m) => m.missingBefore || m.kind === 'broken')).toBe(false);
    }
    expect(new Set(stored().map((e) => e!.inst)).size).toBe(2);
    expect(server.convs.size).toBe(1);
  });
});
