/**
 * The language in use and how texts are looked up. Texts themselves live beside: shared.ts, widget.ts, console.ts.
 * Changing `lang` re-renders every component that called a translator.
 */
import { signal } from '../signals';

export type Lang = 'zh-CN' | 'en';
export type Vars = Record<string, string | number>;

// the launcher has no use for it, and leaves it out
export const lang = /* @__PURE__ */ signal<Lang>('zh-CN');

/** The first language of these that we can serve; any Chinese is served as zh-CN, everything unknown as English. */
export function pickLang(...wanted: (string | null | undefined)[]): Lang {
  for (const name of wanted) {
    const w = name?.toLowerCase() ?? '';
    if (w.startsWith('zh')) return 'zh-CN';
    if (w.startsWith('en')) return 'en';
  }
  return 'en';
}

/** `甲、乙` or `A, B`. */
export function listOf(names: readonly string[]): string {
  return names.join(lang.value === 'en' ? ', ' : '、');
}

/** What the browser asks for, best first. */
export function browserLangs(): readonly string[] {
  return navigator.languages?.length ? navigator.languages : [navigator.language];
}

/** Puts `{name}` values in; of `one|many` takes the form that fits `n`. */
export function fill(text: string, vars?: Vars): string {
  if (!vars) return text;
  const forms = text.split('|');
  const form = forms.length === 2 && vars.n !== 1 ? forms[1]! : forms[0]!;
  return form.replace(/\{(\w+)\}/g, (whole, name: string) => (name in vars ? String(vars[name]) : whole));
}

export interface Texts<K extends string> {
  zh: Record<K, string>;
  en: Record<K, string>;
}

/** A typed `t(key, vars)` over one table of texts. */
export function translator<K extends string>(texts: Texts<K>): (key: K, vars?: Vars) => string {
  return (key, vars) => fill((lang.value === 'en' ? texts.en : texts.zh)[key], vars);
}

/** A company's own words in the language of the page, or in the other one. */
export function localised(text: { zh?: string; en?: string } | undefined): string {
  return (lang.value === 'en' ? text?.en || text?.zh : text?.zh || text?.en) ?? '';
}
