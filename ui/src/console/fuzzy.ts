/** How well a text fits what was typed: its characters in their order, better together and at the beginning of words. */

const isBreak = (c: string | undefined): boolean => c === undefined || /[\s\-_.·:/]/.test(c);

/** Higher is better; null: it does not fit. Case and width do not matter. */
export function fuzzy(typed: string, text: string): number | null {
  const want = fold(typed).replace(/\s+/g, '');
  if (!want) return 0;
  const have = fold(text);
  const whole = have.indexOf(fold(typed).trim());
  // found as it was typed: nothing is better
  if (whole >= 0) return 1_000 - whole - have.length / 1_000 + (isBreak(have[whole - 1]) ? 500 : 0);
  let score = 0;
  let at = -1;
  for (const c of want) {
    const next = have.indexOf(c, at + 1);
    if (next < 0) return null;
    score += next === at + 1 ? 4 : isBreak(have[next - 1]) ? 3 : 1;
    at = next;
  }
  return score - have.length / 1_000;
}

const fold = (text: string): string => text.normalize('NFKC').toLowerCase();

/** Those that fit, the best first; equals stay in their order. */
export function ranked<T>(typed: string, all: readonly T[], textOf: (one: T) => string, most: number): T[] {
  return all
    .flatMap((one) => {
      const score = fuzzy(typed, textOf(one));
      return score === null ? [] : [{ one, score }];
    })
    .sort((a, b) => b.score - a.score)
    .slice(0, most)
    .map(({ one }) => one);
}
