/** A visitor writes, an agent answers, both see what became of it; over reloads and in second tabs. */
import { Agent } from '../support/agent';
import { expect, test } from '../support/test';
import { Visitor } from '../support/visitor';

for (const lang of ['zh-CN', 'en-GB']) {
  test.describe(lang, () => {
    test.use({ lang });
    test('first contact, reply, read on both sides; reloads and second tabs show the same', async ({ stage }) => {
      const agent = await stage.agent('li', '李娜');
      const visitor = await stage.visitor();
      await visitor.visit(stage.shop.origin);
      await visitor.send('你好，我想退货');
      await visitor.sees('你好，我想退货');

      await agent.open('你好，我想退货');
      await agent.sees('你好，我想退货');
      await expect(visitor.panel.getByRole('heading', { level: 1 })).toHaveText('李娜');
      await visitor.wasRead();
      await agent.send('好的，请告诉我订单号');
      await visitor.sees('好的，请告诉我订单号');
      await agent.wasRead();

      await visitor.reload();
      await agent.page.reload();
      await agent.open('好的，请告诉我订单号');
      const secondTab = new Visitor(await visitor.page.context().newPage());
      await secondTab.visit(stage.shop.origin);
      const secondDesk = new Agent(await agent.page.context().newPage(), agent.console);
      await secondDesk.goto();
      await secondDesk.open('好的，请告诉我订单号');
      for (const side of [visitor, secondTab, agent, secondDesk]) {
        await side.sees('你好，我想退货');
        await side.sees('好的，请告诉我订单号');
      }
      await secondTab.send('订单号 20261123');
      for (const side of [visitor, secondTab, agent, secondDesk]) await side.sees('订单号 20261123');
      await secondDesk.send('收到');
      for (const side of [visitor, secondTab, agent, secondDesk]) await side.sees('收到');
    });
  });
}

test('an agent who joined while the page stood open is known to it', async ({ stage }) => {
  const visitor = await stage.visitor();
  await visitor.visit(stage.shop.origin);
  await expect(visitor.field).toBeVisible();
  const agent = await stage.agent('li', '李娜');
  await visitor.send('有人吗');
  await agent.open('有人吗');
  await agent.send('我刚来');
  await visitor.sees('我刚来');
  await expect(visitor.log.getByText('李娜为您服务')).toBeVisible();
  // after the words that they answer
  expect(await visitor.log.innerText()).toMatch(/有人吗[^]*李娜为您服务[^]*我刚来/);
});

test('a message that is recalled takes no focus with it, and Esc takes no draft', async ({ stage }) => {
  const agent = await stage.agent('li', '李娜');
  const visitor = await stage.visitor();
  await visitor.visit(stage.shop.origin);
  await visitor.send('写错了');
  await visitor.sees('写错了');
  await agent.open('写错了');
  await agent.send('也写错了');
  await visitor.sees('也写错了');
  for (const [side, field] of [
    [visitor, visitor.field],
    [agent, agent.reply],
  ] as const) {
    // Firefox gives the focus to nothing in a page that is behind another
    await side.page.bringToFront();
    await field.fill('写到一半');
    // the button has the focus when it goes
    const recall = side.log.getByRole('button', { name: '撤回' });
    await recall.click();
    await expect(side.log.getByText('你撤回了一条消息')).toBeVisible();
    await expect(recall).toHaveCount(0);
    await expect(field).toBeFocused();
    await expect(field).toHaveValue('写到一半');
  }
  await expect(visitor.log.getByText('对方撤回了一条消息')).toBeVisible();
  await agent.reply.press('Escape');
  await expect(agent.log).toBeFocused();
  await expect(agent.reply).toHaveValue('写到一半');
  await agent.page.keyboard.press('Escape');
  await expect(agent.log).toBeHidden();
  await expect(agent.items).toContainText('写到一半');
  await agent.items.click();
  await expect(agent.reply).toHaveValue('写到一半');
});
