/** The link against a scripted socket. Time is false throughout. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { cat, hex, random, u32, unb64u, utf8 } from '../src/crypto/bytes';
import { fingerprint } from '../src/crypto/hash';
import { pureBackend } from '../src/crypto/pure';
import { Link } from '../src/link/link';
import type { Connection } from '../src/model';
import type { Welcome, WireRecord } from '../src/proto';
import { fakeEnv, type FakeEnv, type FakeSocket } from './support/socket';

const b = pureBackend();
const org = fingerprint(random(32));
const CONV = '00112233445566778899aabbccddeeff';
const BEAT = 10_000;
const welcome = (o: Partial<Welcome> = {}): Welcome => ({
  t: 'welcome',
  role: 'visitor',
  kid: '',
  token: 'tok',
  now: Date.now(),
  beat: BEAT,
  convs: [],
  config: {},
  ...o,
});
const record = (seq: number, conv = CONV) => {
  const id = new Uint8Array(16).map((_, i) => parseInt(conv.slice(2 * i, 2 * i + 2), 16));
  return cat(u32(0), u32(seq), u32(0), u32(1000 + seq), utf8('K0'), new Uint8Array(2), id, utf8(`{"t":"hidden"}`));
};

describe('the link', () => {
  let env: FakeEnv;
  let link: Link;
  let states: Connection[];
  let shut: number;
  let records: WireRecord[];
  let synced: number[];
  let held: (string | undefined)[];
  let key: Awaited<ReturnType<typeof b.newSigningKey>>;

  beforeEach(async () => {
    vi.useFakeTimers({ now: 1_000_000 });
    env = fakeEnv();
    states = [];
    shut = 0;
    records = [];
    synced = [];
    held = [];
    key = await b.newSigningKey();
    link = new Link({
      server: 'https://kefu.example',
      path: '/api/v1/ws/site/shop',
      role: 'visitor',
      org,
      key,
      env,
      onState: (c) => states.push(c),
      onWelcome: () => undefined,
      onFrame: () => undefined,
      onRecord: (r) => records.push(r),
      onSynced: (_, last) => synced.push(last),
      onRewound: () => undefined,
      onHeld: (_, wait) => held.push(wait?.why),
      known: () => ({}),
      onSocketRefused: () => shut++,
    });
  });
  afterEach(() => {
    link.stop();
    vi.useRealTimers();
  });

  const socket = (): FakeSocket => env.sockets.at(-1)!;
  const state = () => states.at(-1)!;
  const tick = (ms = 0) => vi.advanceTimersByTimeAsync(ms);
  const up = async (o: Partial<Welcome> = {}): Promise<FakeSocket> => {
    if (!env.sockets.length) link.start();
    const s = socket();
    s.say({ t: 'challenge', nonce: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', org: hex(org), now: Date.now() });
    await tick();
    s.say(welcome(o));
    return s;
  };

  it('answers the challenge with a signature over nonce, company and role', async () => {
    const s = await up();
    expect(s.url).toBe('wss://kefu.example/api/v1/ws/site/shop');
    const [hello] = s.frames();
    const signed = cat(new Uint8Array(32), org, new Uint8Array([2]));
    expect(await b.verify('auth', unb64u(hello!.ed as string), signed, unb64u(hello!.sig as string))).toBe(true);
    expect(state()).toEqual({ state: 'online' });
    expect(link.token()).toBe('tok');
  });

  it('asks at once whether it is true that the network is gone', async () => {
    const s = await up();
    s.frames();
    env.offline();
    expect(s.frames()).toEqual([{ t: 'ping' }]);
    s.say({ t: 'pong', now: Date.now() });
    await tick(5_000);
    expect(state().state).toBe('online');
    env.offline();
    await tick(1_500);
    expect(state()).toMatchObject({ state: 'waiting', reason: 'error.network' });
  });

  it('has it asked why sockets are refused before a word, and says what was found until one is not', async () => {
    link.start();
    for (let i = 0; i < 2; i++) {
      socket().end(1006);
      await tick(15_000);
    }
    expect(shut).toBe(0);
    socket().end(1006);
    expect(shut).toBe(1);
    link.because('error.socket');
    expect(state()).toMatchObject({ state: 'waiting', reason: 'error.socket' });
    await tick(15_000);
    socket().end(1006);
    expect(state()).toMatchObject({ state: 'waiting', reason: 'error.socket' });
    await tick(15_000);
    const s = await up();
    expect(state()).toEqual({ state: 'online' });
    // what is found out too late is not true any more
    link.because('error.origin', true);
    expect(state()).toEqual({ state: 'online' });
    s.end(4000);
    expect(state()).toMatchObject({ state: 'waiting', reason: 'error.network' });
    await tick(2_000);
    for (let i = 0; i < 2; i++) {
      socket().end(1006);
      await tick(15_000);
    }
    link.because('error.origin', true);
    expect(state()).toMatchObject({ state: 'ended', reason: 'error.origin' });
  });

  it("a socket that the page's policy refused is refused, though it is never closed", async () => {
    link.start();
    const s = socket();
    Object.assign(s, { readyState: 3 });
    (s.onerror as (() => void) | null)?.();
    expect(state().state).toBe('waiting');
    await tick(15_000);
    expect(env.sockets.length).toBeGreaterThan(1);
  });

  it('speaks to no server of another company', async () => {
    link.start();
    socket().say({ t: 'challenge', nonce: 'AAAA', org: '00'.repeat(16), now: 0 });
    await tick();
    expect(state()).toEqual({ state: 'ended', reason: 'error.pin' });
    expect(socket().sent).toHaveLength(0);
  });

  it('comes back with full jitter, at once when somebody looks', async () => {
    await up();
    env.rnd = 0.999;
    const delays: number[] = [];
    for (let i = 0; i < 8; i++) {
      socket().end(1006);
      delays.push(state().retryAt! - Date.now());
      expect(state().state).toBe('waiting');
      await tick(delays.at(-1)! + 1);
      expect(state().state).toBe('connecting');
    }
    expect(delays.map(Math.round)).toEqual([300, 599, 1199, 2398, 4795, 9590, 14985, 14985]);
    socket().end(1006);
    const count = env.sockets.length;
    env.wake();
    expect(env.sockets.length).toBe(count + 1);
  });

  it('4000 comes back within a second, 4003 not at once', async () => {
    await up();
    socket().end(4000);
    expect(state().retryAt! - Date.now()).toBeLessThanOrEqual(1000);
    await tick(1001);
    socket().end(4003);
    expect(state().reason).toBe('error.busy');
    expect(state().retryAt! - Date.now()).toBeGreaterThanOrEqual(5000);
  });

  it.each([
    [4500, 'error.protocol'],
    [4501, 'error.unauthorised'],
    [4502, 'error.disabled'],
    [4503, 'error.unsupported'],
  ])('%i does not come back', async (code, reason) => {
    await up();
    socket().end(code);
    expect(state()).toEqual({ state: 'ended', reason });
    const count = env.sockets.length;
    env.wake();
    await tick(60_000);
    expect(env.sockets.length).toBe(count);
    link.reconnect();
    expect(env.sockets.length).toBe(count + 1);
  });

  it('pings after a beat of silence and gives up after two', async () => {
    const s = await up();
    s.frames();
    await tick(BEAT);
    expect(s.frames()).toEqual([{ t: 'ping' }]);
    s.say({ t: 'pong', now: Date.now() });
    await tick(BEAT - 1);
    expect(s.frames()).toEqual([]);
    await tick(1);
    expect(s.frames()).toEqual([{ t: 'ping' }]);
    await tick(BEAT);
    expect(s.closed).toBe(true);
    expect(state().state).toBe('waiting');
  });

  it('a server that never greets is given up', async () => {
    link.start();
    await tick(20_000);
    expect(env.sockets[0]!.closed).toBe(true);
    expect(env.sockets.length).toBeGreaterThan(1);
  });

  it('requests are answered by number, refused, timed out or cut', async () => {
    const s = await up();
    s.frames();
    const outcome = (p: Promise<void>) =>
      p.then(
        () => 'ok',
        (e: { key: string }) => e.key,
      );
    const all = [1, 2, 3, 4].map(() => outcome(link.request({ t: 'take', conv: CONV })));
    expect(s.frames().map((f) => f.req)).toEqual([1, 2, 3, 4]);
    s.say({ t: 'error', req: 2, code: 11, text: 'no' });
    s.say({ t: 'ok', req: 1 });
    expect(await Promise.all(all.slice(0, 2))).toEqual(['ok', 'error.not_owner']);
    await tick(9_000);
    s.say({ t: 'pong', now: Date.now() });
    const late = outcome(link.request({ t: 'take', conv: CONV }));
    await tick(6_001);
    expect(await all[2]).toBe('error.network');
    s.end(1006);
    expect(await late).toBe('error.network');
    expect(await outcome(link.request({ t: 'take', conv: CONV }))).toBe('error.network');
  });

  it('nothing that is not sealed leaves as an envelope', async () => {
    const s = await up();
    s.frames();
    expect(link.envelope(utf8('hello'))).toBe(false);
    expect(s.sent).toHaveLength(0);
    expect(link.envelope(utf8('K1 whatever'))).toBe(true);
  });

  it('applies each record once and in order, asks once for what is missing', async () => {
    const s = await up();
    link.follower.follow(CONV);
    expect(s.frames().at(-1)).toEqual({ t: 'resume', convs: [{ id: CONV, have: 0 }] });
    for (const n of [1, 2, 2, 1]) s.bytes(record(n));
    s.say({ t: 'synced', conv: CONV, last: 2 });
    expect(records.map((r) => r.seq)).toEqual([1, 2]);
    expect(synced).toEqual([2]);
    for (const n of [5, 6]) s.bytes(record(n));
    expect(s.frames()).toEqual([{ t: 'resume', convs: [{ id: CONV, have: 2 }] }]);
    for (const n of [3, 4, 5, 6]) s.bytes(record(n));
    s.say({ t: 'synced', conv: CONV, last: 6 });
    expect(records.map((r) => r.seq)).toEqual([1, 2, 3, 4, 5, 6]);
    s.bytes(record(7, 'ff'.repeat(16)));
    expect(records).toHaveLength(6);
  });

  it('says what it holds after every connection, 64 conversations at a time', async () => {
    await up();
    const ids = Array.from({ length: 70 }, (_, i) => i.toString(16).padStart(32, '0'));
    for (const id of ids) link.follower.follow(id);
    socket().bytes(record(1, ids[0]));
    socket().end(1006);
    env.wake();
    const s = await up();
    const resumes = s.frames().filter((f) => f.t === 'resume') as { convs: { id: string; have: number }[] }[];
    expect(resumes.map((r) => r.convs.length)).toEqual([64, 6]);
    expect(resumes[0]!.convs[0]).toEqual({ id: ids[0], have: 1 });
  });

  it('a server that says it sent everything and did not is not asked in a loop, and it is said once until the rest comes', async () => {
    const s = await up();
    link.follower.follow(CONV);
    s.frames();
    s.onsend = (d) => {
      s.sent.push(d);
      if ((JSON.parse(d as string) as { t: string }).t === 'resume')
        queueMicrotask(() => s.say({ t: 'synced', conv: CONV, last: 9 }));
    };
    s.say({ t: 'synced', conv: CONV, last: 9 });
    await tick(9_000);
    expect(s.frames().filter((f) => f.t === 'resume').length).toBeLessThanOrEqual(5);
    expect(synced).toEqual([]);
    expect(held).toEqual(['missing']);
    s.bytes(record(2));
    expect(held).toEqual(['missing']);
    s.bytes(record(1));
    expect(held).toEqual(['missing', undefined]);
    // the server takes it back, and withholds something again
    await tick(3_000);
    expect(held).toEqual(['missing', undefined, 'missing']);
    s.onsend = (d) => s.sent.push(d);
    s.say({ t: 'synced', conv: CONV, last: 1 });
    expect(synced).toEqual([1]);
    s.bytes(record(3));
    s.say({ t: 'synced', conv: CONV, last: 3 });
    expect(held.at(-1)).toBe('missing');
    expect(held).toHaveLength(4);
  });

  it('pages over HTTP when it is far behind, and survives a page that fails', async () => {
    const asked: string[] = [];
    let fail = true;
    env.http = async (url, init) => {
      asked.push(
        `${url.replace('https://kefu.example', '')} ${(init!.headers as Record<string, string>).Authorization}`,
      );
      if (asked.length === 2 && fail) {
        fail = false;
        throw new TypeError('network');
      }
      const after = Number(/after=(\d+)/.exec(url)![1]);
      const page = Array.from({ length: Math.min(500, 900 - after) }, (_, i) => record(after + 1 + i));
      return new Response(cat(...page.flatMap((r) => [u32(r.length), r])) as Uint8Array<ArrayBuffer>);
    };
    const s = await up();
    link.follower.follow(CONV);
    s.frames();
    s.say({ t: 'behind', conv: CONV, last: 900 });
    s.bytes(record(901)); // live, while paging: comes again by resume
    await tick(5_000);
    expect(records).toHaveLength(900);
    expect(asked[0]).toBe(`/api/v1/conversations/${CONV}/records?after=0&limit=500&rev=2 Bearer tok`);
    expect(asked).toHaveLength(3);
    expect(s.frames().at(-1)).toEqual({ t: 'resume', convs: [{ id: CONV, have: 900 }] });
    s.bytes(record(901));
    s.say({ t: 'synced', conv: CONV, last: 901 });
    expect(synced).toEqual([901]);
  });
});
