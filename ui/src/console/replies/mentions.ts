/** Colleagues whom a note names by `@`. */
import type { AgentClient, AgentInfo, ConvItem } from '../../model';

/** Characters after the sign. */
const MAX_QUERY = 20;

/** What `@…` at the end of a note asks for; null: nobody is being named. */
export function mentionIn(field: string): string | null {
  const at = field.lastIndexOf('@');
  const word = field.slice(at + 1);
  return at >= 0 && word.length <= MAX_QUERY && !word.includes(' ') && !word.includes('\n') ? word : null;
}

/** Colleagues who can read a note in this conversation. */
export function colleagues(client: AgentClient, item: ConvItem): AgentInfo[] {
  const me = client.me.value?.user;
  return client.agents.value.filter((a) => a.user !== me && a.teams.includes(item.conv.team));
}

export function fitting(all: readonly AgentInfo[], query: string): AgentInfo[] {
  const asked = query.toLowerCase();
  return all.filter((a) => a.user.includes(asked) || a.name.toLowerCase().includes(asked));
}

/** User ids of those whom a note names. */
export const named = (all: readonly AgentInfo[], note: string): string[] =>
  all.filter((a) => note.includes(`@${a.name}`)).map((a) => a.user);
