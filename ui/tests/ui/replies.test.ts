/** Canned replies: how they are found and filled in, and the table they come from and go to. */
import { beforeEach, describe, expect, it } from 'vitest';
import { lang } from '../../src/i18n/core';
import { readRows, writeRows } from '../../src/console/replies/csv';
import { bodyOf, filled, matching, ordered, queryIn, replyOf, type Reply } from '../../src/console/replies/reply';
import type { AgentClient, ConvItem, Doc } from '../../src/model';
import { signal } from '../../src/signals';

beforeEach(() => {
  lang.value = 'zh-CN';
});

const reply = (title: string, over: Partial<Doc> & { shortcut?: string; text?: string; group?: string } = {}): Reply =>
  replyOf({
    id: title,
    rev: 1,
    scope: 'own:li',
    author: 'Li',
    at: 0,
    public: false,
    mayWrite: true,
    mayDelete: true,
    ...over,
    body: { title, shortcut: over.shortcut ?? '', text: over.text ?? `text of ${title}`, group: over.group ?? '' },
  })!;

describe('a canned reply', () => {
  it('is read whatever is in the document', () => {
    for (const junk of [null, 1, 'x', [], {}, { text: 5 }, { text: '' }]) expect(bodyOf(junk)).toBeNull();
    const long = bodyOf({ text: 'x'.repeat(9_999), title: 'y'.repeat(999), shortcut: {}, group: ['z'] })!;
    expect([long.text.length, long.title.length, long.shortcut, long.group]).toEqual([4_000, 80, '', '']);
  });

  const all = [
    reply('退款流程', { shortcut: 'refund', group: '售后' }),
    reply('再见', { shortcut: 'bye', text: '感谢咨询，Refund 已受理' }),
    reply('Refunds abroad', { scope: 'team:svc' }),
    reply('Opening hours', { scope: 'company' }),
  ];

  it('is found by shortcut, title, text and group; a shortcut that begins so comes first', () => {
    const ids = (q: string): string[] => matching(all, q).map((r) => r.id);
    expect(ids('refund')).toEqual(['退款流程', 'Refunds abroad', '再见']);
    expect(ids('REF')).toEqual(['退款流程', 'Refunds abroad', '再见']);
    expect(ids('售后')).toEqual(['退款流程']);
    expect(ids('text hours')).toEqual(['Opening hours']);
    expect([ids('nothing here'), ids('').length]).toEqual([[], 4]);
    expect(matching(all, '', 2)).toHaveLength(2);
  });

  it('stands in the order of those who can use it', () => {
    expect(ordered([...all].reverse()).map((r) => r.scope)).toEqual(['own:li', 'own:li', 'team:svc', 'company']);
  });

  it('is asked for by a slash at the beginning only', () => {
    expect(['/', '/re fund', 'a /b', '', '/a\nb', `/${'x'.repeat(99)}`].map(queryIn)).toEqual([
      '',
      're fund',
      null,
      null,
      null,
      null,
    ]);
  });

  it('has its variables filled in; what nobody knows stays', () => {
    const client = {
      me: signal({ user: 'li', name: '李娜', role: 'agent', teams: [], state: 'online' }),
      sites: signal({ web: '官网' }),
    } as unknown as AgentClient;
    const item = { name: '陈先生', conv: { site: 'web' } } as ConvItem;
    const text = filled('{visitor}，我是{site}的{agent}，现在{time}。{order} {Visitor} {constructor}', client, item);
    expect(text).toMatch(/^陈先生，我是官网的李娜，现在\d\d:\d\d。\{order\} \{Visitor\} \{constructor\}$/);
    expect(filled('{visitor}好', client, { ...item, name: ' ' })).toBe('您好');
    expect(filled('{visitor}', client, { ...item, name: '{agent}' })).toBe('{agent}');
  });
});

describe('a table of canned replies', () => {
  const bytes = (s: string): Uint8Array => new TextEncoder().encode(s);
  const rowsOf = (b: Uint8Array) => readRows(b)!.rows;

  it('comes back as it went, and holds no formula', () => {
    const nasty = ['=HYPERLINK("http://x")', '+1', '-1', '@SUM(A1)', '\tx', "'quoted", 'a "b"\nc', '退货，七天'];
    const out = writeRows(
      nasty.map((text, n) => reply(`t${n}`, { text, public: n === 0 })),
      () => '仅自己',
    );
    for (const line of out.split('\r\n').slice(1)) expect(line).not.toMatch(/(^|,)"?[=+\-@\t]/);
    const back = rowsOf(bytes(`\uFEFF${out}`));
    expect(back.map((r) => r.text)).toEqual(nasty.map((text) => text.trim()));
    expect(back.map((r) => r.public)).toEqual([true, ...nasty.slice(1).map(() => false)]);
    expect(back[0]!.scope).toBe('仅自己');
  });

  it('is read as spreadsheets write it: UTF-8 with a mark, GBK, UTF-16, other separators and names', () => {
    const text = '标题,内容\r\n退货,"七天内, 可退"\r\n';
    const expected = [['退货', '七天内, 可退']];
    // 标题,内容 / 退货,"七天内, 可退" in GBK
    const gbk = [
      0xb1, 0xea, 0xcc, 0xe2, 0x2c, 0xc4, 0xda, 0xc8, 0xdd, 0x0a, 0xcd, 0xcb, 0xbb, 0xf5, 0x2c, 0x22, 0xc6, 0xdf, 0xcc,
      0xec, 0xc4, 0xda, 0x2c, 0x20, 0xbf, 0xc9, 0xcd, 0xcb, 0x22,
    ];
    const utf16 = new Uint8Array(Uint16Array.from(`\uFEFF${text}`, (c) => c.charCodeAt(0)).buffer);
    for (const b of [bytes(text), bytes(`\uFEFF${text}`), Uint8Array.from(gbk), utf16])
      expect(rowsOf(b).map((r) => [r.title, r.text])).toEqual(expected);
    expect(rowsOf(bytes('Title\tText\na\tb')).map((r) => [r.title, r.text])).toEqual([['a', 'b']]);
    expect(rowsOf(bytes('title;text\na;b')).map((r) => [r.title, r.text])).toEqual([['a', 'b']]);
  });

  it('without a text is refused, and bad rows are counted', () => {
    for (const bad of ['', 'title\na', '\0\0\0', '{"json": true}']) expect(readRows(bytes(bad))).toBeNull();
    const found = readRows(bytes(`text\nok\n""\n${'x'.repeat(4_001)}\n\n"open`))!;
    expect([found.rows.map((r) => r.text), found.skipped]).toEqual([['ok', 'open'], 1]);
    const many = readRows(bytes(`text\n${'a\n'.repeat(1_500)}`))!;
    expect([many.rows.length, many.skipped]).toEqual([1_000, 500]);
  });
});
