/** Counters and gaps, whatever order a sender chooses: marked rightly, and in a number of steps that grows with their number. */
import { describe, expect, it } from 'vitest';
import type { Entry } from '../src/client/log-entry';
import { Order } from '../src/client/order';
import type { Envelope } from '../src/proto';

const said = (ctr: number, prev = new Uint8Array(16).fill(7)): Envelope =>
  ({ sender: 'a', inst: 1, ctr, prev, bytes: new Uint8Array([ctr]) }) as unknown as Envelope;
const line = (): Entry => ({ missingBefore: false, unordered: false, seq: 1 }) as Entry;
const recall = (ctr: number): { inst: number; ctr: number; hash: Uint8Array } => ({
  inst: 1,
  ctr,
  hash: new Uint8Array([1, ctr & 255, ctr >> 8]),
});

/** How often a set of numbers was asked. */
function asked(run: () => void): number {
  const { has } = Set.prototype;
  let n = 0;
  Set.prototype.has = function (this: Set<unknown>, value: unknown): boolean {
    n++;
    return has.call(this, value);
  };
  try {
    run();
  } finally {
    Set.prototype.has = has;
  }
  return n;
}

describe('gaps', () => {
  const N = 2_000;

  it.each([
    ['from the first', (i: number) => i],
    ['from the last', (i: number) => N - 1 - i],
    ['here and there', (i: number) => (i * 777) % N],
  ])('of one number each, proved %s', (_, nth) => {
    const order = new Order();
    const lines = Array.from({ length: N }, line);
    let marked = false;
    const steps = asked(() => {
      lines.forEach((entry, i) => order.count(said(2 * i + 1), entry));
      marked = lines.every((l) => l.missingBefore);
      for (let i = 0; i < N; i++) order.proved('a', recall(2 * nth(i)), 0);
    });
    expect([marked, lines.some((l) => l.missingBefore)]).toEqual([true, false]);
    expect(steps).toBeLessThan(10 * N);
  });

  it.each([
    ['from the first', (i: number) => i],
    ['from the last', (i: number) => N - 1 - i],
  ])('of many numbers, proved %s', (_, nth) => {
    const order = new Order();
    const entry = line();
    let closedEarly = false;
    const steps = asked(() => {
      order.count(said(N), entry);
      for (let i = 0; i < N; i++) {
        closedEarly ||= !entry.missingBefore;
        order.proved('a', recall(nth(i)), 0);
      }
    });
    expect([closedEarly, entry.missingBefore]).toEqual([false, false]);
    expect(steps).toBeLessThan(10 * N);
  });

  it('a number far away costs nothing, and what was proved before closes a gap at once', () => {
    const order = new Order();
    const [far, near] = [line(), line()];
    expect(asked(() => order.count(said(4_000_000_000), far))).toBeLessThan(10);
    expect(far.missingBefore).toBe(true);
    order.proved('a', recall(4_000_000_001), 0);
    order.count(said(4_000_000_002), near);
    expect(near.missingBefore).toBe(false);
  });
});
