/**
 * Counts what is done with texts: the characters that any method of strings looks at. Every method is counted, so that a scanner can
 * use none unseen; a regular expression over more than a few characters fails, because what it does cannot be counted.
 */

/** Longest text that a regular expression may be given: an address. */
export const MAX_MATCHED = 2_100;

const LINEAR = [
  'trim',
  'trimStart',
  'trimEnd',
  'toLowerCase',
  'toUpperCase',
  'normalize',
  'repeat',
  'padStart',
  'concat',
  'localeCompare',
  'codePointAt',
  'split',
  'replace',
  'replaceAll',
] as const;

export class TooMuch extends Error {}

interface Counted<T> {
  result: T;
  steps: number;
  /** Longest text that a regular expression was given. */
  matched: number;
}

/** Stops with an error after `most` steps: what is quadratic would take minutes. */
export function counted<T>(run: () => T, most = Infinity): Counted<T> {
  let steps = 0;
  let matched = 0;
  const undo: (() => void)[] = [];
  const wrap = <O extends object>(
    on: O,
    name: PropertyKey,
    count: (self: unknown, args: unknown[], result: unknown) => void,
  ): void => {
    const old = Reflect.get(on, name) as (...args: unknown[]) => unknown;
    const descriptor = Object.getOwnPropertyDescriptor(on, name)!;
    Object.defineProperty(on, name, {
      ...descriptor,
      value(this: unknown, ...args: unknown[]) {
        const result = old.apply(this, args);
        count(this, args, result);
        if (steps > most) throw new TooMuch(`more than ${most} steps`);
        return result;
      },
    });
    undo.push(() => Object.defineProperty(on, name, descriptor));
  };
  const s = String.prototype;
  const length = (x: unknown): number => (x as string).length;
  for (const name of ['charAt', 'charCodeAt', 'at'] as const) wrap(s, name, () => steps++);
  for (const name of ['slice', 'substring'] as const) wrap(s, name, (_, __, result) => (steps += 1 + length(result)));
  for (const name of ['startsWith', 'endsWith'] as const) wrap(s, name, (_, args) => (steps += length(args[0])));
  for (const name of ['indexOf', 'includes'] as const) {
    wrap(s, name, (self, args, result) => {
      const from = Number(args[1] ?? 0);
      steps += typeof result === 'number' && result >= 0 ? result - from + 1 : Math.max(0, length(self) - from);
    });
  }
  wrap(s, 'lastIndexOf', (self) => (steps += length(self)));
  wrap(s, Symbol.iterator, (self) => (steps += length(self)));
  for (const name of LINEAR) wrap(s, name, (self) => (steps += length(self)));
  const { exec } = RegExp.prototype;
  for (const name of ['exec', 'test', Symbol.match, Symbol.matchAll, Symbol.replace, Symbol.split] as const) {
    const descriptor = Object.getOwnPropertyDescriptor(RegExp.prototype, name)!;
    const old = descriptor.value as (...args: unknown[]) => unknown;
    Object.defineProperty(RegExp.prototype, name, {
      ...descriptor,
      value(this: unknown, ...args: unknown[]) {
        // what it does inside is not counted again
        const outer = RegExp.prototype.exec;
        RegExp.prototype.exec = exec;
        try {
          return old.apply(this, args);
        } finally {
          RegExp.prototype.exec = outer;
          matched = Math.max(matched, length(args[0]));
          steps += length(args[0]);
        }
      },
    });
    undo.push(() => Object.defineProperty(RegExp.prototype, name, descriptor));
  }
  try {
    const result = run();
    return { result, steps, matched };
  } finally {
    for (const end of undo.reverse()) end();
  }
}
