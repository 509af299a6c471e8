/**
 * The documents that this person has: fetched, verified by the signed directory and by what this browser remembers, opened, written and
 * renewed. What a kind of document says inside is its page's business.
 */
import type { Backend, BoxKey, SigningKey } from '../crypto/backend';
import { hex, random, text, unb64u, unhex, utf8 } from '../crypto/bytes';
import type { Directory } from '../crypto/directory';
import {
  documentHash,
  isSealedTo,
  isSigned,
  openDocument,
  parseDocument,
  sealDocument,
  withOwn,
  type DocumentView,
  type Scope,
} from '../crypto/document';
import { Rejected } from '../crypto/error';
import { stringify } from '../json';
import type { Env } from '../link/env';
import { Refused, retryDelay } from '../link/errors';
import { refusal } from '../link/http';
import {
  ClientError,
  type Doc,
  type DocDraft,
  type DocList,
  type DocProblem,
  type DocumentsClient,
  type Me,
} from '../model';
import { Code } from '../proto';
import { signal, type ReadonlySignal, type Signal } from '../signals';
import type { Store } from '../storage/store';
import { DocumentMemory, type KnownDocument } from './document-memory';
import { authorMay, mayDelete, mayRead, mayWrite, readersOf } from './document-rights';

/** After a failure, ms. */
const AGAIN_MS = 10_000;

/** What the client around them has. */
export interface DocumentsHost {
  readonly server: string;
  readonly env: Env;
  readonly backend: Backend;
  readonly store: Store;
  readonly storagePrefix: string;
  readonly me: { user: string; ed: SigningKey; x: BoxKey };
  /** Name, role and teams now. */
  person(): Me | null;
  directory(): Directory;
  refreshDirectory(): Promise<void>;
  boxes(): ReadonlyMap<string, BoxKey>;
  /** Throws without a connection. */
  token(): string;
}

interface Listed {
  id: string;
  seq: number;
  at: number;
  v: string;
}
interface Page {
  docs: Listed[];
  next: number;
  more: boolean;
  deleted: number;
}

/** What is there of one kind. */
interface Feed {
  list: Signal<DocList>;
  raw: Map<string, Listed>;
  since: number;
  /** The last deletion that `raw` takes into account. */
  complete: number;
  working: Promise<void> | null;
  again: boolean;
  /** All is fetched again. */
  whole: boolean;
  timer?: ReturnType<typeof setTimeout>;
}

/** One that was judged: it counts, or why not. */
type Judged = { doc: Doc; view: DocumentView; renew: boolean } | { problem: DocProblem };

export class Documents implements DocumentsClient {
  private readonly feeds = new Map<string, Feed>();
  private readonly memory: DocumentMemory;
  private over = false;

  constructor(private readonly h: DocumentsHost) {
    this.memory = new DocumentMemory(h.store, h.storagePrefix);
  }

  list(kind: string): ReadonlySignal<DocList> {
    let feed = this.feeds.get(kind);
    if (!feed) {
      const list = signal<DocList>({ state: 'loading', docs: [], problems: [] });
      feed = { list, raw: new Map(), since: 0, complete: 0, working: null, again: false, whole: true };
      this.feeds.set(kind, feed);
      void this.update(kind, feed);
    }
    return feed.list;
  }

  mayWrite(scope: Scope): boolean {
    const me = this.h.person();
    return me !== null && mayWrite(me, scope);
  }

  /** The server announced a change. */
  announced(kind: string): void {
    const feed = this.feeds.get(kind);
    if (feed) void this.update(kind, feed);
  }

  /** The connection is back, or keys, teams or the directory are others: all is looked at again. */
  refresh(): void {
    for (const [kind, feed] of this.feeds) {
      feed.whole = true;
      void this.update(kind, feed);
    }
  }

  close(): void {
    this.over = true;
    for (const { timer } of this.feeds.values()) clearTimeout(timer);
    this.feeds.clear();
  }

  async save(kind: string, draft: DocDraft): Promise<string> {
    const id = draft.id ?? hex(random(16));
    const base = draft.id === undefined ? 0 : this.revisionOf(kind, id);
    try {
      await this.write(kind, id, draft.scope, base, draft.public, utf8(stringify(draft.body)));
    } catch (e) {
      if (e instanceof Rejected) throw new ClientError(e.reason === 'too_large' ? 'error.too_large' : 'error.refused');
      throw e;
    } finally {
      await this.updated(kind);
    }
    return id;
  }

  /** A new one under an id that others may make, too; rejects if somebody did. */
  async create(kind: string, id: string, scope: Scope, body: unknown): Promise<void> {
    try {
      await this.write(kind, id, scope, 0, false, utf8(stringify(body)));
    } finally {
      await this.updated(kind);
    }
  }

  async remove(kind: string, id: string): Promise<void> {
    const rev = this.revisionOf(kind, id);
    try {
      await this.send(`/documents/${id}?base=${rev}`, { method: 'DELETE' });
      const known = (await this.memory.all()).get(id);
      if (known) await this.memory.keep(id, { ...known, rev: Math.max(known.rev, rev), gone: true });
    } finally {
      await this.updated(kind);
    }
  }

  /** The revision that the server has, as far as this page knows. */
  private revisionOf(kind: string, id: string): number {
    const list = this.feeds.get(kind)?.list.value;
    const found = list?.docs.find((d) => d.id === id) ?? list?.problems.find((p) => p.id === id);
    if (!found) throw new ClientError('error.not_found');
    return found.rev;
  }

  private async write(
    kind: string,
    id: string,
    scope: Scope,
    base: number,
    isPublic: boolean,
    body: Uint8Array,
  ): Promise<void> {
    const { h } = this;
    const dir = h.directory();
    const readers = isPublic ? null : readersOf(dir, scope, h.me.x.pk);
    if (!isPublic && !readers) throw new ClientError('error.no_key');
    const rev = Math.max(base, (await this.memory.all()).get(id)?.rev ?? 0) + 1;
    const fields = { id: unhex(id), kind, scope, rev, dirSeq: dir.seq, dirHead: dir.head, body, readers };
    const bytes = await sealDocument(h.backend, fields, h.me.ed);
    // this page's own word is remembered before anyone could show another of the same number
    await this.send(`/documents/${id}?base=${base}`, { method: 'PUT', body: bytes as Uint8Array<ArrayBuffer> });
    await this.memory.keep(id, { rev, hash: documentHash(bytes), kind, scope });
  }

  private async send(path: string, init: RequestInit): Promise<Response> {
    const headers = { Authorization: `Bearer ${this.h.token()}` };
    let r: Response;
    try {
      r = await this.h.env.fetch(`${this.h.server}/api/v1${path}`, { ...init, headers });
    } catch (e) {
      throw new ClientError('error.network', String(e));
    }
    if (!r.ok) throw await refusal(r);
    return r;
  }

  private updated(kind: string): Promise<void> {
    const feed = this.feeds.get(kind);
    return feed ? this.update(kind, feed) : Promise.resolve();
  }

  /** One after the other; what is asked for meanwhile comes after. Never rejects. */
  private update(kind: string, feed: Feed): Promise<void> {
    feed.again = true;
    return (feed.working ??= (async () => {
      // who asked is rendering: nothing changes under it
      await Promise.resolve();
      clearTimeout(feed.timer);
      while (feed.again && !this.over) {
        feed.again = false;
        try {
          await this.fetch(kind, feed);
          await this.judgeAll(kind, feed);
        } catch (e) {
          if (this.over) break;
          if (feed.list.value.state === 'loading') feed.list.value = { ...feed.list.value, state: 'failed' };
          // without a connection the next welcome asks again
          feed.timer = setTimeout(() => void this.update(kind, feed), retryDelay(e, AGAIN_MS));
        }
      }
    })().finally(() => (feed.working = null)));
  }

  private async fetch(kind: string, feed: Feed): Promise<void> {
    const { whole } = feed;
    let raw = new Map(whole ? [] : feed.raw);
    let { since, complete } = whole ? { since: 0, complete: 0 } : feed;
    for (;;) {
      const r = await this.send(`/documents?kind=${kind}&since=${since}`, { method: 'GET' });
      const page = (await r.json()) as Page;
      if (page.deleted > complete && since > 0) {
        // something was deleted meanwhile; which, only a whole list shows
        raw = new Map();
        since = complete = 0;
        continue;
      }
      if (since === 0) complete = page.deleted;
      for (const listed of page.docs) raw.set(listed.id, listed);
      if (page.more && page.next <= since) throw new ClientError('error.server', 'a page without an end');
      since = page.next;
      if (!page.more) break;
    }
    feed.raw = raw;
    // what was asked for meanwhile stays
    if (whole) feed.whole = feed.again;
    feed.since = since;
    feed.complete = complete;
  }

  private async judgeAll(kind: string, feed: Feed): Promise<void> {
    const { h } = this;
    const me = h.person();
    if (!me) return;
    const known = await this.memory.all();
    const mine = withOwn(h.boxes(), h.me.x);
    const docs: Doc[] = [];
    const problems: DocProblem[] = [];
    const renew: { doc: Doc; view: DocumentView }[] = [];
    let n = 0;
    for (const listed of feed.raw.values()) {
      if (++n % 32 === 0) await h.env.turn();
      const judged = await this.judge(kind, listed, me, known.get(listed.id), mine).catch(
        (): Judged => ({ problem: { id: listed.id, why: 'false', rev: 0, mayDelete: false } }),
      );
      if ('problem' in judged) problems.push(judged.problem);
      else {
        docs.push(judged.doc);
        if (judged.renew) renew.push(judged);
      }
    }
    // what is no longer listed was deleted: it does not come back unnoticed
    for (const [id, k] of known)
      if (k.kind === kind && !k.gone && !feed.raw.has(id) && mayRead(me, k.scope))
        await this.memory.keep(id, { ...k, gone: true });
    if (this.over) return;
    feed.list.value = { state: 'here', docs, problems };
    await this.renew(kind, renew);
  }

  /** Rejects what can't be what it should be. */
  private async judge(
    kind: string,
    { id, at, v }: Listed,
    me: Me,
    known: KnownDocument | undefined,
    mine: ReadonlyMap<string, BoxKey>,
  ): Promise<Judged> {
    const { h } = this;
    const view = parseDocument(unb64u(v));
    const { scope, rev } = view;
    const no = (why: DocProblem['why'], doc?: Doc): Judged => ({
      problem: { id, why, rev, doc, mayDelete: doc?.mayDelete ?? mayDelete(me, scope, null) },
    });
    if (view.id !== id || view.kind !== kind || !mayRead(me, scope)) return no('false');
    if (view.dirSeq > h.directory().seq) await h.refreshDirectory();
    const dir = h.directory();
    const head = dir.headAt(view.dirSeq);
    const author = dir.keyAt(view.author, view.dirSeq);
    if (!author || view.dirSeq > dir.seq || (head ? hex(head) !== hex(view.dirHead) : view.dirSeq >= dir.base))
      return no('false');
    if (scope.startsWith('own:') && author.user !== me.user) return no('false');
    if (!(await isSigned(h.backend, view, author.ed))) return no('false');
    const hash = documentHash(view.bytes);
    const same = known?.rev === rev && known.hash === hash && !known.gone;
    if (known?.rev === rev && known.hash !== hash) return no('false');

    const opened = await openDocument(h.backend, view, mine);
    if (!opened) return no('locked');
    const doc: Doc = {
      id,
      rev,
      scope,
      author: dir.nameOf(author.user) ?? author.user,
      at,
      public: view.public,
      body: JSON.parse(text(opened)) as unknown,
      mayWrite: mayWrite(me, scope),
      mayDelete: mayDelete(me, scope, author.user),
    };
    if (known && !same && rev <= known.rev) return no('older', doc);
    const may = authorMay(dir, author, view.author, scope);
    if (!may && !same) return no('left', doc);
    if (!same) await this.memory.keep(id, { rev, hash, kind, scope });
    const readers = view.public ? null : readersOf(dir, scope, h.me.x.pk);
    return { doc, view, renew: doc.mayWrite && (!may || (readers !== null && !isSealedTo(view, readers))) };
  }

  /** Seals again what is not sealed to the readers of now. Whoever is faster has done it for all. */
  private async renew(kind: string, all: readonly { doc: Doc; view: DocumentView }[]): Promise<void> {
    for (const { doc } of all) {
      try {
        await this.write(kind, doc.id, doc.scope, doc.rev, doc.public, utf8(stringify(doc.body)));
      } catch (e) {
        if (!(e instanceof Refused) || e.code !== Code.conflict) return;
      }
    }
  }
}
