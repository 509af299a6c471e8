/** One run: the scenario under some attacks, with pages loaded again somewhere; what came of it. */
import { settle, startTime, stopTime } from './clock';
import type { Cast } from './company';
import type { Attack, Outcome, Variant } from './attack';
import { anyAlarm, anyMark, violations } from './oracles';
import { step, STEPS, type Step } from './scenario';
import { World } from './world';
import { NOW } from '../support/company';

type Which = 'visitor' | 'agent';
/** Pages that are loaded again: before the first attack, after the last has begun, at the end. */
export interface Plan {
  before?: Which[];
  middle?: Which[];
  after?: Which[];
  /** The scenario goes from this step to its end. */
  last?: Step;
}

export interface Result {
  outcome: Outcome;
  wrong: string[];
  /** Attacks that changed nothing that anyone was shown. */
  untold: string[];
  world: World;
}

export function planOf(v: Variant): Plan {
  const [which, when] = v.split(' ') as [Which, 'before' | 'middle' | 'after' | undefined];
  return when ? { [when]: [which] } : {};
}

const place = (l: Attack): number => STEPS.indexOf(l.at);

export async function run(cast: Cast, attacks: readonly Attack[], plan: Plan = {}): Promise<Result> {
  stopTime(NOW);
  try {
    const w = await World.of(cast);
    const again = async (pages: Which[] = []): Promise<void> => {
      if (pages.length) await settle();
      for (const p of pages) if (w.visitor) await w.reload(p);
    };
    const [first, last] = [Math.min(...attacks.map(place)), Math.max(...attacks.map(place))];
    for (const [i, name] of STEPS.entries()) {
      if (i > last + 1 && plan.last && i > STEPS.indexOf(plan.last) && name !== 'end') continue;
      if (i === first) await again(plan.before);
      // an alarm may have kept the conversation from beginning: then there is nothing to attack
      const begun = w.stored || i <= STEPS.indexOf('hello');
      for (const l of begun ? attacks : []) {
        if (l.at === name) await l.arm(w, l.id);
        if (l.then?.at === name) await l.then.arm(w, l.id);
      }
      if (i === last) await again(plan.middle);
      await step(w, name);
    }
    if (plan.after) {
      await again(plan.after);
      await step(w, 'end');
    }
    w.end();
    const outcome = anyAlarm(w) ? 'alarm' : anyMark(w) ? 'marked' : 'harmless';
    const more = attacks.length === 1 ? (attacks[0]!.holds?.(w) ?? []) : [];
    return {
      outcome,
      wrong: [...(await violations(w)), ...more],
      untold: attacks.filter((l) => !w.hooks.told.get(l.id)).map((l) => l.id),
      world: w,
    };
  } finally {
    startTime();
  }
}

/** What a failing run is described by. */
export function story(r: Result): string {
  return r.world.looks
    .map(
      (k) =>
        `${k.who}, load ${k.load.n}${k.alarm ? ', ALARM' : ''} ${k.says.join(' ')}\n${k.lines.map((l) => `  ${l.seq} ${l.side}/${l.kind} ${l.text || JSON.stringify(l.fields ?? l.epoch ?? '')} ${l.state ?? ''} ${l.marks.join(' ')}`).join('\n')}`,
    )
    .join('\n');
}
