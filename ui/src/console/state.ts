/** What one console remembers: which conversation is open, drafts, settings. */
import { Tray } from '../files/tray';
import type { Dropped, ErrorKey, Tab } from '../model';
import { signal } from '../signals';
import { Acts } from './acts';
import { NoticeSettings } from './notices/settings';
import { createSuggest } from './suggest';
import { NO_FILTER, type Filter, type Sort } from './filters';
import { keepPassing, passing, store, stored } from './settings';
import { ToastList } from './toasts';
import type { Writing } from './writing';

export type DialogName =
  | 'transfer'
  | 'close'
  | 'shortcuts'
  | 'password'
  | 'waiting'
  | 'tags'
  | 'snooze'
  | 'block'
  | 'labels'
  | 'palette'
  | 'replies'
  | 'notices';
export type Mode = 'reply' | 'note';

/** `reason`: of a sign-out. */
export type Returned = Dropped & { reason?: ErrorKey };

export class ConsoleState {
  readonly tab = signal<Tab>(readTab());
  readonly filter = signal<Filter>(NO_FILTER);
  readonly sort = signal<Sort>('auto');
  /** The choice of filters is open. */
  readonly showFilter = signal(false);
  readonly selected = signal<string | null>(null);
  readonly mode = signal<Mode>('reply');
  /** Grows when the field should take the focus. */
  readonly focusField = signal(0);
  /** The visitor pane, where it is not always on screen. */
  readonly showVisitor = signal(false);
  readonly dialog = signal<DialogName | null>(null);
  readonly notices = new NoticeSettings();
  /** Answers are suggested from the knowledge. */
  readonly assist = signal(stored('assist') !== 'off');
  readonly toasts = new ToastList();
  readonly acts = new Acts(this.toasts);
  /** Unsent texts of conversations that this agent lost. Kept until they were read, also over a sign-out. */
  readonly returned = signal<readonly Returned[]>([]);
  /** People who enrolled late and whose confirmation the admin postponed until the page is opened again. */
  readonly putAside = signal<ReadonlySet<string>>(new Set());
  /** What the field is for, if not for a message of its own. */
  readonly writing = signal<Writing | null>(null);
  readonly suggest = createSuggest();
  private readonly trays = new Map<string, Tray>();
  /** By what they are and the conversation. */
  readonly drafts = signal<ReadonlyMap<string, string>>(new Map());
  /** Enter makes a line, and Ctrl+Enter sends. */
  readonly ctrlSends = signal(stored('send') === 'ctrl');
  /** The bar that looks for words in the conversation. */
  readonly finding = signal(false);

  constructor() {
    this.tab.subscribe((tab) => keepPassing('tab', tab));
  }

  draftOf(conv: string, of: Mode): string {
    return this.drafts.value.get(`${of} ${conv}`) ?? '';
  }

  setDraft(conv: string, of: Mode, text: string): void {
    const next = new Map(this.drafts.peek());
    if (text) next.set(`${of} ${conv}`, text);
    else next.delete(`${of} ${conv}`);
    this.drafts.value = next;
  }

  /** Files that are about to be sent in a conversation. */
  trayOf(conv: string): Tray {
    let tray = this.trays.get(conv);
    if (!tray) this.trays.set(conv, (tray = new Tray()));
    return tray;
  }

  forgetDrafts(): void {
    this.writing.value = null;
    this.trays.clear();
    this.drafts.value = new Map();
  }

  select(conv: string | null): void {
    if (this.selected.peek() === conv) return;
    this.selected.value = conv;
    this.mode.value = 'reply';
    this.showVisitor.value = false;
    this.finding.value = false;
    this.dialog.value = null;
  }

  setCtrlSends(on: boolean): void {
    this.ctrlSends.value = on;
    store('send', on ? 'ctrl' : 'enter');
  }

  setAssist(on: boolean): void {
    this.assist.value = on;
    store('assist', on ? 'on' : 'off');
  }
}

/** The tab that was open before a reload of this page. */
function readTab(): Tab {
  const known = ['mine', 'queue', 'missed', 'all'] as const;
  return known.find((tab) => tab === passing('tab')) ?? 'mine';
}

export const createConsoleState = (): ConsoleState => new ConsoleState();
