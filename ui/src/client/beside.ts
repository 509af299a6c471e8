/**
 * The conversation beside the one that is shown: a message left for people while the visitor asks the robot on, or that with the robot
 * while they look at the other. There is one at most.
 */
import type { Conv } from '../proto';
import { signal } from '../signals';
import type { Store } from '../storage/store';
import type { Conversation } from './conversation';
import type { Engine } from './engine';
import type { Begun } from './opening';

export interface Shown {
  thread: Conversation | null;
  begun: Begun | null;
}

export class Beside {
  readonly thread = signal<Conversation | null>(null);
  begun: Begun | null = null;

  constructor(
    private readonly store: Store,
    private readonly name: string,
  ) {}

  /** As the store has it: another tab may have changed it. */
  async load(): Promise<void> {
    this.begun = (await this.store.get<Begun>(this.name).catch(() => undefined)) ?? null;
    if (this.thread.value?.id !== this.begun?.id) this.thread.value = null;
  }

  /** Takes what was shown, and gives what is shown from now on. */
  exchange({ thread, begun }: Shown): Shown {
    const before = { thread: this.thread.value, begun: this.begun };
    this.thread.value = thread;
    this.begun = begun;
    void (this.begun ? this.store.set(this.name, this.begun) : this.store.delete(this.name)).catch(() => undefined);
    return before;
  }

  /** The server names what it has. One that is over, or gone, is beside nothing any more. */
  welcomed(convs: readonly Conv[], engine: Engine): void {
    const { begun } = this;
    if (!begun || (!begun.opened && this.thread.value)) return;
    const conv = convs.find((c) => c.id === begun.id);
    if (!conv) return void this.exchange({ thread: null, begun: null });
    this.thread.value = engine.conversation(conv.id, conv);
    engine.follow(conv.id);
  }
}
