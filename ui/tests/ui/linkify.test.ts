import { describe, expect, it } from 'vitest';
import { linkify } from '../../src/ui/linkify';

const links = (text: string) =>
  linkify(text).flatMap((p) => (typeof p === 'string' ? [] : [{ href: p.href, text: p.inside.join('') }]));

describe('linkify', () => {
  it.each([
    '<script>alert(1)</script>',
    '<svg onload=alert(1)>',
    '<img src=x onerror=alert(1)>',
    'javascript:alert(1)',
    'JaVaScRiPt://%0aalert(1)',
    'data:text/html,<script>1</script>',
    'vbscript:msgbox(1)',
    'file:///etc/passwd',
    'https://',
    'http://user:pass@bank.example/',
    'https://bank.example@evil.example/',
  ])('leaves %s text', (text) => {
    expect(linkify(text)).toEqual([text]);
  });

  it('loses no character', () => {
    const text = '请看 https://a.example/x?y=1。还有（http://b.example）, done.';
    expect(
      linkify(text)
        .map((p) => (typeof p === 'string' ? p : p.inside.join('')))
        .join(''),
    ).toBe(text);
    expect(links(text).map((p) => typeof p !== 'string' && p.href)).toEqual([
      'https://a.example/x?y=1',
      'http://b.example/',
    ]);
  });

  it('keeps punctuation of the sentence out', () => {
    expect(links('see https://a.example/x.')).toEqual([{ href: 'https://a.example/x', text: 'https://a.example/x' }]);
    expect(links('(https://a.example/x)')).toEqual([{ href: 'https://a.example/x', text: 'https://a.example/x' }]);
    expect(links('https://a.example/wiki/A_(b)')).toEqual([
      { href: 'https://a.example/wiki/A_(b)', text: 'https://a.example/wiki/A_(b)' },
    ]);
  });

  it.each([
    ['「https://example.com/x」看', ['https://example.com/x']],
    ['https://example.com/z…后', ['https://example.com/z']],
    ['https://example.com/w～', ['https://example.com/w']],
    [
      'https://a.example/x—y https://a.example/x·y https://a.example/x｜y',
      ['https://a.example/x', 'https://a.example/x', 'https://a.example/x'],
    ],
    [
      '『https://a.example』〈https://b.example〉〔https://c.example〕《https://d.example》',
      ['https://a.example', 'https://b.example', 'https://c.example', 'https://d.example'],
    ],
    ['(见 https://zh.wikipedia.org/wiki/A_(B))', ['https://zh.wikipedia.org/wiki/A_(B)']],
    ['[https://a.example/x[1]]', ['https://a.example/x[1]']],
    ['https://example.com/docs了解更多', ['https://example.com/docs']],
    ['https://example.com了解更多', ['https://example.com']],
    ['https://例子.测试/路径', ['https://例子.测试/']],
    ['https://www.例子.com/a', ['https://www.例子.com/a']],
    ['https://example.com/docsを参照 https://example.com에서', ['https://example.com/docs', 'https://example.com']],
    ['https://fr.wikipedia.org/wiki/Café.', ['https://fr.wikipedia.org/wiki/Café']],
    ['https://example.com/a👍', ['https://example.com/a']],
    ['http://[::1]:8080/x', ['http://[::1]:8080/x']],
    ['https://a.example/x?a=1&b=%20#c/d!e', ['https://a.example/x?a=1&b=%20#c/d!e']],
  ])('ends where people see the end: %s', (text, expected) => expect(links(text).map((l) => l.text)).toEqual(expected));

  it.each([
    ['看www.example.com/a_b，谢谢', 'http://www.example.com/a_b', 'www.example.com/a_b'],
    ['WWW.Example.com.', 'http://www.example.com/', 'WWW.Example.com'],
    ['写信到service@example.com。', 'mailto:service@example.com', 'service@example.com'],
    ['<a.b+c@mail.example.co.uk>', 'mailto:a.b+c@mail.example.co.uk', 'a.b+c@mail.example.co.uk'],
    ['mailto:a@b.cn了解', 'mailto:a@b.cn', 'a@b.cn'],
    ['x@y.example.', 'mailto:x@y.example', 'x@y.example'],
  ])('links names without a scheme and mail: %s', (text, href, shown) =>
    expect(links(text)).toEqual([{ href, text: shown }]),
  );

  it.each([
    'www.',
    'www.com',
    'awww.example.com',
    'a@b',
    '@b.com',
    'a@.com',
    'a@b.c',
    'a@1.2',
    'a@b@c.com',
    '微信@小王',
    'a@b..',
    'user@10.0.0.1',
  ])('leaves %s text', (text) => {
    expect(links(text)).toEqual([]);
  });

  it('ends an address at a quote or a bracket of markup', () => {
    expect(links('<a href="https://a.example/x" onclick="y">')).toEqual([
      { href: 'https://a.example/x', text: 'https://a.example/x' },
    ]);
  });

  it('is quick on hostile input', () => {
    const text = `https://${'a)'.repeat(20_000)}${' http://'.repeat(5_000)}`;
    const start = performance.now();
    linkify(text);
    expect(performance.now() - start).toBeLessThan(1_000);
  });
});
