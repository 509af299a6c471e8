/** Two conversations of one visitor: a message left for people, and the robot asked meanwhile. What was refused goes back to its writer. */
import { describe, expect, it } from 'vitest';
import { watchPresence, PRESENCE_MS } from '../src/client/presence';
import { Refused } from '../src/link/errors';
import type { Http } from '../src/link/http';
import { Code, Envelope, Kind } from '../src/proto';
import { memoryStore, type Store } from '../src/storage/store';
import { rest, stateOf, texts, until, type Tab } from './support/clients';
import { begin, co, open, server, visitor } from './support/world';

/** With a robot, and a conversation that waits for people; `before`: what the robot was asked in it. */
async function left(store: Store = memoryStore(), before?: string): Promise<Tab> {
  await co.robotOn();
  const v = visitor(store);
  await until(() => v.client.robot.value);
  if (before === undefined) v.client.requestPerson();
  v.client.start({ name: '王' });
  if (before !== undefined) {
    await v.client.send(before);
    await until(() => stateOf(v.client.thread.value, before) === 'sent');
    v.client.requestPerson();
    await until(() => !v.client.thread.value!.members.value.bot, 'the robot is out');
    server.tell(v.client.thread.value!.id, {
      t: 'conv',
      conv: { ...v.client.thread.value!.conv.value!, owner: 'queue' },
    });
  }
  await v.client.send('to people');
  await until(() => stateOf(v.client.thread.value, 'to people') === 'sent');
  return v;
}

describe('a message that was left, and the robot', () => {
  it('are two conversations: the new one names the old one, has the answers that the robot was given, and the robot', async () => {
    const { client } = await left(undefined, 'a question');
    const old = client.thread.value!;
    client.askRobot();
    expect([client.thread.value, client.other.value, client.robot.value, client.needsForm.value]).toEqual([
      null,
      old,
      true,
      false,
    ]);
    await client.send('to the robot');
    await until(() => stateOf(client.thread.value, 'to the robot') === 'sent');
    const now = client.thread.value!;
    expect(now.id).not.toBe(old.id);
    expect(now.messages.value.find((m) => m.form)!.form).toMatchObject({ after: old.id, fields: { name: '王' } });
    expect(now.members.value.bot).toBe(true);
    // nothing of it was taken from the queue
    expect(old.conv.value).toMatchObject({ state: 'open', owner: 'queue' });

    client.swap();
    expect([client.thread.value, client.other.value]).toEqual([old, now]);
    await client.send('more to people');
    await until(() => stateOf(old, 'more to people') === 'sent');
    expect(texts(now)).toEqual(['to the robot']);
  });

  it('answers that were given to people alone stay with them', async () => {
    const { client } = await left();
    client.askRobot();
    await client.send('to the robot');
    await until(() => stateOf(client.thread.value, 'to the robot') === 'sent');
    expect(client.thread.value!.messages.value.find((m) => m.form)!.form!.fields).toEqual({});
  });

  it('are both there after a reload, whichever is shown', async () => {
    const store = memoryStore();
    let { client } = await left(store);
    const old = client.thread.value!.id;
    client.askRobot();
    await client.send('to the robot');
    await until(() => stateOf(client.thread.value, 'to the robot') === 'sent');
    for (const [shown, beside] of [
      ['to the robot', 'to people'],
      ['to people', 'to the robot'],
    ] as const) {
      for (const tab of open.splice(0)) tab.dispose();
      server.peers.splice(0);
      ({ client } = visitor(store));
      await until(
        () => texts(client.thread.value).length > 0 && texts(client.other.value).length > 0,
        'both are there',
      );
      expect([texts(client.thread.value), texts(client.other.value)]).toEqual([[shown], [beside]]);
      client.swap();
      await rest();
    }
    expect(client.thread.value!.id).not.toBe(old);
  });

  it('reloaded before the robot was asked: the next conversation still names the one that waits', async () => {
    const store = memoryStore();
    const first = await left(store);
    const old = first.client.thread.value!.id;
    first.client.askRobot();
    await rest();
    for (const tab of open.splice(0)) tab.dispose();
    server.peers.splice(0);
    const { client } = visitor(store);
    await until(() => client.other.value !== null);
    expect([client.thread.value, client.other.value!.id]).toEqual([null, old]);
    client.start({});
    await client.send('to the robot');
    await until(() => stateOf(client.thread.value, 'to the robot') === 'sent');
    expect(client.thread.value!.messages.value.find((m) => m.form)!.form!.after).toBe(old);
  });

  it('a conversation that the server does not name is beside nothing', async () => {
    const store = memoryStore();
    const first = await left(store);
    const old = first.client.thread.value!.id;
    first.client.askRobot();
    await rest();
    for (const tab of open.splice(0)) tab.dispose();
    server.peers.splice(0);
    server.convs.delete(old);
    const { client } = visitor(store);
    await until(() => client.connection.value.state === 'online' && client.site.value !== null);
    await rest();
    expect(client.other.value).toBeNull();
  });
});

describe('what was refused', () => {
  it('goes back to its writer: not sent, not kept, and what follows is', async () => {
    const v = await begin();
    const t = v.client.thread.value!;
    server.fate = (e) => (e.kind === Kind.message ? Code.too_large : 'store');
    await v.client.send('refused');
    await until(() => stateOf(t, 'refused') === 'failed');
    const line = t.messages.value.find((m) => m.text === 'refused')!;
    expect(line.over).toBe(false);
    v.client.drop(line.id);
    expect(texts(t)).not.toContain('refused');
    server.fate = () => 'store';
    await v.client.send('taken');
    await until(() => stateOf(t, 'taken') === 'sent');
    expect(server.received.filter((x) => Envelope.parse(x)!.msg === line.id)).toHaveLength(1);
  });

  it('a conversation that the server does not open for good is over; what was written is not said to wait', async () => {
    server.refuses.set('open', { code: Code.not_found });
    const v = visitor();
    v.client.start({});
    // it may be refused before the message was sealed: the page then still has the text
    const sent = await v.client.send('hello').then(
      () => true,
      () => false,
    );
    await until(() => v.client.thread.value?.blocked.value === 'error.site_unknown');
    expect(stateOf(v.client.thread.value, 'hello')).toBe(sent ? 'failed' : undefined);
    const tries = server.requests.filter((r) => r.t === 'open').length;
    await rest(60_000);
    expect(server.requests.filter((r) => r.t === 'open')).toHaveLength(tries);
  });

  it('a connection that does not come back: what waits is not said to wait, and does when it is tried again', async () => {
    const v = await begin();
    const t = v.client.thread.value!;
    for (const p of server.peers.splice(0)) p.s.end(4503);
    await until(() => v.client.connection.value.state === 'ended');
    await expect(v.client.send('more')).rejects.toThrow('error.unsupported');
    expect(t.blocked.value).toBe('error.unsupported');
    v.client.reconnect();
    await until(() => v.client.connection.value.state === 'online');
    expect(t.blocked.value).toBeNull();
    await v.client.send('more');
    await until(() => stateOf(t, 'more') === 'sent');
  });
});

describe('who is there', () => {
  function asked(answers: (path: string) => unknown) {
    const paths: string[] = [];
    const said: unknown[] = [];
    const get = async (path: string): Promise<unknown> => {
      paths.push(path);
      const answer = answers(path);
      if (answer instanceof Error) throw answer;
      return answer;
    };
    let told = false;
    const stop = watchPresence({
      http: { get } as unknown as Http,
      site: 's/1',
      told: () => told,
      say: (state, waiting) => said.push([state, waiting]),
    });
    return { paths, said, stop, tell: () => (told = true) };
  }

  it('is asked every twenty seconds until a socket tells or nobody looks', async () => {
    const w = asked(() => ({ state: 'busy', agents: 2, waiting: 4 }));
    await rest(PRESENCE_MS * 2);
    expect(w.paths).toEqual(Array(3).fill('/site/s%2F1/presence'));
    expect(w.said).toEqual(Array(3).fill(['busy', 4]));
    w.tell();
    await rest(PRESENCE_MS * 2);
    expect(w.paths).toHaveLength(3);
    w.stop();
    const other = asked(() => ({ state: 'open' }));
    other.stop();
    await rest(PRESENCE_MS * 2);
    expect([other.paths.length, other.said]).toEqual([1, []]);
  });

  it('a server that does not know the address is asked for all of the site; nonsense is unknown', async () => {
    const w = asked((path) =>
      path.endsWith('/presence') ? new Refused({ code: Code.not_found }) : { presence: 'away' },
    );
    await rest(PRESENCE_MS);
    expect(w.paths).toEqual(['/site/s%2F1/presence', '/site/s%2F1', '/site/s%2F1']);
    expect(w.said).toEqual([
      ['away', 0],
      ['away', 0],
    ]);
    w.stop();
    const odd = asked(() => ({ state: 'sleeping', waiting: {} }));
    await rest(10);
    expect(odd.said).toEqual([['unknown', 0]]);
    odd.stop();
    // a limit passes: the same is asked again
    const busy = asked(() => new Refused({ code: Code.rate_limited, retry_ms: 1 }));
    await rest(PRESENCE_MS);
    expect([busy.paths, busy.said]).toEqual([Array(2).fill('/site/s%2F1/presence'), []]);
    busy.stop();
  });
});
