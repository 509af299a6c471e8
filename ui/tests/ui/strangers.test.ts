/**
 * What strangers write is read in a number of steps that grows with its length and no faster. The bound is in steps, not in time: every
 * character that a method of strings looks at is one.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { unanswered } from '../../src/console/assist';
import { previewOf } from '../../src/console/ListItem';
import { reasonText } from '../../src/console/reasons';
import { decodeBody } from '../../src/crypto/envelope';
import * as searching from '../../src/knowledge/search';
import * as wording from '../../src/knowledge/words';
import type { Message } from '../../src/model';
import * as kinds from '../../src/files/kinds';
import * as naming from '../../src/files/names';
import * as avatar from '../../src/ui/Avatar';
import * as linking from '../../src/ui/linkify';
import * as marking from '../../src/ui/markdown';
import { answersOf } from '../../src/ui/MessageItem';
import * as plainly from '../../src/ui/plain';
import * as reading from '../../src/ui/readable';
import * as weighing from '../../src/ui/textSize';
import { check } from '../../src/widget/StartForm';
import { nasty, repeated, SIZE } from '../support/nasty';
import { counted, MAX_MATCHED, TooMuch } from '../support/operations';

const said = (text: string, side: Message['side'] = 'visitor'): Message => ({
  id: 'm',
  seq: 1,
  at: 0,
  side,
  mine: false,
  kind: 'text',
  text,
  missingBefore: false,
  unordered: false,
  canRecall: () => false,
});
const knowledge = new searching.Search(
  Array.from({ length: 200 }, (_, i) => ({
    id: `k${i}`,
    question: `how do I return order a ${i} x 中文退货 http://a.b`,
    similar: ['a', '0', `中 ${i}`],
    answer: 'a',
  })),
);

interface Reader {
  run: (text: string) => unknown;
  /** Steps for each character. */
  each: number;
  /** Steps however long it is. */
  least?: number;
  /** It uses regular expressions that look at each character once, over the whole of it. */
  linear?: string;
}

/** Every function that reads what strangers wrote. */
const READERS: Record<string, Reader> = {
  linkify: { run: (t) => linking.linkify(t), each: 12 },
  safeHref: { run: linking.safeHref, each: 1, least: 3_000 },
  addressAt: { run: (t) => linking.addressAt(t, 0), each: 8, least: 50 },
  markdown: { run: marking.markdown, each: 50 },
  plain: { run: plainly.plain, each: 50 },
  foldAt: { run: reading.foldAt, each: 0, least: 2_100 },
  unpiled: { run: reading.unpiled, each: 6 },
  short: { run: (t) => reading.short(t), each: 0, least: 700 },
  unpadded: { run: reading.unpadded, each: 6 },
  shownName: { run: naming.shownName, each: 1, least: 6_000 },
  plainName: { run: naming.plainName, each: 1, least: 6_000 },
  savedName: { run: naming.savedName, each: 1, least: 6_000 },
  endingOf: { run: naming.endingOf, each: 1, least: 700 },
  kindOf: { run: (t) => kinds.kindOf(new TextEncoder().encode(t.slice(0, kinds.HEAD))), each: 0, least: 20_000 },
  initials: { run: avatar.initials, each: 0, least: 1_200 },
  hue: { run: avatar.hue, each: 1 },
  bytesOf: { run: weighing.bytesOf, each: 2 },
  sizeOf: { run: weighing.sizeOf, each: 2 },
  answersOf: { run: (t) => answersOf({ [t]: t }, (id) => id), each: 0, least: 700 },
  previewOf: { run: (t) => previewOf(said(t)), each: 0, least: 1_800 },
  'previewOf the robot': { run: (t) => previewOf(said(t, 'robot')), each: 0, least: 40_000 },
  // NFKC makes eighteen characters of one such as ﷺ
  words: { run: wording.words, each: 18 * 9 },
  same: { run: wording.same, each: 18 * 60 },
  isZh: { run: wording.isZh, each: 3, linear: 'one character' },
  'Search.find': { run: (t) => knowledge.find(t, 3), each: 1, least: 18 * 100_000 },
  'Search.findAny': { run: (t) => knowledge.findAny(Array<string>(20).fill(t), 3), each: 1, least: 5 * 18 * 100_000 },
  unanswered: { run: (t) => unanswered(Array<Message>(1_000).fill(said(t))), each: 0, least: 10 },
  reasonText: {
    run: (t) => [reasonText(t), reasonText({ code: t }), reasonText({ code: 'failed', n: t, because: { code: t } })],
    each: 12,
    least: 3_000,
  },
  decodeBody: {
    run: (t) =>
      decodeBody(
        new TextEncoder().encode(JSON.stringify({ t: 'form', fields: { a: t }, page: { url: t, title: t }, lang: t })),
      ),
    each: 5,
  },
  'check of an e-mail': {
    run: (t) => check({ id: 'a', label: {}, type: 'email', required: true }, t),
    each: 4,
    least: 1_000,
  },
  'check of a telephone': {
    run: (t) => check({ id: 'a', label: {}, type: 'tel', required: true }, t),
    each: 4,
    least: 1_000,
    linear: 'one class of characters, twenty at most',
  },
};

function within(name: string, run: () => unknown, most: number): ReturnType<typeof counted> {
  try {
    return counted(run, most);
  } catch (e) {
    if (e instanceof TooMuch) expect.fail(`${name}: ${e.message}`);
    throw e;
  }
}

describe('steps', () => {
  const texts = nasty();
  it.each(Object.entries(READERS))(
    'of %s are bounded by the length of the text',
    (_, { run, each, least = 200, linear }) => {
      let worst = { name: '', share: 0, steps: 0 };
      for (const [name, text] of texts) {
        const { steps, matched } = within(name, () => run(text), each * text.length + least);
        if (!linear) expect(matched, `${name}: a regular expression over a long text`).toBeLessThanOrEqual(MAX_MATCHED);
        const share = steps / (each * text.length + least);
        if (share > worst.share) worst = { name, share, steps };
      }
      if (process.env.KEFU_STEPS) console.log(_, worst);
      expect(worst.share).toBeLessThanOrEqual(1);
    },
  );

  const grow = Object.entries(READERS).filter(([, { each }]) => each > 0);
  it.each(grow)('of %s at most double with the text', (_, { run, least = 200 }) => {
    const [half, whole] = [repeated(SIZE / 4), repeated(SIZE / 2)];
    for (const [name, text] of whole) {
      const [a, b] = [counted(() => run(half.get(name)!)).steps, counted(() => run(text)).steps];
      expect(b, name).toBeLessThanOrEqual(2.3 * a + least + 500);
    }
  });

  it('counts what a quadratic reader does', () => {
    const stripped = (t: string): string => {
      while (t.endsWith('.')) t = t.slice(0, -1);
      return t;
    };
    const [a, b] = [500, 1_000].map((n) => counted(() => stripped('.'.repeat(n))).steps);
    expect(b! / a!).toBeGreaterThan(3.5);
    expect(counted(() => /[.,;:!?]+$/.test('.'.repeat(30_000))).matched).toBe(30_000);
  });
});

describe('what a text becomes', () => {
  const nodes = (list: readonly linking.Node[]): number =>
    list.reduce<number>((n, x) => n + 1 + (typeof x === 'string' ? 0 : nodes(x.inside)), 0);
  const depth = (list: readonly linking.Node[]): number =>
    1 + Math.max(0, ...list.map((x) => (typeof x === 'string' ? 0 : depth(x.inside))));
  const words = (list: readonly linking.Node[]): string =>
    list.map((x) => (typeof x === 'string' ? x : words(x.inside))).join('');

  it('is so many nodes and so deep at most, and loses nothing', () => {
    for (const [name, text] of nasty()) {
      const links = linking.linkify(text);
      expect(words(links), name).toBe(text);
      expect(nodes(links), name).toBeLessThanOrEqual(3 * linking.MAX_NODES + 1);
      const blocks = marking.markdown(text);
      expect(nodes(blocks), name).toBeLessThanOrEqual(6 * linking.MAX_NODES + 20);
      expect(depth(blocks), name).toBeLessThan(14);
    }
  });

  it('is folded before it is read, between characters', () => {
    for (const [name, text] of nasty()) {
      const at = reading.foldAt(text);
      expect(at, name).toBeLessThanOrEqual(reading.MAX_SHOWN);
      expect(text.slice(0, at).split('\n').length, name).toBeLessThanOrEqual(reading.MAX_LINES);
      if (at < text.length)
        expect(/[\ud800-\udbff]$/.test(text.slice(0, at)) && /^[\udc00-\udfff]/.test(text.slice(at)), name).toBe(false);
    }
    expect(reading.foldAt('short')).toBe(5);
  });

  it('has no pile of marks on a letter; those that languages need stay', () => {
    for (const [name, text] of nasty()) expect(/\p{M}{17}/u.test(reading.unpiled(text)), name).toBe(false);
    for (const text of ['Việt Nam', 'שָׁלוֹם', 'நன்றி', 'ก็ไม่ได้', '👨‍👩‍👧‍👦 ❤️', `e${'\u0301'.repeat(16)}`])
      expect(reading.unpiled(text)).toBe(text);
    expect(reading.unpiled(`a${'\u0301'.repeat(20)}b`)).toBe(`a${'\u0301'.repeat(16)}b`);
  });

  it('keeps the indentation of the first of several lines, and nothing empty around them', () => {
    for (const [text, kept] of [
      ['  hi ', 'hi'],
      ['\n \n    if (a)\n  b\n\n', '    if (a)\n  b'],
      ['  a\n', 'a'],
      [' a\nb', ' a\nb'],
      ['a\n b', 'a\n b'],
      [' \n ', ''],
    ] as const) {
      expect(reading.unpadded(text)).toBe(kept);
    }
  });

  it('turns nothing around among words of ours', () => {
    expect(reading.short('\u202eevil\u2066 \u200fname')).toBe('evil name');
    expect(reading.short('x'.repeat(100))).toBe(`${'x'.repeat(64)}…`);
    expect(reading.short('👍'.repeat(40), 5)).toBe('👍👍…');
  });
});

describe('no reader without a bound', () => {
  it('every function of these modules is counted above', () => {
    const counts = Object.keys(READERS).join('\n');
    for (const module of [linking, marking, plainly, reading, weighing, wording]) {
      for (const [name, what] of Object.entries(module)) {
        if (typeof what !== 'function' || name === 'budget' || name === 'Words') continue;
        expect(counts, name).toMatch(new RegExp(`^${name}\\b`, 'm'));
      }
    }
  });

  /** What looks at the whole of a text, or at all pairs of a list, by one word in the source. */
  const WHOLE =
    /\.(?:split|replace|replaceAll|match|matchAll|search|normalize|toLowerCase|toUpperCase|toLocaleLowerCase|sort|toSorted|localeCompare)\(|RegExp\(|Segmenter|JSON\.parse\(|(?<=(?:[=(,:!&|?[{]|\breturn|^)\s*)\/(?![*/\s>])(?:\\.|\[(?:\\.|[^\]\n])*\]|[^/\n\\[])+\/[dgimsuvy]*/gm;

  /** Where such words occur and why that is correct: file, part of the line, reason. A new one is added here with its reason. */
  const ALLOWED: readonly (readonly [file: string, part: string, why: string])[] = [
    ['client/agent-client.ts', 'user.trim().toLowerCase()', 'typed here by the agent'],
    [
      'client/agent-desk.ts',
      'sort((a, b) => b.last_at - a.last_at)',
      'conversations of one welcome, once a connection',
    ],
    ['client/restoration.ts', 'memory.replace(', 'no text'],
    ['client/intent-feedback.ts', `replaceAll('"', '""')`, 'one character; when an agent asks for a file'],
    ['client/intent-feedback.ts', 'const FORMULA = /', 'one character'],
    ['client/list.ts', '.sort((a, b) => b.lastAt - a.lastAt', 'conversations, not messages; once for many changes'],
    ['client/send-queue.ts', 'this.queue.sort(', 'what this person wrote'],
    ['client/visitor-session.ts', 'sort((a, b) => b.created - a.created)', 'own conversations, once a connection'],
    ['console/Emoji.tsx', "group.all.split(' ')", 'our own list'],
    ['console/Find.tsx', '.trim().toLowerCase()', 'typed here; at most 100 characters'],
    ['console/Find.tsx', 'm.text.toLowerCase()', 'linear; when an agent looks for words'],
    ['console/Find.tsx', 'm.file?.name.toLowerCase()', 'a short name'],
    ['console/replies/mentions.ts', 'query.toLowerCase()', 'typed here; at most 20 characters'],
    ['console/replies/mentions.ts', 'a.name.toLowerCase()', 'a short name'],
    ['console/replies/csv.ts', 'name.trim().toLowerCase()', 'a column of a file that the agent chose; 4 MiB'],
    [
      'console/replies/csv.ts',
      `replaceAll('"', '""')`,
      'one character; what colleagues wrote, when an agent asks for a file',
    ],
    ['console/replies/reply.ts', 's.toLowerCase()', 'what colleagues wrote: 4,000 characters'],
    ['console/replies/reply.ts', 'return [...all].sort(', 'replies: a few thousand at most'],
    ['console/replies/reply.ts', "asked.split(' ')", 'typed here; at most 40 characters'],
    [
      'console/replies/reply.ts',
      'text.replace(/\\{([a-z]{1,16})\\}/g',
      'what a colleague wrote: 4,000 characters; of bounded length',
    ],
    ['console/FirstLogin.tsx', 'code.value.replace(/[\\s-]/g', 'typed here; one class of characters'],
    ['console/Shortcuts.tsx', "keys.split('+')", 'our own text'],
    ['console/SignIn.tsx', 'v.trim().toLowerCase()', 'typed here'],
    ['console/TransferDialog.tsx', '.sort(', 'agents of the company'],
    ['console/TransferDialog.tsx', 'a.name.localeCompare(b.name)', 'names that the company signed'],
    ['console/app/shell.ts', '.match(', 'no text: what the browser keeps of this page'],
    ['console/app/shell.ts', 'clients.matchAll(', 'no text: the tabs of this page'],
    ['console/conversations.ts', 'mine.sort(', 'conversations in the queue'],
    ['crypto/bytes.ts', '/^[0-9a-f]*$/', 'anchored, one class of characters'],
    [
      'crypto/bytes.ts',
      "btoa(s).replace(/\\+/g, '-').replace(/\\//g, '_').replace(/=+$/, '')",
      'own output; two = at most',
    ],
    ['crypto/bytes.ts', '/^[A-Za-z0-9_-]*$/', 'anchored, one class of characters'],
    ['crypto/bytes.ts', "atob(s.replace(/-/g, '+').replace(/_/g, '/'))", 'single characters'],
    ['client/documents.ts', 'JSON.parse(text(opened))', 'linear; a document has 64 KiB'],
    ['crypto/document.ts', 'const SLUG = /', 'anchored, of bounded length'],
    ['crypto/envelope.ts', 'JSON.parse(text(bytes))', 'linear; a body has 32 KiB'],
    ['crypto/invite.ts', "code.replace(/[\\s-]/g, '').toUpperCase()", 'typed here; one class of characters'],
    ['crypto/invite.ts', 'out.match(/.{1,4}/g)', 'own output of fixed length'],
    ['crypto/keyring.ts', 'JSON.parse(text(plain))', "the person's own, opened with their password"],
    ['crypto/rules.ts', 'JSON.parse(text(raw))', 'linear; bounded by the caller'],
    ['crypto/rules.ts', '[...new Set([...s.used, inv])].sort()', 'invites that the company signed'],
    ['crypto/rules.ts', '/^(?:k1-)?([0-9a-f]{32})$/.exec(s.trim().toLowerCase())', 'anchored, of fixed length'],
    ['crypto/snapshot.ts', '/^[0-9a-f]{64}$/', 'anchored, of fixed length'],
    ['crypto/state.ts', '.sort();', 'keys of what the company signed'],
    ['crypto/state.ts', 'const SLUG = /', 'anchored, of bounded length'],
    ['files/kinds.ts', 'ending.toLowerCase()', 'eleven characters'],
    ['files/names.ts', 'c.toString(16).toUpperCase()', 'one character'],
    ['files/names.ts', '.toLowerCase()} `,', 'a hundred characters'],
    ['files/prepare.ts', '/^image\\/hei[cf]$/', 'anchored, of fixed length; chosen here'],
    ['files/prepare.ts', 'name.slice(dot + 1).toLowerCase()', 'chosen here'],
    ['files/recorder.ts', "replace(/;.*/, '')", 'the type of what this browser records'],
    ['i18n/core.ts', 'name?.toLowerCase()', 'name of a language, of this browser or page'],
    ['i18n/core.ts', "text.split('|')", 'our own text; values are put in after'],
    ['i18n/core.ts', 'form.replace(/\\{(\\w+)\\}/g', 'our own text'],
    [
      'knowledge/search.ts',
      'all.sort((a, b) => b.score - a.score',
      "the company's entries; at most 500 characters are looked for",
    ],
    ['knowledge/words.ts', 'const CJK = /', 'one character'],
    ['knowledge/words.ts', 'const ALPHANUMERIC = /', 'one character'],
    [
      'knowledge/words.ts',
      "[...text.normalize('NFKC')]",
      'linear but for marks on one letter; at most 500 characters are looked for',
    ],
    ['knowledge/words.ts', '!/\\p{Alphabetic}/u.test(text)', 'one character'],
    ['knowledge/words.ts', 'map((one) => one.toLowerCase())', 'one character'],
    ['link/http.ts', 'JSON.parse(text)', 'linear; an answer of the server'],
    ['link/env.ts', "server.replace(/^http/, 'ws')", 'its own address'],
    ['link/link.ts', "this.o.server.replace(/^http/, 'ws')", 'its own address'],
    ['proto.ts', 'JSON.parse(text)', 'linear; a frame of the server'],
    ['proto.ts', 'JSON.parse(new TextDecoder().decode(body.subarray(20)))', 'linear; a record has 64 KiB'],
    ['storage/store.ts', '.sort()', 'names of what this browser keeps'],
    ['client/agent-signals.ts', 'people.sort((a, b) => a.name.localeCompare(b.name))', 'people of the company'],
    ['console/history/history.ts', 'const m = /^(\\d{4})', 'anchored, of fixed length; from the address'],
    ['console/history/history.ts', 'rating: /^[1-5]$/', 'anchored, one character; from the address'],
    ['console/history/history.ts', 'index.search(typed', 'no text; 200 characters typed here, in a Worker'],
    ['console/route.ts', "route.value.split('?')", 'the address of this page'],
    ['export/conversation.ts', "e.event.owner.split(':')", 'the server wrote it; when an agent asks for a file'],
    ['export/html.ts', 's.replace(/[&<>"', 'single characters; when an agent asks for a file'],
    [
      'search/fold.ts',
      'const CLUSTER = /',
      'linear; 32 marks at most are taken together. In a Worker, as all of search/',
    ],
    ['search/fold.ts', 'const SPACE = /', 'anchored, one class of characters'],
    ['search/fold.ts', 'const PLAIN = /', 'linear: a space belongs to no other part'],
    ['search/fold.ts', "s.normalize('NFKC').toLowerCase()", 'a character and at most 32 marks, or white space'],
    ['search/fold.ts', 'return s.toLowerCase()', 'linear'],
    ['search/fold.ts', 's.matchAll(CLUSTER)', 'linear'],
    ['search/fold.ts', 'const CJK = /', 'one character'],
    ['search/fold.ts', '/[\\p{Script=Han}', 'classes of characters that have nothing in common'],
    ['search/fold.ts', 'folded.matchAll(RUNS)', 'linear'],
    ['search/index.ts', 'Float64Array.from(keys).sort()', 'numbers, one for a message of the index'],
    ['search/indexer.worker.ts', 'this.index.search(', 'no text'],
    ['search/query.ts', 'const PARTS = /', '200 characters, typed here'],
    ['search/query.ts', 'matchAll(PARTS)', '200 characters, typed here'],
    ['search/query.ts', 'const WORD = /', 'one character'],
    ['search/query.ts', 'const SPACELESS = /', 'one character'],
    ['search/query.ts', 'const DIGIT = /', 'one class of characters in 200'],
    ['search/query.ts', 'found.sort(', 'at most 116 places'],
    ['search/sealed-store.ts', 'JSON.parse(decoder', 'what this page wrote'],
    ['search/segment.ts', 'Uint32Array.from(lists.keys()).sort()', 'numbers'],
    ['search/segment.ts', 'JSON.parse(decoder', 'what this page wrote'],
    ['search/segment.ts', 'ranges.sort(', 'terms of 200 characters, typed here'],
    ['ui/FileBubble.tsx', 'endingOf(file.name).toLowerCase()', 'eleven characters'],
    ['ui/Player.tsx', "kind.type.replace('video', 'audio')", 'our own text'],
    ['ui/Avatar.tsx', 'name.match(/[\\u3400-\\u9fff]/g)', 'a short name: 64 characters'],
    ['ui/Avatar.tsx', 'name.trim().split(/\\s+/)', 'a short name: 64 characters'],
    ['ui/Avatar.tsx', 'letters.toUpperCase()', 'two letters'],
    ['client/agent-desk.ts', '/^[0-9a-f]{32}$/', 'anchored, of fixed length'],
    ['client/devices.ts', 'JSON.parse(text(opened))', 'of the own other device; 64 KiB'],
    ['client/earlier.ts', 'threads.sort(', 'at most 30 conversations'],
    ['client/introduction.ts', 'JSON.parse(text(unb64u(token', 'of the own page; at most 4,096 characters'],
    ['client/introduction.ts', "token.split('.')", 'of the own page; at most 4,096 characters'],
    ['client/introduction.ts', 'JSON.parse(attributes)', 'what this page wrote'],
    ['crypto/identity.ts', 'JSON.parse(text(unb64u(b64u)))', 'part of a token: at most 4,096 characters'],
    ['crypto/identity.ts', "token.split('.', 4)", 'at most 4,096 characters'],
    ['console/FilterPanel.tsx', '.site))].sort()', 'sites of the company'],
    ['console/filters.ts', 'found.sort(by)', 'conversations of the list'],
    ['console/fuzzy.ts', '/[\\s\\-_.·:/]/', 'one character'],
    ['console/fuzzy.ts', "fold(typed).replace(/\\s+/g, '')", 'typed here; one class of characters'],
    [
      'console/fuzzy.ts',
      "text.normalize('NFKC').toLowerCase()",
      'typed here, or a line of the palette: names and previews',
    ],
    ['console/fuzzy.ts', '.sort((a, b) => b.score - a.score)', 'conversations of the list'],
    ['console/handling.ts', "e.is.split(' ')", 'at most 16 ids of tags'],
    ['console/route.ts', '/^[0-9a-f]{32}$/', 'anchored, of fixed length'],
    ['console/views.ts', 'JSON.parse(stored(`views.${user}`)', 'what this browser kept'],
    ['ui/contrast.ts', '/^#?([0-9a-f]{6}|[0-9a-f]{3})$/i', 'anchored, of fixed length; from the site'],
    ['ui/contrast.ts', '.sort((p, q) => q - p)', 'two numbers'],
    ['ui/fingerprint.ts', 'org.slice(-32).replace(/(.{4})(?=.)/g', 'a fingerprint: 32 characters'],
    ['ui/linkify.ts', 'const END = /', 'one character'],
    ['ui/linkify.ts', 'const WORD = /', 'one character'],
    ['ui/linkify.ts', 'const LETTER = /', 'one character'],
    ['ui/linkify.ts', 'const LOCAL = /', 'one character'],
    ['ui/linkify.ts', 'const DOMAIN = /', 'one character'],
    ['ui/linkify.ts', 'const LATIN = /', 'one character'],
    ['ui/linkify.ts', 'export const SPACE = /', 'one character'],
    ['ui/linkify.ts', 'text.slice(at, at + 8).toLowerCase()', 'eight characters, where an h or a w stands'],
    ['ui/markdown.ts', 'const MARKABLE = /', 'one character'],
    ['ui/markdown.ts', 'const ALPHANUMERIC = /', 'one character'],
    ['ui/markdown.ts', 'const DIGIT = /', 'one character'],
    ['ui/markdown.ts', '/^(mailto|tel):[^"<>]+$/i', 'anchored, one class of characters; an address has 2,048'],
    ['ui/plain.ts', 'node.href?.replace(/^(mailto|tel):/i', 'anchored; an address'],
    ['ui/readable.ts', 'const MARK = /', 'one character'],
    ['ui/readable.ts', 'const TURNS = /', 'one class of characters'],
    ['ui/readable.ts', ".replace(TURNS, '')", 'a short text'],
    ['widget/StartForm.tsx', '/^[^\\s@]+@[^\\s@]+\\.[^\\s@]+$/', 'typed here; at most 254 characters'],
    ['widget/StartForm.tsx', '/^[+()\\d\\s-]{5,20}$/', 'typed here; anchored, one class of characters'],
    ['widget/settings.ts', "url?.pathname.split('/')", "the snippet's own address"],
  ];

  const root = new URL('../../src/', import.meta.url);
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((f) => /\.tsx?$/.test(f))
    .sort();
  const bare = (line: string): string => line.replace(/^\s*(?:\/\/|\/?\*).*/, '').replace(/\s\/\/ .*$/, '');

  it('what reads a whole text at once says why it may', () => {
    const used = new Set<string>();
    const strange: string[] = [];
    for (const file of files) {
      for (const [n, whole] of readFileSync(new URL(file, root), 'utf8').split('\n').entries()) {
        const line = bare(whole);
        const found = [...line.matchAll(WHOLE)];
        const reasons = ALLOWED.filter(([f, part]) => f === file && line.includes(part));
        // each of them is in a part that is named
        for (const m of found) {
          const covers = reasons.find(([, part]) => {
            const at = line.indexOf(part);
            return m.index >= at - 1 && m.index < at + part.length;
          });
          if (covers) used.add(covers.join(' '));
          else strange.push(`${file}:${n + 1}: ${m[0]} in ${line.trim()}`);
        }
      }
    }
    expect(strange).toEqual([]);
    expect(
      ALLOWED.filter((a) => !used.has(a.join(' '))).map(([f, part]) => `${f}: ${part}`),
      'not there any more',
    ).toEqual([]);
  });

  it('sees a new one', () => {
    for (const line of [
      'const x = /a+$/.test(t);',
      'if (/[a/b]/.exec(t)) y();',
      't.split(a)',
      'return /x/g;',
      'new RegExp(a)',
      'JSON.parse(t)',
      'list.sort()',
    ])
      expect(line.match(WHOLE), line).not.toBeNull();
    for (const line of ['a / b / c', '<p>x</p>', '`${a}/${b}`', "'/site/x'", 'x => a /2/ b'])
      expect(line.match(WHOLE), line).toBeNull();
  });
});
