/**
 * What a visitor wrote on other devices, to read: conversations of other keys, opened by grants (protocol §2, kind 3) of an agent who verified
 * that one customer wrote both, or of this browser itself when another device handed it the keys. Every record is judged as in any other
 * conversation. Fetched with the widget's third file.
 */
import type { Backend, BoxKey } from '../crypto/backend';
import { b64u, hex, unb64u, unhex } from '../crypto/bytes';
import { acceptGrant } from '../crypto/grant';
import { BoxKind, boxKid, kidOf } from '../crypto/hash';
import { reject } from '../crypto/error';
import { plainName } from '../files/names';
import type { Http } from '../link/http';
import type { Message } from '../model';
import { Envelope } from '../proto';
import { HistoryReader } from '../search/reader';
import { memoryStore, type Store } from '../storage/store';
import type { ConversationLog } from './conversation-log';
import type { DirectorySync } from './directory-sync';
import type { Keys } from './opening';
import { Timeline } from './timeline';

/** Most conversations that are shown. */
const MAX_EARLIER = 30;

export interface EarlierHost {
  readonly backend: Backend;
  readonly store: Store;
  readonly storagePrefix: string;
  readonly sync: DirectorySync;
  readonly http: Http;
  readonly keys: Keys;
  token(): string;
  now(): number;
  turn(): Promise<void>;
}

/** A conversation and the grant that opens it, b64u. */
interface Granted {
  conv: string;
  grant: string;
}

export const ownBoxes = ({ x }: Keys): ReadonlyMap<string, BoxKey> =>
  new Map([[hex(boxKid(BoxKind.visitor, x.pk)), x]]);

/** A reader of conversations that are not this browser's own. It remembers nothing of them. */
export const readerOf = (h: EarlierHost): HistoryReader =>
  new HistoryReader({
    ...h,
    store: memoryStore(),
    storagePrefix: '',
    kid: hex(kidOf(h.keys.ed.pk)),
    pk: h.keys.ed.pk,
    boxes: () => ownBoxes(h.keys),
    token: h.token,
    now: h.now,
    turn: h.turn,
    // one that is not what it should be is not shown, and breaks nothing else
    alarm: () => undefined,
  });

/** All of them, opened. `own`: conversations that this page shows itself. What is not what it should be is left out. */
export async function earlierLogs(h: EarlierHost, own: ReadonlySet<string>): Promise<ConversationLog[]> {
  const kept = await h.store.list<Granted>(`${h.storagePrefix}earlier/`).catch(() => []);
  const { earlier } = await h.http.get<{ earlier: Granted[] }>('/devices', h.token());
  const all = new Map([...earlier, ...kept.map((k) => k.value)].map((g) => [g.conv, g]));
  const logs: ConversationLog[] = [];
  for (const g of [...all.values()].slice(0, MAX_EARLIER)) {
    if (own.has(g.conv)) continue;
    try {
      logs.push(await read(h, g));
    } catch (e) {
      console.error('kefu: an earlier conversation is not shown:', e);
    }
  }
  return logs;
}

/** Messages of all of them, oldest first. */
export async function readEarlier(h: EarlierHost, own: ReadonlySet<string>): Promise<readonly Message[]> {
  const threads = (await earlierLogs(h, own)).map((log) => messagesOf(h, log)).filter((t) => t.length > 0);
  return threads.sort((a, b) => a[0]!.at - b[0]!.at).flat();
}

async function read(h: EarlierHost, { conv, grant }: Granted): Promise<ConversationLog> {
  const { log } = await readerOf(h).log(conv, Infinity);
  await open(h, log, Envelope.parse(unb64u(grant)) ?? reject('unsupported'));
  return log;
}

function messagesOf(h: EarlierHost, log: ConversationLog): Message[] {
  const { visitor } = log.epochs;
  const dir = h.sync.directory;
  const context = { backend: h.backend, role: 'visitor', kid: visitor?.kid ?? '', me: h.keys.ed } as const;
  const timeline = new Timeline(
    {
      ...context,
      boxes: () => ownBoxes(h.keys),
      fp: dir.fp,
      directory: () => dir,
      refreshDirectory: async () => undefined,
      fresh: async () => true,
    },
    log,
  );
  const lines = timeline.render([], Infinity, { delivered: 0, read: 0 }, () => false);
  // epochs that the grant does not open are no business of this device
  return lines.filter((m) => m.kind !== 'form' && m.error !== 'error.no_key').map((m) => asHistory(log.id, m));
}

/** Nothing can be done with it any more; a file is named, and is to be had where it was sent or received. */
const asHistory = (conv: string, m: Message): Message => ({
  ...m,
  id: `${conv}/${m.id}`,
  state: undefined,
  quote: undefined,
  file: undefined,
  text: m.file ? [plainName(m.file.name), m.text].filter(Boolean).join('\n') : m.text,
  canRecall: () => false,
});

/** By an agent of the team that had it last, or by this browser's own key. */
async function open(h: EarlierHost, log: ConversationLog, env: Envelope): Promise<void> {
  const { epochs } = log;
  const dir = h.sync.directory;
  const own = hex(kidOf(h.keys.ed.pk));
  const agent = dir.keyOf(env.sender);
  const team = epochs.current?.team;
  const mayGrant = agent && team !== null && team !== undefined && dir.inTeamSince(agent.user, team, 0);
  const creator = env.sender === own ? h.keys.ed.pk : mayGrant ? agent.ed : reject('creator');
  const of = (n: number): Uint8Array | null => epochs.get(n)?.commitment ?? null;
  for (const g of await acceptGrant(h.backend, env, unhex(log.id), creator, ownBoxes(h.keys), of)) {
    const epoch = epochs.get(g.epoch)!;
    if (!epoch.key) epochs.put({ ...epoch, key: g.key, granted: g.ek });
  }
  await log.retryKeys();
  if (![...epochs.all()].some(([, e]) => e.key)) reject('box');
}

/** Keeps keys that another device handed over, sealed to this browser's own. */
export async function keepEarlier(h: EarlierHost, conv: string, grant: Uint8Array): Promise<void> {
  await h.store.set(`${h.storagePrefix}earlier/${conv}`, { conv, grant: b64u(grant) } satisfies Granted);
}
