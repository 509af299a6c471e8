/** Runs an act of the agent and says what went wrong, in words that tell what to do. */
import { errorText } from '../i18n/console';
import { waitText } from '../i18n/wait';
import { ClientError, type ErrorKey } from '../model';
import { signal } from '../signals';
import { toast } from '../ui/Toasts';

export function keyOf(e: unknown): ErrorKey {
  if (e instanceof ClientError) return e.key;
  return 'error.server';
}

/** What is said of anything that went wrong. */
export function sayError(e: unknown): string {
  return e instanceof ClientError && e.wait ? waitText(e.wait, 'act') : errorText(keyOf(e));
}

/** Resolves to whether it worked. */
export async function act(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (e) {
    console.error(e);
    toast(() => sayError(e));
    return false;
  }
}

/** Names of acts under way, so that their buttons wait. */
const busy = signal<ReadonlySet<string>>(new Set());
export const isBusy = (name: string): boolean => busy.value.has(name);

export async function actOnce(name: string, work: () => Promise<unknown>): Promise<boolean> {
  if (busy.peek().has(name)) return false;
  busy.value = new Set(busy.peek()).add(name);
  try {
    return await act(work);
  } finally {
    const rest = new Set(busy.peek());
    rest.delete(name);
    busy.value = rest;
  }
}
