/** Settings of this browser. Storage may be blocked; then they last as long as the page. */
import { browserLangs, lang, pickLang, type Lang } from '../i18n/core';

export function stored(key: string): string | null {
  try {
    return localStorage.getItem(`kefu.console.${key}`);
  } catch {
    return null;
  }
}

export function store(key: string, value: string): void {
  try {
    localStorage.setItem(`kefu.console.${key}`, value);
  } catch {
    // Nothing is lost but the setting.
  }
}

/** What this page remembers over a reload, and no other page. */
export function passing(key: string): string | null {
  try {
    return sessionStorage.getItem(`kefu.console.${key}`);
  } catch {
    return null;
  }
}

export function keepPassing(key: string, value: string): void {
  try {
    sessionStorage.setItem(`kefu.console.${key}`, value);
  } catch {
    // the page begins anew after a reload
  }
}

export function setLang(next: Lang): void {
  lang.value = next;
  document.documentElement.lang = next;
  store('lang', next);
}

export function startLang(): void {
  lang.value = pickLang(stored('lang'), ...browserLangs());
  document.documentElement.lang = lang.value;
}
