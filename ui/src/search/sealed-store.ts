/**
 * The index in IndexedDB, each row sealed by AES-256-GCM under a key that scripts can use and not read. The whole database goes at
 * sign-out. It has its own name, because it is large and can be deleted as one.
 */
import { utf8 } from '../crypto/bytes';
import type { Change, ConvRow, SegmentStore } from './index';

const TABLE = 'kv';
const KEY = 'key';
const META = 'meta';
const CONV = 'c/';
const INDEX = 'i/';
const TEXTS = 't/';
/** Raised when rows are no longer read as before: an older index is made again. */
const FORMAT = 1;
const IV = 12;

interface Meta {
  user: string;
  format: number;
  /** Raised by each write: other tabs see that theirs is old. */
  version: number;
  /** The person let it go on, or paused it. */
  on: boolean;
}

const asked = <T>(r: IDBRequest<T>): Promise<T> =>
  new Promise((done, fail) => {
    r.onsuccess = () => done(r.result);
    r.onerror = () => fail(r.error ?? new Error('storage failed'));
  });

const segmentName = (kind: string, n: number): string => kind + String(n).padStart(6, '0');

export class SealedStore implements SegmentStore {
  /** As this tab read it. */
  version = -1;

  private constructor(
    private readonly db: IDBDatabase,
    private readonly key: CryptoKey,
    private readonly user: string,
  ) {}

  /** What another person left is deleted, and so is what another kefu wrote. `gone`: it was deleted while this tab had it open. */
  static async open(database: string, user: string, gone: () => void): Promise<SealedStore> {
    const request = indexedDB.open(database, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(TABLE);
    const db = await asked(request);
    db.onversionchange = () => {
      db.close();
      gone();
    };
    db.onclose = gone;
    const fresh = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
    const tx = db.transaction(TABLE, 'readwrite');
    const t = tx.objectStore(TABLE);
    const meta = (await asked(t.get(META))) as Meta | undefined;
    let key = (await asked(t.get(KEY))) as CryptoKey | undefined;
    if (!key || meta?.user !== user || meta.format !== FORMAT) {
      t.clear();
      key = fresh;
      t.put(key, KEY);
      t.put({ user, format: FORMAT, version: 0, on: false } satisfies Meta, META);
    }
    await committed(tx);
    return new SealedStore(db, key, user);
  }

  close(): void {
    this.db.onclose = null;
    this.db.close();
  }

  private async seal(name: string, plain: Uint8Array): Promise<Uint8Array> {
    const iv = crypto.getRandomValues(new Uint8Array(IV));
    const params = { name: 'AES-GCM', iv, additionalData: utf8(name) as Uint8Array<ArrayBuffer> };
    const ct = new Uint8Array(await crypto.subtle.encrypt(params, this.key, plain as Uint8Array<ArrayBuffer>));
    const out = new Uint8Array(IV + ct.length);
    out.set(iv);
    out.set(ct, IV);
    return out;
  }

  private async open(name: string, sealed: Uint8Array): Promise<Uint8Array> {
    const bytes = sealed as Uint8Array<ArrayBuffer>;
    const params = {
      name: 'AES-GCM',
      iv: bytes.subarray(0, IV),
      additionalData: utf8(name) as Uint8Array<ArrayBuffer>,
    };
    return new Uint8Array(await crypto.subtle.decrypt(params, this.key, bytes.subarray(IV)));
  }

  private async rows(t: IDBObjectStore, prefix: string): Promise<[string, Uint8Array][]> {
    const range = IDBKeyRange.bound(prefix, `${prefix}\uffff`);
    const [keys, values] = await Promise.all([asked(t.getAllKeys(range)), asked(t.getAll(range))]);
    return keys.map((key, i) => [String(key), values[i] as Uint8Array]);
  }

  private async meta(): Promise<Meta | undefined> {
    return (await asked(this.db.transaction(TABLE).objectStore(TABLE).get(META))) as Meta | undefined;
  }

  /** Whether another tab wrote since this one read. */
  async isOld(): Promise<boolean> {
    return (await this.meta())?.version !== this.version;
  }

  /** Whether the person wants it to be built. */
  async on(): Promise<boolean> {
    return (await this.meta())?.on === true;
  }

  async setOn(on: boolean): Promise<void> {
    const tx = this.db.transaction(TABLE, 'readwrite');
    const t = tx.objectStore(TABLE);
    const meta = (await asked(t.get(META))) as Meta | undefined;
    if (meta) t.put({ ...meta, on }, META);
    await committed(tx);
  }

  async load(): Promise<{ segments: [number, Uint8Array][]; convs: [string, ConvRow][] }> {
    const t = this.db.transaction(TABLE).objectStore(TABLE);
    const [meta, indexes, convs] = await Promise.all([asked(t.get(META)), this.rows(t, INDEX), this.rows(t, CONV)]);
    this.version = (meta as Meta | undefined)?.version ?? -1;
    const segments = await Promise.all(
      indexes.map(async ([name, sealed]) => [Number(name.slice(INDEX.length)), await this.open(name, sealed)] as const),
    );
    const decoder = new TextDecoder();
    const rows = await Promise.all(
      convs.map(
        async ([name, sealed]) =>
          [name.slice(CONV.length), JSON.parse(decoder.decode(await this.open(name, sealed))) as ConvRow] as const,
      ),
    );
    return { segments: segments.map(([n, s]) => [n, s]), convs: rows.map(([id, row]) => [id, row]) };
  }

  async texts(segment: number): Promise<Uint8Array> {
    const name = segmentName(TEXTS, segment);
    const sealed = (await asked(this.db.transaction(TABLE).objectStore(TABLE).get(name))) as Uint8Array | undefined;
    if (!sealed) throw new Error('a part of the index is gone');
    return this.open(name, sealed);
  }

  async write({ segments, convs }: Change): Promise<void> {
    const rows: [string, Uint8Array | null][] = [];
    for (const [n, parts] of segments) {
      const [index, texts] = [segmentName(INDEX, n), segmentName(TEXTS, n)];
      rows.push([index, parts && (await this.seal(index, parts.index))]);
      rows.push([texts, parts && (await this.seal(texts, parts.texts))]);
    }
    for (const [id, row] of convs)
      rows.push([CONV + id, row && (await this.seal(CONV + id, utf8(JSON.stringify(row))))]);
    const tx = this.db.transaction(TABLE, 'readwrite');
    const t = tx.objectStore(TABLE);
    const meta = (await asked(t.get(META))) as Meta | undefined;
    // signed out meanwhile, or another person is in
    if (meta?.user !== this.user) {
      tx.abort();
      throw new Error('the index is gone');
    }
    for (const [name, value] of rows) value ? t.put(value, name) : t.delete(name);
    t.put({ ...meta, version: meta.version + 1 } satisfies Meta, META);
    await committed(tx);
    this.version = meta.version + 1;
  }
}

const committed = (tx: IDBTransaction): Promise<void> =>
  new Promise((done, fail) => {
    tx.oncomplete = () => done();
    tx.onerror = tx.onabort = () => fail(tx.error ?? new Error('storage failed'));
  });
