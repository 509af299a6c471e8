/**
 * The visitor's other conversation, which is not shown: a message left for people while the visitor asks the robot on, or that with the robot
 * while they look at the other. There is one at most.
 */
import type { Conv } from '../proto';
import { signal } from '../signals';
import type { Also, Store } from '../storage/store';
import type { Conversation } from './conversation';
import type { Engine } from './engine';
import type { PendingConversation } from './opening';

export interface Shown {
  thread: Conversation | null;
  pending: PendingConversation | null;
}

export class SecondConversation {
  readonly thread = signal<Conversation | null>(null);
  pending: PendingConversation | null = null;

  constructor(
    private readonly store: Store,
    private readonly name: string,
  ) {}

  /** As the store has it: another tab may have changed it. */
  async load(): Promise<void> {
    this.pending = (await this.store.get<PendingConversation>(this.name).catch(() => undefined)) ?? null;
    if (this.thread.value?.id !== this.pending?.id) this.thread.value = null;
  }

  /** Takes what was shown, and gives what is shown from now on. Both are kept in one step: `kept` is this one's part of it. */
  exchange({ thread, pending }: Shown): { shown: Shown; kept: Also } {
    const shown = { thread: this.thread.value, pending: this.pending };
    this.thread.value = thread;
    this.pending = pending;
    return { shown, kept: [[this.name, pending ?? undefined]] };
  }

  private forget(): void {
    this.thread.value = null;
    this.pending = null;
    this.store.delete(this.name).catch(() => undefined);
  }

  /** The server lists what it has. One that has ended, or is gone, is no longer a second one. */
  welcomed(convs: readonly Conv[], engine: Engine): void {
    const { pending } = this;
    if (!pending || (!pending.opened && this.thread.value)) return;
    const conv = convs.find((c) => c.id === pending.id);
    if (!conv) return this.forget();
    this.thread.value = engine.conversation(conv.id, conv);
    engine.follow(conv.id);
  }
}
