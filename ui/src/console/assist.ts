/** Knowledge about the visitor's last messages: searched in this page, inserted into the reply, never sent by itself. */
import type { AgentClient, ConvItem, Message } from '../model';
import { MESSAGES, type Suggestion } from '../knowledge/search';
import { plain } from '../ui/plain';
import { rightsOf } from './rights';
import type { ConsoleState } from './state';

/**
 * What the visitor wrote since the last word of a person, as far as it is looked at: the newest messages. The robot's answers end
 * nothing: they may have missed the point.
 */
export function unanswered(messages: readonly Message[]): string[] {
  const out: string[] = [];
  for (let i = messages.length - 1; i >= 0 && out.length < MESSAGES; i--) {
    const m = messages[i]!;
    if (m.kind !== 'text') continue;
    if (m.side === 'agent') break;
    if (m.side === 'visitor' && m.text) out.unshift(m.text);
  }
  return out;
}

/** Entries that the robot answered with: the visitor has read them, and asks on. */
export function givenEntries(messages: readonly Message[]): Set<string> {
  const given = new Set<string>();
  for (const m of messages) if (m.side === 'robot' && m.thought?.entry) given.add(m.thought.entry);
  return given;
}

/** The best first; none unless this agent is to answer now. */
export function suggestionsFor(
  state: ConsoleState,
  client: AgentClient,
  item: ConvItem,
  messages: readonly Message[],
): Suggestion[] {
  if (!state.assist.value || !rightsOf(client, item).canReply) return [];
  const asked = unanswered(messages);
  const known = asked.length ? client.knowledge(item.conv.site).value : null;
  return known?.state === 'here' ? state.suggest(known.search, asked, givenEntries(messages)) : [];
}

/** People's messages are plain text, so the answer's Markdown is tidied away. What was being written stays before it. */
export function takeSuggestion(state: ConsoleState, conv: string, { entry }: Suggestion): void {
  const before = state.draftOf(conv, 'reply').trimEnd();
  state.setDraft(conv, 'reply', (before && `${before}\n`) + plain(entry.answer));
  state.mode.value = 'reply';
  state.focusField.value++;
}
