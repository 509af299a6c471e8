/** Clocks that differ: which one is wrong for certain, and that nothing is dated by one that may be. */
import { afterEach, describe, expect, it } from 'vitest';
import { clocks, CLOCK_OFF_MS, compareClocks, mayDate, signedDate, wrongClock } from '../src/link/clock';

const NOW = 1_795_900_000_000;
const DAY = 86_400_000;

afterEach(() => {
  clocks.value = null;
  signedDate.value = 0;
});

describe('two clocks', () => {
  it.each([
    ['agree', 0, null],
    ['differ by what a slow connection may take', CLOCK_OFF_MS, null],
    ['differ', CLOCK_OFF_MS + 1, { mine: NOW, server: NOW + CLOCK_OFF_MS + 1 }],
    ['differ by years', -400 * DAY, { mine: NOW, server: NOW - 400 * DAY }],
    ['cannot be compared', NaN, null],
  ])('%s', (_, by, both) => {
    compareClocks(NOW + by, NOW);
    expect(clocks.value).toEqual(both);
  });

  it('agree again once one is set', () => {
    compareClocks(NOW + DAY, NOW);
    compareClocks(NOW, NOW);
    expect([clocks.value, mayDate()]).toEqual([null, true]);
  });

  it.each([
    ['mine', NOW - 3 * DAY, NOW, 'mine', false],
    ['the server’s', NOW, NOW - 3 * DAY, 'server', true],
    ['nobody knows which, both after what was signed', NOW + 3 * DAY, NOW, null, false],
    ['nobody knows which, both before', NOW - 3 * DAY, NOW - 9 * DAY, null, false],
  ])('one is before what the company signed: %s', (_, mine, server, wrong, signs) => {
    signedDate.value = NOW - DAY;
    compareClocks(server, mine);
    expect([wrongClock(), mayDate()]).toEqual([wrong, signs]);
  });
});
