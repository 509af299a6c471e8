/** What lists and headers show about a conversation, and the order of lists. */
import { t } from '../i18n/console';
import type { AgentClient, ConvItem, Tab } from '../model';
import { short } from '../ui/readable';
import { isIn, NO_FILTER, ofTab, shownIn, waitsSince } from './filters';
import type { ConsoleState } from './state';

/** "Chen Siyuan", or "Visitor 3f2a" while the visitor has not given a name. */
export function nameOf(item: { id: string; name?: string }): string {
  return short(item.name ?? '').trim() || t('visitorN', { id: item.id.slice(0, 4) });
}

/** A tab without a filter, in its own order. */
export const inTab = (items: readonly ConvItem[], of: Tab): ConvItem[] => shownIn(items, of, NO_FILTER, 'auto');

/** What the list shows now. Reads signals. */
export const listed = (state: ConsoleState, client: AgentClient): ConvItem[] =>
  shownIn(client.conversations.value, state.tab.value, state.filter.value, state.sort.value);

/** Which conversation is next when this one is done with: who waits longest for this agent, or the next one of the list. */
export function nextAfter(state: ConsoleState, client: AgentClient, conv: string): string | null {
  const others = listed(state, client).filter((item) => item.id !== conv);
  const mine = ofTab(client.conversations.value, 'mine').filter((item) => item.id !== conv && isIn(item, 'mywait'));
  const longest = mine.sort((a, b) => waitsSince(a)! - waitsSince(b)!)[0];
  return (longest ?? others[0])?.id ?? null;
}
