/** Some of the pairs of attacks; all of them by `npm run hostile`. */
import { expect, it } from 'vitest';
import { makeCast } from './company';
import { ATTACKS } from './attacks';
import { describeReport, pairsOf, runAll, sample } from './pairs';

it('a sample of all pairs of attacks', async () => {
  const report = await runAll(await makeCast(), sample(pairsOf(ATTACKS), 160));
  console.log(`hostile bench: ${describeReport(report).split('\n')[0]}`);
  expect(report.runs).toBe(160);
  expect([...report.wrong], describeReport(report)).toEqual([]);
}, 120_000);
