/**
 * The service worker of the console: keeps the page and its files, those of one build, so that the installed app opens without a server
 * and says that it is not connected. It answers for these files and for nothing else: what the API says is never kept.
 *
 * After an upgrade the page comes from the server as always, with the new files. The new worker waits until no tab has the old page, which
 * may still load a part of the old build; then what was kept of that goes.
 */

/** Filled in by the build: paths relative to this worker, and the hash of the page. */
declare const SHELL: { version: string; page: string; files: readonly string[] };

interface Extendable extends Event {
  waitUntil(until: Promise<unknown>): void;
}
interface Fetched extends Extendable {
  request: Request;
  respondWith(answer: Promise<Response>): void;
}
interface Page {
  url: string;
  visibilityState: string;
  postMessage(what: unknown): void;
  focus(): Promise<unknown>;
}
interface Clicked extends Extendable {
  notification: { close(): void };
}
interface Scope {
  registration: { scope: string; showNotification(title: string, options: NotificationOptions): Promise<void> };
  clients: {
    matchAll(of: { type: 'window'; includeUncontrolled: true }): Promise<readonly Page[]>;
    openWindow(url: string): Promise<unknown>;
  };
  addEventListener(on: 'notificationclick', then: (e: Clicked) => void): void;
  addEventListener(on: 'install' | 'activate' | 'push', then: (e: Extendable) => void): void;
  addEventListener(on: 'fetch', then: (e: Fetched) => void): void;
}
const shell = SHELL;
const worker = globalThis as unknown as Scope;

const PREFIX = 'kefu-shell-';
const NAME = PREFIX + shell.version;
/** A server that does not answer is as good as none. */
const PATIENCE_MS = 8_000;

const page = worker.registration.scope;
const files = new Set(shell.files.map((file) => new URL(file, page).href));

const hex = (bytes: ArrayBuffer): string =>
  [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('');

/** Between worker and page the server may have been upgraded: then nothing is kept, and the next visit tries again. */
async function install(): Promise<void> {
  const answer = await fetch(page, { cache: 'reload' });
  const hash = hex(await crypto.subtle.digest('SHA-256', await answer.clone().arrayBuffer()));
  if (hash !== shell.page) throw new Error('the page is of another build');
  const cache = await caches.open(NAME);
  await cache.addAll([...files]);
  await cache.put(page, answer);
}

async function activate(): Promise<void> {
  const old = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== NAME);
  await Promise.all(old.map((name) => caches.delete(name)));
}

/** From the server; what was kept if there is none. */
async function open(request: Request): Promise<Response> {
  const kept = await (await caches.open(NAME)).match(page);
  if (!kept) return fetch(request);
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), PATIENCE_MS);
  try {
    const answer = await fetch(request, { signal: late.signal });
    // a proxy whose server is being restarted
    return answer.status >= 500 ? kept : answer;
  } catch {
    return kept;
  } finally {
    clearTimeout(timer);
  }
}

async function file(request: Request): Promise<Response> {
  return (await (await caches.open(NAME)).match(request.url)) ?? fetch(request);
}

/** A push says nothing but that somebody waits. Who looks at the console sees it there: the page is told to look. */
async function call(): Promise<void> {
  const pages = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true });
  if (pages.some((one) => one.url.startsWith(page) && one.visibilityState === 'visible'))
    return pages.forEach((one) => one.postMessage('push'));
  const body = navigator.language.startsWith('zh') ? '有访客在等待' : 'Somebody is waiting';
  await worker.registration.showNotification('kefu', { body, tag: 'kefu/push', icon: 'icons/icon-192.png' });
}

async function answer(): Promise<void> {
  const all = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const one = all.find(({ url }) => url.startsWith(page));
  await (one ? one.focus() : worker.clients.openWindow(page));
}

worker.addEventListener('push', (e) => e.waitUntil(call()));
worker.addEventListener('notificationclick', (e) => {
  e.notification.close();
  e.waitUntil(answer());
});
worker.addEventListener('install', (e) => e.waitUntil(install()));
worker.addEventListener('activate', (e) => e.waitUntil(activate()));
worker.addEventListener('fetch', (e) => {
  const { request } = e;
  if (request.method !== 'GET') return;
  const { origin, pathname } = new URL(request.url);
  if (request.mode === 'navigate' && origin + pathname === page) e.respondWith(open(request));
  else if (files.has(request.url)) e.respondWith(file(request));
});

export {};
