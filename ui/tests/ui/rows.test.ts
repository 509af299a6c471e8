import { describe, expect, it } from 'vitest';
import { offsetsOf, rowAt, scrollFor, spanOf } from '../../src/console/row-span';

/** A thousand rows, every tenth one higher. */
const rows = Array.from({ length: 1_000 }, (_, i) => i);
const offsets = offsetsOf(rows, (i) => (i % 10 ? 60 : 80));

describe('rows of a long list', () => {
  it('begin where those before them end', () => {
    expect(offsets.slice(0, 3)).toEqual([0, 80, 140]);
    expect(offsets[1_000]).toBe(62_000);
    expect([0, 79, 80, 139, 140, 1e9, -5].map((top) => rowAt(offsets, top))).toEqual([0, 0, 1, 1, 2, 999, 0]);
  });

  it('are in the page if they are in view, with some around them', () => {
    for (const top of [0, 333, 20_000, 61_400]) {
      const { from, to } = spanOf(offsets, top, 600);
      const seen = rows.filter((i) => offsets[i + 1]! > top && offsets[i]! < top + 600);
      expect(from).toBeLessThanOrEqual(Math.max(0, seen[0]! - 8));
      expect(to).toBeGreaterThanOrEqual(Math.min(1_000, seen.at(-1)! + 9));
      expect(to - from).toBeLessThan(50);
    }
  });

  it('are few in a short list, and some where nothing is laid out yet', () => {
    expect(
      spanOf(
        offsetsOf([], () => 60),
        0,
        0,
      ),
    ).toEqual({ from: 0, to: 0 });
    expect(
      spanOf(
        offsetsOf([1, 2], () => 60),
        0,
        600,
      ),
    ).toEqual({ from: 0, to: 2 });
    expect(spanOf(offsets, 0, 0)).toEqual({ from: 0, to: 24 });
    // shorter than before: what was scrolled to is no more
    expect(
      spanOf(
        offsetsOf([1, 2, 3], () => 60),
        40_000,
        600,
      ),
    ).toEqual({ from: 0, to: 3 });
  });

  it('are scrolled to only if they are out of view', () => {
    expect(scrollFor(offsets, 5, 0, 600)).toBeNull();
    expect(scrollFor(offsets, 5, 400, 600)).toBe(offsets[5]);
    expect(scrollFor(offsets, 500, 0, 600)).toBe(offsets[501]! - 600);
  });
});
