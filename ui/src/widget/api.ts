/** `window.kefu` and `window.kefuWidget`: calls and events for the customer's own scripts. Never the text of a message. */
import type { Asked, Events, Tell } from './contract';
import type { VouchFor } from '../model';

type Listener<K extends keyof Events> = (detail: Events[K]) => void;

export interface KefuApi {
  open(): void;
  close(): void;
  toggle(): void;
  /** Who the visitor is by the word of your backend: a function that has a token made, or a token. Null: nobody vouches any more. */
  setUser(user: VouchFor | string | null): void;
  /** Names and values about the visitor, for your agents; they replace those before. */
  setAttributes(attributes: Record<string, string | number | boolean>): void;
  /** Your customer signs out: keys, drafts and conversations leave this browser. Wait for it before you leave the page. */
  reset(): Promise<void>;
  /** Returns the function that ends it. */
  on<K extends keyof Events>(event: K, listener: Listener<K>): () => void;
}

declare global {
  interface Window {
    kefu?: KefuApi;
    kefuWidget?: KefuApi;
  }
}

/** Only ours; a name that a page may use for something else is no proof. */
const RUNNING = Symbol.for('kefu.widget');

/** Whether a widget runs in this page already: two snippets are one widget. */
export function running(): boolean {
  // those of 0.1 made no mark
  return RUNNING in window || (typeof window.kefu?.toggle === 'function' && !!document.querySelector('kefu-widget'));
}

/** `window.kefuWidget`, and `window.kefu` too unless the page has something of that name. An element's id or name does not count. */
export function publish(api: KefuApi): void {
  Object.assign(window, { [RUNNING]: true });
  Reflect.set(window, 'kefuWidget', api);
  if ((Object.hasOwn(window, 'kefu') && window.kefu) || !Reflect.set(window, 'kefu', api)) {
    console.warn('kefu: this page has a `kefu` of its own; the chat is to be had as window.kefuWidget');
  }
}

/** What the page's calls act on. */
interface Launcher {
  isOpen: () => boolean;
  setOpen: (open: boolean) => void;
  ask: <K extends keyof Asked>(what: K, value: Asked[K]) => void;
  reset: () => Promise<void>;
}

/** There at once: what is called or asked for before the panel is loaded is done when it is. */
export function makeApi({ isOpen, setOpen, ask, reset }: Launcher): { kefu: KefuApi; tell: Tell } {
  const listeners = new Map<string, Set<(detail: never) => void>>();
  let ready = false;
  return {
    kefu: {
      open: () => setOpen(true),
      close: () => setOpen(false),
      toggle: () => setOpen(!isOpen()),
      setUser: (user) => ask('user', user),
      setAttributes: (attributes) => ask('attributes', attributes),
      reset,
      on(event, listener) {
        const all = listeners.get(event) ?? new Set();
        listeners.set(event, all.add(listener as (detail: never) => void));
        if (event === 'ready' && ready) queueMicrotask(() => (listener as Listener<'ready'>)(undefined));
        return () => void all.delete(listener as (detail: never) => void);
      },
    },
    tell(event, detail) {
      ready ||= event === 'ready';
      for (const listener of listeners.get(event) ?? []) {
        try {
          (listener as Listener<typeof event>)(detail);
        } catch (e) {
          console.error(e);
        }
      }
    },
  };
}
