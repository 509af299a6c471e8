/** What the field is for, if not for a message of its own: another text for one that was sent, or an answer that quotes one. */
import type { AgentClient, Message } from '../model';
import { lastWhere } from '../ui/group';
import type { ConsoleState } from './state';

export interface Writing {
  conv: string;
  as: 'edit' | 'quote';
  /** The message (id) that is changed or quoted, and its text. */
  id: string;
  text: string;
  /** What was being written before. */
  before: string;
}

export const writingIn = (state: ConsoleState, conv: string): Writing | null => {
  const w = state.writing.value;
  return w?.conv === conv && state.mode.value === 'reply' ? w : null;
};

export function begin(state: ConsoleState, conv: string, as: Writing['as'], m: Message): void {
  cancel(state);
  const before = state.draftOf(conv, 'reply');
  state.writing.value = { conv, as, id: m.id, text: m.text, before };
  if (as === 'edit') state.setDraft(conv, 'reply', m.text);
  state.mode.value = 'reply';
  state.focusField.value++;
}

/** What was being written before comes back. */
export function cancel(state: ConsoleState): void {
  const w = state.writing.peek();
  state.writing.value = null;
  if (w?.as === 'edit') state.setDraft(w.conv, 'reply', w.before);
}

/** Sends the text as what the field is for. */
export function sendReply(state: ConsoleState, client: AgentClient, conv: string, text: string): Promise<void> {
  const w = state.writing.peek();
  if (w?.conv !== conv) return client.send(conv, text);
  state.writing.value = null;
  if (w.as === 'quote') return client.send(conv, text, w.id);
  state.setDraft(conv, 'reply', w.before);
  return text === w.text ? Promise.resolve() : client.edit(conv, w.id, text);
}

/** The newest own message, if it can be changed. */
export function lastEditable(messages: readonly Message[]): Message | null {
  const last = lastWhere(messages, (m) => m.mine && m.kind === 'text');
  return last?.canRecall() && last.text && !last.file ? last : null;
}
