/** Keeps the open conversation and the address together: Back and Forward go between conversations, a reload keeps the place. */
import { effect } from '../signals';
import type { AgentClient } from '../model';
import { t } from '../i18n/console';
import { deskHash, go, idIn, inHistory, route } from './route';
import type { ConsoleState } from './state';

/** Opens what the address names; says so if this agent may not see it. */
async function open(state: ConsoleState, client: AgentClient): Promise<void> {
  if (inHistory()) return;
  const id = idIn(route.peek());
  if (id === null) return state.select(null);
  if (state.selected.peek() === id) return;
  const found = await client.find(id).catch(() => null);
  // the person went on meanwhile
  if (idIn(route.peek()) !== id) return;
  if (found) return state.select(id);
  if (found === false) {
    state.toasts.show(() => t('linkGone'));
    go('', true);
    state.select(null);
  }
}

/** While somebody is signed in. Begins when they are connected: what an address names is asked of the server. */
export function watchPlace(state: ConsoleState, client: AgentClient): () => void {
  const stops: (() => void)[] = [];
  let begun = false;
  const begin = async (): Promise<void> => {
    const chosen = state.selected.peek();
    // what was opened before the connection was there stays open
    if (chosen !== null && idIn(route.peek()) === null && !inHistory()) go(deskHash(chosen), true);
    else await open(state, client);
    let last = state.selected.peek();
    stops.push(
      effect(() => {
        const id = state.selected.value;
        if (id === last) return;
        last = id;
        if (id !== null || !inHistory()) go(deskHash(id));
      }),
      route.subscribe(() => void open(state, client)),
    );
  };
  stops.push(
    effect(() => {
      if (client.connection.value.state !== 'online' || begun) return;
      begun = true;
      void begin();
    }),
  );
  return () => {
    for (const stop of stops) stop();
  };
}
