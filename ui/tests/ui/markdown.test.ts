/** The robot's answers as nodes: what is understood, what stays text, and what nobody may smuggle in. */
import { describe, expect, it } from 'vitest';
import type { Node, Tagged } from '../../src/ui/linkify';
import { markdown } from '../../src/ui/markdown';
import { plain } from '../../src/ui/plain';

/** As short as it can be read: `<p>a <strong>b</strong></p>`. */
function shown(nodes: readonly Node[]): string {
  const one = (n: Node): string =>
    typeof n === 'string'
      ? n
      : `<${n.tag}${n.href ? ` ${n.href}` : ''}${n.value ? ` ${n.value}` : ''}>${shown(n.inside)}</${n.tag}>`;
  return nodes.map(one).join('');
}
const of = (text: string): string => shown(markdown(text));

describe('blocks', () => {
  it.each([
    ['a\n\n\nb\nc', '<p>a</p><p>b\nc</p>'],
    ['# 标题\n正文\n#话题', '<p><strong>标题</strong>\n正文\n#话题</p>'],
    ['如下：\n- a\n* b\n  还有\n\n+ c\n\n完', '<p>如下：</p><ul><li>a</li><li>b\n还有</li><li>c</li></ul><p>完</p>'],
    ['1. a\n\n说明\n\n2) b', '<ol><li 1>a</li></ol><p>说明</p><ol><li 2>b</li></ol>'],
    ['```js\ncode *x*\n\n- y\n```\n后', '<pre>code *x*\n\n- y</pre><p>后</p>'],
    ['```\n没有结束\n\nx', '<pre>没有结束\n\nx</pre>'],
    ['> 引用\n> 二', '<p>引用\n二</p>'],
    ['2024.5 x\n-5 度', '<p>2024.5 x\n-5 度</p>'],
    ['## 标题 ##\n# C#', '<p><strong>标题</strong>\n<strong>C#</strong></p>'],
    ['', ''],
  ])('%j', (text, expected) => expect(of(text)).toBe(expected));
});

describe('tables', () => {
  const table = (...rows: string[][]): string =>
    `<div><table>${rows.map((r, n) => `<tr>${r.map((c) => `<${n ? 'td' : 'th'}>${c}</${n ? 'td' : 'th'}>`).join('')}</tr>`).join('')}</table></div>`;
  it.each([
    [
      '前\n| 列一 | 列二 |\n| --- | :-: |\n| 甲 | **乙** |\n|丙|\n后',
      `<p>前</p>${table(['列一', '列二'], ['甲', '<strong>乙</strong>'], ['丙'])}<p>后</p>`,
    ],
    ['a|b\r\n-|-\r\nc\\|d|e|f\r\n\r\ng | h', `${table(['a', 'b'], ['c|d', 'e|f'])}<p>g | h</p>`],
    ['| a |\n| - |', table(['a'])],
    ['a | b\n--- | --- | ---', '<p>a | b\n--- | --- | ---</p>'],
    ['a | b\n\n--- | ---', '<p>a | b</p><p>--- | ---</p>'],
    ['- a | b\n--- | ---', '<ul><li>a | b\n--- | ---</li></ul>'],
    ['```\na | b\n- | -\n```', '<pre>a | b\n- | -</pre>'],
    [`${'|a'.repeat(13)}\n${'|-'.repeat(13)}`, `<p>${'|a'.repeat(13)}\n${'|-'.repeat(13)}</p>`],
  ])('%j', (text, expected) => expect(of(text)).toBe(expected));
});

describe('inside a line', () => {
  const line = (text: string): string => of(text).replace(/^<p>|<\/p>$/g, '');
  it.each([
    ['签收后**七天**内', '签收后<strong>七天</strong>内'],
    ['__a__ *b* _c_ `d*e*`', '<strong>a</strong> <em>b</em> <em>c</em> <code>d*e*</code>'],
    ['***a*** **b *c* d**', '<strong><em>a</em></strong> <strong>b <em>c</em> d</strong>'],
    ['20*30*40 snake_case_x 2 * 3 * 4', '20*30*40 snake_case_x 2 * 3 * 4'],
    ['**没有结束 `也没有', '**没有结束 `也没有'],
    ['\\*不是\\* \\[x](y)', '*不是* [x](y)'],
    [
      '[订单](https://a.example/x_y_z)和 https://b.example/_a_b。',
      '<a https://a.example/x_y_z>订单</a>和 <a https://b.example/_a_b>https://b.example/_a_b</a>。',
    ],
    ['[电话](tel:+861012345678) [信](mailto:a@b.cn)', '<a tel:+861012345678>电话</a> <a mailto:a@b.cn>信</a>'],
    ['![图](https://i.example/i.png)', '<a https://i.example/i.png>图</a>'],
    [
      '请看https://a.example/help，**不要**关机。',
      '请看<a https://a.example/help>https://a.example/help</a>，<strong>不要</strong>关机。',
    ],
    ['https://a.example/help**重要**', '<a https://a.example/help>https://a.example/help</a><strong>重要</strong>'],
    [
      '**https://a.example/tel**（正式）',
      '<strong><a https://a.example/tel>https://a.example/tel</a></strong>（正式）',
    ],
    [
      '[维基](https://zh.wikipedia.org/wiki/A_(B))和**粗**',
      '<a https://zh.wikipedia.org/wiki/A_(B)>维基</a>和<strong>粗</strong>',
    ],
    ['[a](https://a.example/x', '[a](<a https://a.example/x>https://a.example/x</a>'],
    ['**注意：**请先登录，*“重点”*在后', '<strong>注意：</strong>请先登录，<em>“重点”</em>在后'],
    [
      'www.a.example/_b_c_ a_b@c.example',
      '<a http://www.a.example/_b_c_>www.a.example/_b_c_</a> <a mailto:a_b@c.example>a_b@c.example</a>',
    ],
    ['**[x](https://a.example)**', '<strong><a https://a.example/>x</a></strong>'],
  ])('%j', (text, expected) => expect(line(text)).toBe(expected));
});

describe('what nobody may smuggle in', () => {
  const tags = (nodes: readonly Node[]): Tagged[] =>
    nodes.flatMap((n) => (typeof n === 'string' ? [] : [n, ...tags(n.inside)]));
  const attacks = [
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '[x](javascript:alert(1))',
    '[x](JaVaScRiPt:alert(1))',
    '[x](java\nscript:alert(1))',
    '[x](data:text/html,<script>alert(1)</script>)',
    '[x](vbscript:x) [x](file:///etc/passwd) [x](//evil.example) [x](/console/) [x]( javascript:alert(1) )',
    '[x](https://user:pass@evil.example/)',
    '[x](mailto:a"onmouseover="alert(1))',
    '[x](&#106;avascript:alert(1)) [x](\\javascript:alert(1)) [x](\u0001javascript:alert(1))',
    '![x](javascript:alert(1))',
    '[[x](javascript:alert(1))](https://a.example)',
    '`<b>` **<i onclick=x>** [<u>](https://a.example/"onclick="x)',
    '<javascript:alert(1)>',
    '[x]: javascript:alert(1)\n[x]',
    '| <b> | [x](javascript:alert(1)) |\n| --- | --- |\n| <script>alert(1)</script> | [x](data:a) |',
  ];
  it.each(attacks)('%j', (text) => {
    for (const { tag, href } of tags(markdown(text))) {
      expect(['p', 'ul', 'ol', 'li', 'pre', 'code', 'strong', 'em', 'a', 'div', 'table', 'tr', 'th', 'td']).toContain(
        tag,
      );
      if (tag === 'a') expect(href).toMatch(/^(https?:\/\/a\.example\/|mailto:|tel:)[^"<>\s]*$/);
      else expect(href).toBeUndefined();
    }
  });

  it('nor with marks without end: deep nesting stops, long texts take no time', () => {
    const depth = (nodes: readonly Node[]): number =>
      1 + Math.max(0, ...nodes.map((n) => (typeof n === 'string' ? 0 : depth(n.inside))));
    for (const piece of [
      '*',
      '**',
      '_',
      '`',
      '[',
      '](',
      '![',
      '*a ',
      '**a',
      '[a](',
      '`a``',
      '\\',
      '> ',
      '- ',
      '1. ',
      '\n',
      'https://',
      'www.',
      'a@',
      'a@b.cc ',
      '[a](b(',
      '|',
      '|-',
      '|-\n',
      'a|b\n-|-\n',
      '*_',
      '***a',
    ]) {
      const text = piece.repeat(32_768 / piece.length);
      expect(depth(markdown(text)), piece).toBeLessThan(600);
      expect(plain(text).length).toBeLessThanOrEqual(text.length * 2);
    }
  });
});

describe('as plain text', () => {
  it.each([
    ['**a** `b`\n\n- c\n- d\n\n```\ne\n```', 'a b\n- c\n- d\ne'],
    ['3. a\n4. b', '3. a\n4. b'],
    ['| a | b |\n|---|---|\n| c | [d](https://d.example) |\n\ne', 'a | b\nc | d https://d.example/ \ne'],
    ['见[这里](https://a.example/x)。 https://b.example', '见这里 https://a.example/x 。 https://b.example'],
    ['[客服电话](tel:400-800) ', '客服电话 400-800'],
  ])('%j', (text, expected) => expect(plain(text)).toBe(expected));
});
