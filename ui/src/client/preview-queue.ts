/** Which lines of a list are on screen and must be read first: a few at a time, in the order in which they came, none that went off screen. */

/** Conversations that are being read at the same time. */
const AT_ONCE = 4;

export class PreviewQueue {
  private readonly wanted = new Set<string>();
  private readonly waiting: string[] = [];
  private reading = 0;

  /** `peek` follows a conversation or stops; it resolves when what its line shows is there. */
  constructor(private readonly peek: (id: string, on: boolean) => Promise<void>) {}

  has(id: string): boolean {
    return this.wanted.has(id);
  }

  add(id: string): void {
    if (this.wanted.has(id)) return;
    this.wanted.add(id);
    this.waiting.push(id);
    this.next();
  }

  remove(id: string): void {
    if (!this.wanted.delete(id)) return;
    const at = this.waiting.indexOf(id);
    if (at >= 0) this.waiting.splice(at, 1);
    else void this.peek(id, false);
  }

  clear(): void {
    this.wanted.clear();
    this.waiting.length = 0;
  }

  private next(): void {
    while (this.reading < AT_ONCE && this.waiting.length) {
      this.reading++;
      const id = this.waiting.shift()!;
      void this.peek(id, true).finally(() => {
        this.reading--;
        this.next();
      });
    }
  }
}
