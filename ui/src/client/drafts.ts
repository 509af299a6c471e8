/** Unsent words over a reload: sealed to this person's own key, in this browser only, and gone when they sign out. */
import type { Backend, BoxKey, Sealed } from '../crypto/backend';
import { text, utf8 } from '../crypto/bytes';
import type { DraftStore } from '../model';
import type { Store } from '../storage/store';

const INFO = utf8('kefu/1 draft\0');

export class Drafts implements DraftStore {
  /** One after the other: what was written last stays. */
  private work: Promise<unknown> = Promise.resolve();

  /** `prefix`: of what is kept of this person, ending in `/`. */
  constructor(
    private readonly backend: Backend,
    private readonly store: Store,
    private readonly prefix: string,
    private readonly own: BoxKey,
  ) {}

  async load(): Promise<ReadonlyMap<string, string>> {
    const out = new Map<string, string>();
    for (const { name, value } of await this.store.list<Sealed>(`${this.prefix}draft/`).catch(() => [])) {
      const draft = name.slice(this.prefix.length + 6);
      // one that does not open is of an earlier key
      const opened = await this.own.open(value, INFO, utf8(draft)).catch(() => null);
      if (opened) out.set(draft, text(opened));
      else await this.store.delete(name).catch(() => undefined);
    }
    return out;
  }

  keep(name: string, words: string): void {
    const key = `${this.prefix}draft/${name}`;
    const write = async (): Promise<void> => {
      if (!words) return this.store.delete(key);
      const { enc, ct } = await this.backend.seal(this.own.pk, INFO, utf8(name), utf8(words));
      return this.store.set(key, { enc, ct });
    };
    this.work = this.work.then(write).catch(() => undefined);
  }

  /** After what is being written. */
  async forget(): Promise<void> {
    await this.work;
    for (const { name } of await this.store.list(`${this.prefix}draft/`).catch(() => []))
      await this.store.delete(name).catch(() => undefined);
  }
}
