/** Suggestions: the search by words, which Rust has too (`tests/it/words.rs`), and how the knowledge comes into the page. */
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { KnowledgeCache } from '../src/client/knowledge-cache';
import { Search, type Entry } from '../src/knowledge/search';
import { same, words, Words } from '../src/knowledge/words';
import type { Env } from '../src/link/env';
import { ClientError } from '../src/model';

interface Vectors {
  phrases: string[];
  asked: { text: string; words: string[]; cover: number[] }[];
  same: { text: string; as: string }[];
}
const vectors = JSON.parse(readFileSync(new URL('../../tests/data/words.json', import.meta.url), 'utf8')) as Vectors;

describe('words', () => {
  it('cover as much as in Rust', () => {
    const index = new Words();
    vectors.phrases.forEach((p) => index.push(p));
    for (const { text, words: expected, cover } of vectors.asked) {
      expect(words(text), text).toEqual(expected);
      const got = index.cover(new Set(words(text)));
      cover.forEach((c, n) =>
        expect(Math.abs((got.get(n) ?? 0) - c), `${text} in ${vectors.phrases[n]}`).toBeLessThan(1e-5),
      );
    }
  });

  it('are the very same question as in Rust', () => {
    for (const { text, as } of vectors.same) expect(same(text), text).toBe(as);
  });

  it('find nothing where there is nothing', () => {
    expect(new Words().cover(new Set(['退货'])).size).toBe(0);
    expect(new Words().covered('', new Set(['退货']))).toBe(0);
  });
});

describe('search', () => {
  const entry = (id: string, question: string, more: Partial<Entry> = {}): Entry => ({
    id,
    question,
    answer: `answer of ${id}`,
    ...more,
  });
  const search = new Search([
    entry('return', '怎么退货', { similar: ['我要退货', '商品不想要了'] }),
    entry('invoice', '怎么开发票'),
    entry('ship', '运费怎么算'),
    entry('back', 'How do I return an item?', { lang: 'en' }),
    entry('back-zh', 'How do I return an item', { lang: 'zh' }),
  ]);
  const ids = (...texts: string[]): string[] => search.findAny(texts, 3).map((s) => s.entry.id);

  it('gives an entry once, the very words first', () => {
    expect(search.find('怎么退货', 3).map((s) => [s.entry.id, s.score])[0]).toEqual(['return', 1]);
    expect(ids('我要退货 怎么退货').filter((id) => id === 'return')).toHaveLength(1);
  });

  it('finds the question in a long sentence, and nothing in one without it', () => {
    expect(ids('你好，我上周在你们店里买的那件蓝色外套有点大，我想退货，请问怎么弄')[0]).toBe('return');
    expect(ids('今天天气真好')).toEqual([]);
    expect(ids('怎么样了')).toEqual([]);
    expect(ids('')).toEqual([]);
  });

  it('looks at each message alone', () => {
    expect(ids('你好', '我要退货', '在吗？')[0]).toBe('return');
  });

  it('answers the newest message first, however well an older one fits', () => {
    expect(ids('怎么退货', '请问运费怎么算呀？').slice(0, 2)).toEqual(['ship', 'return']);
    expect(ids('运费怎么算', '怎么退货？')[0]).toBe('return');
    expect(search.findAny(['怎么退货', '运费怎么算？'], 1).map((s) => [s.entry.id, s.score])).toEqual([['ship', 1]]);
  });

  it('leaves out what was answered with already', () => {
    const left = search.findAny(['怎么退货', '怎么退货'], 3, new Set(['return'])).map((s) => s.entry.id);
    expect(left).not.toContain('return');
  });

  it('reads wide letters as the others', () => {
    expect(
      search.find('ＨＯＷ　ｄｏ　Ｉ　ｒｅｔｕｒｎ　ａｎ　ｉｔｅｍ', 3).map((s) => [s.entry.id, s.score])[0],
    ).toEqual(['back', 1]);
  });

  it('prefers the language of the visitor', () => {
    expect(search.find('how can I return an item', 3).map((s) => s.entry.id)).toEqual(['back', 'back-zh']);
  });

  it('bears as much as a server sends', () => {
    const many = Array.from({ length: 20_000 }, (_, n) => entry(`e${n}`, `第${n}号商品的保修期是多久，在哪里维修`));
    expect(new Search(many).find('第777号商品保修多久', 3)[0]!.entry.id).toBe('e777');
  });
});

describe('the cache of knowledge', () => {
  function world(answers: (() => Response)[]) {
    const asked: { url: string; headers: Record<string, string> }[] = [];
    let online = true;
    const env = {
      now: () => Date.now(),
      fetch: async (url: string, init: RequestInit) => {
        asked.push({ url, headers: init.headers as Record<string, string> });
        return answers.shift()!();
      },
    } as unknown as Env;
    const cache = new KnowledgeCache('https://k.example', env, () => {
      if (!online) throw new ClientError('error.network');
      return 'tok';
    });
    const state = () => cache.of('web').value.state;
    return { cache, asked, state, net: (on: boolean) => (online = on) };
  }
  const here = (entries: Entry[], tag: string) => () =>
    new Response(JSON.stringify({ entries }), { headers: { ETag: tag } });
  const refused = (code: number, status: number) => () => new Response(JSON.stringify({ code, text: '' }), { status });
  const one: Entry = { id: 'a', question: '怎么退货', answer: '七天内' };
  const later = (ms: number) => vi.advanceTimersByTimeAsync(ms);
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('fetch once, ask again with the tag, and keep what they have when nothing changed', async () => {
    const { asked, state } = world([here([one], '"1"'), () => new Response(null, { status: 304 }), here([], '"2"')]);
    expect(state()).toBe('loading');
    await later(0);
    expect([state(), asked.length]).toEqual(['here', 1]);
    expect(asked[0]).toEqual({
      url: 'https://k.example/api/v1/knowledge/web',
      headers: { Authorization: 'Bearer tok' },
    });
    await later(6 * 60_000);
    expect(state()).toBe('here');
    await later(0);
    expect([state(), asked[1]!.headers['If-None-Match']]).toEqual(['here', '"1"']);
    await later(6 * 60_000);
    state();
    await later(0);
    expect(state()).toBe('none');
  });

  it('try again by themselves after a failure, and say that it is too much', async () => {
    const { asked, state } = world([refused(13, 500), here([one], '"1"'), refused(2, 413)]);
    state();
    await later(0);
    expect([state(), state(), asked.length]).toEqual(['failed', 'failed', 1]);
    await later(31_000);
    expect(state()).toBe('here');
    await later(6 * 60_000);
    state();
    await later(0);
    expect(state()).toBe('too-large');
  });

  it('bear a lost connection, and keep what they have meanwhile', async () => {
    const { asked, state, net } = world([here([one], '"1"'), here([], '"2"')]);
    net(false);
    expect(state()).toBe('loading');
    await later(0);
    expect([state(), asked.length]).toEqual(['failed', 0]);
    net(true);
    await later(31_000);
    expect(state()).toBe('here');
    net(false);
    await later(6 * 60_000);
    state();
    await later(0);
    expect([state(), asked.length]).toEqual(['here', 1]);
    net(true);
    await later(31_000);
    expect(state()).toBe('none');
  });

  it('do not insist where another team answers, and keep nothing of the one who left', async () => {
    const { cache, asked, state } = world([refused(5, 403), here([one], '"1"')]);
    state();
    await later(0);
    await later(60_000);
    expect([state(), asked.length]).toEqual(['none', 1]);
    cache.clear();
    expect(state()).toBe('loading');
  });
});
