/** Each attack alone, with the visitor's and the agent's page loaded again before it, into it, after it, and never. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeCast, type Cast } from './company';
import { expected, variantsOf, type Outcome } from './attack';
import { ATTACKS, NOT_BUILT } from './attacks';
import { planOf, run, story } from './run';

let cast: Cast;
const counts: Record<Outcome, number> = { alarm: 0, marked: 0, harmless: 0 };
beforeAll(async () => {
  cast = await makeCast();
});
afterAll(() => {
  const runs = Object.values(counts).reduce((a, b) => a + b, 0);
  console.log(
    `hostile bench: ${ATTACKS.length} attacks alone, ${runs} runs: ${counts.alarm} alarm, ${counts.marked} marked, ${counts.harmless} harmless`,
  );
});

describe('the list', () => {
  it('names each attack once, and says why what is harmless is', () => {
    expect(new Set(ATTACKS.map((l) => l.id)).size).toBe(ATTACKS.length);
    for (const l of ATTACKS) if (JSON.stringify(l.expect).includes('harmless')) expect(l.harmless, l.id).toBeTruthy();
  });

  it('has every attack of the model but those on attachments', () => {
    const told = new Set(ATTACKS.flatMap((l) => [...l.from.matchAll(/model (\d+)/g)].map((m) => Number(m[1]))));
    const missing = Array.from({ length: 36 }, (_, i) => i + 1).filter((n) => !told.has(n));
    expect(missing).toEqual(NOT_BUILT);
  });
});

describe.each(ATTACKS.map((l) => [`${l.id}: ${l.what}`, l] as const))('%s', (_, attack) => {
  it.each(variantsOf(attack))('loaded again: %s', async (variant) => {
    const r = await run(cast, [attack], planOf(variant));
    counts[r.outcome]++;
    expect(r.untold, `the attack was not told\n${story(r)}`).toEqual([]);
    expect(r.wrong, story(r)).toEqual([]);
    expect(r.outcome, story(r)).toBe(expected(attack, variant));
  });
});
