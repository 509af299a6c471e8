/** What an agent does with a missed conversation that needs no answer. */
import type { AgentClient } from '../model';
import { listed } from './conversations';
import type { ConsoleState } from './state';

/** Name of the act, for its button. */
export const dismissing = (conv: string): string => `dismiss ${conv}`;

/** Moves to the next one of the list, so that a long list can be worked through. */
export async function dismissMissed(state: ConsoleState, client: AgentClient, conv: string): Promise<void> {
  const list = listed(state, client);
  const at = list.findIndex((item) => item.id === conv);
  const next = state.tab.peek() === 'missed' ? (list[at + 1] ?? list[at - 1]) : undefined;
  if (!(await state.acts.once(dismissing(conv), () => client.dismissMissed(conv)))) return;
  if (state.tab.peek() === 'missed' && state.selected.peek() === conv) state.select(next?.id ?? null);
}
