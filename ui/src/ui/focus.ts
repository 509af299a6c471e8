/** Focus kept inside a layer while it is open and given back when it closes. Works in a shadow root. */
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';

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

/** Attach the ref to the layer. `onEscape` runs for Esc inside it, but never for one that ends a composition. */
export function useFocusTrap<T extends HTMLElement>(open: boolean, onEscape: () => void) {
  const ref = useRef<T>(null);
  const escape = useRef(onEscape);
  escape.current = onEscape;
  const before = useRef<HTMLElement | null>(null);
  // before the field in the layer takes it
  useLayoutEffect(() => {
    if (open && ref.current) before.current = (active(ref.current) ?? document.activeElement) as HTMLElement | null;
  }, [open]);
  useEffect(() => {
    const root = ref.current;
    if (!open || !root) return;
    const first = root.querySelector<HTMLElement>('[data-autofocus]') ?? focusables(root)[0] ?? root;
    (hasKeyboard() ? first : root).focus();
    const onKey = (e: KeyboardEvent) => {
      if (e.key === 'Escape' && !e.isComposing && !e.defaultPrevented) {
        e.stopPropagation();
        // a modal dialog of the page would close with it
        e.preventDefault();
        escape.current();
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
    return () => {
      root.removeEventListener('keydown', onKey);
      before.current?.focus?.();
    };
  }, [open]);
  return ref;
}

/** Puts the focus on the `data-autofocus` of a part of the page once it is there. */
export function useAutofocus<T extends HTMLElement>() {
  const ref = useRef<T>(null);
  useEffect(() => ref.current?.querySelector<HTMLElement>('[data-autofocus]')?.focus(), []);
  return ref;
}
