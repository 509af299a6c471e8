/** Rights that change while a console is open: what is lost disappears at once, with the reason, and unsent text is given back. */
import type { Page } from '@playwright/test';
import { C, PASSWORD, type Agent } from '../support/agent';
import { expect, test, type Stage } from '../support/test';
import type { Visitor } from '../support/visitor';

/** The texts that a page gives back. */
const back = (page: Page) => page.getByRole('dialog', { name: '未发出的内容' });

/** An agent of two teams with an open conversation and something written that was not sent. */
async function writing(stage: Stage): Promise<{ li: Agent; visitor: Visitor }> {
  await stage.kefu.cli('team', 'add', 'bank', '--name', '贷款组');
  const li = await stage.agent('li', '李娜', ['svc', 'bank']);
  const visitor = await stage.visitor();
  await visitor.visit(stage.shop.origin);
  await visitor.send('在吗');
  await li.open('在吗');
  await li.send('在的');
  await visitor.sees('在的');
  await li.reply.fill('正在写的回复 D1');
  return { li, visitor };
}

test('out of the team: the conversation goes at once, it is said why, and the draft is given back', async ({
  stage,
}) => {
  const { li, visitor } = await writing(stage);
  await stage.kefu.cli('user', 'teams', 'li', '--remove', 'svc');
  await expect(back(li.page)).toBeVisible();
  await expect(back(li.page)).toContainText('您已不在技能组“客服”');
  await expect(back(li.page).getByRole('textbox')).toHaveValue('正在写的回复 D1');
  await expect(back(li.page).getByRole('textbox')).toBeFocused();
  await expect(li.items).toHaveCount(0);
  await expect(li.log).toBeHidden();
  await expect(li.page.getByText('您已被移出技能组“客服”')).toBeVisible();
  await back(li.page).getByRole('button', { name: '关闭' }).last().click();
  await expect(back(li.page)).toBeHidden();
  // the page continues for the other team, and is told when it is let in again
  await stage.kefu.cli('user', 'teams', 'li', '--add', 'svc');
  await expect(li.page.getByText('您已加入技能组“客服”')).toBeVisible();
  await li.open('在的');
  await li.send('我回来了');
  await visitor.sees('我回来了');
});

test('out of the team while this page was offline: what waited is given back, and is not sent later', async ({
  stage,
}) => {
  const { li, visitor } = await writing(stage);
  await stage.kefu.kill();
  await expect(li.page.getByText(C.offline)).toBeVisible();
  await li.reply.fill('写在断线时 Q1');
  await li.reply.press('Enter');
  await expect(li.said('写在断线时 Q1')).toBeVisible();
  await stage.kefu.cli('user', 'teams', 'li', '--remove', 'svc');
  await stage.kefu.serve();
  await expect(back(li.page)).toBeVisible({ timeout: 40_000 });
  await expect(back(li.page).getByRole('textbox')).toHaveValue('写在断线时 Q1');
  await expect(li.items).toHaveCount(0);
  await back(li.page).getByRole('button', { name: '关闭' }).last().click();
  await stage.kefu.cli('user', 'teams', 'li', '--add', 'svc');
  await li.open('在的');
  await expect(li.log.getByText('Q1')).toHaveCount(0);
  await visitor.sees('在的');
  await expect(visitor.log.getByText('Q1')).toHaveCount(0);
});

test('switched off: out at once, said why, and the draft is given back', async ({ stage }) => {
  const { li } = await writing(stage);
  await stage.kefu.cli('user', 'disable', 'li');
  await expect(back(li.page)).toBeVisible();
  await expect(back(li.page)).toContainText('账号已停用');
  await expect(back(li.page).getByRole('textbox')).toHaveValue('正在写的回复 D1');
  await expect(li.list).toBeHidden();
});

test('a password that is changed in another browser is told of in this one, which goes on', async ({ stage }) => {
  const { li, visitor } = await writing(stage);
  const second = await stage.browserOfAgent();
  await second.login('li');
  await second.page.getByRole('button', { name: C.menu }).click();
  await second.page.getByRole('menuitem', { name: '修改密码' }).click();
  const dialog = second.page.getByRole('dialog', { name: '修改密码' });
  await dialog.getByRole('textbox', { name: '当前密码' }).fill(PASSWORD);
  await dialog.getByRole('textbox', { name: '新密码' }).fill('another horse battery');
  await dialog.getByRole('button', { name: '保存' }).click();
  await expect(second.page.getByText('密码已修改。')).toBeVisible({ timeout: 60_000 });
  await expect(li.page.getByText('您的密码已在别处修改')).toBeVisible();
  await expect(second.page.getByText('您的密码已在别处修改')).toHaveCount(0);
  await expect(li.reply).toHaveValue('正在写的回复 D1');
  await li.reply.press('Enter');
  await visitor.sees('正在写的回复 D1');
});

test('a role that changes is said, and what it allowed is offered no more', async ({ stage }) => {
  const wang = await stage.agent('wang', '王班长', ['svc'], 'supervisor');
  await wang.status('busy');
  const { li } = await writing(stage);
  await wang.tab('all');
  await wang.open('在的');
  await expect(wang.page.getByRole('button', { name: '接管' })).toBeVisible();
  await stage.kefu.cli('user', 'role', 'wang', 'agent');
  await expect(wang.page.getByText('您的角色已改为坐席')).toBeVisible();
  await expect(wang.page.getByRole('button', { name: '接管' })).toBeHidden();
  await expect(wang.page.getByRole('main').getByRole('button', { name: C.transfer })).toBeHidden();
  await expect(li.reply).toHaveValue('正在写的回复 D1');
});

test('taken over by a supervisor: the draft is shown where the field was', async ({ stage }) => {
  const { li } = await writing(stage);
  const wang = await stage.agent('wang', '王班长', ['svc'], 'supervisor');
  await wang.tab('all');
  await wang.open('在的');
  await wang.page.getByRole('button', { name: '接管' }).click();
  await expect(li.page.getByText('由 王班长 负责')).toBeVisible();
  await expect(li.page.getByRole('main')).toContainText('正在写的回复 D1');
  await li.page.getByRole('button', { name: '改写为备注' }).click();
  await expect(li.page.getByRole('textbox', { name: C.note })).toHaveValue('正在写的回复 D1');
});

test('a site that another team answers from now on: its next visitors are theirs, whatever is open goes on where it is', async ({
  stage,
}) => {
  await stage.kefu.cli('team', 'add', 'bank', '--name', '贷款组');
  const li = await stage.agent('li', '李娜', ['svc']);
  const zhao = await stage.agent('zhao', '赵敏', ['bank']);
  const [first, second] = [await stage.visitor(), await stage.visitor()];
  await first.visit(stage.shop.origin);
  await first.send('改之前');
  await li.open('改之前');
  await li.reply.fill('正在写的回复 D1');
  // this page is loaded before, and writes afterwards
  await second.visit(stage.shop.origin);
  await expect(second.field).toBeVisible();
  await stage.kefu.cli('site', 'change', 'web', '--team', 'bank', '--name', '新官网');
  await expect(li.page.getByRole('main')).toContainText('新官网');
  await second.send('改之后');
  await second.sees('改之后');
  await zhao.open('改之后');
  await zhao.sees('改之后');
  await zhao.send('我是贷款组');
  await second.sees('我是贷款组');
  await expect(zhao.items).toHaveCount(1);
  await expect(li.items).toHaveCount(1);
  await expect(li.reply).toHaveValue('正在写的回复 D1');
  await li.reply.press('Enter');
  await first.sees('正在写的回复 D1');
  await first.send('还在吗');
  await li.sees('还在吗');
});
