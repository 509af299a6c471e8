/** The conversation that was gone or lost, or waits for people while the robot is asked: the next one names it. Kept until it does. */
import type { Store } from '../storage/store';

interface Stored {
  id: string;
  /** No robot is let into the next one. */
  person: boolean;
}

export class Predecessor {
  private known: string | undefined;

  constructor(
    private readonly store: Store,
    private readonly name: string,
  ) {}

  get id(): string | undefined {
    return this.known;
  }

  /** From an earlier page load; whether a person was asked for there. */
  async load(): Promise<boolean> {
    const stored = await this.store.get<Stored>(this.name);
    if (stored) this.known = stored.id;
    return stored?.person ?? false;
  }

  set(id: string, person: boolean): void {
    this.known = id;
    void this.store.set(this.name, { id, person }).catch(() => undefined);
  }

  /** For this page: another tab names it. */
  forget(): void {
    this.known = undefined;
  }

  /** It was named, or none is to be. */
  clear(): void {
    this.forget();
    void this.store.delete(this.name).catch(() => undefined);
  }
}
