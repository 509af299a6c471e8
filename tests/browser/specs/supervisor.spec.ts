/** What a supervisor sees of the whole desk: every conversation with its name, its last words, who has it and how long it waits. */
import { C } from '../support/agent';
import { expect, test } from '../support/test';
import { W } from '../support/visitor';

test.describe('the list of all', () => {
  test.use({ form: 'name:required', config: { KEFU_DESK__CAPACITY: '2' } });
  test('shows names, last words, owner and state by itself, and keeps them', async ({ stage }) => {
    const li = await stage.agent('li', '李娜');
    const names = ['陈一', '陈二', '陈三'];
    for (const name of names) {
      const visitor = await stage.visitor();
      await visitor.visit(stage.shop.origin);
      await visitor.panel.getByRole('textbox').first().fill(name);
      await visitor.panel.getByRole('button', { name: W.start }).click();
      await visitor.send(`我是${name}`);
      await visitor.sees(`我是${name}`);
    }
    await expect(li.items).toHaveCount(2);
    await li.open('陈一');
    await li.send('稍等一下');
    await expect(li.item('陈一')).toContainText('我：稍等一下');
    await li.open('陈二');
    await li.closeConversation();

    const boss = await stage.agent('boss', '王班长', ['svc'], 'supervisor');
    await boss.status('busy');
    await boss.tab('all');
    // nothing was opened, and there is no button to load what is loaded already
    await expect(boss.items).toHaveCount(3);
    await expect(boss.list.getByRole('button', { name: /^(加载更多|Load more)$/ })).toHaveCount(0);
    await expect(boss.list.getByRole('status', { name: /^(正在加载|Loading)/ })).toHaveCount(0);
    for (const name of names) await expect(boss.item(name)).toHaveCount(1);
    await expect(boss.item('陈一')).toContainText('李娜：稍等一下');
    await expect(boss.item('陈一')).toContainText('李娜 负责');
    await expect(boss.item('陈二')).toContainText('已结束');
    await expect(boss.item('陈三')).toContainText(/已等|李娜 负责/);
    await expect(boss.page.getByText('加密内容')).toHaveCount(0);
    // a line that was opened and left keeps its name and words
    await boss.open('陈二');
    await boss.open('陈一');
    await expect(boss.item('陈二')).toContainText('我是陈二');
    // to watch is not to read: the owner's badge and the visitor's marks stay
    await expect(boss.log.getByText('稍等一下')).toBeVisible();
    await boss.page.reload();
    await boss.atDesk();
    await boss.tab('all');
    for (const name of names) await expect(boss.item(name)).toHaveCount(1);
  });
});

test('a queue row shows what the visitor asked, and its wait ticks', async ({ stage }) => {
  const li = await stage.agent('li', '李娜');
  await li.status('busy');
  const visitor = await stage.visitor();
  await visitor.visit(stage.shop.origin);
  await visitor.send('运费怎么算');
  await li.tab('queue');
  const wait = li.item('运费怎么算').locator('.c-wait');
  const first = await wait.textContent();
  await expect(wait).not.toHaveText(first!);
  await expect(wait).toHaveText(/^已等 \d+:\d\d$/);
  await li.item('运费怎么算').click();
  await li.page.getByRole('button', { name: C.take }).click();
  await li.send('满百包邮');
  await visitor.sees('满百包邮');
});
