/** A reader of history with a directory of its own, from what the console hands out. For the Worker of the index, and for exports. */
import type { BoxKey } from '../crypto/backend';
import { hex } from '../crypto/bytes';
import { detectBackend } from '../crypto/detect';
import { boxKid, BoxKind, kidOf } from '../crypto/hash';
import { syncFromLog } from '../client/log-sync';
import type { Env } from '../link/env';
import { createHttp } from '../link/http';
import { ClientError, type ErrorKey } from '../model';
import { openStore } from '../storage/store';
import { HistoryReader } from './reader';
import type { ReaderAccess } from './worker-protocol';

const never = (): never => {
  throw new Error('a reader of history opens no socket');
};

/** Of a page or of a Worker: nothing but requests. */
export const requestsOnly: Env = {
  socket: never,
  fetch: (url, init) => fetch(url, { credentials: 'omit', cache: 'no-store', referrerPolicy: 'no-referrer', ...init }),
  random: Math.random,
  now: Date.now,
  turn: () => new Promise((done) => setTimeout(done, 0)),
  onWake: never,
};

export interface MadeReader {
  reader: HistoryReader;
  /** Keys, token or teams are others now. */
  update(access: ReaderAccess): Promise<void>;
}

/** The directory is verified under the fingerprint that the page has. */
export async function makeReader(first: ReaderAccess): Promise<MadeReader> {
  let access = first;
  let boxes: ReadonlyMap<string, BoxKey> = new Map();
  const { server, fp, pk, storagePrefix } = access;
  const store = await openStore('kefu-console');
  const wrapKey = async (fresh: () => Promise<CryptoKey>): Promise<CryptoKey> =>
    (await store.get<CryptoKey>('wrap')) ?? fresh();
  const backend = await detectBackend({ wrapKey });
  const update = async (next: ReaderAccess): Promise<void> => {
    access = next;
    const keys = await Promise.all(next.boxes.map((kept) => backend.restoreBoxKey(kept)));
    boxes = new Map(keys.map((key) => [hex(boxKid(BoxKind.team, key.pk)), key]));
  };
  await update(first);
  const http = createHttp(server, requestsOnly);
  const alarm = (why: ErrorKey): never => {
    throw new ClientError(why);
  };
  const onAlarm = (e: ClientError): never => {
    throw e;
  };
  const { now, turn } = requestsOnly;
  const sync = await syncFromLog({ backend, store, http, now, onChange: () => undefined, onAlarm }, fp);
  const reader = new HistoryReader({
    backend,
    store,
    storagePrefix,
    http,
    sync,
    kid: hex(kidOf(pk)),
    pk,
    boxes: () => boxes,
    token: () => access.token,
    now,
    turn,
    alarm,
  });
  return { reader, update };
}
