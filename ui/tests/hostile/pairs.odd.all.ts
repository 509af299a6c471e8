/** Half of all pairs of attacks. Minutes: not part of the ordinary run, but of `npm run hostile`. */
import { expect, it } from 'vitest';
import { makeCast } from './company';
import { ATTACKS } from './attacks';
import { describeReport, runHalf } from './pairs';

it('all pairs of attacks, the odd ones', async () => {
  const report = await runHalf(await makeCast(), ATTACKS, 1);
  expect(report.wrong.size, describeReport(report)).toBe(0);
});
