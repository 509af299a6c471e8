/** Documents: what is sealed to whom, and what a hostile server can't make of them. */
import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { Documents } from '../src/client/documents';
import type { Backend, BoxKey } from '../src/crypto/backend';
import { b64u, hex, random, unb64u, unhex, utf8 } from '../src/crypto/bytes';
import type { Directory } from '../src/crypto/directory';
import {
  isSealedTo,
  isSigned,
  openDocument,
  parseDocument,
  sealDocument,
  withOwn,
  type NewDocument,
  type Scope,
} from '../src/crypto/document';
import { BoxKind, boxKid } from '../src/crypto/hash';
import { nativeBackend } from '../src/crypto/native';
import type { Env } from '../src/link/env';
import type { DocList, Me } from '../src/model';
import { memoryStore, type Store } from '../src/storage/store';
import { backends } from './support/backends';
import { Company, type Person } from './support/company';

const text = (b: Uint8Array | null): string => new TextDecoder().decode(b ?? new Uint8Array());

describe.each(backends)('a document (%s)', (_, make) => {
  it('opens for its readers, and for nobody in another place', async () => {
    const b = await make();
    const [ed, team, own] = [await b.newSigningKey(), await b.newBoxKey(), await b.newBoxKey()];
    const fields: NewDocument = {
      id: random(16),
      kind: 'reply',
      scope: 'team:svc',
      rev: 3,
      dirSeq: 7,
      dirHead: random(32),
      body: utf8('{"title":"退货"}'),
      readers: [{ kind: BoxKind.team, pk: team.pk }],
    };
    const bytes = await sealDocument(b, fields, ed);
    const view = parseDocument(bytes);
    expect([view.id, view.kind, view.scope, view.rev, view.dirSeq]).toEqual([
      hex(fields.id),
      'reply',
      'team:svc',
      3,
      7,
    ]);
    const mine = new Map([[hex(boxKid(BoxKind.team, team.pk)), team]]);
    expect(text(await openDocument(b, view, mine))).toBe('{"title":"退货"}');
    expect(await openDocument(b, view, withOwn(new Map(), own))).toBeNull();
    expect(await isSigned(b, view, ed.pk)).toBe(true);
    expect(text(bytes)).not.toContain('退货');
    for (let n = 0; n < bytes.length; n += 3) {
      const altered = bytes.slice();
      altered[n]! ^= 1;
      const good = async (): Promise<boolean> => isSigned(b, parseDocument(altered), ed.pk);
      expect(await good().catch(() => false), `byte ${n}`).toBe(false);
    }
    for (const n of [0, 50, 112, 130, bytes.length - 1]) expect(() => parseDocument(bytes.subarray(0, n))).toThrow();
  });

  it('is the one of the vectors', async () => {
    const b = await make();
    const v = JSON.parse(readFileSync(new URL('../../tests/data/document.json', import.meta.url), 'utf8')) as Record<
      'ed' | 'team' | 'sealed' | 'public' | 'body',
      string
    >;
    const [ed, team] = [await b.signingKey(unhex(v.ed)), await b.boxKey(unhex(v.team))];
    const mine = new Map([[hex(boxKid(BoxKind.team, team.pk)), team]]);
    for (const bytes of [unhex(v.sealed), unhex(v.public)]) {
      const view = parseDocument(bytes);
      expect(await isSigned(b, view, ed.pk)).toBe(true);
      expect(text(await openDocument(b, view, mine))).toBe(v.body);
    }
  });
});

interface Stored {
  bytes: Uint8Array;
  seq: number;
}

/** A server that keeps documents as the genuine one does, until a test makes it lie. */
class DocumentServer {
  readonly docs = new Map<string, Stored>();
  seq = 0;
  deleted = 0;
  puts = 0;
  /** What is listed instead. */
  lie: (docs: { id: string; seq: number; v: string }[]) => { id: string; seq: number; v: string }[] = (docs) => docs;

  fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const u = new URL(url);
    const json = (body: unknown, status = 200): Response => new Response(JSON.stringify(body), { status });
    const id = u.pathname.split('/documents/')[1];
    if (id === undefined) {
      const since = Number(u.searchParams.get('since'));
      const kind = u.searchParams.get('kind');
      const all = [...this.docs].filter(([, d]) => parseDocument(d.bytes).kind === kind);
      const docs = all
        .map(([id, d]) => ({ id, seq: d.seq, v: b64u(d.bytes) }))
        .sort((a, b) => a.seq - b.seq)
        .filter((d) => d.seq > since)
        .slice(0, 3);
      const next = docs.at(-1)?.seq ?? Math.max(since, this.seq);
      const listed = this.lie(docs).map((d) => ({ at: 5, ...d }));
      return json({ docs: listed, next, more: docs.length === 3, deleted: this.deleted });
    }
    const base = Number(u.searchParams.get('base'));
    const there = this.docs.get(id);
    if ((there ? parseDocument(there.bytes).rev : 0) !== base) return json({ code: 7, text: '' }, 409);
    this.seq++;
    if (init.method === 'DELETE') {
      this.docs.delete(id);
      this.deleted = this.seq;
    } else {
      this.puts++;
      this.docs.set(id, { bytes: new Uint8Array(init.body as ArrayBuffer), seq: this.seq });
    }
    return json({ seq: this.seq });
  };
}

describe('the documents of a person', () => {
  let b: Backend;
  let co: Company;
  let server: DocumentServer;
  let people: Record<'li' | 'wu' | 'chen' | 'zhou', Person>;
  const stores = new Map<string, Store>();

  beforeEach(async () => {
    b = nativeBackend();
    co = await Company.create(b, undefined, 2);
    server = new DocumentServer();
    stores.clear();
    people = {
      li: await co.enrol('li', 'agent', ['svc']),
      wu: await co.enrol('wu', 'agent', ['svc']),
      chen: await co.enrol('chen', 'supervisor', ['svc']),
      zhou: await co.enrol('zhou', 'agent', ['vip']),
    };
    for (const p of Object.values(people)) await co.confirm(p);
  });

  async function teamKeys(teams: string[]): Promise<Map<string, BoxKey>> {
    const keys = new Map<string, BoxKey>();
    for (const team of teams)
      for (const { secret } of co.teamSecrets.get(team) ?? []) {
        const key = await b.boxKey(secret);
        keys.set(hex(boxKid(BoxKind.team, key.pk)), key);
      }
    return keys;
  }

  /** A page of a person in a browser of their own. */
  async function page(user: keyof typeof people, browser: string = user) {
    let dir: Directory = await co.directory();
    const store = stores.get(browser) ?? memoryStore();
    stores.set(browser, store);
    const me = people[user];
    const person = (): Me => {
      const { name, role, teams } = dir.state.users[user]!;
      return { user, name, role, teams, state: 'online' };
    };
    let boxes = await teamKeys(person().teams);
    const refreshDirectory = async (): Promise<void> => {
      dir = await co.directory();
      boxes = await teamKeys(person().teams);
    };
    const documents = new Documents({
      server: 'https://k.example',
      env: { now: () => Date.now(), turn: () => Promise.resolve(), fetch: server.fetch } as unknown as Env,
      backend: b,
      store,
      storagePrefix: `a/${browser}/`,
      me,
      person,
      directory: () => dir,
      refreshDirectory,
      boxes: () => boxes,
      token: () => 'tok',
    });
    const list = documents.list('reply');
    /** The list once it is as expected. */
    const until = (so: (l: DocList) => boolean): Promise<DocList> =>
      new Promise((done) => {
        let stop: (() => void) | undefined;
        stop = list.subscribe((l) => {
          if (l.state !== 'here' || !so(l)) return;
          queueMicrotask(() => stop?.());
          done(l);
        });
      });
    const here = () => until(() => true);
    const titles = async (): Promise<string[]> => (await here()).docs.map((d) => (d.body as { title: string }).title);
    const save = (title: string, scope: Scope, more: { id?: string; public?: boolean } = {}) =>
      documents.save('reply', { scope, public: false, body: { title }, ...more });
    return { documents, list, until, here, titles, save, refreshDirectory };
  }

  it('are read by their circle and by nobody else', async () => {
    const [li, chen] = [await page('li'), await page('chen')];
    await li.here();
    await li.save('mine', 'own:li');
    await li.save('ours', 'team:svc');
    await li.save('open to all', 'team:svc', { public: true });
    await chen.save('everyone', 'company');
    expect((await (await page('li')).titles()).sort()).toEqual(['everyone', 'mine', 'open to all', 'ours']);
    // whatever the server lists: those without a key, or outside the circle, do not take it
    const wu = await (await page('wu')).here();
    expect(wu.docs.map((d) => (d.body as { title: string }).title).sort()).toEqual(['everyone', 'open to all', 'ours']);
    expect(wu.problems.map((p) => p.why)).toEqual(['false']);
    expect(await (await page('zhou')).titles()).toEqual(['everyone']);
    const stored = [...server.docs.values()].map((d) => text(d.bytes)).join('');
    expect([stored.includes('ours'), stored.includes('mine'), stored.includes('open to all')]).toEqual([
      false,
      false,
      true,
    ]);
  });

  it('show changes of colleagues, and conflicts instead of overwriting', async () => {
    const [li, wu] = [await page('li'), await page('wu')];
    await Promise.all([li.here(), wu.here()]);
    const id = await li.save('one', 'team:svc');
    wu.documents.announced('reply');
    await wu.until((l) => l.docs.length === 1);
    await wu.save('two', 'team:svc', { id });
    await expect(li.save('three', 'team:svc', { id })).rejects.toMatchObject({ key: 'error.conflict' });
    expect(await li.titles()).toEqual(['two']);
    await li.documents.remove('reply', id);
    wu.documents.announced('reply');
    await wu.until((l) => l.docs.length === 0);
  });

  it('page through a long list', async () => {
    const li = await page('li');
    await li.here();
    for (let n = 0; n < 8; n++) await li.save(`reply ${n}`, 'own:li');
    expect(await (await page('li')).titles()).toHaveLength(8);
  });

  it('refuse an older revision, a changed one and a deleted one that comes back', async () => {
    const li = await page('li');
    await li.here();
    const id = await li.save('first', 'team:svc');
    const first = server.docs.get(id)!.bytes;
    await li.save('second', 'team:svc', { id });
    const second = server.docs.get(id)!.bytes;
    const wu = await page('wu');
    expect(await wu.titles()).toEqual(['second']);
    server.docs.set(id, { bytes: first, seq: ++server.seq });
    const replayed = await (await page('wu')).here();
    expect([replayed.docs.length, replayed.problems[0]!.why]).toEqual([0, 'older']);
    // another of the same number: a second copy that its author signed before
    const dir = await co.directory();
    const twin = await sealDocument(
      b,
      {
        id: unhex(id),
        kind: 'reply',
        scope: 'team:svc',
        rev: 2,
        dirSeq: dir.seq,
        dirHead: dir.head,
        body: utf8('{"title":"twin"}'),
        readers: [{ kind: BoxKind.team, pk: dir.teamPk('svc') }],
      },
      people.li.ed,
    );
    server.docs.set(id, { bytes: twin, seq: ++server.seq });
    expect((await (await page('wu')).here()).problems.map((p) => p.why)).toEqual(['false']);
    server.docs.set(id, { bytes: second, seq: ++server.seq });
    expect(await (await page('wu')).titles()).toEqual(['second']);

    await wu.documents.list('reply');
    server.docs.delete(id);
    server.deleted = ++server.seq;
    await (await page('wu')).here();
    server.docs.set(id, { bytes: second, seq: ++server.seq });
    const back = await page('wu');
    expect((await back.here()).problems.map((p) => p.why)).toEqual(['older']);
    // a restored backup can be like that: who may write it says so once, for everyone
    const kept = back.list.value.problems[0]!.doc!;
    await back.documents.save('reply', { id, scope: kept.scope, public: kept.public, body: kept.body });
    expect([await (await page('wu')).titles(), await (await page('li')).titles()]).toEqual([['second'], ['second']]);
  });

  it('refuse what stands in another place', async () => {
    const li = await page('li');
    await li.here();
    const [one, two] = [await li.save('one', 'team:svc'), await li.save('two', 'team:svc')];
    const [a, c] = [server.docs.get(one)!, server.docs.get(two)!];
    server.lie = (docs) =>
      docs.map((d) => ({ ...d, v: b64u(d.id === one ? c.bytes : d.id === two ? a.bytes : unb64u(d.v)) }));
    const swapped = await (await page('wu')).here();
    expect([swapped.docs.length, swapped.problems.map((p) => p.why)]).toEqual([0, ['false', 'false']]);
  });

  it('refuse a foreign author, a right that nobody gave, and another company', async () => {
    const dir = await co.directory();
    const put = async (over: Partial<NewDocument>, by: { ed: Person['ed'] }): Promise<string> => {
      const id = random(16);
      const bytes = await sealDocument(
        b,
        {
          id,
          kind: 'reply',
          scope: 'team:svc',
          rev: 1,
          dirSeq: dir.seq,
          dirHead: dir.head,
          body: utf8('{"title":"x"}'),
          readers: [{ kind: BoxKind.team, pk: dir.teamPk('svc') }],
          ...over,
        },
        by.ed,
      );
      server.docs.set(hex(id), { bytes, seq: ++server.seq });
      return hex(id);
    };
    const why = new Map<string, string>();
    const vip = [{ kind: BoxKind.team, pk: dir.teamPk('vip') }];
    why.set(await put({}, { ed: await b.newSigningKey() }), 'false');
    why.set(await put({}, people.zhou), 'left');
    why.set(await put({ scope: 'company' }, people.li), 'left');
    why.set(await put({ scope: 'own:li' }, people.wu), 'false');
    why.set(await put({ scope: 'team:vip', readers: vip }, people.zhou), 'false');
    why.set(await put({ kind: 'view' }, people.wu), 'none');
    why.set(await put({ readers: vip }, people.wu), 'locked');
    why.set(await put({ dirHead: random(32) }, people.wu), 'false');
    why.set(await put({ dirSeq: dir.seq + 5 }, people.wu), 'false');
    why.set(await put({ dirSeq: 2 }, people.wu), 'false');
    why.set(await put({ body: utf8('no json') }, people.wu), 'false');
    const good = await put({}, people.wu);
    const list = await (await page('li')).here();
    expect(list.docs.map((d) => d.id)).toEqual([good]);
    const found = new Map(list.problems.map((p) => [p.id, p.why]));
    for (const [id, expected] of why) expect(found.get(id) ?? 'none').toBe(expected);
  });

  it('are sealed anew when a team has another key, and by who still may', async () => {
    const [li, wu] = [await page('li'), await page('wu')];
    await Promise.all([li.here(), wu.here()]);
    const id = await li.save('ours', 'team:svc');
    wu.documents.announced('reply');
    await wu.until((l) => l.docs.length === 1);
    // li leaves, and the team gets a new key
    await co.add({ t: 'agent', user: 'li', on: false });
    await co.team('svc');
    const newcomer = await page('chen');
    const seen = await newcomer.here();
    expect(seen.problems.map((p) => [p.why, (p.doc!.body as { title: string }).title])).toEqual([['left', 'ours']]);
    expect(server.puts).toBe(1);
    // wu's browser knew it: it writes it again, for everyone
    const later = await page('wu');
    await later.here();
    await expect.poll(() => server.puts).toBe(2);
    const view = parseDocument(server.docs.get(id)!.bytes);
    const dir = await co.directory();
    expect([view.rev, isSealedTo(view, [{ kind: BoxKind.team, pk: dir.teamPk('svc') }])]).toEqual([2, true]);
    expect(await (await page('chen', 'another browser')).titles()).toEqual(['ours']);
  });

  it('of the company are sealed to teams that come later', async () => {
    const chen = await page('chen');
    await chen.here();
    const id = await chen.save('everyone', 'company');
    await co.team('new');
    await (await page('chen')).here();
    await expect.poll(() => parseDocument(server.docs.get(id)!.bytes).boxes.length).toBe(3);
    expect(chen.documents.mayWrite('company')).toBe(true);
    expect((await page('li')).documents.mayWrite('company')).toBe(false);
  });
});
