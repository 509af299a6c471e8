/**
 * Customers for whom the shop's backend vouches: agents see who they are, and that it was verified; on another device they have their
 * history; a sign-out forgets them.
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accessible, bringAxe } from '../support/axe';
import { expect, picture, test } from '../support/test';
import { ShopBackend } from '../support/vouch';

const VOUCHED = '姓名经站点后台确认';
const backend = new ShopBackend();
const dir = mkdtempSync(join(tmpdir(), 'kefu-identity-'));

test('an agent sees who was vouched for, and not who was not; what the page says of them', async ({ stage }) => {
  await stage.kefu.cli('site', 'identity', 'web', '--key', backend.file(dir));
  const li = await stage.agent('li', '李娜');
  await bringAxe(li.page.context());
  await li.page.reload();
  const visitor = await stage.visitor();
  await backend.signIn(visitor.page, 'customer-10042', '王小明');
  await visitor.visit(stage.shop.origin);
  await visitor.page.evaluate(() =>
    (window as unknown as { kefu: { setAttributes(a: object): void } }).kefu.setAttributes({ 会员等级: '金卡会员' }),
  );
  await visitor.send('我的订单到哪里了');
  await li.open('我的订单到哪里了');
  const head = li.page.getByRole('main').getByRole('heading', { level: 1 });
  await expect(head).toContainText('王小明');
  await expect(head.getByRole('img', { name: VOUCHED })).toBeVisible();
  const pane = li.page.getByRole('complementary');
  await expect(pane.getByText('customer-10042')).toBeVisible();
  await expect(pane.getByText('金卡会员')).toBeVisible();
  await accessible(li.page, 'a verified customer');
  await picture(li.page, 'identity-verified');

  // a false backend, and one that names itself in the form only
  const thief = await stage.visitor();
  await new ShopBackend().signIn(thief.page, 'customer-10042', '王小明');
  await thief.visit(stage.shop.origin);
  await thief.send('我也是王小明');
  await li.open('我也是王小明');
  await expect(pane.getByText(/未通过核验/)).toBeVisible();
  await expect(head).not.toContainText('王小明');
  await expect(li.page.getByRole('main').getByRole('img', { name: VOUCHED })).toHaveCount(0);
  await picture(li.page, 'identity-refused');
});

test('on another device the customer has their history once an agent answers there, and colleagues see one person', async ({
  stage,
}) => {
  await stage.kefu.cli('site', 'identity', 'web', '--key', backend.file(dir));
  const li = await stage.agent('li', '李娜');
  const phone = await stage.visitor();
  await backend.signIn(phone.page, 'customer-7', '赵先生');
  await phone.visit(stage.shop.origin);
  await phone.send('在手机上问的');
  await li.open('在手机上问的');
  await li.send('在手机上答的');
  await phone.sees('在手机上答的');
  await li.closeConversation();

  const computer = await stage.visitor();
  await backend.signIn(computer.page, 'customer-7', '赵先生');
  await computer.visit(stage.shop.origin);
  await computer.send('换到电脑上了');
  await expect(computer.said('在手机上问的')).toHaveCount(0);
  await li.open('换到电脑上了');
  await li.send('您好，又见面了');
  for (const text of ['在手机上问的', '在手机上答的', '换到电脑上了', '您好，又见面了']) await computer.sees(text);
  await expect(computer.log.locator('.k-kind-broken')).toHaveCount(0);
  await computer.reload();
  for (const text of ['在手机上问的', '在手机上答的', '换到电脑上了']) await computer.sees(text);
  await picture(computer.page, 'identity-history');

  // somebody else sees none of it
  const other = await stage.visitor();
  await backend.signIn(other.page, 'customer-8', '钱女士');
  await other.visit(stage.shop.origin);
  await other.send('我是另一位');
  await li.open('我是另一位');
  await li.send('请讲');
  await other.sees('请讲');
  await expect(other.said('在手机上问的')).toHaveCount(0);
});

test('after a sign-out the browser knows nothing: another visitor, an empty window, in all tabs', async ({ stage }) => {
  const visitor = await stage.visitor();
  await visitor.visit(stage.shop.origin);
  await visitor.send('我的秘密');
  await visitor.sees('我的秘密');
  await visitor.field.fill('还没发出的话');
  const kept = () =>
    visitor.page.evaluate(
      () =>
        new Promise<number>((done, fail) => {
          const opening = indexedDB.open('kefu');
          opening.onerror = fail;
          opening.onsuccess = () => {
            const keys = opening.result.transaction('kv').objectStore('kv').getAllKeys();
            keys.onsuccess = () => done(keys.result.filter((k) => String(k).startsWith('v/')).length);
            opening.result.close();
          };
        }),
    );
  expect(await kept()).toBeGreaterThan(0);
  await visitor.page.evaluate(() => (window as unknown as { kefu: { reset(): Promise<void> } }).kefu.reset());
  await expect(visitor.said('我的秘密')).toHaveCount(0);
  await expect(visitor.field).toHaveValue('');
  expect(await kept()).toBe(0);
  await visitor.send('另一位访客');
  await visitor.sees('另一位访客');

  // before the panel is there
  stage.shop.snippet = stage.shop.snippet.replace(' defer', ' data-load="intent" defer');
  await visitor.page.route(/panel-/, () => undefined);
  await visitor.page.reload();
  await visitor.page.evaluate(() => (window as unknown as { kefu: { reset(): Promise<void> } }).kefu.reset());
  expect(await kept()).toBe(0);
});

test('a link from the old device brings the history to a new one: once, after a question, and nobody else is asked for the code', async ({
  stage,
}) => {
  const li = await stage.agent('li', '李娜');
  const old = await stage.visitor();
  const hosts = new Set<string>();
  old.page.on('request', (request) => hosts.add(new URL(request.url()).origin));
  await bringAxe(old.page.context());
  await old.visit(stage.shop.origin);
  await old.send('在旧手机上问的');
  await li.open('在旧手机上问的');
  await li.send('在旧手机上答的');
  await old.sees('在旧手机上答的');
  await old.panel.getByRole('button', { name: '在另一台设备上继续' }).press('Enter');
  const link = await old.panel.getByRole('textbox', { name: '链接' }).inputValue();
  await expect(old.panel.getByRole('img', { name: /二维码/ })).toBeVisible();
  await accessible(old.page, 'a code for another device');
  await picture(old.page, 'device-code');
  expect([...hosts].sort()).toEqual([stage.shop.origin, stage.kefu.origin].sort());

  const fresh = await stage.visitor();
  await fresh.page.goto(link);
  // the panel opens by itself, and the secret leaves the address
  const show = fresh.panel.getByRole('button', { name: '查看', exact: true });
  await expect(show).toBeVisible();
  expect(fresh.page.url()).not.toContain('kefu-device');
  await expect(fresh.said('在旧手机上问的')).toHaveCount(0);
  await picture(fresh.page, 'device-question');
  await show.click();
  for (const text of ['在旧手机上问的', '在旧手机上答的']) await fresh.sees(text);
  await fresh.reload();
  for (const text of ['在旧手机上问的', '在旧手机上答的']) await fresh.sees(text);
  await fresh.send('在新手机上接着问');
  await li.open('在新手机上接着问');
  await li.send('收到');
  await fresh.sees('收到');
  await expect(fresh.log.locator('.k-kind-broken')).toHaveCount(0);

  const late = await stage.visitor();
  await late.page.goto(link);
  await late.panel.getByRole('button', { name: '查看', exact: true }).click();
  await expect(late.panel.getByText('链接已失效')).toBeVisible();
  await expect(late.said('在旧手机上问的')).toHaveCount(0);
});
