/** The state of the console's own agent: what the server stores, and nothing else. */
import { expect, it } from 'vitest';
import { rest, until } from './support/clients';
import { agent, server } from './support/world';

const say = (frame: Record<string, unknown>): void =>
  server.peers.forEach((p) => p.role === 'agent' && p.s.say(frame as never));

it('is offline until the server says otherwise', async () => {
  const { client } = await agent();
  await until(() => client.connection.value.state === 'online');
  await rest();
  expect(client.me.value?.state).toBe('offline');
});

it('is what was kept, from the welcome on, also after a cut, and nothing is said again by itself', async () => {
  server.status = 'busy';
  const { client } = await agent();
  await until(() => client.me.value?.state === 'busy');
  await client.status('online');
  expect(client.me.value?.state).toBe('online');
  // another page of this agent chose meanwhile
  server.status = 'offline';
  server.cut();
  await until(() => client.connection.value.state === 'online' && client.me.value?.state === 'offline');
  await rest();
  expect(server.requests.filter((r) => r.t === 'status')).toEqual([expect.objectContaining({ state: 'online' })]);
});

it('follows the other pages, and says why the server made them busy', async () => {
  server.status = 'online';
  const { client } = await agent();
  await until(() => client.me.value?.state === 'online');
  say({ t: 'status', state: 'offline' });
  await until(() => client.me.value?.state === 'offline');
  expect(client.notices.value).toEqual([]);
  say({ t: 'status', state: 'busy', why: 'missed' });
  await until(() => client.me.value?.state === 'busy');
  expect(client.notices.value.map(({ kind, key }) => [kind, key])).toEqual([['info', 'notice.made_busy']]);
  // a word of a newer server: not here, as far as this page knows
  say({ t: 'status', state: 'lunch' });
  await until(() => client.me.value?.state === 'offline');
});
