/** What lists and headers show about a conversation, and the order of lists. */
import { t } from '../i18n/console';
import type { ConvItem, Tab } from '../model';
import { short } from '../ui/readable';

/** "Chen Siyuan", or "Visitor 3f2a" while the visitor has not given a name. */
export function nameOf(item: { id: string; name?: string }): string {
  return short(item.name ?? '').trim() || t('visitorN', { id: item.id.slice(0, 4) });
}

/** The queue has its longest wait on top, the missed ones what was missed last, the others their newest word. */
export function inTab(items: readonly ConvItem[], of: Tab): ConvItem[] {
  const mine = items.filter((item) => item.tabs[of]);
  if (of === 'missed') return mine.sort((a, b) => (b.conv.missed ?? 0) - (a.conv.missed ?? 0));
  return of === 'queue' ? mine.sort((a, b) => (a.waitingSince ?? a.lastAt) - (b.waitingSince ?? b.lastAt)) : mine;
}
