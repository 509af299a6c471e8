/** When the panel is loaded: at once, when the page is idle, or when somebody is about to use it. */
import { hasConversation } from './remembered';
import type { Settings } from './settings';

/** Where a browser does not say when it is idle, this long after the page is there; ms. */
const IDLE_MS = 2_000;
/** A page that is never idle waits no longer than this. */
const IDLE_AT_MOST_MS = 8_000;

/** What a person does before they press the button. */
const INTENT = ['pointerenter', 'pointerdown', 'touchstart', 'focus'];

export function whenWanted({ server, site, load: how }: Settings, button: HTMLElement, load: () => void): void {
  for (const type of INTENT) button.addEventListener(type, load, { passive: true });
  if (how === 'now') return load();
  // an answer may have come
  void hasConversation(server, site).then((there) => there && load());
  const { connection } = navigator as { connection?: { saveData?: boolean } };
  if (how === 'intent' || connection?.saveData) return;
  const idle = () => {
    if ('requestIdleCallback' in window) requestIdleCallback(load, { timeout: IDLE_AT_MOST_MS });
    else setTimeout(load, IDLE_MS);
  };
  if (document.readyState === 'complete') idle();
  else addEventListener('load', idle, { once: true });
}
