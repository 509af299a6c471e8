import { describe, expect, it } from 'vitest';
import { linkify } from '../../src/ui/linkify';

const links = (text: string) => linkify(text).flatMap((p) => (typeof p === 'string' ? [] : [{ href: p.href, text: p.inside.join('') }]));

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
    expect(linkify(text).map((p) => (typeof p === 'string' ? p : p.inside.join(''))).join('')).toBe(text);
    expect(links(text).map((p) => typeof p !== 'string' && p.href)).toEqual(['https://a.example/x?y=1', 'http://b.example/']);
  });

  it('keeps punctuation of the sentence out', () => {
    expect(links('see https://a.example/x.')).toEqual([{ href: 'https://a.example/x', text: 'https://a.example/x' }]);
    expect(links('(https://a.example/x)')).toEqual([{ href: 'https://a.example/x', text: 'https://a.example/x' }]);
    expect(links('https://a.example/wiki/A_(b)')).toEqual([{ href: 'https://a.example/wiki/A_(b)', text: 'https://a.example/wiki/A_(b)' }]);
  });

  it('ends an address at a quote or a bracket of markup', () => {
    expect(links('<a href="https://a.example/x" onclick="y">')).toEqual([{ href: 'https://a.example/x', text: 'https://a.example/x' }]);
  });

  it('is quick on hostile input', () => {
    const text = 'https://' + 'a)'.repeat(20_000) + ' http://'.repeat(5_000);
    const start = performance.now();
    linkify(text);
    expect(performance.now() - start).toBeLessThan(1_000);
  });
});
