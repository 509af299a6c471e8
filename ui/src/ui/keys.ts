/** Keys that must mean the same everywhere. */

/** Enter that chooses a word in an input method. Safari ends the composition first and shows this only by keyCode 229. */
export function isComposing(e: KeyboardEvent): boolean {
  return e.isComposing || e.keyCode === 229;
}

/** Enter sends; Shift+Enter and Ctrl+Enter make a line; an input method keeps its Enter. */
export function isSend(e: KeyboardEvent): boolean {
  return e.key === 'Enter' && !e.shiftKey && !e.ctrlKey && !e.metaKey && !e.altKey && !isComposing(e);
}

/** Ctrl+Enter as a new line: browsers insert none by themselves. */
export function isLine(e: KeyboardEvent): boolean {
  return e.key === 'Enter' && (e.ctrlKey || e.metaKey) && !isComposing(e);
}
