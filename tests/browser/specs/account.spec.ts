/** People of the company: passwords, second browsers, being switched off. */
import { C, PASSWORD } from '../support/agent';
import { expect, test } from '../support/test';

test('a second browser by password reads what was said; a wrong one is refused; a change counts at once', async ({
  stage,
}) => {
  const agent = await stage.agent('li', '李娜');
  const visitor = await stage.visitor();
  await visitor.visit(stage.shop.origin);
  await visitor.send('老问题');
  await agent.open('老问题');
  await agent.send('老答复');
  await visitor.sees('老答复');

  const second = await stage.browserOfAgent();
  await second.goto();
  await second.tryLogin('li', 'wrong horse battery');
  await expect(second.page.getByText(C.wrongLogin)).toBeVisible({ timeout: 60_000 });
  await second.tryLogin('li', PASSWORD);
  await second.atDesk();
  await second.open('老答复');
  await second.sees('老问题');
  await second.send('从另一台电脑');
  await visitor.sees('从另一台电脑');

  await second.page.getByRole('button', { name: C.menu }).click();
  await second.page.getByRole('menuitem', { name: '修改密码' }).click();
  const dialog = second.page.getByRole('dialog', { name: '修改密码' });
  await dialog.getByRole('textbox', { name: '当前密码' }).fill(PASSWORD);
  await dialog.getByRole('textbox', { name: '新密码' }).fill('another horse battery');
  await dialog.getByRole('button', { name: '保存' }).click();
  await expect(second.page.getByText('密码已修改。')).toBeVisible({ timeout: 60_000 });

  const third = await stage.browserOfAgent();
  await third.goto();
  await third.tryLogin('li', PASSWORD);
  await expect(third.page.getByText(C.wrongLogin)).toBeVisible({ timeout: 60_000 });
  await third.tryLogin('li', 'another horse battery');
  await third.atDesk();
  await third.open('从另一台电脑');
  await third.sees('老问题');
});

test('a disabled account is put out at once and cannot sign in', async ({ stage }) => {
  const agent = await stage.agent('li', '李娜');
  const visitor = await stage.visitor();
  await visitor.visit(stage.shop.origin);
  await visitor.send('你好');
  await expect(agent.item('你好')).toBeVisible();
  await stage.kefu.cli('user', 'disable', 'li');
  await expect(agent.page.getByText('账号已停用').first()).toBeVisible();
  const again = await stage.browserOfAgent();
  await again.goto();
  await again.tryLogin('li', PASSWORD);
  await expect(again.page.getByRole('alert').first()).toBeVisible({ timeout: 60_000 });
  await expect(again.list).toBeHidden();
});

test('a code that was withdrawn is said to be, until another one is typed, of which the page says its own', async ({
  stage,
}) => {
  const code = await stage.kefu.invite('li', '李娜', ['svc']);
  await stage.kefu.cli('user', 'invite', 'revoke', 'li');
  const { page, ...agent } = await stage.browserOfAgent();
  await page.goto(agent.console);
  await page.getByRole('tab', { name: C.firstTime }).click();
  const field = page.getByRole('textbox', { name: C.code });
  await field.fill(code);
  await page.getByLabel(C.newPassword).fill(PASSWORD);
  await page.getByRole('button', { name: C.createKeys }).click();
  await expect(page.getByText('邀请码已被使用或撤销')).toBeVisible({ timeout: 60_000 });
  await field.fill(code.slice(0, 10));
  await expect(page.getByText('邀请码已被使用或撤销')).toHaveCount(0);
  await expect(page.getByRole('alert')).toHaveCount(0);
  await field.fill(code.replace(/^./, (letter) => (letter === 'a' || letter === 'A' ? 'b' : 'a')));
  await expect(page.getByRole('alert')).toHaveText(/邀请码有误/);
  await expect(page.getByText('邀请码已被使用或撤销')).toHaveCount(0);
});
