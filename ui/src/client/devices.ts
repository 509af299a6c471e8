/**
 * Goes on at another device (protocol §9): this one seals the keys of its conversations under a secret that only the link has, and leaves
 * them with the server for ten minutes; the other one takes them, once, and keeps them sealed to its own key. Fetched with the widget's
 * third file.
 */
import { b64u, cat, hex, random, sized, text, unb64u, unhex, utf8 } from '../crypto/bytes';
import { reject } from '../crypto/error';
import { grant, MAX_GRANT } from '../crypto/grant';
import { BoxKind, H } from '../crypto/hash';
import { stringify } from '../json';
import { exportKeys } from './agent-log';
import type { Conversation } from './conversation';
import { earlierLogs, keepEarlier, type EarlierHost } from './earlier';
import type { Engine } from './engine';

const MAX_CONVS = 20;
/** Most keys of all conversations. */
const MAX_KEYS = 600;
/** Characters of what is handed over, as it travels. */
const MAX_BLOB = 90_000;
const NONCE = 12;
const AAD = utf8('kefu/1 device');

interface HandedOver {
  conv: string;
  /** Number of the epoch, and its key, b64u. */
  keys: [number, string][];
}

const idOf = (secret: Uint8Array): string => hex(H('device-id', secret).subarray(0, 16));
const keyOf = (secret: Uint8Array): Uint8Array => H('device-key', secret);

/** The secret for the link, b64u. `shown`: the conversations of this page, which it took part in. */
export async function handOver(h: EarlierHost, engine: Engine, shown: readonly Conversation[]): Promise<string> {
  const all: HandedOver[] = [];
  let left = MAX_KEYS;
  const add = (conv: string, keys: readonly { epoch: number; ek: Uint8Array }[]): void => {
    const some = keys.slice(-left);
    left -= some.length;
    if (some.length) all.push({ conv, keys: some.map(({ epoch, ek }) => [epoch, b64u(ek)]) });
  };
  for (const { id, log } of shown) add(id, await exportKeys(engine.context, log));
  for (const log of await earlierLogs(h, new Set(shown.map((c) => c.id))))
    if (left > 0 && all.length < MAX_CONVS) add(log.id, await exportKeys(engine.context, log));
  const secret = random(32);
  const iv = random(NONCE);
  const sealed = await h.backend.aes('encrypt', keyOf(secret), iv, AAD, utf8(stringify(all)));
  const convs = all.map(({ conv }) => conv);
  await h.http.post('/devices', { id: idOf(secret), convs, blob: b64u(cat(iv, sealed)) }, h.token());
  return b64u(secret);
}

/** The newest of the conversations that may be read here from now on; null if there was none. */
export async function takeOver(h: EarlierHost, link: string): Promise<string | null> {
  const secret = sized(link, 32);
  const { blob } = await h.http.post<{ blob: string }>('/devices/take', { id: idOf(secret) }, h.token());
  if (blob.length > MAX_BLOB) reject('too_large');
  const bytes = unb64u(blob);
  const opened = await h.backend
    .aes('decrypt', keyOf(secret), bytes.subarray(0, NONCE), AAD, bytes.subarray(NONCE))
    .catch(() => reject('open'));
  const all = JSON.parse(text(opened)) as HandedOver[];
  const { backend, keys } = h;
  for (const { conv, keys: of } of all.slice(0, MAX_CONVS)) {
    const list = of.slice(0, MAX_GRANT).map(([epoch, ek]) => ({ epoch, ek: sized(ek, 32) }));
    if (!list.length) continue;
    await keepEarlier(
      h,
      conv,
      await grant(backend, unhex(conv), list, { kind: BoxKind.visitor, pk: keys.x.pk }, keys.ed),
    );
  }
  return all[0]?.conv ?? null;
}
