/**
 * Which conversation the tabs of one browser are in. The store decides: the first tab to begin one wins; the others
 * are notified to read it, and read it by themselves when a person returns to them. A browser that keeps nothing has nothing to
 * share: each of its tabs is a visitor of its own.
 */
import { equal } from '../crypto/bytes';
import type { Env } from '../link/env';
import type { Also, Store } from '../storage/store';
import type { PendingConversation } from './opening';

export class Tabs {
  private readonly name: string;
  private channel: BroadcastChannel | null = null;
  private readonly stopWake: () => void;
  /** The one that the store held last, as far as this tab knows. */
  seen: string | undefined;

  /** `look`: another tab may have begun one, or left the one that is shown. */
  constructor(
    private readonly store: Store,
    storagePrefix: string,
    env: Env,
    look: () => void,
  ) {
    this.name = `${storagePrefix}conv`;
    this.stopWake = store.kept ? env.onWake(look) : () => undefined;
    try {
      if (store.kept) (this.channel = new BroadcastChannel(`kefu/${this.name}`)).onmessage = look;
    } catch {
      // older browsers: they look when the person comes back, and before they send
    }
  }

  async pending(): Promise<PendingConversation | undefined> {
    const there = await this.store.get<PendingConversation>(this.name);
    if (there) this.seen = there.id;
    return there;
  }

  /** Begins it, with what is written first, unless another tab was faster; the one that counts. */
  async begin(mine: PendingConversation, also: Also): Promise<PendingConversation> {
    const there = await this.store.init(this.name, mine, also).catch(() => null);
    if (there) this.seen = there.id;
    this.tell();
    return there ?? mine;
  }

  /** Changes what is kept of it, unless another tab did or left it; what counts. */
  async change(old: PendingConversation, next: PendingConversation): Promise<PendingConversation> {
    const same = (now: PendingConversation | undefined): boolean => now?.id === old.id && equal(now.ann, old.ann);
    const there = await this.store
      .update<PendingConversation | undefined>(this.name, (now) => (same(now) ? next : now))
      .catch(() => undefined);
    return there?.id === old.id ? there : next;
  }

  /** This one is shown from now on, in all tabs; none: the next message begins one. `also` is kept with it. */
  show(pending: PendingConversation | null, also: Also): void {
    this.seen = pending?.id;
    const kept = this.store.set(this.name, pending ?? undefined, also);
    kept.then(() => this.tell()).catch(() => undefined);
  }

  /** It has ended for all tabs. */
  leave(id: string): void {
    const gone = this.store.update<PendingConversation | undefined>(this.name, (now) =>
      now?.id === id ? undefined : now,
    );
    this.seen = undefined;
    gone.then(() => this.tell()).catch(() => undefined);
  }

  private tell(): void {
    this.channel?.postMessage(0);
  }

  dispose(): void {
    this.stopWake();
    this.channel?.close();
  }
}
