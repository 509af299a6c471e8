/**
 * What a page remembers: one table of values by name in IndexedDB, or in memory when the browser keeps nothing.
 * Values may hold keys that can't be read (`CryptoKey`).
 */

export interface Store {
  /** False: everything is gone after a reload. */
  readonly kept: boolean;
  get<T>(name: string): Promise<T | undefined>;
  /** Sets it, and `also` with it, all or nothing; undefined deletes. Handed to the browser before this returns: a page that is left at once does not lose it. */
  set(name: string, value: unknown, also?: Also): Promise<void>;
  delete(name: string): Promise<void>;
  /** Deletes all whose name begins so. */
  clear(prefix: string): Promise<void>;
  /** All whose name begins so, sorted by name. */
  list<T>(prefix: string): Promise<{ name: string; value: T }[]>;
  /** Sets it, and `also` with it, unless it is there; what is there then. All or nothing, atomic over all tabs. */
  init<T>(name: string, value: T, also?: Also): Promise<T>;
  /** Replaces a value by what `next` makes of it (undefined: deletes it) and sets `also`, all or nothing, atomic over all tabs. `next` must not wait. */
  update<T>(name: string, next: (now: T | undefined) => T, also?: Also): Promise<T>;
}

export type Also = readonly (readonly [name: string, value: unknown])[];

/** Of a visitor's browser. The launcher looks into it, too. */
export const DATABASE = 'kefu';
export const TABLE = 'kv';

export function memoryStore(): Store {
  const values = new Map<string, unknown>();
  const put = ([name, value]: Also[number]) => (value === undefined ? values.delete(name) : values.set(name, value));
  return {
    kept: false,
    get: async <T>(name: string) => values.get(name) as T | undefined,
    set: async (name, value, also = []) => void [[name, value] as const, ...also].forEach(put),
    delete: async (name) => void values.delete(name),
    clear: async (prefix) => [...values.keys()].forEach((n) => n.startsWith(prefix) && values.delete(n)),
    list: async <T>(prefix: string) =>
      [...values.keys()]
        .filter((n) => n.startsWith(prefix))
        .sort()
        .map((name) => ({ name, value: values.get(name) as T })),
    init: async <T>(name: string, value: T, also: Also = []) => {
      if (!values.has(name)) [[name, value] as const, ...also].forEach(put);
      return values.get(name) as T;
    },
    update: async <T>(name: string, next: (now: T | undefined) => T, also: Also = []) => {
      const value = next(values.get(name) as T | undefined);
      [[name, value] as const, ...also].forEach(put);
      return value;
    },
  };
}

/**
 * Some browsers never answer. A busy computer takes seconds for it, though, and a visitor for whom storage is given up too early becomes
 * a new visitor, without the conversation they had.
 */
const HANGS_MS = 10_000;

/** IndexedDB if it works, else memory. Never rejects, and answers even where a browser hangs. */
export async function openStore(database: string): Promise<Store> {
  try {
    const factory = globalThis.indexedDB as IDBFactory | null | undefined;
    if (!factory) return memoryStore();
    const db = await withTimeout(open(factory, database), HANGS_MS);
    const store = databaseStore(db);
    // some browsers open it and refuse to write
    await withTimeout(store.set('probe', 1), HANGS_MS);
    return store;
  } catch {
    return memoryStore();
  }
}

function withTimeout<T>(p: Promise<T>, ms: number): Promise<T> {
  return new Promise((done, fail) => {
    const timer = setTimeout(() => fail(new Error('storage does not answer')), ms);
    p.then(done, fail).finally(() => clearTimeout(timer));
  });
}

function open(factory: IDBFactory, name: string): Promise<IDBDatabase> {
  return new Promise((done, fail) => {
    const request = factory.open(name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(TABLE);
    request.onsuccess = () => done(request.result);
    request.onerror = () => fail(request.error ?? new Error('storage is blocked'));
    request.onblocked = () => fail(new Error('storage is blocked'));
  });
}

/** Names that begin so. */
export const within = (prefix: string): IDBKeyRange => IDBKeyRange.bound(prefix, `${prefix}\uffff`);

function putAll(t: IDBObjectStore, all: Also): void {
  for (const [name, value] of all) value === undefined ? t.delete(name) : t.put(value, name);
}

function databaseStore(db: IDBDatabase): Store {
  /** Resolves when the transaction is on disk, with what `work` asked for. */
  const run = <T>(mode: IDBTransactionMode, work: (t: IDBObjectStore, result: (v: T) => void) => void): Promise<T> =>
    new Promise((done, fail) => {
      let value: T;
      const tx = db.transaction(TABLE, mode);
      tx.oncomplete = () => done(value);
      tx.onerror = tx.onabort = () => fail(tx.error ?? new Error('storage failed'));
      work(tx.objectStore(TABLE), (v) => {
        value = v;
      });
    });
  return {
    kept: true,
    get: <T>(name: string) =>
      run<T | undefined>('readonly', (t, result) => {
        const r = t.get(name);
        r.onsuccess = () => result(r.result as T | undefined);
      }),
    set: (name, value, also = []) =>
      run<void>('readwrite', (t) => {
        putAll(t, [[name, value], ...also]);
        // older browsers commit by themselves, a moment later
        t.transaction.commit?.();
      }),
    delete: (name) => run<void>('readwrite', (t) => void t.delete(name)),
    clear: (prefix) => run<void>('readwrite', (t) => void t.delete(within(prefix))),
    list: <T>(prefix: string) =>
      run<{ name: string; value: T }[]>('readonly', (t, result) => {
        const out: { name: string; value: T }[] = [];
        result(out);
        const r = t.openCursor(within(prefix));
        r.onsuccess = () => {
          const c = r.result;
          if (!c) return;
          out.push({ name: String(c.key), value: c.value as T });
          c.continue();
        };
      }),
    init: <T>(name: string, value: T, also: Also = []) =>
      run<T>('readwrite', (t, result) => {
        const r = t.get(name);
        r.onsuccess = () => {
          if (r.result === undefined) putAll(t, [[name, value], ...also]);
          result((r.result as T | undefined) ?? value);
        };
      }),
    update: <T>(name: string, next: (now: T | undefined) => T, also: Also = []) =>
      run<T>('readwrite', (t, result) => {
        const r = t.get(name);
        r.onsuccess = () => {
          const value = next(r.result as T | undefined);
          putAll(t, [[name, value], ...also]);
          result(value);
        };
      }),
  };
}
