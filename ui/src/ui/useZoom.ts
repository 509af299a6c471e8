/** A picture under wheel and fingers: two make it larger or smaller, one moves it, or swipes to the next while all of it is seen. */
import { useEffect, useRef } from 'preact/hooks';

const MOST = 8;
/** A swipe is this long, px. */
const SWIPE = 60;

interface Point {
  x: number;
  y: number;
}

interface ZoomActs {
  /** −1 or 1. */
  swipe: (by: number) => void;
  /** Swiped down. */
  close: () => void;
}

export interface Zoom {
  by(factor: number): void;
  reset(): void;
}

/** `area`: where fingers are. `key`: another picture begins anew. */
export function useZoom(
  area: { readonly current: HTMLElement | null },
  picture: { readonly current: HTMLElement | null },
  key: string,
  acts: ZoomActs,
): Zoom {
  const at = useRef({ scale: 1, x: 0, y: 0 });
  const newest = useRef(acts);
  newest.current = acts;

  const apply = (scale: number, x: number, y: number): void => {
    const s = Math.min(MOST, Math.max(1, scale));
    // never out of sight
    const w = ((picture.current?.offsetWidth ?? 0) * s) / 2;
    const h = ((picture.current?.offsetHeight ?? 0) * s) / 2;
    const held = (v: number, most: number): number => (s === 1 ? 0 : Math.min(most, Math.max(-most, v)));
    at.current = { scale: s, x: held(x, w), y: held(y, h) };
    if (picture.current)
      picture.current.style.transform = `translate(${at.current.x}px, ${at.current.y}px) scale(${at.current.scale})`;
  };
  const zoom: Zoom = {
    by: (factor) => apply(at.current.scale * factor, at.current.x * factor, at.current.y * factor),
    reset: () => apply(1, 0, 0),
  };

  useEffect(() => zoom.reset(), [key]);

  useEffect(() => {
    const el = area.current;
    if (!el) return;
    const fingers = new Map<number, Point>();
    let from: Point = { x: 0, y: 0 };
    const spread = (): number => {
      const [a, b] = [...fingers.values()];
      return a && b ? Math.hypot(a.x - b.x, a.y - b.y) : 0;
    };
    const down = (e: PointerEvent): void => {
      if ((e.target as Element).closest('button')) return;
      fingers.set(e.pointerId, { x: e.clientX, y: e.clientY });
      from = { x: e.clientX, y: e.clientY };
      el.setPointerCapture(e.pointerId);
    };
    const move = (e: PointerEvent): void => {
      const was = fingers.get(e.pointerId);
      if (!was) return;
      const before = spread();
      fingers.set(e.pointerId, { x: e.clientX, y: e.clientY });
      const { scale, x, y } = at.current;
      if (before) zoom.by(spread() / before);
      else if (scale > 1) apply(scale, x + e.clientX - was.x, y + e.clientY - was.y);
    };
    const up = (e: PointerEvent): void => {
      const alone = fingers.size === 1;
      if (!fingers.delete(e.pointerId) || !alone || at.current.scale > 1 || e.type !== 'pointerup') return;
      const [dx, dy] = [e.clientX - from.x, e.clientY - from.y];
      if (Math.abs(dx) > SWIPE && Math.abs(dx) > Math.abs(dy)) newest.current.swipe(dx < 0 ? 1 : -1);
      else if (dy > SWIPE && e.pointerType === 'touch') newest.current.close();
    };
    const wheel = (e: WheelEvent): void => {
      e.preventDefault();
      e.stopPropagation();
      zoom.by(e.deltaY < 0 ? 1.15 : 1 / 1.15);
    };
    const twice = (e: MouseEvent): void => {
      if (!(e.target as Element).closest('button')) at.current.scale > 1 ? zoom.reset() : zoom.by(2.5);
    };
    const on: [string, (e: never) => void][] = [
      ['pointerdown', down],
      ['pointermove', move],
      ['pointerup', up],
      ['pointercancel', up],
      ['wheel', wheel],
      ['dblclick', twice],
    ];
    for (const [name, fn] of on) el.addEventListener(name, fn as EventListener, { passive: false });
    return () => {
      for (const [name, fn] of on) el.removeEventListener(name, fn as EventListener);
    };
  }, []);
  return zoom;
}
