/** Who has a conversation: transfer, notes, closing and reopening, recall, the queue, offers. */
import { expect, test } from '../support/test';
import { W } from '../support/visitor';
import { C } from '../support/agent';

test('transfer to a colleague and to another team, which reads what was said; notes stay with agents', async ({
  stage,
}) => {
  await stage.kefu.cli('team', 'add', 'bank', '--name', '贷款组');
  const li = await stage.agent('li', '李娜');
  const visitor = await stage.visitor();
  await visitor.visit(stage.shop.origin);
  await visitor.send('我想问贷款');
  await li.open('我想问贷款');
  await li.send('请稍等');
  await visitor.sees('请稍等');
  await li.note('小心：客户很急 N7f3');
  await li.sees('小心：客户很急 N7f3');

  const wang = await stage.agent('wang', '王强');
  await li.transfer('王强');
  await wang.open('请稍等');
  await wang.sees('我想问贷款');
  await wang.sees('小心：客户很急 N7f3');
  await wang.send('我是王强');
  await visitor.sees('我是王强');

  const zhao = await stage.agent('zhao', '赵敏', ['bank']);
  await wang.transfer('贷款组');
  await zhao.open(/我是王强|访客/);
  for (const text of ['我想问贷款', '请稍等', '我是王强']) await zhao.sees(text);
  await zhao.send('贷款组为您服务');
  await visitor.sees('贷款组为您服务');
  await visitor.send('谢谢');
  await zhao.sees('谢谢');

  // Neither now nor in a page that reads all from the start.
  await visitor.reload();
  await visitor.sees('贷款组为您服务');
  const dom = await visitor.page.evaluate(() => document.querySelector('kefu-widget')?.shadowRoot?.innerHTML ?? '');
  expect(dom).toContain('我是王强');
  expect(dom).not.toContain('N7f3');
});

test('closed by the agent, reopened by the visitor who writes; recall takes a message away on both sides', async ({
  stage,
}) => {
  const agent = await stage.agent('li', '李娜');
  const visitor = await stage.visitor();
  await visitor.visit(stage.shop.origin);
  await visitor.send('问题一');
  await agent.open('问题一');
  await agent.send('答复一');
  await visitor.sees('答复一');
  await agent.closeConversation();
  await expect(visitor.panel.getByText(W.closed)).toBeVisible();
  await visitor.panel.getByRole('button', { name: W.again }).click();
  await visitor.send('还有一个问题');
  await visitor.sees('还有一个问题');
  await agent.sees('还有一个问题');
  await agent.send('请说');
  await visitor.sees('请说');

  await visitor.send('写错了');
  await agent.sees('写错了');
  await visitor.log.locator('.k-bubble-row').filter({ hasText: '写错了' }).hover();
  await visitor.log
    .locator('.k-bubble-row')
    .filter({ hasText: '写错了' })
    .getByRole('button', { name: /撤回|Recall/ })
    .click();
  await expect(visitor.said('写错了')).toHaveCount(0);
  await expect(agent.said('写错了')).toHaveCount(0);
  await expect(visitor.log.getByText(/你撤回了一条消息/)).toBeVisible();
  await expect(agent.items.first().getByText('对方撤回了一条消息')).toBeVisible();
  await agent.page.reload();
  await agent.open('访客');
  await agent.sees('请说');
  await expect(agent.said('写错了')).toHaveCount(0);
});

test.describe('one conversation at a time', () => {
  test.use({ config: { KEFU_DESK__CAPACITY: '1' } });
  test('the queue tells its places; who is next moves up; an agent takes from it', async ({ stage }) => {
    const agent = await stage.agent('li', '李娜');
    const [one, two, three] = [await stage.visitor(), await stage.visitor(), await stage.visitor()];
    await one.visit(stage.shop.origin);
    await one.send('我是一号');
    await expect(agent.item('我是一号')).toBeVisible();
    await two.visit(stage.shop.origin);
    await two.send('我是二号');
    await expect(two.panel.getByText(W.next)).toBeVisible();
    await three.visit(stage.shop.origin);
    await three.send('我是三号');
    await expect(three.panel.getByText('您前面还有 1 位')).toBeVisible();

    await agent.tab('queue');
    await expect(agent.items).toHaveCount(2);
    // The longest wait is on top.
    await agent.items.first().click();
    await agent.page.getByRole('button', { name: C.take }).click();
    await agent.send('二号您好');
    await two.sees('二号您好');
    await expect(three.panel.getByText(W.next)).toBeVisible();
  });
});

test('nobody is here: leave a message; who comes online gets it', async ({ stage }) => {
  const visitor = await stage.visitor();
  await visitor.visit(stage.shop.origin);
  await expect(visitor.panel.getByText(W.away).first()).toBeVisible();
  await visitor.send('请回电');
  await visitor.sees('请回电');
  const agent = await stage.agent('li', '李娜');
  await agent.open('请回电');
  await agent.send('已联系您');
  await visitor.sees('已联系您');
});

test.describe('agents click', () => {
  test.use({ config: { KEFU_DESK__AUTO_ACCEPT: 'false', KEFU_DESK__OFFER_SECONDS: '5' } });
  test('an offer is declined, runs out, is accepted', async ({ stage }) => {
    const li = await stage.agent('li', '李娜');
    const visitor = await stage.visitor();
    await visitor.visit(stage.shop.origin);
    await visitor.send('有人吗');
    await expect(li.offers).toHaveCount(1);
    await li.offers.getByRole('button', { name: C.decline }).click();
    await expect(li.offers).toHaveCount(0);

    const wang = await stage.agent('wang', '王强');
    await expect(wang.offers).toHaveCount(1);
    // Not accepted in time: it disappears by itself, and an agent is asked again.
    await expect(wang.offers).toHaveCount(0);
    await expect(visitor.panel.getByText(W.next)).toBeVisible();

    // The agent who is asked next.
    await expect
      .poll(async () => (await li.offers.count()) + (await wang.offers.count()), { timeout: 30_000 })
      .toBeGreaterThan(0);
    const who = (await li.offers.count()) > 0 ? li : wang;
    await who.offers.getByRole('button', { name: C.accept }).click();
    await expect(who.log).toBeVisible();
    await who.send('我在');
    await visitor.sees('我在');
  });
});
