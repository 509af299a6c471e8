/**
 * Conversations of the lists that must be read: a few at a time, in the order in which they came, so that the first lines of a list have
 * words soon and what is opened meanwhile does not wait for all of them.
 */

/** Conversations that are being read at the same time. */
const AT_ONCE = 6;

export class ReadQueue {
  private readonly waiting = new Set<string>();
  private reading = 0;
  /** What a person waits for comes first. */
  private before = 0;

  /** `read` resolves when the conversation was read, or will not be for the moment. */
  constructor(private readonly read: (id: string) => Promise<void>) {}

  add(id: string): void {
    this.waiting.add(id);
    this.next();
  }

  /** Begins nothing more until this has settled. */
  after(work: Promise<unknown>): void {
    this.before++;
    const settled = (): void => {
      this.before--;
      this.next();
    };
    work.then(settled, settled);
  }

  clear(): void {
    this.waiting.clear();
  }

  private next(): void {
    for (const id of this.waiting) {
      if (this.reading >= AT_ONCE || this.before > 0) return;
      this.waiting.delete(id);
      this.reading++;
      void this.read(id).finally(() => {
        this.reading--;
        this.next();
      });
    }
  }
}
