/** The index is built from what an agent may read, and follows it. The server is made up, the clients are real. */
import { afterEach, describe, expect, it } from 'vitest';
import { hex } from '../src/crypto/bytes';
import { envelopeHash, kidOf } from '../src/crypto/hash';
import { openBoxes } from '../src/client/account';
import type { Conversation } from '../src/client/conversation';
import { syncFromLog } from '../src/client/log-sync';
import { createHttp } from '../src/link/http';
import { ClientError } from '../src/model';
import { Code, type Conv } from '../src/proto';
import { SearchIndex } from '../src/search/index';
import { Indexer, type SearchState } from '../src/search/indexer';
import { HistoryReader } from '../src/search/reader';
import { memoryStore, type Store } from '../src/storage/store';
import { SERVER, stateOf, texts, until } from './support/clients';
import type { Person } from './support/company';
import { MemorySegments } from './support/segments';
import { agent, b, begin, co, li, server } from './support/world';

/** Conversations by pages of two, as the server lists them. */
function lists(): void {
  const env = server.env.bind(server);
  server.env = () => {
    const made = env();
    const http = made.http;
    made.http = async (url, init) => {
      const query = /\/conversations\?(.*)/.exec(url)?.[1];
      if (query === undefined || server.busy(query)) return http(url, init);
      const all = [...server.convs.values()].map((c) => c.conv).reverse();
      const from = Number(new URLSearchParams(query).get('before') ?? 0);
      const next = from + 2;
      const more = next < all.length;
      return new Response(JSON.stringify({ convs: all.slice(from, next), more, ...(more && { next: String(next) }) }));
    };
    return made;
  };
}

interface Building {
  index: SearchIndex;
  kept: MemorySegments;
  indexer: Indexer;
  states: SearchState[];
  found(typed: string): Promise<string[]>;
}
const running: Indexer[] = [];
afterEach(() => running.splice(0).forEach((i) => i.stop()));

async function build(
  o: { person?: Person; teams?: string[]; kept?: MemorySegments; store?: Store; paused?: boolean } = {},
): Promise<Building> {
  const { person = li, teams = ['svc'], kept = new MemorySegments(), store = memoryStore(), paused = false } = o;
  const env = server.env();
  const http = createHttp(SERVER, env);
  const sync = await syncFromLog(
    { backend: b, store, http, now: () => Date.now(), onChange: () => undefined, onAlarm: (e) => expect.fail(e.key) },
    co.fp,
  );
  const boxes = await co.boxes(teams, person.x.pk);
  const keys = await openBoxes(b, sync.directory, { user: person.user, ed: person.ed, x: person.x }, boxes);
  const index = await SearchIndex.open(kept);
  const states: SearchState[] = [];
  const reader = new HistoryReader({
    backend: b,
    store,
    storagePrefix: `a/${SERVER}/${person.user}/`,
    http,
    sync,
    kid: hex(kidOf(person.ed.pk)),
    pk: person.ed.pk,
    boxes: () => keys,
    token: () => 'a token',
    now: () => Date.now(),
    turn: () => Promise.resolve(),
    alarm: (why) => {
      throw new ClientError(why);
    },
  });
  const indexer = new Indexer(
    index,
    reader,
    paused,
    () => Date.now(),
    (s) => states.push(s),
  );
  running.push(indexer);
  void indexer.run();
  const found = async (typed: string): Promise<string[]> =>
    (await index.search(typed, {}, ['svc', 'vip'], 50)).hits.map((h) => h.snippet.text);
  return { index, kept, indexer, states, found };
}
const done = (x: Building): Promise<void> => until(() => x.states.at(-1)?.phase === 'done', 'everything is read');
const conv = (id: string): Conv => server.convs.get(id)!.conv;

describe('the index of an agent', () => {
  it('has what visitors and agents wrote, and nothing that is not theirs to read', async () => {
    lists();
    const first = await begin('where is my order SF123456');
    await begin('can I have an invoice');
    await begin('third conversation');
    const a = await agent();
    const id = first.client.thread.value!.id;
    a.client.open(id);
    await until(() => texts(a.client.open(id)).length > 0);
    server.own(id, 'agent:li', 'take');
    await a.client.note(id, 'looks angry');
    await a.client.send(id, 'it left the warehouse');
    await until(() => stateOf(a.client.open(id), 'it left the warehouse') === 'sent');

    const x = await build();
    await done(x);
    expect(x.states.at(-1)).toMatchObject({ conversations: 3, locked: 0 });
    expect(await x.found('order')).toEqual(['where is my order SF123456']);
    expect(await x.found('invoice')).toEqual(['can I have an invoice']);
    expect(await x.found('"looks angry"')).toEqual(['looks angry']);
    const { hits } = await x.index.search('warehouse', {}, ['svc'], 5);
    expect(hits[0]).toMatchObject({ conv: id, name: '王', who: { user: 'li' }, note: false });

    const zhou = await co.enrol('zhou', 'agent', ['vip']);
    const y = await build({ person: zhou, teams: ['vip'] });
    await done(y);
    expect(await y.found('order')).toEqual([]);
    expect(y.states.at(-1)).toMatchObject({ locked: 3, messages: 0 });
  });

  it('goes on where it stopped, and reads only what changed', async () => {
    lists();
    const v = await begin('the first question');
    await begin('the second question');
    const kept = new MemorySegments();
    const x = await build({ kept });
    await done(x);
    x.indexer.stop();
    let pages = 0;
    server.busy = (path) => {
      pages += /\/records\?/.test(path) ? 1 : 0;
      return null;
    };
    const y = await build({ kept });
    await done(y);
    expect(pages).toBe(0);
    expect(await y.found('question')).toHaveLength(2);
    await v.client.send('one more thing');
    await until(() => stateOf(v.client.thread.value, 'one more thing') !== 'queued');
    y.indexer.note({ ...conv(v.client.thread.value!.id) });
    await until(() => y.states.at(-1)!.messages > x.states.at(-1)!.messages);
    expect(await y.found('thing')).toEqual(['one more thing']);
    expect(pages).toBe(1);
  });

  it('forgets what was taken back, erased, or is of a team that one left', async () => {
    lists();
    const v = await begin('my password is hunter22');
    const other = await begin('another one');
    const x = await build();
    await done(x);
    expect(await x.found('hunter22')).toHaveLength(1);
    const t = v.client.thread.value!;
    await v.client.recall(t.messages.value.find((m) => m.kind === 'text')!.id);
    await until(() => t.messages.value.some((m) => m.kind === 'recalled'));
    x.indexer.note({ ...conv(t.id) });
    await until(() => !new TextDecoder().decode([...x.kept.parts.values()][0]?.texts).includes('hunter22'));
    expect(await x.found('hunter22')).toEqual([]);

    server.convs.delete(other.client.thread.value!.id);
    x.indexer.refresh();
    await until(() => x.states.at(-1)?.conversations === 1);
    expect(await x.found('another')).toEqual([]);
    x.indexer.keepTeams(['vip']);
    await until(() => x.states.at(-1)?.conversations === 0);
    expect(x.kept.parts.size + x.kept.convs.size).toBe(0);
  });

  it('has what a changed message says now, and not what it said before', async () => {
    lists();
    const v = await begin('the price is fiveyuan');
    const x = await build();
    await done(x);
    expect(await x.found('fiveyuan')).toHaveLength(1);
    const t = v.client.thread.value as Conversation;
    const msg = t.messages.value.find((m) => m.kind === 'text')!.id;
    const hash = hex(envelopeHash(t.log.lines.find(msg)!.env!.bytes));
    await t.send({ t: 'text', ts: 0, text: 'the price is sixyuan', edit: { msg, hash } });
    await until(() => t.messages.value.some((m) => m.edited));
    x.indexer.note({ ...conv(t.id) });
    await until(() => !new TextDecoder().decode([...x.kept.parts.values()][0]?.texts).includes('fiveyuan'));
    expect([await x.found('fiveyuan'), await x.found('sixyuan')]).toEqual([[], ['the price is sixyuan']]);
  });

  it('reads nothing new while it is paused, and waits for who types', async () => {
    lists();
    await begin('an early question');
    const x = await build({ paused: true });
    await until(() => x.states.length > 2);
    expect(x.states.at(-1)).toMatchObject({ phase: 'paused', messages: 0 });
    x.indexer.typing();
    const at = Date.now();
    x.indexer.pause(false);
    await done(x);
    expect(Date.now() - at).toBeGreaterThanOrEqual(1500);
    expect(await x.found('early')).toHaveLength(1);
    // paused again: what is there is still kept true
    x.indexer.pause(true);
    const [id] = [...server.convs.keys()];
    server.convs.delete(id!);
    x.indexer.refresh();
    await until(() => x.states.at(-1)?.conversations === 0);
  });

  it('waits when the server asks to, and does not believe another past', async () => {
    lists();
    const v = await begin('the real question');
    const id = v.client.thread.value!.id;
    const store = memoryStore();
    let refusals = 2;
    server.busy = (path) =>
      path.includes('/records') && refusals-- > 0 ? { code: Code.rate_limited, retry_ms: 6_000 } : null;
    const x = await build({ store });
    await done(x);
    expect(x.states.some((s) => s.phase === 'waiting')).toBe(true);
    expect(await x.found('real')).toHaveLength(1);
    // this browser remembers more of it than the server shows now
    const memory = { epoch: 0, hash: 'ff'.repeat(32), left: false, gen: '', seq: 99, mark: '', digest: 'x', prev: '' };
    await store.set(`a/${SERVER}/li/mem/${id}`, { ...memory, rewinds: [] });
    const y = await build({ store });
    await done(y);
    expect(await y.found('real')).toEqual([]);
  });
});
