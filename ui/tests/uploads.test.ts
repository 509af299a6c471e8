/** Files from one browser to another over a server that loses, refuses, restarts and lies. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { hex, random } from '../src/crypto/bytes';
import { nativeBackend } from '../src/crypto/native';
import { pureBackend } from '../src/crypto/pure';
import type { Message, Picked, Thread } from '../src/model';
import { Code, Envelope, Kind } from '../src/proto';
import { memoryStore, type Store } from '../src/storage/store';
import { agentTab, lines, rest, until, visitorTab, type Tab } from './support/clients';
import { li, open, server } from './support/world';

/** Ciphers of the browser: sealing megabytes in JavaScript takes too long. */
const backend = { ...pureBackend(), aes: nativeBackend().aes };
const PART = 1_048_832;

const picked = (n: number, name = 'a.bin', more: Partial<Picked> = {}): Picked => ({
  blob: new Blob([Uint8Array.from({ length: n }, (_, i) => (i * 7 + (i >> 9)) & 0xff)]),
  name,
  type: 'application/octet-stream',
  ...more,
});
const none = (): void => undefined;

const visitor = (store?: Store): Tab => {
  const tab = visitorTab(server, backend, store);
  open.push(tab.client);
  return tab;
};
const agent = async () => {
  const tab = await agentTab(server, backend, li, ['svc']);
  open.push(tab.client);
  return tab;
};
const begin = async (store?: Store): Promise<Tab> => {
  const v = visitor(store);
  v.client.start({});
  await v.client.send('hi');
  await until(() => lines(v.client.thread.value).some((m) => m.text === 'hi' && m.state === 'sent'));
  return v;
};
const files = (t: Thread | null): Message[] => lines(t).filter((m) => m.file);
const named = (t: Thread | null, name: string): Message | undefined => files(t).find((m) => m.file!.name === name);
const upload = (t: Thread | null, name: string) => t!.files.upload(named(t, name)!.id);
const stored = async (store: Store): Promise<string[]> =>
  (await store.list('')).map((x) => x.name).filter((n) => /\/(?:file|part|out)\//.test(n));
const digest = async (b: Blob): Promise<string> =>
  hex(new Uint8Array(await crypto.subtle.digest('SHA-256', await b.arrayBuffer())));
/** Ends pages as a closed tab does. */
const shut = (): void => {
  for (const tab of open.splice(0)) tab.dispose();
  server.peers.splice(0);
};
const sentFor = (msg: string): Envelope[] =>
  server.received.map((b) => Envelope.parse(b)!).filter((e) => e.kind === Kind.message && e.msg === msg);

let store: Store;
beforeEach(() => {
  // kept like a browser's
  store = { ...memoryStore(), kept: true };
});

describe('a file', () => {
  it('goes from a visitor to an agent, and nothing of it is in clear on the server or stays here', async () => {
    const v = await begin(store);
    const a = await agent();
    const file = picked(2 * PART, 'canary-name-1f0c.pdf', { w: 3, h: 2, thumb: random(100), secs: 4 });
    const shares: number[] = [];
    await v.client.sendFile(file, (s) => shares.push(s));
    expect(shares.at(-1)).toBe(1);
    const t = v.client.thread.value!;
    await until(() => named(t, file.name)?.state === 'sent');
    const id = named(t, file.name)!.id;
    const there = a.client.open(t.id);
    await until(() => !!named(there, file.name));
    const got = named(there, file.name)!;
    expect(got.file).toEqual({ name: file.name, size: 2 * PART, w: 3, h: 2, thumb: file.thumb, secs: 4 });
    expect(got).toMatchObject({ kind: 'text', text: '', id });
    const progress: number[] = [];
    const blob = await there.files.load(id, { progress: (s) => progress.push(s) });
    expect(await digest(blob)).toBe(await digest(file.blob));
    expect(blob.type).toBe('');
    expect(progress.at(-1)).toBe(1);
    // again: from what was kept
    const gets = server.files.log.length;
    await there.files.load(id);
    expect(server.files.log).toHaveLength(gets);
    expect(await stored(store)).toEqual([]);
    const bytes = Buffer.concat([...server.files.all.values()].map((f) => f.bytes).concat(server.received));
    expect(bytes.includes('canary-name')).toBe(false);
    expect(bytes.includes(Buffer.from(await file.blob.slice(0, 16).arrayBuffer()))).toBe(false);
  });

  it('begins a conversation, and the other way round goes from an agent to the visitor', async () => {
    const v = visitor(store);
    v.client.start({});
    await v.client.sendFile(picked(10, 'first.txt'), none);
    await until(() => named(v.client.thread.value, 'first.txt')?.state === 'sent');
    const a = await agent();
    const { id } = v.client.thread.value!;
    await a.client.take(id);
    await until(() => a.client.open(id).synced.value);
    await a.client.sendFile(id, picked(0, 'empty'), none);
    await until(() => !!named(v.client.thread.value, 'empty'));
    const m = named(v.client.thread.value, 'empty')!;
    expect((await v.client.thread.value!.files.load(m.id)).size).toBe(0);
    expect(v.client.unread.value).toBe(1);
  });

  it('waits for its upload, and what is written meanwhile overtakes it without a gap', async () => {
    const v = await begin(store);
    const a = await agent();
    let hold = true;
    server.files.answer = (method) =>
      hold && method === 'PUT' ? new Response('{"code":13,"text":"","retry_ms":1000}', { status: 503 }) : null;
    await v.client.sendFile(picked(PART, 'slow'), none);
    await v.client.send('meanwhile');
    const t = v.client.thread.value!;
    await until(() => lines(t).some((m) => m.text === 'meanwhile' && m.state === 'sent'));
    expect(named(t, 'slow')!.state).toBe('queued');
    expect(sentFor(named(t, 'slow')!.id)).toEqual([]);
    hold = false;
    await until(() => named(t, 'slow')?.state === 'sent');
    const there = a.client.open(t.id);
    await until(() => !!named(there, 'slow'));
    expect(lines(there).every((m) => !m.missingBefore && !m.unordered)).toBe(true);
  });

  it('several go one after the other, in their order', async () => {
    const v = await begin(store);
    await Promise.all(['a', 'b', 'c'].map((n) => v.client.sendFile(picked(PART + 5, n), none)));
    await until(() => files(v.client.thread.value).filter((m) => m.state === 'sent').length === 3);
    const order = files(v.client.thread.value).map((m) => m.file!.name);
    expect(order).toEqual(['a', 'b', 'c']);
    // no part of one between the parts of another
    expect(server.files.log.filter((l) => l !== 'GET')).toEqual(
      Array(3)
        .fill(['POST', 'PUT 0', `PUT ${PART}`])
        .flat(),
    );
  });
});

describe('an upload', () => {
  /** Stops after the first part until it is told to go on. */
  const stopAfterOne = (): (() => void) => {
    let go = false;
    server.files.answer = (method, at) =>
      method === 'PUT' && at >= PART && !go ? Promise.reject(new TypeError('network')) : null;
    return () => (go = true);
  };

  it('goes on after a reload from where the server is, and is never doubled', async () => {
    const v = await begin(store);
    const go = stopAfterOne();
    const file = picked(3 * PART, 'big');
    await v.client.sendFile(file, none);
    await until(() => upload(v.client.thread.value, 'big')!.value.sent === PART);
    shut();
    go();
    server.files.log.length = 0;
    const again = visitor(store);
    await until(() => named(again.client.thread.value, 'big')?.state === 'sent');
    expect(server.files.log[1]).toBe(`PUT ${PART}`);
    const a = await agent();
    const there = a.client.open(again.client.thread.value!.id);
    await until(() => !!named(there, 'big'));
    expect(files(there)).toHaveLength(1);
    expect(await digest(await there.files.load(named(there, 'big')!.id))).toBe(await digest(file.blob));
    expect(await stored(store)).toEqual([]);
  });

  it('goes on after a lost connection and after a server that forgot it', async () => {
    const v = await begin(store);
    const go = stopAfterOne();
    await v.client.sendFile(picked(3 * PART, 'big'), none);
    await until(() => upload(v.client.thread.value, 'big')!.value.sent === PART);
    server.cut();
    await rest();
    server.files.all.clear();
    go();
    await until(() => named(v.client.thread.value, 'big')?.state === 'sent');
    expect([...server.files.all.values()][0]!.bytes.length).toBeGreaterThan(3 * PART);
  });

  it('is sealed anew under the same id when the epoch changed meanwhile', async () => {
    await server.co.robotOn();
    const v = await begin(store);
    const t = v.client.thread.value!;
    expect(server.convs.get(t.id)!.conv.owner).toBe('robot');
    const go = stopAfterOne();
    const file = picked(2 * PART, 'big');
    await v.client.sendFile(file, none);
    await until(() => upload(t, 'big')!.value.sent === PART);
    // a person takes over: the robot is out of the next epoch
    server.own(t.id, 'agent:li', 'take');
    await until(() => server.convs.get(t.id)!.conv.epoch === 1);
    go();
    await until(() => named(t, 'big')?.state === 'sent');
    const { id } = named(t, 'big')!;
    expect(sentFor(id).map((e) => e.epoch)).toEqual([1]);
    const a = await agent();
    const there = a.client.open(t.id);
    await until(() => !!named(there, 'big'));
    expect(await digest(await there.files.load(id))).toBe(await digest(file.blob));
  });

  it('pauses, and goes on when it is told to', async () => {
    const v = await begin(store);
    const t = v.client.thread.value!;
    server.files.answer = (method, at) => {
      if (method === 'PUT' && at === 0) t.files.pause(named(t, 'big')!.id);
      return null;
    };
    await v.client.sendFile(picked(3 * PART, 'big'), none);
    await until(() => upload(t, 'big')!.value.state === 'paused');
    await rest(120_000);
    expect(upload(t, 'big')!.value.state).toBe('paused');
    expect(sentFor(named(t, 'big')!.id)).toEqual([]);
    // the next one does not wait for it
    server.files.answer = () => null;
    await v.client.sendFile(picked(5, 'small'), none);
    await until(() => named(t, 'small')?.state === 'sent');
    t.files.resume(named(t, 'big')!.id);
    await until(() => named(t, 'big')?.state === 'sent');
  });

  it.each(['online', 'offline'])('leaves nothing behind when it is cancelled %s', async (where) => {
    const v = await begin(store);
    stopAfterOne();
    await v.client.sendFile(picked(3 * PART, 'big'), none);
    const t = v.client.thread.value!;
    await until(() => upload(t, 'big')!.value.sent === PART);
    expect(server.files.all.size).toBe(1);
    if (where === 'offline') server.cut();
    t.files.cancel(named(t, 'big')!.id);
    expect(files(t)).toEqual([]);
    await until(() => server.files.all.size === 0);
    await rest();
    expect(await stored(store)).toEqual([]);
    expect(v.client.thread.value!.wait.value).toBeNull();
  });

  it('of a conversation that an agent loses goes back to them by its name, and leaves nothing here', async () => {
    const v = await begin(store);
    const kept: Store = { ...memoryStore(), kept: true };
    const a = await agentTab(server, backend, li, ['svc'], kept);
    open.push(a.client);
    const { id } = v.client.thread.value!;
    await a.client.take(id);
    const t = a.client.open(id);
    await until(() => t.synced.value);
    stopAfterOne();
    await a.client.sendFile(id, picked(3 * PART, '合同.pdf'), none);
    await until(() => upload(t, '合同.pdf')!.value.sent === PART);
    a.client.leave(id);
    server.own(id, 'agent:zhao', 'take');
    await until(() => a.client.dropped.value.length > 0);
    expect(a.client.dropped.value[0]!.texts).toEqual([{ text: '合同.pdf', note: false }]);
    await rest();
    expect(await stored(kept)).toEqual([]);
    expect(server.files.all.size).toBe(0);
  });

  it('of which the server wants no more waits as long as it asks, and says so', async () => {
    const v = await begin(store);
    const until_ = Date.now() + 60_000;
    server.files.answer = (method) =>
      method === 'POST' && Date.now() < until_
        ? new Response(
            JSON.stringify({ code: Code.rate_limited, text: '', limit: 'files', retry_ms: until_ - Date.now() }),
            { status: 429 },
          )
        : null;
    await v.client.sendFile(picked(5, 'q'), none);
    const t = v.client.thread.value!;
    await until(() => upload(t, 'q')!.value.wait?.why === 'files');
    expect(upload(t, 'q')!.value.state).toBe('waiting');
    const asked = server.files.log.length;
    await rest(50_000);
    expect(server.files.log).toHaveLength(asked);
    await until(() => named(t, 'q')?.state === 'sent');
  });

  it.each([
    [Code.too_large, 413, 'error.file_large'],
    [Code.forbidden, 403, 'error.file_refused'],
    [Code.not_owner, 409, 'error.not_owner'],
  ] as const)('that is refused with %s fails with a sentence, and may be tried again', async (code, status, key) => {
    const v = await begin(store);
    server.files.answer = () => new Response(JSON.stringify({ code, text: '' }), { status });
    await v.client.sendFile(picked(5, 'no'), none);
    const t = v.client.thread.value!;
    await until(() => named(t, 'no')?.state === 'failed');
    expect(named(t, 'no')!.error).toBe(key);
    server.files.answer = () => null;
    v.client.retry(named(t, 'no')!.id);
    await until(() => named(t, 'no')?.state === 'sent');
  });

  it('is never sent where the server says that it is and is not', async () => {
    const v = await begin(store);
    for (const have of [-1, 1, 'all', 10 * PART]) {
      server.files.answer = (method) => (method === 'POST' ? new Response(JSON.stringify({ have })) : null);
      await v.client.sendFile(picked(PART, `f${have}`), none);
      await until(() => named(v.client.thread.value, `f${have}`)?.state === 'failed');
      expect(named(v.client.thread.value, `f${have}`)!.error).toBe('error.server');
    }
    // it takes every part, and has none
    let puts = 0;
    server.files.answer = (method) => (method === 'PUT' ? (puts++, new Response('{"have":0}')) : null);
    await v.client.sendFile(picked(PART, 'still'), none);
    await until(() => named(v.client.thread.value, 'still')?.state === 'failed');
    expect(puts).toBeLessThan(10);
    // another place at every try: it gives up
    let n = 0;
    server.files.answer = (method) =>
      method === 'PUT' ? new Response(JSON.stringify({ code: 7, text: '', have: 0 }), { status: 409 }) : (n++, null);
    await v.client.sendFile(picked(PART, 'moving'), none);
    await until(() => named(v.client.thread.value, 'moving')?.state === 'failed');
    expect(n).toBeLessThan(10);
  });

  it('begins anew when the server forgot it between two parts, and is patient with a slow line', async () => {
    const v = await begin(store);
    let [forgot, slow] = [false, false];
    server.files.answer = (method, at) => {
      if (method !== 'PUT' || at === 0 || (forgot && slow)) return null;
      if (!forgot) server.files.all.clear();
      else slow = true;
      if (!forgot) return ((forgot = true), null);
      return new Response(JSON.stringify({ code: Code.too_late, text: '' }), { status: 409 });
    };
    await v.client.sendFile(picked(2 * PART, 'x'), none);
    await until(() => named(v.client.thread.value, 'x')?.state === 'sent');
    // the second one was ahead when it was too slow, and goes again without another question
    expect(server.files.log.filter((l) => l === 'POST').length).toBe(2);
  });

  it('is sent again when the server does not know it at the end', async () => {
    const v = await begin(store);
    let lie = true;
    server.files.answer = (method) => {
      if (method !== 'POST' || !lie) return null;
      lie = false;
      // it has the first part, and says that it has all
      return new Response(JSON.stringify({ have: 5 + 16 }));
    };
    await v.client.sendFile(picked(5, 'x'), none);
    server.files.all.set(`${v.client.thread.value!.id}/${named(v.client.thread.value, 'x')!.id}`, {
      size: 21,
      bytes: new Uint8Array(0),
      posted: false,
    });
    await until(() => named(v.client.thread.value, 'x')?.state === 'sent');
    expect(server.files.log).toContain('PUT 0');
  });

  it('of a page that died while it sealed is cleared away by the next', async () => {
    const v = await begin(store);
    const { id } = v.client.thread.value!;
    const prefix = (await store.list('')).find((x) => x.name.endsWith('/keys'))!.name.slice(0, -4);
    await store.set(`${prefix}file/${id}/${'ab'.repeat(16)}`, { size: 99, parts: 2, by: 1, at: 0 });
    await store.set(`${prefix}part/${id}/${'ab'.repeat(16)}/0`, random(10));
    shut();
    visitor(store);
    await until(() => server.files.log.includes('DELETE'));
    await rest();
    expect(await stored(store)).toEqual([]);
  });

  it('whose bytes are gone from the browser fails with a sentence', async () => {
    const v = await begin(store);
    stopAfterOne();
    await v.client.sendFile(picked(3 * PART, 'big'), none);
    await until(() => upload(v.client.thread.value, 'big')!.value.sent === PART);
    shut();
    for (const { name } of await store.list('')) if (/\/(?:file|part)\//.test(name)) await store.delete(name);
    const again = visitor(store);
    await until(() => named(again.client.thread.value, 'big')?.state === 'failed');
    expect(named(again.client.thread.value, 'big')!.error).toBe('error.file_lost');
  });

  it('belongs to one tab: another one leaves it alone while that lives', async () => {
    vi.stubGlobal('navigator', {
      locks: {
        held: [] as { name: string }[],
        request(name: string) {
          this.held.push({ name });
          return new Promise(none);
        },
        query() {
          return Promise.resolve({ held: this.held });
        },
      },
    });
    const v = await begin(store);
    const go = stopAfterOne();
    await v.client.sendFile(picked(3 * PART, 'big'), none);
    await until(() => upload(v.client.thread.value, 'big')!.value.sent === PART);
    const other = visitor(store);
    await until(() => !!other.client.thread.value?.synced.value);
    await rest();
    expect(files(other.client.thread.value)).toEqual([]);
    const posts = server.files.log.filter((l) => l === 'POST').length;
    go();
    await until(() => named(other.client.thread.value, 'big')?.state === 'sent');
    // only the tab that sends it asked once more
    expect(server.files.log.filter((l) => l === 'POST').length).toBeLessThanOrEqual(posts + 1);
    expect(files(other.client.thread.value)).toHaveLength(1);
    vi.unstubAllGlobals();
  });

  it('is refused before it begins where the browser has no room or cannot read it', async () => {
    const v = await begin(store);
    const set = store.set;
    store.set = (name, value) => (name.includes('/part/') ? Promise.reject(new Error('quota')) : set(name, value));
    await expect(v.client.sendFile(picked(5), none)).rejects.toMatchObject({ key: 'error.file_space' });
    store.set = set;
    const gone = picked(5);
    gone.blob.slice = () => ({ arrayBuffer: () => Promise.reject(new Error('moved')) }) as unknown as Blob;
    await expect(v.client.sendFile(gone, none)).rejects.toMatchObject({ key: 'error.file_unread' });
    const stop = new AbortController();
    await expect(v.client.sendFile(picked(3 * PART), () => stop.abort(), stop.signal)).rejects.toThrow();
    expect(files(v.client.thread.value)).toEqual([]);
    // what went ahead is taken back
    await until(() => server.files.all.size === 0);
    await rest();
    expect(await stored(store)).toEqual([]);
  });

  it('goes out while the rest is sealed, and no chunk is sealed twice and no part sent twice', async () => {
    const v = await begin(store);
    const seal = vi.spyOn(backend, 'aes');
    let ahead = 0;
    await v.client.sendFile(picked(8 * PART, 'x'), (share) => {
      if (share === 1) ahead = server.files.log.filter((l) => l.startsWith('PUT')).length;
    });
    await until(() => named(v.client.thread.value, 'x')?.state === 'sent');
    expect(ahead).toBeGreaterThan(0);
    expect(new Set(server.files.log).size).toBe(server.files.log.length);
    // chunks have the conversation and the message with them, and their number in the nonce
    const nonces = seal.mock.calls
      .filter(([use, , , aad]) => use === 'encrypt' && aad.length === 43)
      .map((c) => hex(c[2]));
    expect(nonces.length).toBeGreaterThan(128);
    expect(new Set(nonces).size).toBe(nonces.length);
    seal.mockRestore();
  });

  it('shows how far it is, pauses and goes on while parts are on their way', async () => {
    const v = await begin(store);
    const go = stopAfterOne();
    await v.client.sendFile(picked(4 * PART, 'big'), none);
    const t = v.client.thread.value!;
    await until(() => upload(t, 'big')!.value.sent === PART);
    const { id } = named(t, 'big')!;
    t.files.pause(id);
    await rest();
    expect(upload(t, 'big')!.value.state).toBe('paused');
    go();
    const puts = server.files.log.filter((l) => l.startsWith('PUT')).length;
    await rest(60_000);
    expect(server.files.log.filter((l) => l.startsWith('PUT'))).toHaveLength(puts);
    t.files.resume(id);
    await until(() => named(t, 'big')?.state === 'sent');
  });

  it('goes one by one where the server takes no part ahead', async () => {
    const v = await begin(store);
    const refused: number[] = [];
    server.files.answer = (method, at) => {
      const [file] = server.files.all.values();
      if (method !== 'PUT' || !file || at <= file.bytes.length) return null;
      refused.push(at);
      return new Response(JSON.stringify({ code: Code.conflict, text: '', have: file.bytes.length }), { status: 409 });
    };
    const file = picked(12 * PART, 'x');
    await v.client.sendFile(file, none);
    await until(() => named(v.client.thread.value, 'x')?.state === 'sent');
    expect(refused.length).toBeLessThanOrEqual(1);
    const a = await agent();
    const there = a.client.open(v.client.thread.value!.id);
    await until(() => !!named(there, 'x'));
    expect(await digest(await there.files.load(named(there, 'x')!.id))).toBe(await digest(file.blob));
  });
});

describe('nothing is shown of a file', () => {
  const sent = async (n: number): Promise<{ t: Thread; id: string }> => {
    const v = await begin(store);
    await v.client.sendFile(picked(n, 'f'), none);
    await until(() => named(v.client.thread.value, 'f')?.state === 'sent');
    const a = await agent();
    const t = a.client.open(v.client.thread.value!.id);
    await until(() => !!named(t, 'f'));
    return { t, id: named(t, 'f')!.id };
  };

  it.each<[string, (b: Uint8Array, from: number) => Uint8Array]>([
    ['changed', (b) => b.map((x, i) => (i === 3 ? x ^ 1 : x))],
    [
      'swapped',
      (b, from) =>
        from
          ? b
          : Uint8Array.from([...b.subarray(65_552, 2 * 65_552), ...b.subarray(0, 65_552), ...b.subarray(2 * 65_552)]),
    ],
  ])('that was %s on the server', async (_, given) => {
    const { t, id } = await sent(3 * 65_536);
    server.files.given = given;
    await expect(t.files.load(id)).rejects.toMatchObject({ key: 'error.file_false' });
  });

  it('that is longer or shorter than its message says, taken back, or not there', async () => {
    const { t, id } = await sent(100);
    server.files.given = (b) => Uint8Array.from([...b, 0]);
    await expect(t.files.load(id)).rejects.toMatchObject({ key: 'error.server' });
    server.files.given = (b) => b.subarray(1);
    const short = t.files.load(id);
    short.catch(none);
    await rest(10_000);
    await expect(short).rejects.toMatchObject({ key: 'error.network' });
    let busy = 2;
    server.files.given = (b) => b;
    server.files.answer = () =>
      busy-- > 0 ? new Response('{"code":3,"text":"","retry_ms":2000}', { status: 429 }) : null;
    const late = t.files.load(id);
    await rest(10_000);
    expect((await late).size).toBe(100);
    const b = await agent();
    const again = b.client.open(t.id);
    await until(() => !!named(again, 'f'));
    server.files.all.clear();
    await expect(again.files.load(id)).rejects.toMatchObject({ key: 'error.file_gone' });
    await expect(t.files.load('ab'.repeat(16))).rejects.toMatchObject({ key: 'error.file_gone' });
  });

  it('that nobody wants any more, while others are fetched', async () => {
    const { t, id } = await sent(100);
    const stop = new AbortController();
    let asked = 0;
    server.files.answer = () => (asked++, stop.abort(), null);
    await expect(t.files.load(id, { signal: stop.signal })).rejects.toThrow();
    server.files.answer = () => null;
    expect((await t.files.load(id)).size).toBe(100);
    expect(asked).toBe(1);
  });
});
