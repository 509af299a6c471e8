/** Two servers of one company over a Redis: people at different servers talk, and a page goes on at the other when its server dies. */
import { C } from '../support/agent';
import { expect, test } from '../support/cluster';
import { W } from '../support/visitor';

const typing = /正在输入|is typing|typing/;

test('a visitor at one server, agents at the other and at the same one: messages, typing, what was read, notes, a transfer', async ({
  cluster,
}) => {
  test.slow();
  const li = await cluster.agent('li', '李娜');
  const visitor = await cluster.stage.visitor();
  await visitor.visit(cluster.stage.shop.origin);
  await visitor.send('你好，我想退货');
  await li.open('你好，我想退货');
  await li.sees('你好，我想退货');
  await expect(visitor.panel.getByRole('heading', { level: 1 })).toHaveText('李娜');
  await visitor.wasRead();

  await li.reply.pressSequentially('好的');
  await expect(visitor.log.getByText(typing)).toBeVisible();
  await li.send('好的，请告诉我订单号');
  await visitor.sees('好的，请告诉我订单号');
  await li.wasRead();
  await visitor.field.pressSequentially('订单');
  await expect(li.log.getByText(typing)).toBeVisible();
  await visitor.send('订单号 20261123');
  await li.sees('订单号 20261123');

  // a colleague at the visitor's server
  const wang = await cluster.agent('wang', '王强', cluster.visitors);
  await wang.tab('all');
  await wang.open('订单号 20261123');
  await wang.note('老客户，优先处理 N7f3');
  await li.sees('老客户，优先处理 N7f3');
  await li.transfer('王强');
  await expect(visitor.panel.getByRole('heading', { level: 1 })).toHaveText('王强');
  await wang.send('我来处理');
  await visitor.sees('我来处理');
  await li.tab('all');
  await li.open('我来处理');

  await visitor.reload();
  for (const text of ['你好，我想退货', '好的，请告诉我订单号', '订单号 20261123', '我来处理']) {
    for (const side of [visitor, li, wang]) await side.sees(text);
  }
  await expect(visitor.panel.getByText('N7f3')).toHaveCount(0);
});

test('SIGKILL of one server, then of the other: pages go on at the server that lives, and everything arrives exactly once', async ({
  cluster,
}) => {
  test.slow();
  const { first, second, visitors, agents, stage } = cluster;
  const agent = await cluster.agent('li', '李娜');
  const visitor = await stage.visitor();
  await visitor.visit(stage.shop.origin);
  await visitor.send('第一条');
  await agent.open('第一条');
  await agent.sees('第一条');
  const all = ['第一条'];
  const exactlyOnce = async () => {
    for (const side of [visitor, agent]) for (const text of all) await side.sees(text);
  };

  // sent, and not waited for, when the agent's server goes
  for (const text of ['a-flight-1', 'a-flight-2']) await agent.send(text);
  await second.kill();
  await expect(agent.page.getByText(C.offline)).toBeVisible();
  await expect(visitor.panel.getByText(W.offline)).toBeHidden();
  await visitor.send('您还在吗');
  await visitor.sees('您还在吗');
  await agent.send('a-queued');
  agents.lead(first.port);
  await expect(agent.page.getByText(C.offline)).toBeHidden({ timeout: 40_000 });
  all.push('a-flight-1', 'a-flight-2', '您还在吗', 'a-queued');
  await exactlyOnce();

  // both are at the first server now; it goes when the second is back
  await second.serve();
  await visitor.send('v-flight-1');
  await first.kill();
  await expect(visitor.panel.getByText(W.offline)).toBeVisible();
  await expect(agent.page.getByText(C.offline)).toBeVisible();
  await visitor.send('v-queued');
  await visitor.field.fill('写到一半');
  visitors.lead(second.port);
  agents.lead(second.port);
  await expect(visitor.panel.getByText(W.offline)).toBeHidden({ timeout: 40_000 });
  await expect(agent.page.getByText(C.offline)).toBeHidden({ timeout: 40_000 });
  all.push('v-flight-1', 'v-queued');
  await exactlyOnce();
  await expect(visitor.field).toHaveValue('写到一半');

  // the same agent answers, and new pages get the same
  await agent.send('我在');
  await visitor.sees('我在');
  all.push('我在');
  await visitor.reload();
  await agent.page.reload();
  await agent.open('我在');
  await exactlyOnce();
});
