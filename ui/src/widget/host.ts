/**
 * Where the widget lives in a foreign page: beside the body, so that what replaces, moves or filters the body leaves it alone; in the top
 * layer, above every z-index; inside a modal dialog while one is open, because all the rest of the page is inert then. If a page takes it
 * out, it is put back.
 */

const NAME = 'kefu-widget';
/** If a page keeps removing the widget, it is inserted again, but never so often that this keeps the page busy. */
const QUIET_MS = 1_000;

/** Events that must not reach the page, because it would handle them as its own. Clicks do, so that its menus close, and the ends of drags. */
const KEPT_IN = [
  ...[
    'keydown',
    'keypress',
    'keyup',
    'beforeinput',
    'input',
    'compositionstart',
    'compositionupdate',
    'compositionend',
  ],
  ...['cut', 'copy', 'paste', 'wheel', 'mousewheel', 'DOMMouseScroll', 'MozMousePixelScroll'],
  ...[
    'touchstart',
    'touchmove',
    'touchend',
    'touchcancel',
    'pointerdown',
    'mousedown',
    'dblclick',
    'auxclick',
    'contextmenu',
  ],
  ...['selectstart', 'dragstart', 'focusin', 'focusout'],
];

const isModal = (e: Element): boolean => {
  try {
    return e.matches('dialog:modal');
  } catch {
    // Safari before 15.6, Chromium before 105
    return false;
  }
};

interface Newer {
  moveBefore?(node: Node, child: Node | null): void;
}

/** An element that is not in the page yet unless a dialog is open, and what puts it there. */
export function makeHost(): { host: HTMLElement; root: ShadowRoot; place: () => void } {
  let moving = false;
  /** In the order in which they were opened. */
  let modals: Element[] = [];
  let wait = 0;
  let out = 0;

  const again = () => {
    const now = Date.now();
    wait = now - out < QUIET_MS ? wait * 2 + 8 : 0;
    out = now;
    setTimeout(place, wait);
  };

  // Defined, for pages that hide what is not. Not a div: rules such as `div:empty { display: none }` would hit it.
  class Host extends HTMLElement {
    connectedMoveCallback() {}
    disconnectedCallback() {
      // others are copies that the page made of it
      if (this === host && !moving) again();
    }
  }
  try {
    customElements.define(NAME, Host);
  } catch {
    // another version's, in the same page
  }
  const host = document.createElement(NAME);
  const root = host.attachShadow({ mode: 'open' });
  /** A page that takes the element out takes this with it. */
  let scrolled: Element | null = null;
  let top = 0;
  root.addEventListener('scroll', (e) => (top = (scrolled = e.target as Element).scrollTop), true);
  // A click outside does not close it.
  host.setAttribute('popover', 'manual');
  for (const type of KEPT_IN) host.addEventListener(type, (e) => e.stopPropagation(), { passive: true });
  // A page may close its dialog on a click beside it, by where the pointer is.
  host.addEventListener('click', (e) => modals.length && e.stopPropagation());

  /** What had the focus, and how far the log was scrolled, is kept; both are lost where the widget is not shown for a moment. */
  function place(): void {
    modals = modals.filter((e) => e.isConnected && isModal(e));
    const parent: (Element & Newer) | null = modals[modals.length - 1] ?? document.documentElement;
    if (!parent) return again();
    const focused = root.activeElement as HTMLElement | null;
    const log = scrolled as Element | null;
    // once it is out of the page, only the last event shows it
    const at = host.isConnected && log ? log.scrollTop : top;
    if (host.parentNode !== parent) move(parent);
    try {
      // last in the top layer
      host.hidePopover();
      host.showPopover();
    } catch {
      // a browser without one: it is fixed in the page
    }
    if (log) log.scrollTop = at;
    if (root.activeElement !== focused) focused?.focus();
  }

  function move(parent: Element & Newer): void {
    moving = true;
    if (host.isConnected && parent.moveBefore) parent.moveBefore(host, null);
    else parent.appendChild(host);
    moving = false;
  }

  const watch = new MutationObserver((changes) => changes.forEach((change) => met(change.target)));
  const watched: MutationObserverInit = { attributeFilter: ['open'] };
  /** Something that may be a dialog, which opened, or closed, or was open already. */
  const met = (target: EventTarget | null) => {
    const e = target as Element | null;
    if (e?.localName !== 'dialog') return;
    const known = modals.includes(e);
    const modal = isModal(e);
    if (modal) {
      modals = [...modals.filter((other) => other !== e), e];
      watch.observe(e, watched);
    }
    if (modal || known) place();
  };
  watch.observe(document, { ...watched, subtree: true });
  document.querySelectorAll('dialog[open]').forEach(met);
  // One in another shadow root is recognised by the focus that it has or takes.
  for (let e = document.activeElement; e; e = e.shadowRoot?.activeElement ?? null) met(e.closest('dialog'));
  document.addEventListener(
    'focusin',
    (e) => e.composedPath().forEach((target) => modals.includes(target as Element) || met(target)),
    true,
  );
  document.addEventListener('fullscreenchange', () => document.fullscreenElement?.contains(host) && place());
  return { host, root, place };
}
