/** What a page remembers, over reloads and tabs, and when the browser refuses to. */
import { IDBFactory } from 'fake-indexeddb';
import 'fake-indexeddb/auto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { detectBackend } from '../src/crypto/detect';
import { hex, random, utf8 } from '../src/crypto/bytes';
import { newWrapKey } from '../src/crypto/pure';
import { openStore } from '../src/storage/store';
import { backends } from './support/backends';

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

describe('storage', () => {
  it('keeps values over a reload; the first of two tabs wins', async () => {
    const one = await openStore('kefu');
    const two = await openStore('kefu');
    expect(one.kept).toBe(true);
    expect(await Promise.all([one.init('k', 'a'), two.init('k', 'b')])).toEqual(['a', 'a']);
    await one.set('out/2', { b: new Uint8Array([2]) });
    await one.set('out/1', { b: new Uint8Array([1]) });
    await one.set('zzz', 1);
    expect((await two.list<{ b: Uint8Array }>('out/')).map((x) => [x.name, x.value.b[0]])).toEqual([
      ['out/1', 1],
      ['out/2', 2],
    ]);
    await two.delete('out/1');
    expect(await (await openStore('kefu')).get('out/1')).toBeUndefined();
  });

  it.each(backends)('holds keys of the %s back end, which work after a reload', async (name, make) => {
    const b = await make();
    const store = await openStore('kefu');
    const [ed, x] = [await b.newSigningKey(), await b.newBoxKey()];
    const ek = random(32);
    await store.set('keys', { ed: await ed.keep(), x: await x.keep(), ek: await (await b.epochKey(ek)).keep() });
    const kept = (await (await openStore('kefu')).get<{ ed: never; x: never; ek: never }>('keys'))!;
    const again = {
      ed: await b.restoreSigningKey(kept.ed),
      x: await b.restoreBoxKey(kept.x),
      ek: await b.restoreEpochKey(kept.ek),
    };
    expect(hex(again.ed.pk)).toBe(hex(ed.pk));
    const m = utf8('m');
    expect(await b.verify('sig', ed.pk, m, await again.ed.sign('sig', m))).toBe(true);
    expect(hex(await again.x.open(await b.seal(x.pk, m, m, m), m, m))).toBe(hex(m));
    const h = random(80);
    expect(hex(await again.ek.open(h, await (await b.epochKey(ek)).seal(h, m)))).toBe(hex(m));
    if (name === 'native') {
      const { key } = kept.ed as { key: CryptoKey };
      expect(key.extractable).toBe(false);
      await expect(crypto.subtle.exportKey('pkcs8', key)).rejects.toThrow();
    }
  });

  it.each([
    ['there is none', () => vi.stubGlobal('indexedDB', null)],
    [
      'it throws',
      () =>
        vi.stubGlobal('indexedDB', {
          open: () => {
            throw new DOMException('no', 'SecurityError');
          },
        }),
    ],
    [
      'opening fails',
      () =>
        vi.stubGlobal('indexedDB', {
          open: () => {
            const r: { onerror?: () => void; error: Error } = { error: new Error('private mode') };
            queueMicrotask(() => r.onerror?.());
            return r;
          },
        }),
    ],
  ])('falls back to memory when %s', async (_, block) => {
    block();
    const store = await openStore('kefu');
    expect(store.kept).toBe(false);
    await store.set('a', 1);
    expect(await store.get('a')).toBe(1);
    expect(await (await openStore('kefu')).get('a')).toBeUndefined();
  });

  it('does not wait for ever for a browser that does not answer', async () => {
    vi.useFakeTimers();
    vi.stubGlobal('indexedDB', { open: () => ({}) });
    const opening = openStore('kefu');
    await vi.advanceTimersByTimeAsync(11_000);
    expect((await opening).kept).toBe(false);
    vi.useRealTimers();
  });

  it('waits for one that is busy: who is told too early that nothing is kept loses a conversation', async () => {
    const first = await openStore('kefu');
    await first.set('key', 'mine');
    const factory = indexedDB;
    // the computer is busy for 8 of the browser's seconds
    const answered = await new Promise<IDBDatabase>((done) => {
      const request = factory.open('kefu', 1);
      request.onsuccess = () => done(request.result);
    });
    const busy: { onsuccess?: () => void; result: IDBDatabase } = { result: answered };
    vi.stubGlobal('indexedDB', { open: () => busy });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const opening = openStore('kefu');
    await vi.advanceTimersByTimeAsync(8_000);
    busy.onsuccess!();
    vi.useRealTimers();
    const store = await opening;
    expect(store.kept).toBe(true);
    expect(await store.get('key')).toBe('mine');
  });
});

describe('the back end is found by trying', () => {
  const wraps: CryptoKey[] = [];
  const store = { wrapKey: async () => wraps[0] ?? (wraps[0] = await newWrapKey()) };

  it('native where WebCrypto has 25519', async () => {
    expect((await detectBackend(store)).name).toBe('native');
  });
  it('mixed where it has not', async () => {
    const real = crypto.subtle.generateKey.bind(crypto.subtle);
    vi.spyOn(crypto.subtle, 'generateKey').mockImplementation(((a: never, ...r: never[]) =>
      a === 'Ed25519' || (a as { name: string }).name === 'X25519' || a === 'X25519'
        ? Promise.reject(new DOMException('unknown', 'NotSupportedError'))
        : (real as (...x: never[]) => unknown)(a, ...r)) as never);
    expect((await detectBackend(store)).name).toBe('mixed');
  });
  it('pure where there is none', async () => {
    vi.stubGlobal('crypto', { getRandomValues: crypto.getRandomValues.bind(crypto) });
    expect((await detectBackend(store)).name).toBe('pure');
  });
});
