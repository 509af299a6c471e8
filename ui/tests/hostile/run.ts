/** One run: the scenario under some lies, with a page loaded again somewhere; what came of it. */
import { startTime, stopTime } from './clock';
import type { Cast } from './company';
import type { Lie, Outcome, Variant } from './lie';
import { anyAlarm, anyMark, violations } from './oracles';
import { step, STEPS } from './scenario';
import { World } from './world';
import { NOW } from '../support/company';

export interface Result {
  outcome: Outcome;
  wrong: string[];
  /** Lies that were told to nobody. */
  untold: string[];
  world: World;
}

export async function run(cast: Cast, lies: readonly Lie[], variant: Variant = 'never'): Promise<Result> {
  stopTime(NOW);
  try {
    const w = await World.of(cast);
    const [which, when] = variant.split(' ') as ['visitor' | 'agent', 'before' | 'middle' | 'after' | undefined];
    for (const name of STEPS) {
      const first = lies[0]?.at === name;
      if (first && when === 'before' && w.visitor) await w.reload(which);
      for (const l of lies) {
        if (l.at === name) await l.arm(w, l.id);
        if (l.then?.at === name) await l.then.arm(w, l.id);
      }
      if (first && when === 'middle' && w.visitor) await w.reload(which);
      await step(w, name);
    }
    if (when === 'after') {
      await w.reload(which);
      await step(w, 'end');
    }
    w.end();
    const outcome = anyAlarm(w) ? 'alarm' : anyMark(w) ? 'marked' : 'harmless';
    const wrong = [...(await violations(w)), ...(lies.length === 1 ? (lies[0]!.holds?.(w) ?? []) : [])];
    return { outcome, wrong, untold: lies.filter((l) => !w.hooks.told.get(l.id)).map((l) => l.id), world: w };
  } finally {
    startTime();
  }
}

/** What a failing run is described by. */
export function story(r: Result): string {
  return r.world.looks
    .map((k) => `${k.who}, load ${k.load.n}${k.alarm ? ', ALARM' : ''} ${k.says.join(' ')}\n${k.lines.map((l) => `  ${l.seq} ${l.side}/${l.kind} ${l.text || JSON.stringify(l.fields ?? l.epoch ?? '')} ${l.state ?? ''} ${l.marks.join(' ')}`).join('\n')}`)
    .join('\n');
}
