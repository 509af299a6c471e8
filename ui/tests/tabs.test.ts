/** Tabs of one browser: one conversation, whichever tab begins it; and a conversation begins with its first message or not at all. */
import { describe, expect, it } from 'vitest';
import { memoryStore, type Store } from '../src/storage/store';
import { SERVER, texts, until, type Tab } from './support/clients';
import { SITE } from './support/company';
import { agent, server, stored, visitor } from './support/world';

/** A browser with working storage. */
function kept(): Store {
  return { ...memoryStore(), kept: true };
}

const tab = (store: Store): Tab => visitor(store);
const CONV = `v/${SERVER}/${SITE}/conv`;
const messages = (): number => stored().length;

async function loaded(...tabs: Tab[]): Promise<void> {
  for (const t of tabs) await until(() => t.client.site.value !== null, 'the site is loaded');
}

describe('tabs', () => {
  it('that write at the same moment are in one conversation, with one form', async () => {
    const store = kept();
    const [a, b, c] = [tab(store), tab(store), tab(store)];
    await loaded(a, b, c);
    await Promise.all([a.client.send('A'), b.client.send('B'), c.client.send('C')]);
    for (const t of [a, b, c]) await until(() => texts(t.client.thread.value).length === 3);
    for (const t of [a, b, c]) expect([...texts(t.client.thread.value)].sort()).toEqual(['A', 'B', 'C']);
    expect(server.convs.size).toBe(1);
    expect(messages()).toBe(4);
    // what the slower ones had sealed for conversations of their own is nowhere
    await until(() => a.client.thread.value!.messages.value.every((m) => m.seq !== null));
    expect(await store.list(`v/${SERVER}/${SITE}/out/`)).toEqual([]);
  });

  it('that was loaded before is told, and shows what is said', async () => {
    const store = kept();
    const [a, b] = [tab(store), tab(store)];
    await loaded(a, b);
    await a.client.send('A');
    await until(() => texts(b.client.thread.value).includes('A'));
    const li = await agent();
    await until(() => li.client.conversations.value.length === 1);
    await b.client.send('B');
    await until(() => texts(a.client.thread.value).includes('B'));
    expect(server.convs.size).toBe(1);
  });

  it('goes with the one that starts over, and both begin the next together', async () => {
    const store = kept();
    const [a, b] = [tab(store), tab(store)];
    await loaded(a, b);
    await a.client.send('A');
    await until(() => texts(b.client.thread.value).includes('A'));
    b.client.startOver();
    await until(() => a.client.thread.value === null);
    await Promise.all([a.client.send('next A'), b.client.send('next B')]);
    for (const t of [a, b]) await until(() => texts(t.client.thread.value).length === 2);
    expect(server.convs.size).toBe(2);
  });

  it('whose conversation the server lost: one says to begin anew, and both do, once', async () => {
    const store = kept();
    const [a, b] = [tab(store), tab(store)];
    await loaded(a, b);
    await a.client.send('A');
    await until(() => texts(b.client.thread.value).includes('A') && stored().length === 2);
    const [old] = server.convs.keys();
    await until(() => [a, b].every((t) => t.client.thread.value!.messages.value.every((m) => m.seq !== null)));
    server.convs.clear();
    server.cut();
    for (const t of [a, b]) await until(() => t.client.thread.value?.blocked.value === 'error.conversation_gone');
    a.client.startOver();
    await until(() => b.client.thread.value === null);
    await Promise.all([b.client.send('next B'), a.client.send('next A')]);
    for (const t of [a, b]) await until(() => texts(t.client.thread.value).length === 2);
    expect(server.convs.size).toBe(1);
    const forms = b.client.thread.value!.messages.value.filter((m) => m.kind === 'form');
    expect(forms.map((m) => m.form?.after)).toEqual([old]);
  });

  it('that is gone before the server heard of it: the next one has its question', async () => {
    const store = kept();
    const a = tab(store);
    await loaded(a);
    const sent = a.client.send('A');
    await until(() => a.client.thread.value !== null);
    a.client.dispose();
    await sent.catch(() => undefined);
    const b = tab(store);
    await loaded(b);
    await until(
      () =>
        server.convs.size === 1 &&
        texts(b.client.thread.value).includes('A') &&
        b.client.thread.value!.messages.value.every((m) => m.seq !== null),
    );
    expect([server.convs.size, messages()]).toEqual([1, 2]);
  });

  it('finds a conversation that is no use here: it begins its own', async () => {
    const store = kept();
    const a = tab(store);
    await loaded(a);
    await store.set(CONV, { id: '00'.repeat(16), nonce: new Uint8Array(16), ann: new Uint8Array(400), opened: true });
    const b = tab(store);
    await loaded(b);
    await b.client.send('B');
    await until(() => texts(b.client.thread.value).includes('B'));
    expect(server.convs.size).toBe(1);
  });

  it('of a browser that keeps nothing is a visitor of its own', async () => {
    const [a, b] = [tab(memoryStore()), tab(memoryStore())];
    await loaded(a, b);
    await a.client.send('A');
    await b.client.send('B');
    await until(() => server.convs.size === 2);
    expect(a.client.trust.value.storage).toBe('memory');
  });
});

describe('a first message', () => {
  it('is kept in one step with its conversation', async () => {
    const store = kept();
    const steps: string[][] = [];
    const init = store.init.bind(store);
    store.init = (name, value, also) => {
      if (name === CONV) steps.push([name, ...(also ?? []).map(([n]) => n)]);
      return init(name, value, also);
    };
    const a = tab(store);
    await loaded(a);
    await a.client.send('A');
    expect(steps.map((s) => s.length)).toEqual([3]);
    await until(() => server.convs.size === 1);
  });

  it('names its form when it opens', async () => {
    const a = tab(kept());
    await loaded(a);
    await a.client.send('A');
    await until(() => server.convs.size === 1 && messages() === 2);
    const opened = server.requests.find((f) => f.t === 'open');
    expect(stored()[0]!.msg).toBe(opened!.form);
  });
});
