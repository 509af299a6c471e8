/** How a component waits for a part of the page: it tries again by itself. */
import { useEffect } from 'preact/hooks';
import { whenReachable, type Part } from '../part';

/** After a failure, ms; then only when the network comes back or another part did, or somebody presses the button. */
const AGAIN_MS = [2_000, 8_000, 30_000];

/** Fetches it for a component that needs it (`wanted`), again and again while that waits. Null until it is here. */
export function usePart<T>(part: Part<T>, wanted = true): T | null {
  const needed = wanted && part.here.value === null;
  useEffect(() => {
    if (!needed) return;
    let tries = 0;
    let timer: ReturnType<typeof setTimeout>;
    const go = (): void => {
      clearTimeout(timer);
      part.fetch().catch(() => {
        const ms = AGAIN_MS[tries++];
        if (ms) timer = setTimeout(go, ms);
      });
    };
    const stop = whenReachable(go);
    go();
    return () => {
      tries = AGAIN_MS.length;
      clearTimeout(timer);
      stop();
    };
  }, [needed]);
  return part.here.value;
}
