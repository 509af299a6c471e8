/**
 * Reads conversations for the index, in a Worker: fetches records, judges and opens them by the same rules as the thread on screen,
 * and compares them with what this browser remembers of them. It sends nothing, shows nothing and remembers nothing.
 */
import type { Backend, BoxKey, SigningKey } from '../crypto/backend';
import type { Body } from '../crypto/envelope';
import { agentLog } from '../client/agent-log';
import { BATCH, type ConversationContext } from '../client/context';
import { ConversationLog } from '../client/conversation-log';
import { entriesAfter, type DirectorySync } from '../client/directory-sync';
import type { Directory } from '../crypto/directory';
import { nameIn } from '../client/list';
import { textsOf, type Entry } from '../client/log-entry';
import type { Http } from '../link/http';
import { ClientError, type ErrorKey } from '../model';
import { PAGE_RECORDS, parsePage, REVISION, type Conv, type SignedJson, type WireRecord } from '../proto';
import type { Store } from '../storage/store';
import type { ConvRow } from './index';
import type { Doc } from './segment';

/** Of one conversation, the newest. */
const MAX_DOCS = 50_000;
/** Characters of one message that are searched. */
const MAX_TEXT = 32_768;

export interface ReaderDeps {
  backend: Backend;
  store: Store;
  storagePrefix: string;
  http: Http;
  sync: DirectorySync;
  kid: string;
  /** Own public key. */
  pk: Uint8Array;
  boxes(): ReadonlyMap<string, BoxKey>;
  token(): string;
  now(): number;
  turn(): Promise<void>;
  /** The server shows what it must not be believed. */
  alarm(why: ErrorKey): void;
}

/** What one filters conversations by on the server, and where a page begins. */
export interface ListPage {
  convs: Conv[];
  more: boolean;
  next?: string;
}

const nothing = (): never => {
  throw new Error('the reader of the index sends nothing');
};

/** What is read is there, what is written is not kept. */
function readOnly(store: Store): Store {
  return {
    kept: store.kept,
    get: (name) => store.get(name),
    list: (prefix) => store.list(prefix),
    set: async () => undefined,
    delete: async () => undefined,
    clear: async () => undefined,
    init: async (name, value) => (await store.get(name)) ?? value,
    update: async (name, next) => next(await store.get(name)),
  };
}

export class HistoryReader {
  private readonly context: ConversationContext;

  constructor(private readonly deps: ReaderDeps) {
    const { backend, sync, kid } = deps;
    const me: SigningKey = { pk: deps.pk, sign: nothing, keep: nothing };
    this.context = {
      backend,
      role: 'agent',
      me,
      kid,
      boxes: deps.boxes,
      fp: sync.directory.fp,
      directory: () => sync.directory,
      refreshDirectory: () => sync.refresh(deps.now()),
      fresh: () => Promise.resolve(true),
      store: readOnly(deps.store),
      storagePrefix: deps.storagePrefix,
      counterRun: 0,
      noteCounterRun: 0,
      notKept: () => undefined,
      online: () => false,
      now: deps.now,
      envelope: () => false,
      frame: () => false,
      request: nothing,
      gen: () => '',
      again: nothing,
      files: { begin: nothing, put: nothing, cancel: nothing, get: nothing },
      get opened() {
        return nothing();
      },
      turn: deps.turn,
      broken: () => null,
      alarm: deps.alarm,
    };
  }

  get directory(): Directory {
    return this.deps.sync.directory;
  }

  boxes(): ReadonlyMap<string, BoxKey> {
    return this.deps.boxes();
  }

  /** All of the company's directory, signed. */
  async entries(): Promise<SignedJson[]> {
    return (await entriesAfter(this.deps.http, -1)).entries;
  }

  /** A page of the conversations of one's teams, the newest first. */
  list(before: string | undefined): Promise<ListPage> {
    const query = `tab=all&limit=100${before === undefined ? '' : `&before=${before}`}`;
    return this.deps.http.get<ListPage>(`/conversations?${query}`, this.deps.token());
  }

  /** All records of a conversation and what they add up to. Rejects if the server can't be asked, or shows another past than before. */
  async log(id: string, last: number): Promise<{ log: ConversationLog; records: WireRecord[] }> {
    const log = new ConversationLog(this.context, id, agentLog);
    await log.memory.load();
    log.history.expect();
    const all: WireRecord[] = [];
    for (;;) {
      const records = parsePage(await this.page(id, all.length));
      if (!records) throw new ClientError('error.server', 'a page of records is damaged');
      const before = all.length;
      for (const r of records) {
        if (r.conv !== id || r.seq !== all.length + 1) continue;
        await log.apply(r, false);
        all.push(r);
        if (all.length % BATCH === 0) await this.deps.turn();
      }
      if (all.length === before || all.length >= last) break;
    }
    if (!log.history.holds()) throw new ClientError('error.history');
    return { log, records: all };
  }

  /** What a conversation says. */
  async read(conv: Conv): Promise<{ row: ConvRow; docs: Doc[] }> {
    const { log, records } = await this.log(conv.id, conv.last);
    const { lines } = log;
    // what was said before a change is not searched
    const entries = lines.entries.filter((e) => !lines.isEdit(e));
    const docs = entries.flatMap((e) => this.doc(conv.id, e, log.epochs.visitor?.kid) ?? []);
    const forms = entries.flatMap((e) => (e.body?.t === 'form' ? { kind: 'form' as const, form: e.body } : []));
    const row: ConvRow = {
      team: conv.team,
      site: conv.site,
      created: conv.created,
      name: nameIn(forms),
      have: records.length,
      locked: entries.filter((e) => e.sealed).length,
    };
    return { row, docs: docs.slice(-MAX_DOCS) };
  }

  private page(conv: string, after: number): Promise<Uint8Array> {
    const query = `after=${after}&limit=${PAGE_RECORDS}&rev=${REVISION}`;
    return this.deps.http.bytes(`/conversations/${conv}/records?${query}`, this.deps.token());
  }

  private doc(conv: string, e: Entry, visitor: string | undefined): Doc | null {
    if (e.kind !== 'message' && e.kind !== 'note') return null;
    const text = (textsOf(e).pop() ?? textOf(e.body)).slice(0, MAX_TEXT).trim();
    if (!text) return null;
    const who = e.sender === visitor ? 'visitor' : e.robot !== undefined ? 'robot' : { user: e.user ?? '' };
    return { conv, seq: e.seq, at: e.at, msg: e.msg, who, note: e.kind === 'note', text };
  }
}

const isText = (v: unknown): v is string => typeof v === 'string';

/** What of a message people search for. */
function textOf(body: Body | undefined): string {
  switch (body?.t) {
    case 'text':
    case 'note':
      return isText(body.text) ? body.text : '';
    case 'file':
      return [body.name, body.text].filter(isText).join('\n');
    case 'form':
      return Object.values(body.fields ?? {})
        .filter(isText)
        .join('\n');
    default:
      return '';
  }
}
