import 'fake-indexeddb/auto';
import { describe, expect, it } from 'vitest';
import { fold, foldText } from '../src/search/fold';
import { SearchIndex, type ConvRow } from '../src/search/index';
import { matches, parseQuery, snippetOf } from '../src/search/query';
import { SealedStore } from '../src/search/sealed-store';
import type { Doc } from '../src/search/segment';
import { MemorySegments } from './support/segments';

const row = (o: Partial<ConvRow> = {}): ConvRow => ({
  team: 'svc',
  site: 'shop',
  created: 1,
  name: 'Chen',
  have: 9,
  locked: 0,
  ...o,
});
const id = (n: number): string => n.toString(16).padStart(32, '0');
const doc = (conv: string, seq: number, text: string, o: Partial<Doc> = {}): Doc => ({
  conv,
  seq,
  at: 1_790_000_000_000 + seq * 1000,
  msg: id(seq),
  who: 'visitor',
  note: false,
  text,
  ...o,
});

const found = async (index: SearchIndex, typed: string, filter = {}, teams = ['svc']): Promise<number[]> =>
  (await index.search(typed, filter, teams, 50)).hits.map((h) => h.seq);

describe('folding', () => {
  it('makes width, case and composition one', () => {
    for (const s of ['ＡＢＣ１２３', 'abc123', 'AbC123']) expect(foldText(s)).toBe('abc123');
    expect(foldText('ｶﾞ')).toBe('ガ');
    expect(foldText('e\u0301')).toBe(foldText('\u00e9'));
    expect(foldText('a\u3000\n b')).toBe('a b');
    for (const s of ['Straße ＡＢ', '订单号：ＳＦ 123', 'a  b', '😀👍 ok', 'ﬁ', '\ud800x'])
      expect(fold(s).text, s).toBe(foldText(s));
  });

  it('knows where each place comes from', () => {
    const s = '请查ＳＦ１２ ﬁne';
    const { text, from } = fold(s);
    expect(text).toBe('请查sf12 fine');
    expect(s.slice(from[text.indexOf('sf12')]!, from[text.indexOf('sf12') + 4]!)).toBe('ＳＦ１２');
    expect(from[text.length]).toBe(s.length);
  });
});

describe('queries', () => {
  const yes = (typed: string, text: string) =>
    expect(matches(text, parseQuery(typed)), `${typed} in ${text}`).toBe(true);
  const no = (typed: string, text: string) =>
    expect(matches(text, parseQuery(typed)), `${typed} in ${text}`).toBe(false);

  it('find words, beginnings of words, parts of numbers, and CJK anywhere', () => {
    yes('运费', '这个的运费怎么算');
    yes('退货 运费', '运费谁出？我要退货');
    no('退货 发票', '运费谁出？我要退货');
    yes('ORDER', 'my orders are late');
    no('art', 'when does it start');
    yes('4567', '单号SF1234567890');
    yes('ｓｆ１２３', '单号SF1234567890');
    yes('ok', 'OK, okay');
    no('ok', 'book');
    yes('税', '含税价');
    no('', 'anything');
    no('""', 'anything');
  });

  it('take phrases in quotes as they are', () => {
    yes('"free return"', 'is it a free  return?');
    no('"free return"', 'free and easy return');
    no('"free return"', 'free returns');
    yes('“怎么 退”', '我怎么 退货');
    yes('「怎么退」 运费', '运费和怎么退');
    yes('"unfinished phrase', 'an unfinished phrase');
  });

  it('mark what they found', () => {
    const s = snippetOf('请查ＳＦ１２的运费，运费太贵', parseQuery('sf12 运费'));
    expect(s.marks.map(([a, b]) => s.text.slice(a, b))).toEqual(['ＳＦ１２', '运费', '运费']);
    const long = `${'前'.repeat(300)}退货${'后'.repeat(300)}`;
    const cut = snippetOf(long, parseQuery('退货'));
    expect(cut.text.length).toBeLessThan(170);
    expect(cut.marks.map(([a, b]) => cut.text.slice(a, b))).toEqual(['退货']);
  });
});

describe('the index', () => {
  it('finds the newest first, of conversations of one’s teams, by who and when', async () => {
    const index = await SearchIndex.open(new MemorySegments());
    index.update(id(1), row(), [doc(id(1), 1, '运费多少'), doc(id(1), 2, '运费十元', { who: { user: 'li' } })]);
    index.update(id(2), row({ team: 'vip', site: 'bank' }), [doc(id(2), 3, '运费呢', { who: 'robot' })]);
    for (const written of [false, true]) {
      if (written) await index.commit();
      expect(await found(index, '运费')).toEqual([2, 1]);
      expect(await found(index, '运费', {}, ['svc', 'vip'])).toEqual([3, 2, 1]);
      expect(await found(index, '运费', { who: 'li' })).toEqual([2]);
      expect(await found(index, '运费', { who: 'nobody' })).toEqual([]);
      expect(await found(index, '运费', { who: 'robot' }, ['vip'])).toEqual([3]);
      expect(await found(index, '运费', { site: 'bank' }, ['svc', 'vip'])).toEqual([3]);
      expect(await found(index, '运费', { from: 1_790_000_000_000 + 2000 })).toEqual([2]);
      expect(await found(index, '运费', { to: 1_790_000_000_000 + 2000 })).toEqual([1]);
      expect(await found(index, '发票')).toEqual([]);
    }
    const { hits } = await index.search('多少', {}, ['svc'], 5);
    expect(hits[0]).toMatchObject({ conv: id(1), seq: 1, msg: id(1), who: 'visitor', name: 'Chen', site: 'shop' });
  });

  it('lets go of what was taken back or edited, in memory and where it is kept', async () => {
    const store = new MemorySegments();
    const index = await SearchIndex.open(store);
    index.update(id(1), row(), [
      doc(id(1), 1, 'my secret word'),
      doc(id(1), 2, 'another word'),
      doc(id(1), 3, 'third'),
    ]);
    await index.commit();
    index.update(id(1), row({ have: 11 }), [doc(id(1), 2, 'an edited word'), doc(id(1), 3, 'third')]);
    expect(index.due).toBe(true);
    expect(await found(index, 'secret')).toEqual([]);
    await index.commit();
    expect(await found(index, 'word')).toEqual([2]);
    expect(await found(index, 'another')).toEqual([]);
    expect(await found(index, 'third')).toEqual([3]);
    const kept = [...store.parts.values()].map((p) => new TextDecoder().decode(p.texts)).join();
    expect(kept).toContain('an edited word');
    expect(kept).not.toMatch(/secret|another/);
    index.update(id(1), null, []);
    await index.commit();
    expect(store.convs.size + store.parts.size).toBe(0);
  });

  it('fills segments, and is the same after it was opened again', async () => {
    const store = new MemorySegments();
    const index = await SearchIndex.open(store);
    for (let c = 0; c < 30; c++) {
      const docs = Array.from({ length: 300 }, (_, i) => doc(id(c), c * 300 + i, `word${c} 订单${i}号`));
      index.update(id(c), row(), docs);
      if (index.due) await index.commit();
    }
    await index.commit();
    expect(index.size).toBe(9000);
    expect([...store.parts.keys()]).toEqual([0, 1, 2]);
    const again = await SearchIndex.open(store);
    for (const one of [index, again]) {
      expect(one.size).toBe(9000);
      expect((await found(one, 'word7')).length).toBe(50);
      expect((await found(one, 'word7 "订单 7"')).length).toBe(0);
      expect(await found(one, 'word7 订单7号')).toEqual([7 * 300 + 7]);
    }
    const all = await index.search('订单', {}, ['svc'], 9999);
    expect(all.hits.length).toBe(9000);
    expect(all.more).toBe(false);
  });
});

describe('where it is kept', () => {
  it('is sealed, belongs to one person, and is found by the next page', async () => {
    const store = await SealedStore.open('a', 'li', () => undefined);
    const index = await SearchIndex.open(store);
    index.update(id(1), row({ name: 'Zhang San' }), [doc(id(1), 1, 'a very secret sentence')]);
    await index.commit();
    await store.setOn(true);
    const raw = await new Promise<unknown[]>((done) => {
      indexedDB.open('a').onsuccess = ({ target }) => {
        const r = (target as IDBOpenDBRequest).result.transaction('kv').objectStore('kv').getAll();
        r.onsuccess = () => done(r.result);
      };
    });
    const bytes = raw.filter((v): v is Uint8Array => ArrayBuffer.isView(v));
    expect(bytes.length).toBe(3);
    expect(bytes.map((b) => Buffer.from(b).toString('latin1')).join()).not.toMatch(/secret|Zhang|"svc"/);
    expect(raw.filter((v) => v instanceof CryptoKey).map((k) => (k as CryptoKey).extractable)).toEqual([false]);
    const again = await SealedStore.open('a', 'li', () => undefined);
    expect(await again.on()).toBe(true);
    expect(await again.isOld()).toBe(true);
    expect(await found(await SearchIndex.open(again), 'secret')).toEqual([1]);
    expect(await again.isOld()).toBe(false);
    const other = await SealedStore.open('a', 'wu', () => undefined);
    expect(await found(await SearchIndex.open(other), 'secret')).toEqual([]);
    expect(await other.on()).toBe(false);
    // the first tab notices that it is not its own any more
    index.update(id(2), row(), [doc(id(2), 1, 'late')]);
    await expect(index.commit()).rejects.toThrow();
  });
});
