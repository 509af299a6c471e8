import { describe, expect, it } from 'vitest';
import { fill, lang, pickLang, type Texts } from '../../src/i18n/core';
import { console_ } from '../../src/i18n/console';
import { files } from '../../src/i18n/files';
import { history } from '../../src/i18n/history';
import { replies } from '../../src/i18n/replies';
import { launcher } from '../../src/i18n/launcher';
import { shared } from '../../src/i18n/shared';
import { waiting } from '../../src/i18n/wait';
import { widget } from '../../src/i18n/widget';
import { ERROR_KEYS } from '../../src/model';
import { errorText as consoleError } from '../../src/i18n/console';
import { errorText as widgetError } from '../../src/i18n/widget';

const tables: Record<string, Texts<string>> = {
  shared,
  launcher,
  widget,
  console: console_,
  files,
  history,
  replies,
  waiting,
};
const names = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort();

describe.each(Object.entries(tables))('texts of %s', (_, { zh, en }) => {
  it('has the same keys in both languages, none empty', () => {
    expect(Object.keys(en).sort()).toEqual(Object.keys(zh).sort());
    for (const table of [zh, en])
      for (const [key, text] of Object.entries(table)) expect(text.trim(), key).not.toBe('');
  });

  it('names the same values in both languages', () => {
    for (const key of Object.keys(zh)) {
      const forms = en[key]!.split('|');
      for (const form of forms) {
        const wanted = names(zh[key]!);
        // "1 message" may leave its number out.
        expect(forms.length === 2 ? [...new Set([...names(form), ...wanted])].sort() : names(form), key).toEqual(
          wanted,
        );
      }
    }
  });

  it('claims nothing that is not true', () => {
    const all = [...Object.values(zh), ...Object.values(en)].join('\n');
    expect(all).not.toMatch(/bank-?grade|zero-?knowledge|forward secrecy|银行级|零知识|前向安全/i);
  });
});

describe('errors', () => {
  it('have a sentence each in the console', () => {
    for (const key of ERROR_KEYS) expect(console_.zh).toHaveProperty([key]);
    lang.value = 'en';
    expect(new Set(ERROR_KEYS.map((key) => consoleError(key))).size).toBeGreaterThan(ERROR_KEYS.length - 3);
  });

  it('never show a key to a visitor', () => {
    for (const key of ERROR_KEYS) expect(widgetError(key)).not.toContain('error.');
    expect(widgetError(undefined)).not.toBe('');
  });
});

describe('language', () => {
  it('takes the first wish it can serve', () => {
    expect(pickLang('zh-TW')).toBe('zh-CN');
    expect(pickLang(undefined, 'fr', 'en-GB', 'zh')).toBe('en');
    expect(pickLang('fr')).toBe('en');
  });

  it('fills values in and chooses the plural form', () => {
    expect(fill('{n} day|{n} days', { n: 1 })).toBe('1 day');
    expect(fill('{n} day|{n} days', { n: 0 })).toBe('0 days');
    expect(fill('{who} and {missing}', { who: '$&<b>' })).toBe('$&<b> and {missing}');
  });
});
