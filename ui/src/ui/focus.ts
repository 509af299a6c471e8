/** Layers that keep the focus while they are open, as Preact hooks. */
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { focused, trapFocus } from './trap';

export { focusables, hasKeyboard } from './trap';

/** Attach the ref to the layer. `onEscape` runs for Esc inside it, but never for one that ends a composition. */
export function useFocusTrap<T extends HTMLElement>(open: boolean, onEscape: () => void) {
  const ref = useRef<T>(null);
  const escape = useRef(onEscape);
  escape.current = onEscape;
  const before = useRef<HTMLElement | null>(null);
  // before the field in the layer takes it
  useLayoutEffect(() => {
    if (open && ref.current) before.current = focused(ref.current);
  }, [open]);
  useEffect(() => {
    if (!open || !ref.current) return;
    const stop = trapFocus(ref.current, () => escape.current());
    return () => {
      stop();
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
