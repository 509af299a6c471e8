/** A conversation that a colleague hands over rings like a new one, and shows from whom and why. */
import { C, type Agent } from '../support/agent';
import { expect, test, type Stage } from '../support/test';
import type { Visitor } from '../support/visitor';

/** One visitor, answered by li; wang is at the desk too. */
async function answered(stage: Stage): Promise<{ li: Agent; wang: Agent; visitor: Visitor }> {
  const li = await stage.agent('li', '李娜');
  const visitor = await stage.visitor();
  await visitor.visit(stage.shop.origin);
  await visitor.send('我要退货');
  await li.open('我要退货');
  await li.send('请稍等');
  await visitor.sees('请稍等');
  const wang = await stage.agent('wang', '王强');
  return { li, wang, visitor };
}

async function rings(agent: Agent, text: string | RegExp): Promise<void> {
  await expect(agent.offers).toHaveCount(1);
  await expect(agent.offers).toContainText('转接给您');
  await expect(agent.offers).toContainText('来自李娜');
  await expect(agent.item(text).getByLabel('1 条未读')).toBeVisible();
  await expect(agent.page).toHaveTitle(/^\(1\) /);
}

for (const state of ['online', 'busy'] as const) {
  test(`to a colleague who is ${state}: a card, a badge and the title, until they opened it, also after a reload; the reason is theirs alone`, async ({
    stage,
  }) => {
    const { li, wang, visitor } = await answered(stage);
    await wang.status(state);
    await li.transfer('王强', '客户要投诉 R5');
    await rings(wang, '请稍等');
    await expect(wang.offers).toContainText('原因：客户要投诉 R5');
    await wang.page.reload();
    await wang.atDesk();
    await rings(wang, '请稍等');
    await wang.offers.getByRole('button', { name: C.openIt }).click();
    await expect(wang.offers).toHaveCount(0);
    await expect(wang.page).toHaveTitle(/^kefu/);
    await expect(wang.log).toContainText('李娜把会话转接给王强');
    await wang.sees('客户要投诉 R5');
    // what wang read, the server has heard of when the visitor sees it
    await visitor.send('好的');
    await visitor.sees('好的');
    await visitor.wasRead();
    await wang.page.reload();
    await wang.atDesk();
    await expect(wang.item('好的')).toBeVisible();
    await expect(wang.offers).toHaveCount(0);
    await expect(wang.page).toHaveTitle(/^kefu/);
    expect(
      await visitor.page.evaluate(() => document.querySelector('kefu-widget')?.shadowRoot?.textContent ?? ''),
    ).not.toContain('R5');
    expect(stage.kefu.logText()).not.toContain('R5');
  });
}

test('to another team: its own key seals the reason, and whoever gets it there hears of it', async ({ stage }) => {
  await stage.kefu.cli('team', 'add', 'bank', '--name', '贷款组');
  const { li, wang } = await answered(stage);
  const zhao = await stage.agent('zhao', '赵敏', ['bank']);
  await zhao.status('online');
  await li.transfer('贷款组', '要问利率 R6');
  await rings(zhao, '请稍等');
  await expect(zhao.offers).toContainText('原因：要问利率 R6');
  await zhao.offers.getByRole('button', { name: C.openIt }).click();
  await zhao.sees('要问利率 R6');
  await expect(zhao.log).toContainText('李娜把会话转接到贷款组');
  await expect(li.items).toHaveCount(0);
  await expect(wang.items).toHaveCount(0);
});
