/** The search of this page, once somebody asked for it. It goes on in the background whatever is on screen. */
import type { AgentClient } from '../model';
import type { SearchClient } from '../search/client';
import { signal } from '../signals';
import { store, stored } from './settings';

export const search = signal<SearchClient | null>(null);
let starting: Promise<SearchClient> | null = null;
/** Raised when the person signed out or locked the page: what starts late stops at once. */
let life = 0;

export function startSearch(client: AgentClient): Promise<SearchClient> {
  const mine = life;
  return (starting ??= import('../search/client').then((m) => {
    const made = new m.SearchClient(client);
    if (mine !== life) made.dispose();
    else search.value = made;
    return made;
  }));
}

export function endSearch(): void {
  life++;
  search.peek()?.dispose();
  search.value = null;
  starting = null;
}

/** Whether this browser has an index to look after. */
export const keepsIndex = (): boolean => stored('search') === 'on';
export const keepIndex = (): void => store('search', 'on');
