/** Keeps what is being written over a reload of the page. */
import type { AgentClient } from '../model';
import type { ConsoleState } from './state';

/** Longest time until a change is kept, ms. */
const KEEP_MS = 400;

export function keepDrafts(state: ConsoleState, client: AgentClient): () => void {
  const { drafts } = client;
  if (!drafts) return () => undefined;
  let kept: ReadonlyMap<string, string> | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const keep = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (!kept) return;
    const now = new Map(state.drafts.peek());
    // a message that is being changed is no draft: what was there before it is
    const w = state.writing.peek();
    if (w?.as === 'edit') now.set(`reply ${w.conv}`, w.before);
    for (const [name, text] of now) if (kept.get(name) !== text) drafts.keep(name, text);
    for (const name of kept.keys()) if (!now.has(name)) drafts.keep(name, '');
    kept = now;
  };
  void drafts.load().then((saved) => {
    kept = saved;
    // words that were written meanwhile are newer
    state.drafts.value = new Map([...saved, ...state.drafts.peek()]);
  });
  const stop = state.drafts.subscribe(() => (timer ??= setTimeout(keep, KEEP_MS)));
  addEventListener('pagehide', keep);
  return () => {
    keep();
    stop();
    removeEventListener('pagehide', keep);
  };
}
