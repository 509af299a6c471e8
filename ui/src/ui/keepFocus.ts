/** A pressed button that goes away takes the focus with it: it goes where people write, not to the page. Works in a shadow root. */
import { hasKeyboard } from './focus';

/** Attach it to a layer while it is open; returns how to stop it. */
export function keepFocus(root: HTMLElement): () => void {
  const tree = root.getRootNode() as Document | ShadowRoot;
  let last: Element | null = null;
  const focused = (): boolean => !!tree.activeElement && tree.activeElement !== document.body;
  const on = (e: Event) => (last = e.target as Element);
  // it went elsewhere by itself: what goes away later did not have it
  const off = () => setTimeout(() => last?.isConnected && !focused() && (last = null));
  const look = () => {
    if (!last || last.isConnected || focused()) return;
    last = null;
    const field = root.querySelector<HTMLElement>('[data-autofocus]:not(:disabled)');
    ((hasKeyboard() && field) || root).focus();
  };
  const watch = new MutationObserver(look);
  watch.observe(root, { childList: true, subtree: true });
  root.addEventListener('focusin', on);
  root.addEventListener('focusout', off);
  return () => {
    watch.disconnect();
    root.removeEventListener('focusin', on);
    root.removeEventListener('focusout', off);
  };
}
