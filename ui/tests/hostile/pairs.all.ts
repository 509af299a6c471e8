/** All pairs of lies. Minutes: not part of the ordinary run, but of `npm run hostile`. */
import { expect, it } from 'vitest';
import { makeCast } from './company';
import { LIES } from './lies';
import { describeReport, pairsOf, runAll } from './pairs';

it('all pairs of lies', async () => {
  const pairs = pairsOf(LIES);
  const began = performance.now();
  const report = await runAll(await makeCast(), pairs, (n) => {
    if (n % 500 === 0) console.log(`${n} of ${pairs.length} after ${Math.round((performance.now() - began) / 1000)} s`);
  });
  console.log(`hostile bench: ${LIES.length * (LIES.length - 1)} ordered pairs in ${describeReport(report)}`);
  expect(report.runs).toBe(pairs.length);
  expect(report.wrong.size, describeReport(report)).toBe(0);
}, 3_600_000);
