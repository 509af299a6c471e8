/** What is there before the panel: the button with its badge, and the frame in which the panel is shown, with a spinner until it is. */
import { launcherText } from '../i18n/launcher';
import * as icon from '../ui/icons';
import { focused, focusFirst, trapFocus } from '../ui/trap';
import type { Settings } from './settings';

const SVG = 'http://www.w3.org/2000/svg';
/** Of a badge. */
const MAX_SHOWN = 9;

type Attributes = Record<string, string>;

function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  className: string,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const e = document.createElement(name);
  if (className) e.className = className;
  for (const key of Object.keys(attributes)) e.setAttribute(key, attributes[key]!);
  // not `append`: some pages have one of their own
  for (const child of children) e.appendChild(typeof child === 'string' ? document.createTextNode(child) : child);
  return e;
}

/** A line icon; what `line` draws may be changed. */
function drawing(d: string, size: string): { svg: Element; line: Element } {
  const make = (name: string, attributes: Attributes): Element => {
    const e = document.createElementNS(SVG, name);
    for (const key of Object.keys(attributes)) e.setAttribute(key, attributes[key]!);
    return e;
  };
  const box = { width: size, height: size, viewBox: '0 0 20 20' };
  const svg = make('svg', { class: 'k-icon', ...box, 'aria-hidden': 'true', focusable: 'false' });
  const pen = { fill: 'none', stroke: 'currentColor', 'stroke-linecap': 'round', 'stroke-linejoin': 'round' };
  const line = make('path', { d, ...pen, 'stroke-width': '1.5' });
  svg.appendChild(line);
  return { svg, line };
}

function empty(e: Element): void {
  while (e.firstChild) e.removeChild(e.firstChild);
}

export interface Shell {
  readonly button: HTMLElement;
  readonly frame: HTMLElement;
  readonly isOpen: () => boolean;
  setOpen: (open: boolean) => void;
  setUnread: (n: number) => void;
  /** Under way. */
  showWaiting: () => void;
  /** It failed; with a button for another try, unless that is in vain. */
  showFailure: (forbidden: boolean) => void;
  /** What is in the frame now goes; `fill` puts something else there. The focus stays in the frame. */
  exchange: (fill: () => void) => void;
}

interface ShellEvents {
  opened: (open: boolean) => void;
  retry: () => void;
}

export function makeShell(root: ShadowRoot, { lang, position }: Settings, on: ShellEvents): Shell {
  const t = launcherText(lang);
  let open = false;
  let unread = 0;
  let stop: (() => void) | null = null;
  const badge = element('span', 'k-badge');
  const { svg, line } = drawing(icon.chat, '28');
  const button = element('button', 'w-launcher', { type: 'button' }, svg);
  const frame = element('div', 'w-panel', {
    role: 'dialog',
    'aria-label': t('title'),
    tabindex: '-1',
    'data-drop': 'true',
  });
  const all = element('div', '', {}, button, frame);
  button.addEventListener('click', () => setOpen(!open));

  function draw(): void {
    all.className = `w-root w-${position}${open ? ' w-open' : ''}`;
    button.setAttribute(
      'aria-label',
      open ? t('closeChat') : t('openChat') + (unread ? ` · ${t('unread', { n: unread })}` : ''),
    );
    button.setAttribute('aria-expanded', `${open}`);
    frame.setAttribute('data-hidden', `${!open}`);
    line.setAttribute('d', open ? icon.down : icon.chat);
    badge.textContent = unread > MAX_SHOWN ? `${MAX_SHOWN}+` : `${unread}`;
    if (unread > 0 && !open) button.appendChild(badge);
    // not badge.remove(): Prototype 1.6 has one of its own, which fails for what is nowhere
    else badge.parentNode?.removeChild(badge);
  }

  function setOpen(next: boolean): void {
    if (next === open) return;
    open = next;
    if (!open) {
      draw();
      stop?.();
      stop = null;
      return on.opened(false);
    }
    const before = focused(frame);
    draw();
    on.opened(true);
    const release = trapFocus(frame, () => setOpen(false));
    stop = () => {
      release();
      before?.focus?.();
    };
  }

  function exchange(fill: () => void): void {
    const inside = frame.contains(root.activeElement);
    empty(frame);
    fill();
    if (open && inside && !frame.contains(root.activeElement)) focusFirst(frame);
  }

  /** The frame with a head like the panel's. */
  function show(role: string, ...what: (Node | string)[]): void {
    exchange(() => {
      const close = element(
        'button',
        'k-iconbtn',
        { type: 'button', 'aria-label': t('closeChat'), title: t('closeChat') },
        drawing(icon.close, '20').svg,
      );
      close.addEventListener('click', () => setOpen(false));
      const title = element('div', 'k-grow', {}, element('h1', '', {}, t('title')));
      frame.appendChild(element('div', 'w-header', {}, title, close));
      frame.appendChild(element('div', 'w-waiting', { role }, ...what));
    });
  }

  draw();
  root.appendChild(all);
  return {
    button,
    frame,
    isOpen: () => open,
    setOpen,
    setUnread(n) {
      unread = n;
      draw();
    },
    showWaiting: () => show('status', element('span', 'k-spin'), t('connecting')),
    showFailure(forbidden) {
      const text = element('p', '', {}, t(forbidden ? 'forbidden' : 'notLoaded'));
      if (forbidden) return show('alert', text);
      const again = element(
        'button',
        'k-btn k-btn-primary k-btn-sm',
        { type: 'button', 'data-autofocus': 'true' },
        t('retry'),
      );
      again.addEventListener('click', on.retry);
      show('alert', text, again);
    },
    exchange,
  };
}
