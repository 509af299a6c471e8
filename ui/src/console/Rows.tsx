/**
 * A list of any length of which the rows on screen are in the page, with one tab stop: the arrow keys, Home, End and the page keys move
 * in it. The row with the focus stays, wherever the list is scrolled to.
 */
import type { ComponentChild, RefObject } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { useSignal } from '../ui/signals';
import { offsetsOf, rowAt, scrollFor, spanOf, type Span } from './row-span';

/** Until a row of its kind was measured, px. */
const GUESS_PX = 64;

interface RowsProps<T> {
  items: readonly T[];
  /** What scrolls; the list is all that is in it, or its first part. */
  scroller: RefObject<HTMLElement>;
  /** Rows of one kind have one height. */
  kindOf: (item: T) => string;
  /** The chosen one: is brought into view when it changes, and has the tab stop until another takes it. */
  chosen: string | null;
  row: (item: T, stop: boolean) => ComponentChild;
}

export function Rows<T extends { id: string }>({ items, scroller, kindOf, chosen, row }: RowsProps<T>) {
  const heights = useSignal<Readonly<Record<string, number>>>({});
  const place = useSignal({ top: 0, height: 0 });
  /** The row that was focused last. */
  const active = useSignal<string | null>(null);
  const moved = useRef(false);
  const box = useRef<HTMLUListElement>(null);
  const known = heights.value;
  const offsets = useMemo(() => offsetsOf(items, (item) => known[kindOf(item)] ?? GUESS_PX), [items, known]);
  const { from, to } = spanOf(offsets, place.value.top, place.value.height);
  const indexOf = (id: string | null) => (id === null ? -1 : items.findIndex((item) => item.id === id));
  const stop = Math.max(
    0,
    active.value === null || indexOf(active.value) < 0 ? indexOf(chosen) : indexOf(active.value),
  );

  // reads where the list is; renders only when other rows are on screen
  const look = () => {
    const el = scroller.current;
    if (!el) return;
    const next = { top: el.scrollTop, height: el.clientHeight };
    const span = spanOf(offsets, next.top, next.height);
    const { top, height } = place.peek();
    const was = spanOf(offsets, top, height);
    if (span.from !== was.from || span.to !== was.to) place.value = next;
  };
  const newest = useRef(look);
  newest.current = look;
  // when everything is laid out, so that reading it costs nothing
  const measure = () => {
    const next: Record<string, number> = { ...heights.peek() };
    for (const el of box.current?.querySelectorAll<HTMLElement>('[data-kind]') ?? []) {
      const height = el.getBoundingClientRect().height;
      if (height) next[el.dataset.kind!] = height;
    }
    if (Object.entries(next).some(([kind, px]) => heights.peek()[kind] !== px)) heights.value = next;
    newest.current();
  };
  useEffect(() => {
    const el = scroller.current;
    if (!el) return;
    const scrolled = () => newest.current();
    const watch = new ResizeObserver(measure);
    watch.observe(el);
    watch.observe(box.current!);
    el.addEventListener('scroll', scrolled, { passive: true });
    return () => {
      watch.disconnect();
      el.removeEventListener('scroll', scrolled);
    };
  }, []);

  const show = (at: number) => {
    const el = scroller.current;
    const top = el && at >= 0 ? scrollFor(offsets, at, el.scrollTop, el.clientHeight) : null;
    if (el && top !== null) el.scrollTop = top;
  };
  useEffect(() => show(indexOf(chosen)), [chosen]);
  useLayoutEffect(() => {
    if (!moved.current) return;
    moved.current = false;
    box.current!.querySelector<HTMLElement>('[tabindex="0"]')?.focus({ preventScroll: true });
  }, [active.value]);

  const onKey = (e: KeyboardEvent) => {
    if (e.altKey || e.ctrlKey || e.metaKey || e.shiftKey || !items.length) return;
    const el = scroller.current!;
    const page = Math.max(1, rowAt(offsets, el.clientHeight) - 1);
    const steps: Record<string, number> = {
      ArrowDown: stop + 1,
      ArrowUp: stop - 1,
      PageDown: stop + page,
      PageUp: stop - page,
      Home: 0,
      End: items.length - 1,
    };
    const to = steps[e.key];
    if (to === undefined) return;
    e.preventDefault();
    const at = Math.min(items.length - 1, Math.max(0, to));
    show(at);
    newest.current();
    moved.current = items[at]!.id !== active.peek();
    active.value = items[at]!.id;
  };
  const onFocus = (e: FocusEvent) => {
    const id = (e.target as Element).closest('li')?.dataset.id;
    if (id) active.value = id;
  };

  return (
    <ul ref={box} class="c-rows" onKeyDown={onKey} onFocusIn={onFocus}>
      {pieces({ from, to }, stop, items.length).map((piece) =>
        typeof piece === 'number' ? (
          <li
            key={items[piece]!.id}
            data-id={items[piece]!.id}
            data-kind={kindOf(items[piece]!)}
            aria-posinset={piece + 1}
            aria-setsize={items.length}
          >
            {row(items[piece]!, piece === stop)}
          </li>
        ) : (
          <li key={`gap${piece.to}`} aria-hidden="true" style={{ height: offsets[piece.to]! - offsets[piece.from]! }} />
        ),
      )}
    </ul>
  );
}

/** The rows to render and the gaps between them; the one with the tab stop is among them. */
function pieces(span: Span, stop: number, all: number): (number | Span)[] {
  const rows: number[] = [];
  for (let i = span.from; i < span.to; i++) rows.push(i);
  if (stop < span.from && all) rows.unshift(stop);
  else if (stop >= span.to && stop < all) rows.push(stop);
  const out: (number | Span)[] = [];
  let next = 0;
  for (const at of rows) {
    if (at > next) out.push({ from: next, to: at });
    out.push(at);
    next = at + 1;
  }
  if (next < all) out.push({ from: next, to: all });
  return out;
}
