/** Conversations that nobody answered, as the console keeps them. */
import { expect, it } from 'vitest';
import type { Conv } from '../src/proto';
import { lines, rest, until } from './support/clients';
import { NOW } from './support/company';
import { agent, begin, server } from './support/world';

const DAY = 86_400_000;

/** A conversation that was missed while no console was open; what HTTP lists is `page`. */
async function missedOne(): Promise<{ id: string; conv: () => Conv; page: { convs: Conv[]; more: boolean } }> {
  const v = await begin('anybody there?');
  const id = v.client.thread.value!.id;
  const held = server.convs.get(id)!;
  server.event(id, { t: 'closed', by: '@missed' });
  held.conv = { ...held.conv, state: 'closed', owner: 'none', missed: NOW - DAY };
  server.missed = [{ team: 'svc', count: 1, oldest: NOW - DAY }];
  // the greeting of an agent has open ones only
  server.name = (c) => (c.state === 'open' ? c : null);
  const page = { convs: [{ ...held.conv }], more: false };
  server.routes.set('/conversations?tab=missed&limit=50', () => page);
  return { id, conv: () => server.convs.get(id)!.conv, page };
}

/** The server sends the present state of a conversation. */
function change(id: string, event: Record<string, unknown>, over: Partial<Conv>): void {
  server.event(id, event);
  const held = server.convs.get(id)!;
  held.conv = { ...held.conv, ...over, last: held.records.length };
  for (const p of server.peers) if (p.role === 'agent') p.s.say({ t: 'conv', conv: held.conv });
}
const count = (n: number): void =>
  server.peers.forEach((p) => p.role === 'agent' && p.s.say({ t: 'missed', team: 'svc', count: n }));

it('are counted and listed from the welcome on, told of once, and can be read', async () => {
  const { id } = await missedOne();
  const { client } = await agent();
  await until(() => client.conversations.value.some((c) => c.tabs.missed));
  expect([client.missed.value, client.more.value.missed]).toEqual([{ count: 1, more: false }, false]);
  expect(client.notices.value.map(({ kind, key, params }) => ({ kind, key, params }))).toEqual([
    { kind: 'error', key: 'notice.missed', params: { n: 1 } },
  ]);
  const item = client.conversations.value.find((c) => c.id === id)!;
  expect(item.tabs).toEqual({ mine: false, queue: false, missed: true, all: true });
  const thread = client.open(id);
  await until(() => thread.synced.value);
  expect(lines(thread).map((m) => m.text || m.event?.t)).toContain('anybody there?');
  expect(lines(thread).at(-1)?.event).toMatchObject({ t: 'closed', by: '@missed' });
  // the same after a short disconnect: nothing new to show
  client.dismiss(client.notices.value[0]!.id);
  server.cut();
  await until(() => client.connection.value.state === 'online');
  await rest();
  expect([client.notices.value, client.missed.value.count, client.conversations.value[0]!.tabs.missed]).toEqual([
    [],
    1,
    true,
  ]);
});

it('leave the list with the word of the server, whoever dismissed, took or answered them', async () => {
  const { id } = await missedOne();
  const { client } = await agent();
  await until(() => client.conversations.value.some((c) => c.tabs.missed));
  await client.dismissMissed(id);
  expect(server.requests.at(-1)).toMatchObject({ t: 'dismiss', conv: id });
  change(id, { t: 'dismissed', by: 'li' }, { missed: undefined });
  count(0);
  await until(() => client.missed.value.count === 0);
  expect(client.conversations.value.find((c) => c.id === id)!.tabs).toMatchObject({ missed: false, all: true });
});

it('one that was answered while this page was offline is none any more, also if an old list comes late', async () => {
  const { id, page } = await missedOne();
  const { client } = await agent();
  await until(() => client.conversations.value.some((c) => c.tabs.missed));
  client.open(id);
  server.missed = [];
  server.cut();
  server.event(id, { t: 'reopened', by: 'wu' });
  server.convs.get(id)!.conv = {
    ...server.convs.get(id)!.conv,
    state: 'open',
    owner: 'agent:wu',
    missed: undefined,
    last: server.convs.get(id)!.records.length,
  };
  server.name = () => null;
  await until(() => client.connection.value.state === 'online');
  await rest();
  expect([client.missed.value.count, client.conversations.value.some((c) => c.tabs.missed)]).toEqual([0, false]);
  for (const p of server.peers) if (p.role === 'agent') p.s.say({ t: 'conv', conv: server.convs.get(id)!.conv });
  await rest();
  expect(page.convs[0]!.missed).toBe(NOW - DAY);
  await client.loadMore('missed');
  await rest();
  expect(client.conversations.value.find((c) => c.id === id)!.tabs.missed).toBe(false);
});

it('many that come together are told of once', async () => {
  const { client } = await agent();
  for (const n of [3, 40, 200]) {
    count(n);
    await rest(500);
  }
  expect(client.missed.value.count).toBe(200);
  expect(client.notices.value.map((n) => n.params)).toEqual([{ n: 3 }]);
  client.dismiss(client.notices.value[0]!.id);
  count(199);
  await rest(60_000);
  expect(client.notices.value).toEqual([]);
  count(201);
  await until(() => client.notices.value.length === 1);
});
