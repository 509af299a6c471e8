/** What a server cannot accept now: it is kept, tried again when the server allows, and people are told until when. */
import { beforeEach, describe, expect, it } from 'vitest';
import { lang } from '../src/i18n/core';
import { waitText, when } from '../src/i18n/wait';
import { Refused, retryMsOf } from '../src/link/errors';
import { Code, Envelope, Kind, LIMITS } from '../src/proto';
import { rest, stateOf, texts, until } from './support/clients';
import { agent, begin, browser, server, visitor } from './support/world';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const messages = (): number => server.received.filter((x) => Envelope.parse(x)!.kind === Kind.message).length;

describe('a message that must wait', () => {
  it.each(['messages', 'changes', 'keys', 'bytes', 'reads'] as const)(
    'is sent when the server said (%s), and is not tried before',
    async (limit) => {
      const v = await begin();
      const t = v.client.thread.value!;
      const before = messages();
      let refuse = true;
      server.fate = () => (refuse ? { code: Code.rate_limited, retry_ms: 40_000, limit } : 'store');
      await v.client.send('later');
      await v.client.send('even later');
      await until(() => t.wait.value !== null);
      expect(t.wait.value).toMatchObject({ why: limit, until: expect.closeTo(Date.now() + 40_000, -3) });
      expect(v.client.wait.value).toBe(t.wait.value);
      refuse = false;
      await rest(38_000);
      expect(messages()).toBe(before + 1);
      expect([stateOf(t, 'later'), stateOf(t, 'even later')]).toEqual(['queued', 'queued']);
      await rest(4_000);
      expect([stateOf(t, 'later'), stateOf(t, 'even later'), t.wait.value]).toEqual(['sent', 'sent', null]);
    },
  );

  it('waits for hours, over a reload, with one try for each connection', async () => {
    const b = await browser();
    let refuse = true;
    server.fate = (e) =>
      refuse && e.kind === Kind.message ? { code: Code.rate_limited, retry_ms: 3 * HOUR, limit: 'bytes' } : 'store';
    const before = messages();
    await b.v.client.send('tomorrow');
    await until(() => b.v.client.wait.value !== null);
    await rest(HOUR);
    expect(messages()).toBe(before + 1);
    const again = await b.reload();
    await until(() => again.client.wait.value !== null);
    expect(stateOf(again.client.thread.value, 'tomorrow')).toBe('queued');
    await rest(2 * HOUR);
    expect(messages()).toBe(before + 2);
    refuse = false;
    await rest(HOUR);
    expect(stateOf(again.client.thread.value, 'tomorrow')).toBe('sent');
    expect(again.client.wait.value).toBeNull();
  });

  it('never fails by waiting, however often, and is not tried faster and faster', async () => {
    const v = await begin();
    const t = v.client.thread.value!;
    const before = messages();
    server.fate = () => ({ code: Code.storage });
    await v.client.send('patient');
    await rest(30 * MINUTE);
    expect(stateOf(t, 'patient')).toBe('queued');
    expect(t.wait.value?.why).toBe('storage');
    expect(messages() - before).toBeLessThan(50);
    server.fate = () => 'store';
    await rest(2 * MINUTE);
    expect(stateOf(t, 'patient')).toBe('sent');
  });

  it('a second is not worth a word', async () => {
    const v = await begin();
    let first = true;
    server.fate = () =>
      first ? ((first = false), { code: Code.rate_limited, retry_ms: 900, limit: 'messages' }) : 'store';
    await v.client.send('quick');
    const seen: unknown[] = [];
    v.client.thread.value!.wait.subscribe((w) => seen.push(w));
    await until(() => stateOf(v.client.thread.value, 'quick') === 'sent');
    expect(seen).toEqual([null]);
  });
});

describe('a conversation that is full', () => {
  it('says so for good, over a reload, and the next one goes on from it', async () => {
    const b = await browser();
    server.fate = (e) =>
      e.conv === b.id && e.kind === Kind.message ? { code: Code.too_large, limit: 'conversation' } : 'store';
    await b.v.client.send('too much');
    await until(() => b.v.client.thread.value!.blocked.value === 'error.full');
    expect(stateOf(b.v.client.thread.value, 'too much')).toBe('failed');
    await expect(b.v.client.thread.value!.send({ t: 'text', ts: 0, text: 'more' })).rejects.toThrow('error.full');
    const again = await b.reload();
    await until(() => again.client.thread.value?.blocked.value === 'error.full');
    again.client.startOver();
    again.client.start({});
    await again.client.send('anew');
    await until(() => stateOf(again.client.thread.value, 'anew') === 'sent');
    const form = again.client.thread.value!.messages.value.find((m) => m.kind === 'form');
    expect(form!.form!.after).toBe(b.id);
  });

  it('a message that is too long is not a conversation that is full', async () => {
    const v = await begin();
    server.fate = () => Code.too_large;
    await v.client.send('long');
    await until(() => stateOf(v.client.thread.value, 'long') === 'failed');
    expect(v.client.thread.value!.blocked.value).toBeNull();
    expect(v.client.thread.value!.messages.value.find((m) => m.text === 'long')!.error).toBe('error.too_large');
  });
});

describe('other refusals', () => {
  it('no more conversations: the first message is kept and the conversation opened when the server said', async () => {
    server.refuses.set('open', { code: Code.rate_limited, retry_ms: 20 * MINUTE, limit: 'openings' });
    const v = visitor();
    v.client.start({});
    await v.client.send('hello');
    await until(() => v.client.wait.value !== null);
    expect(v.client.wait.value).toMatchObject({ why: 'openings' });
    const tries = () => server.requests.filter((r) => r.t === 'open').length;
    await rest(19 * MINUTE);
    expect([tries(), stateOf(v.client.thread.value, 'hello')]).toEqual([1, 'queued']);
    server.refuses.clear();
    await rest(MINUTE);
    await until(() => stateOf(v.client.thread.value, 'hello') === 'sent');
    expect([tries(), v.client.wait.value]).toEqual([2, null]);
  });

  it('no more changes: closing is refused with the time', async () => {
    const v = await begin();
    server.refuses.set('close', { code: Code.rate_limited, retry_ms: 5_000, limit: 'changes' });
    await expect(v.client.close()).rejects.toMatchObject({ key: 'error.rate_limited', wait: { why: 'changes' } });
  });

  it('no more keys: the robot is taken out when the server said, and what waits is not lost', async () => {
    const v = await begin();
    await server.co.team('svc');
    await server.learnKeys();
    await server.co.renew();
    server.tell(v.client.thread.value!.id, { t: 'directory', seq: server.co.log.length - 1 });
    let times = 0;
    server.fate = (e) =>
      e.kind === Kind.announcement && times++ < 12
        ? { code: Code.rate_limited, retry_ms: MINUTE, limit: 'keys' }
        : 'store';
    await v.client.send('in the next epoch');
    await until(() => v.client.wait.value?.why === 'keys');
    await rest(20 * MINUTE);
    expect(times).toBe(13);
    expect(stateOf(v.client.thread.value, 'in the next epoch')).toBe('sent');
    expect(v.client.wait.value).toBeNull();
  });

  it('too many requests: the site is asked for again when the server said', async () => {
    let asked = 0;
    server.busy = (path) =>
      path.startsWith('/site/') && asked++ === 0 ? { code: Code.rate_limited, retry_ms: 30_000, limit: 'reads' } : null;
    const v = visitor();
    await until(() => v.client.connection.value.wait !== undefined);
    expect(v.client.connection.value).toMatchObject({ state: 'waiting', wait: { why: 'reads' } });
    v.env.wake();
    await rest(28_000);
    expect(asked).toBe(1);
    await until(() => v.client.site.value !== null);
    expect(asked).toBe(2);
  });

  it('too many requests: the past is asked for again when the server said, and who waits is told', async () => {
    const v = await begin();
    await v.client.send('second');
    await until(() => stateOf(v.client.thread.value, 'second') === 'sent');
    server.most = 1;
    let asked = 0;
    server.busy = (path) =>
      path.includes('/records?') && asked++ === 0
        ? { code: Code.rate_limited, retry_ms: 30_000, limit: 'reads' }
        : null;
    const a = await agent();
    const t = a.client.open(v.client.thread.value!.id);
    await until(() => t.wait.value?.why === 'reads');
    await rest(25_000);
    expect([asked, texts(t)]).toEqual([1, []]);
    await until(() => texts(t).length === 2);
    expect(t.wait.value).toBeNull();
  });

  it('an agent whose start is refused stays signed in', async () => {
    let asked = 0;
    server.busy = (path) =>
      path.startsWith('/directory') && asked++ < 1
        ? { code: Code.rate_limited, retry_ms: 20_000, limit: 'reads' }
        : null;
    const a = await agent();
    expect(a.client.session.value).toBe('signed-in');
    expect(asked).toBeGreaterThan(1);
  });
});

describe('room on the disk', () => {
  it('agents are told when they come and when it changes', async () => {
    server.storage = 'low';
    const a = await agent();
    expect(a.client.storage.value).toBe('low');
    for (const state of ['full', 'ok', 'nonsense']) {
      for (const p of server.peers) p.s.say({ t: 'storage', state });
      expect(a.client.storage.value).toBe(state === 'nonsense' ? 'ok' : state);
    }
    server.storage = undefined;
    server.cut();
    await until(() => a.client.connection.value.state === 'online');
    expect(a.client.storage.value).toBe('ok');
  });
});

describe('what is said', () => {
  beforeEach(() => {
    lang.value = 'en';
  });
  const now = new Date(2026, 10, 20, 14, 5).getTime();

  it('seconds, minutes, the time of day, the day', () => {
    const all = [0, 900, 23_000, 61_000, 59 * MINUTE, 2 * HOUR, 12 * HOUR, 80 * HOUR].map((ms) => when(now + ms, now));
    expect(all).toEqual([
      'in a moment',
      'in 1 second',
      'in 23 seconds',
      'in 2 minutes',
      'in 59 minutes',
      'at 16:05',
      'tomorrow at 02:05',
      'on November 23 at 22:05',
    ]);
    lang.value = 'zh-CN';
    expect(when(now + 12 * HOUR, now)).toBe('明天 02:05 ');
  });

  it('has a sentence for every limit in both languages', () => {
    for (const one of ['en', 'zh-CN'] as const) {
      lang.value = one;
      const said = [...LIMITS, 'rate', 'storage'].map((why) =>
        waitText({ why: why as 'rate', until: now + 5_000 }, 'act', now),
      );
      expect(new Set(said).size).toBe(LIMITS.length + 2);
      // when a block ends is not for the visitor to wait for
      for (const text of said.filter((_, i) => LIMITS[i] !== 'blocked'))
        expect(text).toMatch(one === 'en' ? /Try again in 5 seconds\.$/ : /请5 秒后再试。$/);
    }
  });

  it('a server may say nonsense', () => {
    for (const retry_ms of [Number.NaN, -1, '5', null, undefined, {}])
      expect(retryMsOf({ code: 3, retry_ms })).toBeUndefined();
    expect(retryMsOf({ code: 3, retry_ms: 1e300 })).toBe(7 * 24 * HOUR);
    expect(new Refused({ code: 3, retry_ms: 1_000, limit: 'nonsense' }).wait).toMatchObject({ why: 'rate' });
    expect(new Refused({ code: Code.too_large, limit: 'conversation' }).key).toBe('error.full');
    expect(new Refused({ code: Code.too_large, limit: 'conversation', retry_ms: 5_000 }).wait).toBeUndefined();
  });
});
