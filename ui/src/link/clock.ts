/**
 * Whether this device's clock and the server's agree. Terms of keys and invites are judged by the own clock, never by the server's
 * word; but one that is wrong by hours makes valid things look forged, and people must be told about the clock then.
 */
import { signal } from '../signals';

/** What no slow connection explains, ms. */
export const CLOCK_OFF_MS = 5 * 60_000;

/** Both, ms, while they differ by more. */
export const clocks = signal<{ mine: number; server: number } | null>(null);

/** The newest date that the company signed, ms: no clock that is right is before it. */
export const signedDate = signal(0);

/** The one that is certainly wrong, as far as signed dates show. */
export function wrongClock(): 'mine' | 'server' | null {
  const before = (ms: number): boolean => ms < signedDate.value - CLOCK_OFF_MS;
  const { value } = clocks;
  if (!value || before(value.mine) === before(value.server)) return null;
  return before(value.mine) ? 'mine' : 'server';
}

/** What is signed now gets a plausible date. A wrong one would stop everyone whose clock is right. */
export const mayDate = (): boolean => !clocks.value || wrongClock() === 'server';

export function compareClocks(server: number, mine: number): void {
  const off = Number.isFinite(server) && Math.abs(server - mine) > CLOCK_OFF_MS;
  if (off) clocks.value = { mine, server };
  else if (clocks.value) clocks.value = null;
}
