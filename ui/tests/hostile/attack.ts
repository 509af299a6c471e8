/** What an attack is, and how runs are made of attacks. */
import { STEPS, type Step } from './scenario';
import type { World } from './world';

/** `alarm`: the page trusts the server no more. `marked`: what is wrong is shown as wrong. `harmless`: all that is shown is true. */
export type Outcome = 'alarm' | 'marked' | 'harmless';
/** Which page is loaded again, and when: before the attack begins, into it, or at the end of the conversation. */
export const VARIANTS = [
  'never',
  'visitor before',
  'visitor middle',
  'visitor after',
  'agent before',
  'agent middle',
  'agent after',
] as const;
export type Variant = (typeof VARIANTS)[number];

export interface Attack {
  id: string;
  /** `model 12`, `A3`, `B`, `3.11-6`. */
  from: string;
  what: string;
  /** The step before which it begins. */
  at: Step;
  /** Who must be with the server, or what it must hold, beyond the robot's keys. */
  needs?: string;
  /** Carried out only by loads of this page, not in the other variants. */
  only?: 'visitor' | 'agent';
  /** Of runs that differ by what is loaded again; the rest is `else`. */
  expect: Outcome | (Partial<Record<Variant, Outcome>> & { else: Outcome });
  /** Why nothing need be shown. */
  harmless?: string;
  arm(w: World, id: string): unknown;
  /** A second part, later. */
  then?: { at: Step; arm(w: World, id: string): unknown };
  /** What else must hold at the end, beyond the oracles; violations are reported. */
  holds?(w: World): string[];
}

export const expected = (l: Attack, v: Variant): Outcome =>
  typeof l.expect === 'string' ? l.expect : (l.expect[v] ?? l.expect.else);

/** Those that make a difference: a page that is not there yet cannot be loaded again. */
export function variantsOf(l: Attack): readonly Variant[] {
  if (l.only) return VARIANTS.filter((v) => v === `${l.only} middle` || v === `${l.only} after`);
  const there = { visitor: 'hello', agent: 'reply' } as const;
  return VARIANTS.filter((v) => {
    const [which, when] = v.split(' ') as ['visitor' | 'agent' | 'never', string | undefined];
    return which === 'never' || when === 'after' || STEPS.indexOf(l.at) >= STEPS.indexOf(there[which]);
  });
}
