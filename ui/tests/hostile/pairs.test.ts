/** Some of the pairs of lies; all of them by `npm run hostile`. */
import { expect, it } from 'vitest';
import { makeCast } from './company';
import { LIES } from './lies';
import { describeReport, pairsOf, runAll, sample } from './pairs';

it('a sample of all pairs of lies', async () => {
  const report = await runAll(await makeCast(), sample(pairsOf(LIES), 160));
  console.log(`hostile bench: ${describeReport(report).split('\n')[0]}`);
  expect(report.runs).toBe(160);
  expect([...report.wrong], describeReport(report)).toEqual([]);
}, 120_000);
