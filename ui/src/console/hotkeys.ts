/** Keys of the desk. Physical keys (`code`), so that layouts and input methods do not move them. */
import type { AgentClient } from '../model';
import { isComposing } from '../ui/keys';
import { suggestionsFor, takeSuggestion } from './assist';
import { dismissMissed } from './missed';
import type { ConsoleState } from './state';
import { listed } from './conversations';
import { inHistory } from './route';

/** What the list of shortcuts shows: keys and the text's key. */
export const SHORTCUTS = [
  ['Alt+J', 'kNext'],
  ['Alt+K', 'kPrev'],
  ['Alt+L', 'kReply'],
  ['Alt+P', 'kNote'],
  ['Alt+E', 'kClose'],
  ['Alt+1…3', 'kAssist'],
  ['/', 'kReplies'],
  ['↑', 'kEditLast'],
  ['Ctrl+Shift+F', 'kFind'],
  ['Enter', 'kSend'],
  ['Shift+Enter', 'kLine'],
  ['Esc', 'kEsc'],
  ['Ctrl+K', 'kPalette'],
  ['?', 'kHelp'],
] as const;

function step(state: ConsoleState, client: AgentClient, by: 1 | -1): void {
  const items = listed(state, client);
  if (!items.length) return;
  const at = items.findIndex((item) => item.id === state.selected.peek());
  const next = at < 0 ? (by > 0 ? 0 : items.length - 1) : Math.min(items.length - 1, Math.max(0, at + by));
  state.select(items[next]!.id);
}

function isTyping(e: KeyboardEvent): boolean {
  return e.target instanceof Element && !!e.target.closest('input, textarea, select, [contenteditable]');
}

/** Whether the key meant something here. */
export function handleKey(state: ConsoleState, client: AgentClient, e: KeyboardEvent): boolean {
  if (isComposing(e) || e.defaultPrevented) return false;
  if (e.key === 'Escape') return leaveField(state, e) || escape(state);
  // these are the desk's
  if (inHistory()) return false;
  // A dialog has its own keys.
  if (state.dialog.peek()) return false;
  if (e.key === '?' && !isTyping(e)) {
    state.dialog.value = 'shortcuts';
    return true;
  }
  if (e.code === 'KeyF' && (e.ctrlKey || e.metaKey) && e.shiftKey && !e.altKey) {
    if (state.selected.peek()) state.finding.value = true;
    return !!state.selected.peek();
  }
  if ((e.ctrlKey || e.metaKey) && !e.altKey && !e.shiftKey && e.code === 'KeyK') {
    state.dialog.value = 'palette';
    return true;
  }
  if (!e.altKey || e.ctrlKey || e.metaKey || e.shiftKey) return false;
  const open = client.conversations.peek().find((item) => item.id === state.selected.peek());
  switch (e.code) {
    case 'KeyJ':
      step(state, client, 1);
      return true;
    case 'KeyK':
      step(state, client, -1);
      return true;
    case 'KeyE':
      if (open?.conv.state === 'open') state.dialog.value = 'close';
      else if (open?.tabs.missed) void dismissMissed(state, client, open.id);
      return true;
    case 'KeyP':
    case 'KeyL':
      if (open) state.mode.value = e.code === 'KeyP' ? 'note' : 'reply';
      return true;
    case 'Digit1':
    case 'Digit2':
    case 'Digit3': {
      const chosen =
        open && suggestionsFor(state, client, open, client.open(open.id).messages.peek())[Number(e.code.slice(-1)) - 1];
      if (chosen) takeSuggestion(state, open.id, chosen);
      return !!chosen;
    }
    default:
      return false;
  }
}

/** Esc first leaves the field, with what is written in it; only the next one leaves the conversation. */
function leaveField(state: ConsoleState, e: KeyboardEvent): boolean {
  if (state.dialog.peek() || !isTyping(e)) return false;
  (e.target as HTMLElement).blur();
  document.querySelector<HTMLElement>('.c-thread [role="log"]')?.focus();
  return true;
}

function escape(state: ConsoleState): boolean {
  if (state.dialog.peek()) state.dialog.value = null;
  else if (state.showVisitor.peek()) state.showVisitor.value = false;
  else if (state.selected.peek()) state.select(null);
  else return false;
  return true;
}

export function watchHotkeys(state: ConsoleState, client: AgentClient): () => void {
  const onKey = (e: KeyboardEvent) => {
    if (handleKey(state, client, e)) e.preventDefault();
  };
  document.addEventListener('keydown', onKey);
  return () => document.removeEventListener('keydown', onKey);
}
