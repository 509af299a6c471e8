/** The robot in a conversation: it is let in honestly, one press takes it out, and then it reads nothing. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { accessible, bringAxe } from '../support/axe';
import { C } from '../support/agent';
import { canary, search } from '../support/canary';
import { expect, firefox, picture, test } from '../support/test';
import { W } from '../support/visitor';

const R = {
  person: /^(转人工|Talk to a person)$/,
  serving: /机器人正在应答|The robot is answering/,
  reads: /服务器上的机器人能看到此对话/,
  team: /只有您和.*的团队能看到此对话/,
  botIn: /机器人应答：此后的消息它能看到/,
  botOut: /机器人已离开：此后的消息它看不到/,
  left: /机器人已离开：此后的消息只有团队能看到/,
  asked: /机器人：访客要找人工/,
};

test('asked in words for a person it hands over, says why to agents, and is out before people read; they correct it', async ({
  stage,
}) => {
  await stage.kefu.cli('robot', 'on', 'web');
  const code = await stage.kefu.invite('li', '李娜', ['svc'], 'admin');
  const agent = await stage.browserOfAgent();
  const visitor = await stage.visitor();
  await bringAxe(visitor.page.context());
  await bringAxe(agent.page.context());
  await agent.enrol(code);
  await visitor.visit(stage.shop.origin);
  await expect(visitor.panel.getByText(R.serving)).toBeVisible();
  await expect(visitor.panel.getByText(R.reads)).toBeVisible();
  await expect(visitor.panel.getByRole('button', { name: R.person })).toBeVisible();
  await picture(visitor.page, 'robot-before-first-message');
  await accessible(visitor.page, 'robot-before-first-message', 'kefu-widget');

  await visitor.send('我要找人工客服');
  await expect(visitor.panel.getByText(R.botIn)).toBeVisible();
  await expect(visitor.panel.getByText(R.botOut)).toBeVisible();
  await expect(visitor.panel.getByRole('button', { name: R.person })).toHaveCount(0);
  await expect(visitor.panel.getByText(R.team)).toBeVisible();

  await agent.items.first().click();
  await agent.sees('我要找人工客服');
  await expect(agent.log.getByText(R.asked)).toBeVisible();
  await expect(agent.log.getByText(R.left)).toBeVisible();
  const line = agent.log.locator('.c-bot').last();
  await line.locator('summary').click();
  await expect(line.getByText(/原因/)).toBeVisible();

  const secret = { asked: canary('asked'), answered: canary('answered') };
  await visitor.send(secret.asked);
  await agent.sees(secret.asked);
  await agent.send(secret.answered);
  await visitor.sees(secret.answered);
  await picture(agent.page, 'robot-handed-over-console');
  await accessible(agent.page, 'robot-handed-over-console', 'html');

  // an agent corrects the intent; the correction is sealed and shown at its place
  await line.getByRole('button', { name: /^(不对…|选择意图…)$/ }).click();
  await line.getByRole('combobox', { name: '正确的意图' }).fill('投诉');
  await line.getByRole('button', { name: '记下' }).click();
  await expect(line.getByText(/已更正为/)).toBeVisible();
  // in Firefox, Playwright sees neither downloads nor socket frames
  if (!firefox(agent.page)) {
    const saved = agent.page.waitForEvent('download');
    await agent.page.getByRole('button', { name: C.menu }).click();
    await agent.page.getByRole('menuitem', { name: '导出更正记录' }).click();
    const csv = readFileSync(await (await saved).path(), 'utf8');
    expect(csv.replace('\uFEFF', '')).toBe('text,intent\r\n"我要找人工客服","complaint"\r\n');
  }

  await stage.kefu.stop();
  expect(search(secret, [stage.kefu.dir], [stage.kefu.log])).toEqual([]);
});

test('answers from imported knowledge; one press brings a person, and what is said then is nowhere on the server, nor in its memory', async ({
  stage,
}) => {
  await stage.kefu.cli(
    'knowledge',
    'add',
    '怎么退货',
    '签收后七天内可以退货，在“我的订单”里申请。',
    '--similar',
    '我要退货',
    '--site',
    'web',
  );
  await stage.kefu.cli('robot', 'on', 'web');
  const agent = await stage.agent('li', '李娜');
  const visitor = await stage.visitor();
  await visitor.visit(stage.shop.origin);
  await visitor.send('怎么退货');
  await expect(visitor.log.getByText(/七天内可以退货/)).toBeVisible({ timeout: 30_000 });
  await expect(visitor.panel.getByText(R.serving)).toBeVisible();
  await picture(visitor.page, 'robot-answered');

  // agents see it among all conversations, marked, with the reason of each answer
  await agent.tab('all');
  await expect(agent.items.first().locator('.k-tag')).toHaveText('机器人');
  await expect(agent.items.first()).toContainText('七天内可以退货');
  await agent.items.first().click();
  await expect(agent.log.getByText(/七天内可以退货/)).toBeVisible();
  // the recognised intent and the time are one row
  const foot = agent.log.locator('.k-right .k-foot').last();
  const [thought, said] = await Promise.all([
    foot.locator('summary').boundingBox(),
    foot.locator('time').boundingBox(),
  ]);
  expect(Math.max(thought!.y, said!.y)).toBeLessThan(Math.min(thought!.y + thought!.height, said!.y + said!.height));
  expect((await foot.boundingBox())!.height).toBeLessThan(32);
  await foot.locator('summary').click();
  await expect(agent.log.locator('.c-bot').getByText(/知识条目/)).toBeVisible();
  await picture(agent.page, 'robot-answered-console');

  await visitor.panel.getByRole('button', { name: R.person }).click();
  await expect(visitor.panel.getByText(R.botOut)).toBeVisible();
  await expect(visitor.panel.getByRole('button', { name: R.person })).toHaveCount(0);
  await expect(agent.log.getByText(/访客要求人工/)).toBeVisible();
  await expect(agent.log.getByText(R.left)).toBeVisible();
  const secret = { asked: canary('asked'), answered: canary('answered') };
  await visitor.send(secret.asked);
  await agent.sees(secret.asked);
  await agent.send(secret.answered);
  await visitor.sees(secret.answered);
  const memory = stage.kefu.memory();
  expect(search(secret, [stage.kefu.dir], [stage.kefu.log, memory])).toEqual([]);
  // the search would find it: the robot's knowledge is stored there
  expect(search({ knowledge: '签收后七天内可以退货' }, [], [memory])).not.toEqual([]);
});

test('an answer is shown as the Markdown it is, on both sides, and nothing of it becomes markup or a script', async ({
  stage,
}) => {
  const answer = [
    '**七天内**可以退货：',
    '',
    '1. 打开[我的订单](https://shop.example/orders)',
    '2. 选`申请退货`',
    '',
    '<img src=x onerror=alert(1)><script>alert(1)</script> [点我](javascript:alert(1)) ![图](https://shop.example/i.png)',
  ].join('\n');
  await stage.kefu.cli('knowledge', 'add', '怎么退货', answer, '--site', 'web');
  await stage.kefu.cli('robot', 'on', 'web');
  const agent = await stage.agent('li', '李娜');
  const visitor = await stage.visitor();
  const typing: boolean[] = [];
  visitor.page.on('websocket', (ws) =>
    ws.on('framereceived', ({ payload }) => {
      const frame = typeof payload === 'string' ? (JSON.parse(payload) as { t: string; on: boolean }) : null;
      if (frame?.t === 'typing') typing.push(frame.on);
    }),
  );
  await visitor.visit(stage.shop.origin);
  await visitor.send('怎么退货');
  await expect(visitor.log.locator('strong').getByText('七天内')).toBeVisible({ timeout: 30_000 });
  // they saw it working until its answer arrived
  if (!firefox(visitor.page)) await expect.poll(() => [typing[0], typing.at(-1)]).toEqual([true, false]);
  await agent.tab('all');
  await expect(agent.items.first()).not.toContainText('**');
  await agent.items.first().click();
  for (const log of [visitor.log, agent.log]) {
    await expect(log.locator('strong').getByText('七天内')).toBeVisible();
    await expect(log.locator('ol > li')).toHaveCount(2);
    await expect(log.locator('code').getByText('申请退货')).toBeVisible();
    const links = await log
      .locator('a')
      .evaluateAll((all) => all.map((a) => [a.getAttribute('href'), a.getAttribute('rel')]));
    expect(links).toEqual(
      ['https://shop.example/orders', 'https://shop.example/i.png'].map((href) => [
        href,
        'noopener noreferrer nofollow',
      ]),
    );
    await expect(log.locator('img, script')).toHaveCount(0);
    await expect(log.getByText('[点我](javascript:alert(1))')).toBeVisible();
    // what people write stays as they wrote it
    await expect(log.getByText('怎么退货', { exact: true })).toHaveCount(1);
  }
  await visitor.send('**不是**粗体');
  await expect(visitor.log.getByText('**不是**粗体')).toBeVisible();
  await picture(visitor.page, 'robot-markdown');
  await picture(agent.page, 'robot-markdown-console');
});

test('a table of an answer is a table, which scrolls within its bubble, from the keyboard, too; addresses end where their readers see it', async ({
  stage,
}) => {
  const answer = [
    '运费如下（见https://shop.example/help，**不要**猜）：',
    '',
    '| 重量 | 江浙沪 | 华北 | 华南 | 西北与西藏 | 港澳台 |',
    '| --- | --- | --- | --- | --- | --- |',
    '| 1 公斤以内 | 6 元 | 8 元 | 8 元 | 15 元 | 30 元 |',
    '| 5 公斤以内 | **12 元** | 16 元 | 18 元 | 40 元 | 见 [说明](https://shop.example/a_(b)) |',
    '',
    '「https://shop.example/x」或写信到service@shop.example。',
  ].join('\n');
  await stage.kefu.cli('knowledge', 'add', '运费多少', answer, '--site', 'web');
  await stage.kefu.cli('robot', 'on', 'web');
  const agent = await stage.agent('li', '李娜');
  const visitor = await stage.visitor();
  await bringAxe(visitor.page.context());
  await visitor.visit(stage.shop.origin);
  await visitor.send('运费多少');
  await expect(visitor.log.getByRole('cell', { name: '12 元' })).toBeVisible({ timeout: 30_000 });
  await agent.tab('all');
  await agent.items.first().click();
  for (const log of [visitor.log, agent.log]) {
    await expect(log.getByRole('columnheader')).toHaveText(['重量', '江浙沪', '华北', '华南', '西北与西藏', '港澳台']);
    await expect(log.getByRole('row')).toHaveCount(3);
    await expect(log.locator('strong')).toHaveText(['不要', '12 元']);
    const links = await log.locator('a').evaluateAll((all) => all.map((a) => a.getAttribute('href')));
    expect(links).toEqual([
      'https://shop.example/help',
      'https://shop.example/a_(b)',
      'https://shop.example/x',
      'mailto:service@shop.example',
    ]);
  }
  const box = visitor.log.locator('div:has(> table)');
  expect(await box.evaluate((el) => el.scrollWidth > el.clientWidth)).toBe(true);
  expect(await visitor.log.evaluate((el) => el.scrollWidth <= el.clientWidth)).toBe(true);
  await box.focus();
  await visitor.page.keyboard.press('ArrowRight');
  await expect.poll(() => box.evaluate((el) => el.scrollLeft)).toBeGreaterThan(0);
  await picture(visitor.page, 'robot-table');
  await picture(agent.page, 'robot-table-console');
  await accessible(visitor.page, 'robot-table', 'kefu-widget');
});

test('a damaged language model: every conversation goes to people at once, and agents see why', async ({ stage }) => {
  // a model's place with nothing in it: what a copy that stopped half way would leave
  mkdirSync(join(stage.kefu.dir, 'knowledge', 'model'), { recursive: true });
  await stage.kefu.cli('robot', 'on', 'web');
  const agent = await stage.agent('li', '李娜');
  const visitor = await stage.visitor();
  await visitor.visit(stage.shop.origin);
  await visitor.send('我的包裹到哪里了');
  await expect(visitor.panel.getByText(R.botOut)).toBeVisible();
  await agent.open('我的包裹到哪里了');
  await agent.log.locator('.c-bot summary').last().click();
  await expect(
    agent.log
      .locator('.c-bot')
      .last()
      .getByText(/the language model can't be used/),
  ).toBeVisible();
});

test('asked for before the first message, a person is what the conversation begins with', async ({ stage }) => {
  await stage.kefu.cli('robot', 'on', 'web');
  const agent = await stage.agent('li', '李娜');
  const visitor = await stage.visitor();
  await visitor.visit(stage.shop.origin);
  await visitor.panel.getByRole('button', { name: R.person }).click();
  await expect(visitor.panel.getByText('好的，由客服直接接待')).toBeVisible();
  await expect(visitor.panel.getByText(R.team)).toBeVisible();
  await visitor.send('直接找人');
  await agent.open('直接找人');
  await agent.send('我在');
  await visitor.sees('我在');
  await expect(visitor.panel.getByText(R.botIn)).toHaveCount(0);
});

test('pressed while the server is away: a person is asked for before anything is said, and the robot never reads it', async ({
  stage,
}) => {
  await stage.kefu.cli('robot', 'on', 'web');
  const agent = await stage.agent('li', '李娜');
  const visitor = await stage.visitor();
  await visitor.visit(stage.shop.origin);
  await expect(visitor.panel.getByText(R.serving)).toBeVisible();
  await stage.kefu.kill();
  await visitor.send('丢了一个包裹');
  await visitor.panel.getByRole('button', { name: R.person }).click();
  await expect(visitor.panel.getByText('正在转人工，机器人看不到您此后的消息')).toBeVisible();
  await expect(visitor.panel.getByRole('button', { name: R.person })).toHaveCount(0);
  await picture(visitor.page, 'robot-person-asked-offline');
  await stage.kefu.serve();
  await expect(agent.page.getByText(C.offline)).toBeHidden({ timeout: 40_000 });
  await agent.item('丢了一个包裹').click({ timeout: 40_000 });
  await agent.sees('丢了一个包裹');
  await expect(agent.log.getByText(/访客要求人工/)).toBeVisible();
  await expect(agent.log.locator('.c-bot')).toHaveCount(0);
  await agent.send('马上查');
  await visitor.sees('马上查');
  await expect(visitor.panel.getByText(R.botOut)).toBeVisible();
  // it was out before the first word
  expect(await visitor.log.innerText()).toMatch(/机器人已离开[^]*丢了一个包裹/);
});

test('switched off, the site is as it was', async ({ stage }) => {
  await stage.kefu.cli('robot', 'on', 'web');
  await stage.kefu.cli('robot', 'off', 'web');
  const visitor = await stage.visitor();
  await visitor.visit(stage.shop.origin);
  await expect(visitor.panel.getByText(R.team)).toBeVisible();
  await expect(visitor.panel.getByText(W.away).first()).toBeVisible();
  await visitor.send('你好');
  await expect(visitor.panel.getByText(R.botIn)).toHaveCount(0);
});

test.describe('a question back', () => {
  const ask =
    '{ greeting = { do = "ask", zh = "您想咨询哪一项？", buttons = [{ zh = "怎么退货" }, { zh = "运费怎么算" }], threshold = 1 } }';
  test.use({ config: { KEFU_ROBOT__INTENTS: ask } });

  test('has buttons; pressing one is a message of the visitor, and the next turn answers it', async ({ stage }) => {
    await stage.kefu.cli('knowledge', 'add', '怎么退货', '签收后七天内可以退货。', '--site', 'web');
    await stage.kefu.cli('robot', 'on', 'web');
    const agent = await stage.agent('li', '李娜');
    const visitor = await stage.visitor();
    await bringAxe(visitor.page.context());
    await visitor.visit(stage.shop.origin);
    await visitor.send('你好');
    await expect(visitor.log.getByText('您想咨询哪一项？')).toBeVisible({ timeout: 30_000 });
    const quick = (name: string) => visitor.log.getByRole('button', { name, exact: true });
    await expect(quick('运费怎么算')).toBeVisible();
    await picture(visitor.page, 'robot-quick-replies');
    await accessible(visitor.page, 'robot-quick-replies', 'kefu-widget');
    await visitor.field.fill('写到一半');
    await quick('怎么退货').click();
    await expect(visitor.log.locator('.k-right').last()).toContainText('怎么退货');
    await visitor.sees('签收后七天内可以退货。');
    await expect(quick('怎么退货')).toHaveCount(0);
    await expect(quick('运费怎么算')).toHaveCount(0);
    await expect(visitor.field).toHaveValue('写到一半');

    // an agent reads both turns
    await agent.tab('all');
    await agent.items.first().click();
    await agent.sees('怎么退货');
    await agent.sees('签收后七天内可以退货。');
  });
});
