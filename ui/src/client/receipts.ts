/** How far this side of a conversation received and read it, and telling the server so. */
import type { Conv, Marks } from '../proto';
import type { Participant, Transport } from './context';

/** Receipts are collected and sent together after this time, ms. */
const SEEN_MS = 250;

export const furthest = (a: Marks, b: Marks): Marks => ({
  delivered: Math.max(a.delivered, b.delivered),
  read: Math.max(a.read, b.read),
});

export class Receipts {
  /** Highest seq received here. */
  have = 0;
  private readUpTo = 0;
  private told: Marks = { delivered: 0, read: 0 };
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly context: Participant & Transport,
    private readonly conv: string,
  ) {}

  /** Highest seq that was read, in any tab. */
  get read(): number {
    return this.readUpTo;
  }

  /** What the server knows of it. */
  update(conv: Conv): void {
    const own = conv[this.context.role];
    this.readUpTo = Math.max(this.readUpTo, own.read);
    this.told = furthest(this.told, own);
  }

  markRead(): void {
    this.readUpTo = this.have;
    this.tell();
  }

  /** Tells the server how far this side has read. */
  tell(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      const marks = furthest({ delivered: this.have, read: this.readUpTo }, this.told);
      if (marks.delivered === this.told.delivered && marks.read === this.told.read) return;
      if (this.context.frame({ t: 'seen', conv: this.conv, ...marks })) this.told = marks;
    }, SEEN_MS);
  }

  dispose(): void {
    clearTimeout(this.timer);
  }
}
