/** What this page remembers: which conversation is open, drafts, settings. Drafts stay in memory: they are not encrypted. */
import { browserLangs, lang, pickLang, type Lang } from '../i18n/core';
import type { ConvItem, Tab } from '../model';
import { t } from '../i18n/console';
import { signal } from '../signals';
import { short } from '../ui/readable';

export const tab = signal<Tab>('mine');
export const selected = signal<string | null>(null);
export const mode = signal<'reply' | 'note'>('reply');
/** Grows when the field should take the focus. */
export const focusField = signal(0);
/** The visitor pane, where it is not always on screen. */
export const showVisitor = signal(false);
export type DialogName = 'transfer' | 'close' | 'shortcuts' | 'password' | 'waiting';
export const dialog = signal<DialogName | null>(null);

type Mode = 'reply' | 'note';
const drafts = signal<ReadonlyMap<string, string>>(new Map());

export function draftOf(conv: string, of: Mode): string {
  return drafts.value.get(`${of} ${conv}`) ?? '';
}

export function setDraft(conv: string, of: Mode, text: string): void {
  const next = new Map(drafts.peek());
  if (text) next.set(`${of} ${conv}`, text);
  else next.delete(`${of} ${conv}`);
  drafts.value = next;
}

export function forgetDrafts(): void {
  drafts.value = new Map();
}

export function select(conv: string | null): void {
  if (selected.peek() === conv) return;
  selected.value = conv;
  mode.value = 'reply';
  showVisitor.value = false;
  dialog.value = null;
}

/** "Chen Siyuan", or "Visitor 3f2a" while the visitor has not said their name. */
export function nameOf(item: { id: string; name?: string }): string {
  return short(item.name ?? '').trim() || t('visitorN', { id: item.id.slice(0, 4) });
}

/** The queue has its longest wait on top, the missed ones what was missed last, the others their newest word. */
export function inTab(items: readonly ConvItem[], of: Tab): ConvItem[] {
  const mine = items.filter((item) => item.tabs[of]);
  if (of === 'missed') return mine.sort((a, b) => (b.conv.missed ?? 0) - (a.conv.missed ?? 0));
  return of === 'queue' ? mine.sort((a, b) => (a.waitingSince ?? a.lastAt) - (b.waitingSince ?? b.lastAt)) : mine;
}

// Settings of this browser. Storage may be blocked; then they last as long as the page.
function stored(key: string): string | null {
  try {
    return localStorage.getItem(`kefu.console.${key}`);
  } catch {
    return null;
  }
}
function store(key: string, value: string): void {
  try {
    localStorage.setItem(`kefu.console.${key}`, value);
  } catch {
    // Nothing is lost but the setting.
  }
}

export const sound = signal(stored('sound') === 'on');

export function setSound(on: boolean): void {
  sound.value = on;
  store('sound', on ? 'on' : 'off');
}

/** Answers are suggested from the knowledge. */
export const assist = signal(stored('assist') !== 'off');

export function setAssist(on: boolean): void {
  assist.value = on;
  store('assist', on ? 'on' : 'off');
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
