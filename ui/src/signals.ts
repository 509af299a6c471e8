/**
 * Values that notify their readers when they change: the small part of Preact's signals that the pages need, with the same
 * names and the same behaviour there. Components are bound to them in `ui/signals.ts`; nothing here knows of pages.
 */

export interface ReadonlySignal<T> {
  /** Reading it inside a computation, an effect or a component makes that run again when it changes. */
  readonly value: T;
  /** Reads it without being notified of changes. */
  peek(): T;
  /** Calls `fn` now and after every change; returns how to stop that. */
  subscribe(fn: (value: T) => void): () => void;
}

export interface Signal<T> extends ReadonlySignal<T> {
  /** Setting what is there already does nothing. */
  value: T;
}

/** A reader: notified once after the last of the changes that come together. */
export interface Reader {
  /** The lists it is in. */
  readonly sources: Set<Set<Reader>>;
  changed(): void;
}

let reading: Reader | null = null;
const waiting = new Set<Reader>();
let depth = 0;

/** From here on `reader` (or nobody) is notified of what is read; returns the previous one. */
export function readAs(reader: Reader | null): Reader | null {
  const before = reading;
  reading = reader;
  return before;
}

/** Is no longer notified. */
export function forget(reader: Reader): void {
  for (const readers of reader.sources) readers.delete(reader);
  reader.sources.clear();
  waiting.delete(reader);
}

/** Runs `fn`, and notifies readers only after it. Throws the first error when all were notified. */
function together(fn: () => void): void {
  const errors: unknown[] = [];
  const attempt = (what: () => void): void => {
    try {
      what();
    } catch (e) {
      errors.push(e);
    }
  };
  depth++;
  attempt(fn);
  if (depth === 1) {
    // what is added meanwhile has its turn, too
    for (const reader of waiting) {
      waiting.delete(reader);
      attempt(() => reader.changed());
    }
  }
  depth--;
  if (errors.length) throw errors[0];
}

class Source<T> implements Signal<T> {
  private readonly readers = new Set<Reader>();
  constructor(private now: T) {}

  get value(): T {
    if (reading) {
      this.readers.add(reading);
      reading.sources.add(this.readers);
    }
    return this.now;
  }

  set value(next: T) {
    if (next === this.now) return;
    this.now = next;
    together(() => this.readers.forEach((r) => waiting.add(r)));
  }

  peek(): T {
    return this.now;
  }

  subscribe(fn: (value: T) => void): () => void {
    return effect(() => {
      const { value } = this;
      const me = readAs(null);
      fn(value);
      readAs(me);
    });
  }
}

export const signal = <T>(value: T): Signal<T> => new Source(value);

/** Runs `fn` now and whenever what it read has changed; returns how to stop that. */
export function effect(fn: () => void): () => void {
  const me: Reader = {
    sources: new Set(),
    changed: () =>
      together(() => {
        forget(me);
        const before = readAs(me);
        try {
          fn();
        } finally {
          readAs(before);
        }
      }),
  };
  me.changed();
  return () => forget(me);
}

/** What `fn` gives, kept up to date as long as what it reads lives. */
export function computed<T>(fn: () => T): ReadonlySignal<T> {
  const result = signal<T>(undefined as T);
  effect(() => {
    result.value = fn();
  });
  return result;
}

/** What `fn` gives as soon as that is not null. */
export function when<T>(fn: () => T | null): Promise<T> {
  return new Promise((done) => {
    const stop = effect(() => {
      const value = fn();
      if (value === null) return;
      done(value);
      // the first run comes before there is anything to stop
      queueMicrotask(() => stop());
    });
  });
}
