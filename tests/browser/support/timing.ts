/** How long a page takes: from an input to the frame that shows its outcome, of whole interactions, and what it holds in memory. */
import type { CDPSession, Page } from '@playwright/test';

interface Timing {
  /** By interaction, since the last look: its longest event, ms, from the input to the next paint. Under 16 ms none is reported. */
  events: Map<number, number>;
  /** Longest time between two frames since the last look, ms. */
  frame: number;
  /** When the last input came, by the clock of the page. */
  input: number;
  /** How long after that its outcome was painted, ms; 0: not yet. */
  painted: number;
}
declare global {
  interface Window {
    timing: Timing;
  }
}

/** In the page, before its scripts. */
export function watchTiming(): void {
  const timing: Timing = { events: new Map(), frame: 0, input: 0, painted: 0 };
  window.timing = timing;
  new PerformanceObserver((list) => {
    // moves of the pointer and the like have none
    for (const e of list.getEntries() as (PerformanceEventTiming & { interactionId?: number })[])
      if (e.interactionId)
        timing.events.set(e.interactionId, Math.max(e.duration, timing.events.get(e.interactionId) ?? 0));
  }).observe({ type: 'event', durationThreshold: 16, buffered: true } as PerformanceObserverInit);
  for (const type of ['pointerdown', 'keydown'])
    addEventListener(type, (e) => (timing.input = e.timeStamp), { capture: true });
  let last = performance.now();
  const tick = (now: number): void => {
    timing.frame = Math.max(timing.frame, now - last);
    last = now;
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}

/** Does `act`, which is one press of a key or a button, and gives the ms from its event until `shown` holds in a painted frame. */
export async function untilPainted(page: Page, act: () => Promise<void>, shown: string, arg: string): Promise<number> {
  await page.evaluate(
    ([source, value]) => {
      const holds = new Function('arg', `return ${source}`) as (arg: string) => boolean;
      window.timing.input = window.timing.painted = 0;
      const look = (): void => {
        if (!window.timing.input || !holds(value!)) return void requestAnimationFrame(look);
        // this frame paints it; the next task comes after
        const channel = new MessageChannel();
        channel.port1.onmessage = () => (window.timing.painted = performance.now() - window.timing.input);
        channel.port2.postMessage(0);
      };
      requestAnimationFrame(look);
    },
    [shown, arg] as const,
  );
  await act();
  const painted = await page.waitForFunction(() => window.timing.painted, undefined, { timeout: 30_000 });
  return painted.jsonValue();
}

/** What `act` took of interactions: the durations that were reported, and the longest time without a frame. */
export async function interactions(page: Page, act: () => Promise<void>): Promise<{ events: number[]; frame: number }> {
  const settle = () =>
    page.evaluate(
      () =>
        new Promise<void>((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 100)))),
    );
  await settle();
  await page.evaluate(() => Object.assign(window.timing, { events: new Map(), frame: 0 }));
  await act();
  await settle();
  return page.evaluate(() => ({ events: [...window.timing.events.values()], frame: window.timing.frame }));
}

/** What the page holds after a collection: bytes of the JavaScript heap, and elements. */
export async function held(page: Page, cdp: CDPSession): Promise<{ heap: number; elements: number }> {
  await cdp.send('HeapProfiler.collectGarbage');
  const { metrics } = await cdp.send('Performance.getMetrics');
  const heap = metrics.find((m) => m.name === 'JSHeapUsedSize')!.value;
  return { heap, elements: await page.evaluate(() => document.querySelectorAll('*').length) };
}
