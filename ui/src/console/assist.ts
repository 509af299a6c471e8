/** What the knowledge says about the visitor's last words: looked up in this page, put into the reply, never sent by itself. */
import type { AgentClient, ConvItem, Message } from '../model';
import { MESSAGES, type Search, type Suggestion } from '../knowledge/search';
import { plain } from '../ui/plain';
import { rightsOf } from './rights';
import { assist, draftOf, focusField, mode, setDraft } from './state';

export const MOST = 3;

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
    if (m.side === 'visitor') out.unshift(m.text);
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
export function suggestionsFor(client: AgentClient, item: ConvItem, messages: readonly Message[]): Suggestion[] {
  if (!assist.value || !rightsOf(client, item).canReply) return [];
  const asked = unanswered(messages);
  const shelf = asked.length ? client.knowledge(item.conv.site).value : null;
  return shelf?.state === 'here' ? found(shelf.search, asked, givenEntries(messages)) : [];
}

/** The last search: every key that is pressed renders the field and what stands above it. */
let last: { search: Search; asked: readonly string[]; given: ReadonlySet<string>; found: Suggestion[] } | undefined;

function found(search: Search, texts: readonly string[], given: ReadonlySet<string>): Suggestion[] {
  const same =
    last?.search === search &&
    texts.length === last.asked.length &&
    texts.every((text, i) => text === last!.asked[i]) &&
    given.size === last.given.size &&
    [...given].every((id) => last!.given.has(id));
  if (!last || !same) last = { search, asked: texts, given, found: search.findAny(texts, MOST, given) };
  return last.found;
}

/** People's messages are plain text, so the answer's Markdown is tidied away. What was being written stays before it. */
export function takeSuggestion(conv: string, { entry }: Suggestion): void {
  const before = draftOf(conv, 'reply').trimEnd();
  setDraft(conv, 'reply', (before && `${before}\n`) + plain(entry.answer));
  mode.value = 'reply';
  focusField.value++;
}
