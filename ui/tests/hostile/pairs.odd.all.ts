/** Half of all pairs of lies. Minutes: not part of the ordinary run, but of `npm run hostile`. */
import { expect, it } from 'vitest';
import { makeCast } from './company';
import { LIES } from './lies';
import { describeReport, runHalf } from './pairs';

it('all pairs of lies, the odd ones', async () => {
  const report = await runHalf(await makeCast(), LIES, 1);
  expect(report.wrong.size, describeReport(report)).toBe(0);
});
