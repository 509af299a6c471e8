/** Time that moves only when a run moves it, from one timer to the next. */
import { vi } from 'vitest';

/** Longest time a step of the scenario waits for what an attack may keep from happening, ms of the run's own clock. */
const PATIENCE_MS = 6_000;

export function stopTime(now: number): void {
  vi.useFakeTimers({ now, toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] });
}

export const startTime = (): void => void vi.useRealTimers();

/** Maximum number of exchanges with the server before time advances: an attack may make a page ask forever. */
const MAX_HOPS = 60;
let onTheWay = 0;

/** A word on its way to the server. */
export function hop(arrive: () => void): void {
  onTheWay++;
  setImmediate(() => {
    onTheWay--;
    arrive();
  });
}

/** Most timers in one wait: a page that sets more is in a loop. */
const MAX_TIMERS = 1_000;

/** Everything that waits for no timer is done: what is not on its way to the server runs in microtasks, before the loop turns. */
export async function settle(): Promise<void> {
  for (let n = 0; n < 2 || (onTheWay > 0 && n < MAX_HOPS); n++) await new Promise<void>((done) => setImmediate(done));
}

/** Lets time pass until it holds. False if it does not within `ms`: an attack may well prevent it. */
export async function until(holds: () => boolean, ms = PATIENCE_MS): Promise<boolean> {
  const end = Date.now() + ms;
  for (let n = 0; n < MAX_TIMERS; n++) {
    await settle();
    if (holds()) return true;
    if (Date.now() >= end || vi.getTimerCount() === 0) return false;
    vi.advanceTimersToNextTimer();
  }
  throw new Error(`a page does not come to rest: ${MAX_TIMERS} timers within ${Date.now() - end + ms} ms`);
}

/** Lets everything that is under way come to rest. */
export async function rest(ms = 700): Promise<void> {
  await settle();
  for (let left = ms; left > 0; left -= 350) {
    vi.advanceTimersByTime(Math.min(left, 350));
    await settle();
  }
}

/** Everything sleeps; timers that came due meanwhile fire late, as they do when a laptop wakes. */
export async function sleep(ms: number): Promise<void> {
  vi.setSystemTime(Date.now() + ms);
  await rest();
}
