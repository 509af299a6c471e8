/**
 * A server that shows a false conversation, through a proxy between real browsers and the real server. Each attack ends in what the
 * person sees: an alarm, a mark, or a line without its content; never in a text that someone else can read or wrote.
 */
import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import type { Agent } from '../support/agent';
import { C } from '../support/agent';
import { isText } from '../support/hostile';
import { before, describe, eventOf, isAnnouncement, isMessage, Logs, rec, type Rec } from '../support/log';
import { alarm, envelopes, frames, here, mute, nothingSent, S } from '../support/signs';
import { expect, test, type Stage } from '../support/test';
import type { Visitor } from '../support/visitor';
import { kidOf } from '../../../ui/src/crypto/hash';

test.use({ proxied: true });

const ANSWER = '签收后七天内可以退货。';
const SECOND = '运费由店家承担。';
const BOT_OUT = /机器人已离开：此后的消息它看不到/;

interface Talk {
  logs: Logs;
  li: Agent;
  visitor: Visitor;
}

/** The company puts the newest rules in force; an admin's console signs that by itself. */
async function newestRules(stage: Stage): Promise<void> {
  const types = async (): Promise<string[]> => {
    const reply = await fetch(`http://127.0.0.1:${stage.kefu.port}/api/v1/directory?after=-1`);
    const { entries } = (await reply.json()) as { entries: { raw: string }[] };
    return entries.map(({ raw }) => (JSON.parse(Buffer.from(raw, 'base64url').toString()) as { t: string }).t);
  };
  await expect.poll(types).toContain('rules');
}

/** 李娜, an admin who also answers, and a visitor whom they answered. */
async function talking(stage: Stage): Promise<Talk> {
  const logs = new Logs(stage.proxy);
  const li = await stage.agent('li', '李娜', ['svc'], 'admin');
  await newestRules(stage);
  const visitor = await stage.visitor();
  await visitor.visit(stage.shop.origin);
  await visitor.send('有人吗');
  await li.open('有人吗');
  await li.send('我在');
  await visitor.sees('我在');
  return { logs, li, visitor };
}

/** A visitor with the robot. 李娜 has the conversation open. */
async function withRobot(stage: Stage): Promise<Talk> {
  const logs = new Logs(stage.proxy);
  await stage.kefu.cli('knowledge', 'add', '怎么退货', ANSWER, '--site', 'web');
  await stage.kefu.cli('knowledge', 'add', '运费怎么算', SECOND, '--site', 'web');
  await stage.kefu.cli('robot', 'on', 'web');
  const li = await stage.agent('li', '李娜');
  const visitor = await stage.visitor();
  await visitor.visit(stage.shop.origin);
  await visitor.send('怎么退货');
  await expect(visitor.log.getByText(ANSWER)).toBeVisible({ timeout: 30_000 });
  await li.tab('all');
  await li.items.first().click();
  await li.sees(ANSWER);
  return { logs, li, visitor };
}

/** A person takes it over; nobody pressed 转人工. Both have written since. */
async function takeOver({ li, visitor }: Talk): Promise<void> {
  await li.page.getByRole('button', { name: C.take }).click();
  await expect(visitor.panel.getByText(BOT_OUT)).toBeVisible();
  await li.send('我是李娜');
  await visitor.sees('我是李娜');
  await visitor.send('人工之后的话');
  await li.sees('人工之后的话');
}

const tookOver = (r: Rec): boolean => r.event?.t === 'owner' && r.event.owner.startsWith('agent:');

/** The visitor is shown the time of the robot, as if nobody had taken over. */
function backToTheRobot(stage: Stage, logs: Logs): void {
  const last = before(logs.of('visitor'), tookOver).length;
  logs.show('visitor', (log) => before(log, tookOver));
  describe(stage.proxy, 'visitor', (conv) => ({ ...conv, owner: 'robot', epoch: 0, last }));
}

/** What the visitor writes does not reach the server and is kept in their browser. */
async function writtenInVain(stage: Stage, visitor: Visitor, text: string): Promise<void> {
  const from = here(stage.proxy);
  stage.proxy.up.push((said, line) => (line.role === 'visitor' && !isText(said) ? null : said));
  await visitor.send(text);
  await visitor.sees(text);
  await expect.poll(() => envelopes(stage.proxy, 'visitor', from).length).toBe(1);
}

/** Kid of the sender of the newest message that the visitor was shown. */
const newestSender = (logs: Logs): string => logs.of('visitor').findLast((r) => isMessage(r))!.env!.sender;

test('after the hand-over a page load shows only the time of the robot: an alarm, and nothing is sealed for the robot', async ({
  stage,
}) => {
  const talk = await withRobot(stage);
  const { logs, li, visitor } = talk;
  await takeOver(talk);
  await writtenInVain(stage, visitor, '卡号 6222020200112233');
  const from = here(stage.proxy);
  stage.proxy.up.length = 0;
  backToTheRobot(stage, logs);
  await visitor.reload();
  await alarm(visitor, 'error.history');
  nothingSent(stage.proxy, 'visitor', from);
  // what was written is not lost: it goes to the people when they are shown again
  logs.honest();
  await visitor.reload();
  await li.sees('卡号 6222020200112233');
});

test('a conversation that is left out: said to be gone; a new one begins only when the visitor asks for it', async ({
  stage,
}) => {
  const { logs, visitor } = await talking(stage);
  const from = here(stage.proxy);
  describe(stage.proxy, 'visitor', () => null);
  await visitor.reload();
  await expect(visitor.panel.getByText(S.gone).first()).toBeVisible();
  await mute(visitor.panel);
  nothingSent(stage.proxy, 'visitor', from);
  logs.honest();
  await visitor.panel.getByRole('button', { name: S.fresh }).click();
  await visitor.send('那就重新说');
  await expect.poll(() => frames(stage.proxy, 'visitor', 'open', from).length).toBe(1);
  await visitor.sees('那就重新说');
});

for (const paged of [false, true]) {
  test(`the newest records are cut off between two page loads${paged ? ', in pages over HTTP' : ''}: an alarm`, async ({
    stage,
  }) => {
    const { logs, li, visitor } = await talking(stage);
    await li.send('转账已经取消');
    await visitor.sees('转账已经取消');
    const from = here(stage.proxy);
    let pages = 0;
    stage.proxy.pages.push((page) => (pages++, page));
    logs.show('visitor', (log) => log.slice(0, -1), paged);
    await visitor.reload();
    await alarm(visitor, 'error.history');
    nothingSent(stage.proxy, 'visitor', from);
    expect(pages > 0).toBe(paged);
  });
}

test('the newest records are cut off for an agent who loads the console again: an alarm', async ({ stage }) => {
  const { logs, li, visitor } = await talking(stage);
  await visitor.send('请取消转账');
  await li.sees('请取消转账');
  const from = here(stage.proxy);
  logs.show('agent', (log) => log.slice(0, -1));
  await li.page.reload();
  await li.items.first().click();
  await expect(li.page.getByRole('alert').filter({ hasText: S.otherPast }).first()).toBeVisible();
  await mute(li.page.getByRole('main'));
  nothingSent(stage.proxy, 'agent', from);
});

test('what the robot said is kept back and shown after the hand-over, as history: not valid, without its words', async ({
  stage,
}) => {
  const talk = await withRobot(stage);
  const { logs, li, visitor } = talk;
  const robot = newestSender(logs);
  let place = Infinity;
  logs.show('visitor', (log) => {
    const kept = log.filter((r) => isMessage(r, robot))[1];
    const rest = log.filter((r) => r !== kept);
    return kept && place <= rest.length ? [...rest.slice(0, place), kept, ...rest.slice(place)] : rest;
  });
  await visitor.send('运费怎么算');
  await li.sees(SECOND);
  await takeOver(talk);
  await expect(visitor.log.getByText(SECOND)).toHaveCount(0);

  place = logs.of('visitor').length - 1;
  stage.proxy.cut('visitor');
  await expect(visitor.log.locator('.k-kind-broken').getByText(S.notValid)).toBeVisible();
  await expect(visitor.log.getByText(SECOND)).toHaveCount(0);
  await li.send('以上是我说的');
  await visitor.sees('以上是我说的');
});

test('a take-over is kept from the visitor: what they go on writing for the robot is not valid for the agent', async ({
  stage,
}) => {
  const { logs, li, visitor } = await withRobot(stage);
  logs.show('visitor', (log) => before(log, tookOver));
  describe(stage.proxy, 'visitor', (conv) => ({ ...conv, owner: 'robot', epoch: 0 }));
  await li.page.getByRole('button', { name: C.take }).click();
  await li.send('我接手了');
  await li.sees('我接手了');
  await expect.poll(() => logs.of('agent').some((r) => isAnnouncement(r, 1))).toBe(true);
  await expect(li.log.locator('.k-state-queued')).toHaveCount(0);

  // an honest server would refuse it; a hostile one shows it to the agent
  let smuggled: Rec | null = null;
  stage.proxy.up.push((said, line) => {
    if (line.role !== 'visitor' || isText(said)) return said;
    smuggled = rec(Date.now(), said);
    return null;
  });
  await visitor.send('卡号 6222020200112233');
  await expect.poll(() => smuggled).not.toBeNull();
  const place = logs.of('agent').length;
  logs.show('agent', (log) => [...log.slice(0, place), smuggled!, ...log.slice(place)]);
  await li.send('您还在吗');
  await expect(li.log.locator('.k-kind-broken').getByText(S.notValid)).toBeVisible();
  await expect(li.said('卡号 6222020200112233')).toHaveCount(0);
});

test("a message is taken away without its sender's recall: removed by the server, and the gap is marked", async ({
  stage,
}) => {
  const { logs, li, visitor } = await talking(stage);
  for (const text of ['第一句', '第二句']) {
    await li.send(text);
    await visitor.sees(text);
  }
  const [taken] = logs
    .of('visitor')
    .filter((r) => isMessage(r))
    .slice(-2);
  const { conv, msg } = taken.env!;
  logs.show('visitor', (log) => {
    const seq = log.findIndex((r) => r.env?.msg === msg) + 1;
    const tomb = Buffer.from(taken.body.subarray(0, 80));
    tomb[2] = 9;
    const said = rec(Date.now(), eventOf(conv, { t: 'recalled', seq, msg, by: 'li' }));
    return [...log.map((r, i) => (i === seq - 1 ? rec(r.at, tomb) : r)), said];
  });
  await visitor.reload();
  await visitor.sees('第二句');
  await expect(visitor.said('第一句')).toHaveCount(0);
  await expect(visitor.log.getByText(S.removed)).toBeVisible();
  await expect(visitor.log.getByText(S.takenBack)).toHaveCount(0);
  await expect(visitor.log.getByText(S.missing).first()).toBeVisible();
});

test('a message of the agent is dropped: the next one is marked', async ({ stage }) => {
  const { logs, li, visitor } = await talking(stage);
  const agent = newestSender(logs);
  logs.show('visitor', (log) => log.filter((r) => r !== log.filter((x) => isMessage(x, agent))[1]));
  for (const text of ['请不要转账', '转账']) {
    await li.send(text);
    await li.sees(text);
  }
  await visitor.sees('转账');
  await expect(visitor.said('请不要转账')).toHaveCount(0);
  await expect(visitor.log.getByText(S.missing).first()).toBeVisible();
});

test('question and answer change places: marked, for the agent who reads it again', async ({ stage }) => {
  const { logs, li, visitor } = await talking(stage);
  const say = async (from: Visitor | Agent, to: Visitor | Agent, text: string): Promise<void> => {
    await from.send(text);
    await to.sees(text);
  };
  await say(li, visitor, '要取消转账吗');
  await say(visitor, li, '是的');
  await say(li, visitor, '要执行转账吗');
  await say(visitor, li, '等一下');
  const answer = logs
    .of('agent')
    .filter((r) => isMessage(r))
    .at(-3)!.env!.msg;
  logs.show('agent', (log) => {
    const at = log.findIndex((r) => r.env?.msg === answer);
    return at < 0 ? log : [...log.slice(0, at), log[at + 1], log[at], ...log.slice(at + 2)];
  });
  await li.page.reload();
  await li.items.first().click();
  await li.sees('等一下');
  expect(await li.log.innerText()).toMatch(/要执行转账吗[^]*是的/);
  await expect(li.log.getByText(S.order).first()).toBeVisible();
});

test('said again, changed, made up: the words are there once, the rest is not valid', async ({ stage }) => {
  const { logs, li, visitor } = await talking(stage);
  await li.send('请付款到账户 A');
  await visitor.sees('请付款到账户 A');
  const real = logs.of('visitor').findLast((r) => isMessage(r))!;
  const flipped = Buffer.from(real.body);
  flipped[90] ^= 1;
  const forged = Buffer.concat([real.body.subarray(0, 80), Buffer.alloc(real.body.length - 80, 7)]);
  // a message id and a counter of its own
  forged.fill(0x5a, 40, 56);
  forged.writeUInt32BE(real.env!.ctr + 1, 60);
  const lies = [real.body, flipped, forged].map((body) => rec(real.at, body));
  logs.show('visitor', (log) => {
    const at = log.findIndex((r) => r.env?.msg === real.env!.msg) + 1;
    return [...log.slice(0, at), ...lies, ...log.slice(at)];
  });
  await li.send('谢谢');
  await visitor.sees('谢谢');
  await visitor.sees('请付款到账户 A');
  await expect(visitor.log.locator('.k-kind-broken').getByText(S.notValid)).toHaveCount(lies.length);
});

test.describe("an announcement that is not the visitor's own", () => {
  /** Someone without a key of the company or of the visitor. */
  function byAnother(body: Buffer): Buffer {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const pk = Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url');
    const unsigned = Buffer.from(body.subarray(0, -64));
    Buffer.from(kidOf(pk)).copy(unsigned, 24);
    const signature = sign(
      null,
      Buffer.concat([Buffer.from('kefu/1 ann\0'), unsigned]),
      createPrivateKey(privateKey.export({ format: 'pem', type: 'pkcs8' })),
    );
    return Buffer.concat([unsigned, signature]);
  }
  /** One more box, for an unknown reader. */
  function withGhost(body: Buffer): Buffer {
    const box = Buffer.from(body.subarray(141, 141 + 97));
    box.fill(0x11, 1, 17);
    return Buffer.concat([body.subarray(0, -64), box, body.subarray(-64)]);
  }

  for (const [name, change] of [
    ['by somebody else', byAnother],
    ['with a box for a ghost', withGhost],
  ] as const) {
    test(`the first epoch ${name}: the agent reads nothing and writes nothing; the visitor is alarmed`, async ({
      stage,
    }) => {
      const logs = new Logs(stage.proxy);
      const li = await stage.agent('li', '李娜');
      const lie = (log: Rec[]): Rec[] => log.map((r) => (isAnnouncement(r, 0) ? rec(r.at, change(r.body)) : r));
      logs.show('agent', lie);
      const visitor = await stage.visitor();
      await visitor.visit(stage.shop.origin);
      await visitor.send('我的身份证号');
      await visitor.sees('我的身份证号');
      await li.items.first().click();
      await expect(li.log.locator('.k-kind-broken').getByText(S.notValid).first()).toBeVisible();
      await expect(li.said('我的身份证号')).toHaveCount(0);
      expect(envelopes(stage.proxy, 'agent')).toEqual([]);

      logs.honest();
      logs.show('visitor', lie);
      const from = here(stage.proxy);
      await visitor.reload();
      await alarm(visitor, 'error.history');
      nothingSent(stage.proxy, 'visitor', from);
    });
  }
});

test('a false word that a backup was restored: said openly, a new conversation is offered, nothing is sealed for the robot', async ({
  stage,
}) => {
  const talk = await withRobot(stage);
  const { logs, visitor } = talk;
  await takeOver(talk);
  const from = here(stage.proxy);
  const sent = envelopes(stage.proxy, 'visitor').map((env) => env.msg);
  const gen = 'f'.repeat(16);
  const last = before(logs.of('visitor'), tookOver).length;
  // it comes first: what it answers is not asked for
  stage.proxy.up.push((said, line) => {
    if (line.role !== 'visitor') return said;
    if (!isText(said)) return null;
    if (said.t === 'restore') {
      line.say({ t: 'error', req: said.req, code: 5, text: '' });
      return null;
    }
    const convs = said.t === 'resume' ? (said.convs as { id: string; have: number; mark?: string }[]) : [];
    const known = convs.filter((c) => c.have > last || c.mark !== undefined);
    for (const { id } of known) line.say({ t: 'rewound', conv: id, last, gen });
    return known.length ? { ...said, convs: convs.filter((c) => !known.includes(c)) } : said;
  });
  stage.proxy.down.push((said, line) =>
    line.role === 'visitor' && isText(said) && said.t === 'welcome' ? { ...said, gen } : said,
  );
  backToTheRobot(stage, logs);
  stage.proxy.cut('visitor');
  await expect(visitor.panel.getByText(S.rewound).first()).toBeVisible();
  await expect(visitor.panel.getByRole('button', { name: S.fresh })).toBeVisible();
  await mute(visitor.panel);
  // nothing but what was sealed before the lie, with the same bytes
  expect(envelopes(stage.proxy, 'visitor', from).filter((env) => !sent.includes(env.msg))).toEqual([]);
});
