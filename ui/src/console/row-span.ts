/** Which rows of a long list are in the page: those on screen and a few around them. Pure. */

/** Rows before and after those on screen. */
const AROUND = 8;
/** The first and the last row move by so many, so that scrolling renders seldom. */
const STEP = 8;
/** So many are there in any case, also where nothing is laid out yet. */
const LEAST = 24;

export interface Span {
  from: number;
  to: number;
}

/** Where each row begins, and where the last one ends. */
export function offsetsOf<T>(items: readonly T[], heightOf: (item: T) => number): number[] {
  const out = [0];
  for (const item of items) out.push(out[out.length - 1]! + heightOf(item));
  return out;
}

/** The row at this height, by the offsets of all. */
export function rowAt(offsets: readonly number[], top: number): number {
  let [low, high] = [0, Math.max(0, offsets.length - 2)];
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (offsets[middle]! <= top) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The rows to render where `height` is shown from `top` on. */
export function spanOf(offsets: readonly number[], top: number, height: number): Span {
  const all = offsets.length - 1;
  const first = rowAt(offsets, top) - AROUND;
  const from = Math.max(0, Math.min(Math.floor(first / STEP) * STEP, all - LEAST));
  const last = rowAt(offsets, top + height) + 1 + AROUND;
  return { from, to: Math.min(all, Math.max(Math.ceil(last / STEP) * STEP, from + LEAST)) };
}

/** Where the list must be scrolled to for this row to be in view; null: it is. */
export function scrollFor(offsets: readonly number[], row: number, top: number, height: number): number | null {
  const [begin, end] = [offsets[row]!, offsets[row + 1]!];
  if (begin < top) return begin;
  return end > top + height ? end - height : null;
}
