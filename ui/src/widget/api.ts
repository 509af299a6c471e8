/** `window.kefu` and `window.kefuWidget`: calls and events for the customer's own scripts. Never the text of a message. */
import type { VisitorClient } from '../model';
import { effect, type Signal } from '../signals';
import { lastWhere } from '../ui/group';

interface Events {
  ready: void;
  /** A message of the other side came; who wrote it, not what. */
  message: { side: string; at: number };
  unread: number;
}
type Listener<K extends keyof Events> = (detail: Events[K]) => void;

export interface KefuApi {
  open(): void;
  close(): void;
  toggle(): void;
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

export function makeApi(open: Signal<boolean>, client: VisitorClient): KefuApi {
  const listeners = new Map<string, Set<(detail: never) => void>>();
  const tell = <K extends keyof Events>(event: K, detail: Events[K]) => {
    for (const listener of listeners.get(event) ?? []) {
      try {
        (listener as Listener<K>)(detail);
      } catch (e) {
        console.error(e);
      }
    }
  };

  let ready = false;
  effect(() => {
    if (ready || !client.site.value) return;
    ready = true;
    tell('ready', undefined);
  });
  effect(() => tell('unread', client.unread.value));
  let lastSeq = -1;
  effect(() => {
    const thread = client.thread.value;
    const last = lastWhere(thread?.messages.value ?? [], (m) => !m.mine && m.kind !== 'event' && m.seq !== null);
    if (!thread?.synced.value) return;
    const seq = last?.seq ?? 0;
    // What was there before this page came is history, not news.
    if (lastSeq >= 0 && last && seq > lastSeq) tell('message', { side: last.side, at: last.at });
    lastSeq = Math.max(lastSeq, seq);
  });

  return {
    open: () => void (open.value = true),
    close: () => void (open.value = false),
    toggle: () => void (open.value = !open.peek()),
    on(event, listener) {
      const all = listeners.get(event) ?? new Set();
      listeners.set(event, all.add(listener as (detail: never) => void));
      if (event === 'ready' && ready) queueMicrotask(() => (listener as Listener<'ready'>)(undefined));
      return () => void all.delete(listener as (detail: never) => void);
    },
  };
}
