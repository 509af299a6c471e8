/** Focus kept inside a layer while it is open and given back when it closes. Works in a shadow root, and without Preact. */

const FOCUSABLE =
  'a[href],button:not(:disabled),input:not(:disabled),select:not(:disabled),textarea:not(:disabled),[tabindex="0"]';

export function focusables(root: HTMLElement): HTMLElement[] {
  return [...root.querySelectorAll<HTMLElement>(FOCUSABLE)].filter(
    (e) => e.offsetParent !== null || e.getClientRects().length > 0,
  );
}

/** Focus in a field of a phone pulls its keyboard up; that is for the person to ask for. */
export function hasKeyboard(): boolean {
  return !matchMedia('(pointer: coarse)').matches;
}

function active(root: HTMLElement): Element | null {
  return (root.getRootNode() as Document | ShadowRoot).activeElement;
}

/** What has the focus now, and gets it back. */
export const focused = (root: HTMLElement): HTMLElement | null =>
  (active(root) ?? document.activeElement) as HTMLElement | null;

/** Puts the focus where a person begins in a layer. */
export function focusFirst(root: HTMLElement): void {
  const first = root.querySelector<HTMLElement>('[data-autofocus]') ?? focusables(root)[0] ?? root;
  (hasKeyboard() ? first : root).focus();
}

/** Keeps Tab inside a layer. `onEscape` runs for Esc inside it, but never for one that ends a composition. Returns how to stop it. */
export function trapFocus(root: HTMLElement, onEscape: () => void): () => void {
  focusFirst(root);
  const onKey = (e: KeyboardEvent) => {
    if (e.key === 'Escape' && !e.isComposing && !e.defaultPrevented) {
      e.stopPropagation();
      // a modal dialog of the page would close with it
      e.preventDefault();
      onEscape();
    }
    if (e.key !== 'Tab') return;
    const all = focusables(root);
    const [head, tail] = [all[0], all[all.length - 1]];
    const at = active(root);
    if (e.shiftKey && (at === head || at === root)) {
      tail?.focus();
      e.preventDefault();
    } else if (!e.shiftKey && at === tail) {
      head?.focus();
      e.preventDefault();
    }
  };
  root.addEventListener('keydown', onKey);
  return () => root.removeEventListener('keydown', onKey);
}
