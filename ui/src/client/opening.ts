/** What a visitor makes before the server knows of them: keys, and the first epoch of a conversation. */
import type { Backend, BoxKey, KeptKey, SigningKey } from '../crypto/backend';
import { b64u, cat, hex, sized, unhex, utf8 } from '../crypto/bytes';
import type { Directory } from '../crypto/directory';
import { acceptAnnouncement, announce, emptyChain } from '../crypto/epoch';
import { BoxKind, boxKid } from '../crypto/hash';
import { hkdf } from '../crypto/hkdf';
import { Envelope, type Conv } from '../proto';
import type { Store } from '../storage/store';
import type { Conversation } from './conversation';
import type { Engine } from './engine';

export interface Keys {
  ed: SigningKey;
  x: BoxKey;
}

/** A conversation this browser began. `opened`: the server has it. `form`: id of the message with the visitor's form; none from a widget of 0.1. */
export interface PendingConversation {
  id: string;
  nonce: Uint8Array;
  ann: Uint8Array;
  opened: boolean;
  form?: string;
}

type KeptKeys = Record<'ed' | 'x', KeptKey>;

const restored = async (backend: Backend, { ed, x }: KeptKeys): Promise<Keys> => ({
  ed: await backend.restoreSigningKey(ed),
  x: await backend.restoreBoxKey(x),
});

/** Those of an earlier visit. Keys of another back end (the page moved to https, say) can't be used; the visitor then begins again. */
export async function restoreKeys(backend: Backend, store: Store, storagePrefix: string): Promise<Keys | null> {
  const name = `${storagePrefix}keys`;
  const kept = await store.get<KeptKeys>(name);
  if (!kept) return null;
  try {
    return await restored(backend, kept);
  } catch {
    await store.delete(name);
    return null;
  }
}

/** Those of a person on all of their devices: whoever has the seed is this visitor. Nothing of it is kept. */
export async function keysFromSeed(backend: Backend, fp: Uint8Array, seed: string): Promise<Keys> {
  const okm = hkdf(sized(seed, 32), new Uint8Array(), cat(utf8('kefu/1 visitor'), fp), 64);
  return { ed: await backend.signingKey(okm.slice(0, 32)), x: await backend.boxKey(okm.slice(32)) };
}

/** New keys, kept; or those that another tab kept a moment ago. */
export async function makeKeys(backend: Backend, store: Store, storagePrefix: string): Promise<Keys> {
  const [ed, x] = await Promise.all([backend.newSigningKey(), backend.newBoxKey()]);
  const fresh = { ed: await ed.keep(), x: await x.keep() };
  const kept = await store.init(`${storagePrefix}keys`, fresh).catch(() => fresh);
  if (kept === fresh) return { ed, x };
  return restored(backend, kept);
}

/** Epoch 0 for the site's team, as the directory names it; the server's word does not count. `botX`: the robot that is let in. */
export function firstAnnouncement(
  backend: Backend,
  dir: Directory,
  site: string,
  keys: Keys,
  id: string,
  botX: Uint8Array | null,
): Promise<Uint8Array> {
  const next = {
    conv: unhex(id),
    last: emptyChain(),
    dirSeq: dir.seq,
    dirHead: dir.head,
    teamPk: dir.teamPk(dir.siteTeam(site)!),
    visitorX: keys.x.pk,
    botX,
  };
  return announce(backend, next, keys.ed);
}

/** The conversation as this page made it, before the server has it or answers. */
export async function applyLocal(
  engine: Engine,
  backend: Backend,
  dir: Directory,
  site: string,
  keys: Keys,
  pending: PendingConversation,
): Promise<Conversation> {
  const { id, ann } = pending;
  const env = Envelope.parse(ann)!;
  const now = engine.link.now();
  const none = { delivered: 0, read: 0 };
  const { ed, x } = keys;
  const conv: Conv = {
    id,
    site,
    team: dir.siteTeam(site)!,
    owner: env.flags ? 'robot' : 'queue',
    state: 'open',
    ed: b64u(ed.pk),
    x: b64u(x.pk),
    last: 0,
    epoch: 0,
    created: now,
    last_at: now,
    visitor: none,
    agent: none,
  };
  const thread = engine.conversation(id, conv);
  const mine = new Map([[hex(boxKid(BoxKind.visitor, x.pk)), x]]);
  const who = { visitorEd: ed.pk, visitorX: x.pk };
  const accepted = await acceptAnnouncement(backend, env, {
    conv: unhex(id),
    last: emptyChain(),
    before: null,
    transfer: null,
    ...who,
    directory: dir,
    mine,
    live: false,
  });
  thread.log.applyLocal({ ed: ed.pk, x: x.pk, site }, accepted, env);
  return thread;
}
