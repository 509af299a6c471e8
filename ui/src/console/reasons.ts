/** Why the robot did what it did, in the page's language: a code with values. Words, as older robots wrote them, stay as they are. */
import { t, type ConsoleKey } from '../i18n/console';
import { zh } from '../i18n/console-zh';
import type { Vars } from '../i18n/core';
import { intentName } from './intents';

/** Characters of what a page does not know. */
const MAX_WORDS = 200;

const percent = (p: unknown): string => `${Math.round(Number(p) * 100)}%`;
const known = (key: string): key is ConsoleKey => Object.hasOwn(zh, key);

/** How each value is shown; others as they are. */
const SHOWN: Record<string, (v: unknown) => string> = {
  p: percent,
  q: percent,
  needs: percent,
  outside: percent,
  intent: (v) => intentName(String(v)),
  other: (v) => intentName(String(v)),
  do: (v) => (known(`do.${String(v)}`) ? t(`do.${String(v)}` as ConsoleKey) : String(v)),
};

/** '' if there is none, or none that this page knows. */
export function reasonText(why: unknown, depth = 0): string {
  if (typeof why === 'string') return why.slice(0, MAX_WORDS);
  // a robot gives at most a reason for a reason for a reason
  if (typeof why !== 'object' || why === null || depth > 2) return '';
  const { code, ...values } = why as Record<string, unknown>;
  const key = `why.${String(code)}`;
  if (!known(key)) return String(code ?? '').slice(0, MAX_WORDS);
  const vars: Vars = {};
  for (const [name, value] of Object.entries(values)) {
    const said = name === 'because' ? reasonText(value, depth + 1) : (SHOWN[name]?.(value) ?? value);
    vars[name] = typeof said === 'number' ? said : String(said).slice(0, MAX_WORDS);
  }
  return t(key, vars);
}
