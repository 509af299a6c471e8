/** Runs acts of the agent and reports errors, with what to do. */
import { errorText } from '../i18n/console';
import { waitText } from '../i18n/wait';
import { ClientError, type ErrorKey } from '../model';
import { signal } from '../signals';
import type { ToastList } from './toasts';

export function keyOf(e: unknown): ErrorKey {
  if (e instanceof ClientError) return e.key;
  return 'error.server';
}

/** The text for an error. */
export function sayError(e: unknown): string {
  return e instanceof ClientError && e.wait ? waitText(e.wait, 'act') : errorText(keyOf(e));
}

export class Acts {
  /** Names of acts under way, so that their buttons wait. */
  private readonly busy = signal<ReadonlySet<string>>(new Set());

  constructor(private readonly toasts: ToastList) {}

  /** Resolves to whether it worked. */
  readonly run = async (work: () => Promise<unknown>): Promise<boolean> => {
    try {
      await work();
      return true;
    } catch (e) {
      console.error(e);
      this.toasts.show(() => sayError(e));
      return false;
    }
  };

  /** Not while an act of the same name is under way. */
  readonly once = async (name: string, work: () => Promise<unknown>): Promise<boolean> => {
    if (this.busy.peek().has(name)) return false;
    this.busy.value = new Set(this.busy.peek()).add(name);
    try {
      return await this.run(work);
    } finally {
      const rest = new Set(this.busy.peek());
      rest.delete(name);
      this.busy.value = rest;
    }
  };

  readonly isBusy = (name: string): boolean => this.busy.value.has(name);
}
