/**
 * Two attacks in one run. The scenario decides which of two is first if they begin at different steps; then one run stands for both
 * orders. Pages are loaded again by turns: none, the visitor's, the agent's, both; those that an attack needs to be carried out always are.
 */
import type { Cast } from './company';
import type { Attack, Outcome } from './attack';
import { run, type Plan } from './run';
import { STEPS, type Step } from './scenario';

export interface Pair {
  attacks: readonly [Attack, Attack];
  plan: Plan;
}

const TURNS: readonly Plan['middle'][] = [undefined, ['visitor'], ['agent'], ['visitor', 'agent']];
/** Steps that are played after the second attack begins, before the last words. */
const MORE = 2;

/** In the order in which they are made. */
export function pairsOf(attacks: readonly Attack[]): Pair[] {
  const out: Pair[] = [];
  for (const [i, a] of attacks.entries()) {
    for (const [j, b] of attacks.entries()) {
      const [x, y] = [STEPS.indexOf(a.at), STEPS.indexOf(b.at)];
      if (i === j || x > y) continue;
      const needed = [a.only, b.only].filter((p) => p !== undefined);
      const turn = TURNS[out.length % TURNS.length] ?? [];
      const middle = (['visitor', 'agent'] as const).filter((p) => needed.includes(p) || turn.includes(p));
      const latest = Math.max(y, ...[a, b].map((l) => (l.then ? STEPS.indexOf(l.then.at) : 0)));
      const last = STEPS[Math.min(latest + MORE, STEPS.length - 1)] as Step;
      out.push({ attacks: [a, b], plan: { middle, last } });
    }
  }
  return out;
}

/** Some of them, the same ones each time. */
export function sample<T>(all: readonly T[], n: number): T[] {
  const stride = Math.max(1, Math.floor(all.length / n));
  return all.filter((_, i) => i % stride === (i * 7) % Math.min(stride, 7)).slice(0, n);
}

export interface Report {
  runs: number;
  counts: Record<Outcome, number>;
  /** What went wrong, with the pairs by which it did. */
  wrong: Map<string, string[]>;
}

/** Every oracle holds after each; the joint result of two attacks is not specified in advance. */
export async function runAll(
  cast: Cast,
  pairs: readonly Pair[],
  progress: (done: number, news: string[]) => void = () => undefined,
): Promise<Report> {
  const r: Report = { runs: 0, counts: { alarm: 0, marked: 0, harmless: 0 }, wrong: new Map() };
  for (const { attacks, plan } of pairs) {
    const name = `${attacks[0].id} + ${attacks[1].id}${plan.middle?.length ? `, loaded again: ${plan.middle.join(', ')}` : ''}`;
    const news: string[] = [];
    const put = (what: string): void => {
      if (!r.wrong.has(what)) news.push(`${what}\n    ${name}`);
      r.wrong.set(what, [...(r.wrong.get(what) ?? []), name]);
    };
    try {
      const { outcome, wrong } = await run(cast, attacks, plan);
      r.counts[outcome]++;
      // texts carry a number and a random part; what is wrong is the same without
      for (const x of wrong) put(x.replace(/ \d+-[0-9a-f]{8}/g, '').replace(/ in load \d+/, ''));
    } catch (e) {
      put(String(e));
    }
    progress(++r.runs, news);
  }
  return r;
}

export function describeReport(r: Report): string {
  const { alarm, marked, harmless } = r.counts;
  const wrong = [...r.wrong]
    .map(([what, by]) => `${what}\n    ${by.length} pairs: ${by.slice(0, 6).join(' | ')}`)
    .join('\n');
  return `${r.runs} runs of two attacks: ${alarm} alarm, ${marked} marked, ${harmless} harmless\n${wrong}`;
}

/** Every second pair; two files of them share the work of two cores. */
export async function runHalf(cast: Cast, attacks: readonly Attack[], half: 0 | 1): Promise<Report> {
  const pairs = pairsOf(attacks).filter((_, i) => i % 2 === half);
  const began = performance.now();
  const report = await runAll(cast, pairs, (n, news) => {
    for (const what of news) console.log(what);
    if (n % 500 === 0) console.log(`${n} of ${pairs.length} after ${Math.round((performance.now() - began) / 1000)} s`);
  });
  console.log(
    `hostile bench: half of ${attacks.length * (attacks.length - 1)} ordered pairs in ${describeReport(report)}`,
  );
  return report;
}
