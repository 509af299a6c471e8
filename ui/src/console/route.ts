/** Which place of the console the address names, after `#`. What is there is never sent to a server. */
import { signal } from '../signals';

const HISTORY = '#/history';
const CONVERSATION = '#/c/';

export const route = signal(globalThis.location?.hash ?? '');
globalThis.addEventListener?.('popstate', () => (route.value = location.hash));
globalThis.addEventListener?.('hashchange', () => (route.value = location.hash));

/** `replace`: Back does not come here again. */
export function go(hash: string, replace = false): void {
  if (hash === route.peek()) return;
  // an empty one would leave the old one in the address
  const address = hash || location.pathname + location.search;
  if (replace) history.replaceState(null, '', address);
  else history.pushState(null, '', address);
  route.value = hash;
}

/** The conversation that an address names, or null. */
export function idIn(hash: string): string | null {
  const id = hash.startsWith(CONVERSATION) ? hash.slice(CONVERSATION.length) : '';
  return /^[0-9a-f]{32}$/.test(id) ? id : null;
}

/** The address of the desk with this conversation open. */
export const deskHash = (conv: string | null): string => (conv === null ? '' : CONVERSATION + conv);

export const inHistory = (): boolean => route.value.split('?')[0] === HISTORY;

/** What the address of the history names: filters, and the conversation that is open. */
export function historyParams(): URLSearchParams {
  return new URLSearchParams(route.value.slice(HISTORY.length + 1));
}

export function historyHash(params: Record<string, string | undefined>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) if (value) query.set(name, value);
  return query.size ? `${HISTORY}?${query}` : HISTORY;
}
