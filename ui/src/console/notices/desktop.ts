/** Notices of the system: only where the agent looks at no tab, and of a conversation only the newest. */
import { t } from '../../i18n/console';
import type { AgentClient } from '../../model';
import type { ConsoleState } from '../state';
import iconFile from '../icons/icon.svg?url&no-inline';

/** What is new: a conversation with unread words, or an offer. */
export interface Fresh {
  kind: 'words' | 'offer';
  conv: string;
}

/** More at once are one notice. */
const SINGLE = 3;
const LONGEST = 120;

export const canNotify = (): boolean => typeof Notification !== 'undefined';
export const mayNotify = (): boolean => canNotify() && Notification.permission === 'granted';

export class DesktopNotices {
  private readonly shown = new Map<string, Notification>();

  constructor(
    private readonly state: ConsoleState,
    private readonly client: AgentClient,
  ) {}

  show(fresh: readonly Fresh[]): void {
    if (!mayNotify()) return;
    if (fresh.length > SINGLE) return this.one('', t('app'), t('noticeMany', { n: fresh.length }));
    for (const { kind, conv } of fresh) {
      const item = this.client.conversations.peek().find((one) => one.id === conv);
      const named = this.state.notices.content.peek();
      const title = (named && item?.name) || t('app');
      const words = named && kind === 'words' && item?.last?.side === 'visitor' ? item.last.text.trim() : '';
      this.one(conv, title, words.slice(0, LONGEST) || t(kind === 'offer' ? 'noticeOffer' : 'noticeWords'));
    }
  }

  /** Takes away those of conversations that wait no more. */
  keep(waiting: ReadonlySet<string>): void {
    for (const [conv, notice] of this.shown) {
      if (waiting.has(conv) || (!conv && waiting.size)) continue;
      notice.close();
      this.shown.delete(conv);
    }
  }

  private one(conv: string, title: string, body: string): void {
    let notice: Notification;
    try {
      notice = new Notification(title, { body, icon: iconFile, tag: `kefu/${conv}`, silent: true });
    } catch {
      // phones have them only from a service worker; title and sound remain
      return;
    }
    this.shown.get(conv)?.close();
    this.shown.set(conv, notice);
    notice.onclick = () => {
      window.focus();
      if (this.client.conversations.peek().some((one) => one.id === conv)) this.state.select(conv);
      notice.close();
    };
  }
}
