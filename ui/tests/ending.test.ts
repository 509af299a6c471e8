/** A visitor ends the conversation, also while there is no connection: after what they wrote before, and not if they go on. */
import { expect, it } from 'vitest';
import { rest, stateOf, texts, until, type Tab } from './support/clients';
import { begin, server } from './support/world';

const there = () => [...server.convs.values()][0]!;
const requests = (): number => server.requests.filter((r) => r.t === 'close').length;
/** What both sides call it, and what is in it. */
const outcome = ({ client }: Tab) => [
  there().conv.state,
  client.thread.value!.conv.value!.state,
  client.closing.value,
  ...texts(client.thread.value),
];

it('ends after what was written while there was no connection', async () => {
  const v = await begin();
  server.cut();
  await v.client.send('still there?');
  // online, but its records are not here yet: nothing is sent before
  server.mute = true;
  await until(() => v.client.connection.value.state === 'online');
  const done = v.client.close();
  await rest();
  expect([requests(), stateOf(v.client.thread.value, 'still there?')]).toEqual([0, 'queued']);
  server.mute = false;
  server.cut();
  await rest();
  await done;
  expect(outcome(v)).toEqual(['closed', 'closed', false, 'hello', 'still there?']);
});

it('ends after what was sent in the same moment', async () => {
  const v = await begin();
  void v.client.send('bye');
  await v.client.close();
  await rest();
  expect(outcome(v)).toEqual(['closed', 'closed', false, 'hello', 'bye']);
});

it('ends when the connection is back', async () => {
  const v = await begin();
  server.cut();
  const done = v.client.close();
  expect(v.client.closing.value).toBe(true);
  await rest();
  await done;
  expect(outcome(v)).toEqual(['closed', 'closed', false, 'hello']);
});

it.each([
  ['the request', 'open', 2],
  ['its answer', 'closed', 1],
] as const)('ends although %s was lost with the connection', async (_, state, times) => {
  const v = await begin();
  const event = server.event;
  server.event = () => {
    server.event = event;
    there().conv.state = state;
    server.cut();
  };
  const done = v.client.close();
  await rest();
  await done;
  expect([requests(), ...outcome(v)]).toEqual([times, 'closed', 'closed', false, 'hello']);
});

it('goes on if the visitor changes their mind or writes on, and can be ended after that', async () => {
  const v = await begin();
  for (const [n, change] of [() => v.client.keepOpen(), () => void v.client.send('one more thing')].entries()) {
    server.cut();
    const done = v.client.close();
    change();
    await done;
    await rest();
    expect([requests(), ...outcome(v).slice(0, 3)]).toEqual([0, 'open', 'open', false]);
    expect(texts(v.client.thread.value)).toHaveLength(n + 1);
  }
  server.cut();
  void v.client.close();
  v.client.keepOpen();
  const done = v.client.close();
  await rest();
  await done;
  expect([requests(), ...outcome(v)]).toEqual([1, 'closed', 'closed', false, 'hello', 'one more thing']);
});
