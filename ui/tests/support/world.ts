/** A company, a server and its clients for one test at a time; set up and taken down by itself where it is imported. */
import { afterEach, beforeEach, vi } from 'vitest';
import { pureBackend } from '../../src/crypto/pure';
import { Envelope, Kind } from '../../src/proto';
import { memoryStore, type Store } from '../../src/storage/store';
import { agentTab, stateOf, until, visitorTab, type Tab } from './clients';
import { Company, NOW, type Person } from './company';
import { FakeServer } from './server';

export const b = pureBackend();
export let co: Company;
export let server: FakeServer;
export let li: Person;
export const open: { dispose(): void }[] = [];

beforeEach(async () => {
  vi.useFakeTimers({ now: NOW });
  co = await Company.create(b);
  li = await co.enrol('li', 'agent', ['svc']);
  await co.renew();
  server = new FakeServer(co);
  await server.learnKeys();
});
afterEach(() => {
  for (const c of open.splice(0)) c.dispose();
  vi.useRealTimers();
});

export const visitor = (
  ...more: Parameters<typeof visitorTab> extends [unknown, unknown, ...infer R] ? R : never
): Tab => {
  const tab = visitorTab(server, b, ...more);
  open.push(tab.client);
  return tab;
};
export const agent = async (p = li, teams = ['svc']) => {
  const tab = await agentTab(server, b, p, teams);
  open.push(tab.client);
  return tab;
};
export const messagesSent = () => server.received.map((x) => Envelope.parse(x)!).filter((e) => e.kind === Kind.message);
export const stored = () =>
  [...server.convs.values()]
    .flatMap((c) => c.records.map((r) => Envelope.parse(r.subarray(16))))
    .filter((e) => e?.kind === Kind.message);
export const begin = async (text = 'hello'): Promise<Tab> => {
  const v = visitor();
  v.client.start({ name: '王' });
  await v.client.send(text);
  await until(() => stateOf(v.client.thread.value, text) !== 'queued', 'the first message is stored');
  return v;
};
/** One browser: pages of it come and go, its storage stays. */
export async function browser(text = 'hello'): Promise<{ store: Store; v: Tab; id: string; reload(): Promise<Tab> }> {
  const store = memoryStore();
  const v = visitor(store);
  v.client.start({});
  await v.client.send(text);
  await until(() => stateOf(v.client.thread.value, text) !== 'queued');
  const reload = async (): Promise<Tab> => {
    for (const tab of open.splice(0)) tab.dispose();
    server.peers.splice(0);
    return visitor(store);
  };
  return { store, v, id: v.client.thread.value!.id, reload };
}

export const broken = (t: Tab): boolean => t.client.trust.value.mode === 'broken';
