/** What an agent does with a missed conversation that needs no answer. */
import type { AgentClient } from '../model';
import { actOnce } from './act';
import { inTab, select, selected, tab } from './state';

/** Name of the act, for its button. */
export const dismissing = (conv: string): string => `dismiss ${conv}`;

/** Goes on to the next one of the list, so that a long list can be worked off. */
export async function dismissMissed(client: AgentClient, conv: string): Promise<void> {
  const list = inTab(client.conversations.peek(), tab.peek());
  const at = list.findIndex((item) => item.id === conv);
  const next = tab.peek() === 'missed' ? (list[at + 1] ?? list[at - 1]) : undefined;
  if (!(await actOnce(dismissing(conv), () => client.dismissMissed(conv)))) return;
  if (tab.peek() === 'missed' && selected.peek() === conv) select(next?.id ?? null);
}
