/** What an agent loses while a page is open, what is given to them, and which lines of a list are read. */
import { describe, expect, it } from 'vitest';
import type { Conversation } from '../src/client/conversation';
import { ConvList } from '../src/client/list';
import { PreviewQueue } from '../src/client/preview-queue';
import type { Message } from '../src/model';
import type { Conv } from '../src/proto';
import { signal } from '../src/signals';
import { rest, stateOf, until } from './support/clients';
import { agent, begin, co, server } from './support/world';

/** An agent who answers a visitor. */
async function talking() {
  const v = await begin('hello');
  const id = v.client.thread.value!.id;
  const { client } = await agent();
  await until(() => client.conversations.value.some((c) => c.id === id));
  server.own(id, 'agent:li', 'take', 'li');
  const thread = client.open(id);
  await until(() => thread.synced.value && client.conversations.value[0]!.tabs.mine);
  return { v, id, client, thread };
}

describe('a conversation that is lost', () => {
  it('by the teams that the server names: what waited comes back and is sent to nobody', async () => {
    const { client, thread, id } = await talking();
    server.fate = () => 'lose';
    await client.send(id, 'not yet there');
    await client.note(id, 'a note');
    await until(() => stateOf(thread, 'not yet there') === 'queued');
    const sent = server.received.length;
    server.config = { teams: ['other'], role: 'agent' };
    server.name = () => null;
    server.cut();
    await until(() => client.dropped.value.length > 0);
    expect(client.dropped.value).toEqual([
      {
        conv: id,
        name: '王',
        why: 'team',
        team: 'Team svc',
        texts: [
          { text: 'not yet there', note: false },
          { text: 'a note', note: true },
        ],
      },
    ]);
    expect(client.conversations.value).toEqual([]);
    server.fate = () => 'store';
    await rest(60_000);
    expect(server.received.length).toBe(sent);
    client.forgetDropped();
    expect(client.dropped.value).toEqual([]);
  });

  it('by the directory, before the server says anything, with a word about it', async () => {
    const { client, id } = await talking();
    await co.add({ t: 'agent', user: 'li', on: true, teams: [] });
    for (const p of server.peers) if (p.role === 'agent') p.s.say({ t: 'directory', seq: co.log.length - 1 });
    await until(() => client.dropped.value.length > 0);
    expect(client.dropped.value[0]).toMatchObject({ conv: id, why: 'team' });
    expect(client.notices.value.map((n) => n.key)).toContain('notice.teams_left');
    expect(client.me.value!.teams).toEqual([]);
  });

  it('by the server, in a team one is still in; and by oneself', async () => {
    const { client, id } = await talking();
    for (const p of server.peers) if (p.role === 'agent') p.s.say({ t: 'gone', conv: id });
    await until(() => client.dropped.value.length > 0);
    expect(client.dropped.value[0]).toMatchObject({ conv: id, why: 'elsewhere', texts: [] });
  });

  it('with the account, to a new enrolment elsewhere: out, said why, and what was written comes back', async () => {
    const { client, id, thread } = await talking();
    server.fate = () => 'lose';
    await client.send(id, 'not yet there');
    await until(() => stateOf(thread, 'not yet there') === 'queued');
    await co.add({ t: 'agent', user: 'li', on: false });
    await co.enrol('li', 'agent', ['svc']);
    for (const p of server.peers) if (p.role === 'agent') p.s.say({ t: 'directory', seq: co.log.length - 1 });
    await until(() => client.session.value === 'signed-out');
    expect(client.connection.value.reason).toBe('error.unauthorised');
    expect(client.dropped.value).toMatchObject([
      { conv: id, why: 'signed-out', texts: [{ text: 'not yet there', note: false }] },
    ]);
  });

  it('with a role or a password that changed elsewhere: both are said, once', async () => {
    server.config = { teams: ['svc'], role: 'agent', password: 1 };
    const { client } = await talking();
    server.config = { teams: ['svc'], role: 'agent', password: 2 };
    server.cut();
    await until(() => client.notices.value.some((n) => n.key === 'notice.password'));
    await co.add({ t: 'agent', user: 'li', on: true, role: 'supervisor' });
    for (const p of server.peers) if (p.role === 'agent') p.s.say({ t: 'directory', seq: co.log.length - 1 });
    await until(() => client.notices.value.some((n) => n.key === 'notice.role'));
    expect(client.notices.value.find((n) => n.key === 'notice.role')!.params).toEqual({ role: 'supervisor' });
    for (const n of client.notices.value) client.dismiss(n.id);
    server.cut();
    await rest(5_000);
    expect(client.notices.value).toEqual([]);
  });
});

describe('a conversation that is given', () => {
  it('by a colleague counts as one unread until it was opened, though all of it was read, and says by whom', async () => {
    const { client, id } = await talking();
    const item = () => client.conversations.value.find((c) => c.id === id)!;
    client.markRead(id);
    await until(() => item().unread === 0);
    client.leave(id);
    server.own(id, 'agent:wu', 'transfer', 'li');
    await until(() => !item().tabs.mine);
    server.own(id, 'agent:li', 'transfer', 'wu');
    await until(() => item().tabs.mine && item().unread === 1);
    expect(item().handed).toEqual({ by: 'wu', reason: '' });
    client.markRead(id);
    await until(() => item().unread === 0);
  });

  it('by myself, or taken, counts for nothing', async () => {
    const { client, id } = await talking();
    const item = () => client.conversations.value.find((c) => c.id === id)!;
    client.markRead(id);
    await until(() => item().unread === 0);
    server.own(id, 'agent:wu', 'transfer', 'li');
    await until(() => !item().tabs.mine);
    server.own(id, 'agent:li', 'take', 'li');
    await until(() => item().tabs.mine);
    await rest();
    expect([item().unread, item().handed]).toEqual([0, null]);
  });

  it('by the desk, after a colleague had read it, counts too', async () => {
    const { client, id } = await talking();
    const item = () => client.conversations.value.find((c) => c.id === id)!;
    client.markRead(id);
    await until(() => item().unread === 0);
    server.own(id, 'queue', 'transfer', 'wu');
    await until(() => !item().tabs.mine);
    server.own(id, 'agent:li', 'accept', 'li');
    await until(() => item().tabs.mine && item().unread === 1);
    expect(item().handed).toEqual({ by: 'wu', reason: '' });
  });
});

describe('a line of the list', () => {
  const said = (seq: number, side: Message['side'], text: string): Message => ({
    id: `m${seq}`,
    seq,
    at: seq,
    side,
    mine: false,
    kind: 'text',
    text,
    missingBefore: false,
    unordered: false,
    canRecall: () => false,
  });
  const form: Message = { ...said(1, 'visitor', ''), kind: 'form', form: { fields: { name: '王' } } };
  const spoken = [form, said(2, 'visitor', '运费怎么算'), said(3, 'robot', '正在为您转接人工客服，请稍候。')];

  /** The line of a conversation with these words, as an agent of team svc sees it. */
  async function line(owner: string, messages: Message[]) {
    const conv = { id: 'c', site: 's', team: 'svc', owner, state: 'open', last_at: 0 } as Conv;
    const thread = {
      conv: signal(conv),
      messages: signal(messages),
      synced: signal(true),
      unread: signal(0),
    } as unknown as Conversation;
    const list = new ConvList(
      () => ({ user: 'li', teams: ['svc'] }),
      () => thread,
      (user) => user,
    );
    list.put(conv);
    await Promise.resolve();
    return list.items.value[0]!;
  }

  it('in the queue has the words of the visitor, whatever the robot said after them', async () => {
    expect((await line('queue', spoken)).last!.text).toBe('运费怎么算');
    expect((await line('queue', spoken.slice(2))).last!.text).toBe('正在为您转接人工客服，请稍候。');
  });

  it('of a robot has the name and the last words', async () => {
    const item = await line('robot', spoken);
    expect([item.name, item.last!.text]).toEqual(['王', '正在为您转接人工客服，请稍候。']);
  });

  it('in which nothing was said is known to be empty', async () => {
    expect(await line('queue', [form])).toMatchObject({ name: '王', last: null, empty: true });
  });
});

describe('the list of all', () => {
  it('reads a line that is on screen, and keeps what it read', async () => {
    const v = await begin('what does it cost?');
    const id = v.client.thread.value!.id;
    server.own(id, 'agent:wu', 'accept', 'wu');
    server.name = () => null;
    server.routes.set('/conversations?tab=all&limit=50', () => ({
      convs: [{ ...server.convs.get(id)!.conv }],
      more: false,
    }));
    const { client } = await agent();
    await client.loadMore('all');
    await until(() => client.conversations.value.length === 1);
    const item = () => client.conversations.value[0]!;
    expect([item().name, item().last, item().ownerName]).toEqual(['', null, 'wu']);
    client.watch(id);
    await until(() => item().name === '王');
    expect(item().last!.text).toBe('what does it cost?');
    client.unwatch(id);
    await rest();
    expect([item().name, item().last!.text]).toEqual(['王', 'what does it cost?']);
    // nobody reads for the owner
    expect(server.convs.get(id)!.conv.agent.read).toBe(0);
  });

  it('reads four at a time, and none that went off screen meanwhile', async () => {
    const begun: string[] = [];
    const done = new Map<string, () => void>();
    const watching = new PreviewQueue((id, on) => {
      if (!on) return Promise.resolve();
      begun.push(id);
      return new Promise((ok) => done.set(id, ok));
    });
    for (const id of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) watching.add(id);
    expect(begun).toEqual(['a', 'b', 'c', 'd']);
    watching.remove('e');
    done.get('a')!();
    await Promise.resolve();
    await Promise.resolve();
    await Promise.resolve();
    expect(begun).toEqual(['a', 'b', 'c', 'd', 'f']);
    expect([watching.has('a'), watching.has('e')]).toEqual([true, false]);
  });
});
