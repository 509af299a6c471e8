/**
 * Each widget that was ever released, pinned in a customer's page, against the server of now: a whole conversation. An upgraded
 * server serves the files from its database; here a proxy at its public address does, with the same headers.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Agent } from '../support/agent';
import { expect, test, type Stage } from '../support/test';
import { W, type Visitor } from '../support/visitor';

const RELEASED = join(import.meta.dirname, '..', '..', 'widgets');
const versions = readdirSync(RELEASED, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

const PERSON = /^(转人工|Talk to a person)$/;
const BOT_IN = /机器人应答：此后的消息它能看到/;
const BOT_OUT = /机器人已离开：此后的消息它看不到/;
const TEAM_ONLY = /只有您和.*的团队能看到此对话/;

/** Pastes the snippet of a site with the file of that version in the place of the newest. */
async function pin(stage: Stage, version: string): Promise<void> {
  const file = readFileSync(join(RELEASED, version, 'kefu.js'));
  const hash = (algorithm: string) => createHash(algorithm).update(file);
  const path = `/w/${version}-${hash('sha256').digest('hex').slice(0, 8)}/kefu.js`;
  stage.proxy.scripts.set(path, file);
  await stage.shop.paste(stage.kefu);
  const snippet = stage.shop.snippet
    .replace(/src="[^"]*"/, `src="${stage.kefu.origin}${path}"`)
    .replace(/integrity="[^"]*"/, `integrity="sha384-${hash('sha384').digest('base64')}"`);
  for (const attribute of [path, 'integrity="sha384-', `data-org="${stage.kefu.org}"`])
    expect(snippet).toContain(attribute);
  stage.shop.snippet = snippet;
}

async function fillForm(visitor: Visitor, name: string): Promise<void> {
  await visitor.panel.getByRole('textbox').first().fill(name);
  await visitor.panel.getByRole('button', { name: W.start }).click();
}

/** Takes a message back that both see, and both see that it is gone. */
async function recall(from: Visitor | Agent, to: Visitor | Agent, text: string): Promise<void> {
  await from.send(text);
  await from.sees(text);
  await to.sees(text);
  const row = from.log.locator('.k-bubble-row').filter({ hasText: text });
  await row.hover();
  await row.getByRole('button', { name: /^(撤回|Recall)$/ }).click();
  for (const side of [from, to]) await expect(side.said(text)).toHaveCount(0);
}

test.use({ proxied: true, form: 'name' });
test.slow();

for (const version of versions) {
  test.describe(`the widget of ${version}`, () => {
    test('robot, hand-over, transfer, recalls, close, reopen, reload: everything is there', async ({ stage }) => {
      await stage.kefu.cli('team', 'add', 'loans', '--name', '贷款组');
      await stage.kefu.cli('knowledge', 'add', '怎么退货', '签收后七天内可以退货。', '--site', 'web');
      await stage.kefu.cli('robot', 'on', 'web');
      await pin(stage, version);
      const li = await stage.agent('li', '李娜');

      const visitor = await stage.visitor();
      await visitor.visit(stage.shop.origin);
      await fillForm(visitor, '王小明');
      await visitor.send('怎么退货');
      await expect(visitor.panel.getByText(BOT_IN)).toBeVisible();
      await expect(visitor.log.getByText('签收后七天内可以退货。')).toBeVisible({ timeout: 30_000 });

      await visitor.panel.getByRole('button', { name: PERSON }).click();
      await expect(visitor.panel.getByText(BOT_OUT)).toBeVisible();
      await expect(visitor.panel.getByText(TEAM_ONLY)).toBeVisible();
      await visitor.send('我要人工处理');
      await li.open('我要人工处理');
      for (const text of ['怎么退货', '签收后七天内可以退货。', '我要人工处理']) await li.sees(text);
      await expect(li.log.locator('.k-form').getByText('王小明')).toBeVisible();
      await li.send('我来处理');
      await visitor.sees('我来处理');

      await recall(visitor, li, '访客写错了');
      await recall(li, visitor, '客服写错了');

      const zhao = await stage.agent('zhao', '赵敏', ['loans']);
      await li.transfer('贷款组');
      await zhao.items.first().click();
      for (const text of ['怎么退货', '我要人工处理', '我来处理']) await zhao.sees(text);
      await zhao.send('贷款组为您服务');
      await visitor.sees('贷款组为您服务');
      await visitor.send('谢谢');
      await zhao.sees('谢谢');

      await zhao.closeConversation();
      await expect(visitor.panel.getByText(W.closed)).toBeVisible();
      await visitor.panel.getByRole('button', { name: W.again }).click();
      await visitor.send('还有一个问题');
      await visitor.sees('还有一个问题');
      await zhao.sees('还有一个问题');
      await zhao.send('请说');
      await visitor.sees('请说');

      await visitor.reload();
      const all = [
        '怎么退货',
        '签收后七天内可以退货。',
        '我要人工处理',
        '我来处理',
        '贷款组为您服务',
        '谢谢',
        '还有一个问题',
        '请说',
      ];
      for (const text of all) await visitor.sees(text);
      for (const text of ['访客写错了', '客服写错了']) await expect(visitor.said(text)).toHaveCount(0);
      await expect(visitor.log.locator('.k-kind-broken')).toHaveCount(0);
      await visitor.send('再见');
      await zhao.sees('再见');
      await expect(zhao.log.locator('.k-kind-broken')).toHaveCount(0);
    });

    test('a directory that grew after the page was loaded: a new team key, new people, a signature by an admin', async ({
      stage,
    }) => {
      await pin(stage, version);
      const visitor = await stage.visitor();
      await visitor.visit(stage.shop.origin);
      await fillForm(visitor, '王小明');
      await expect(visitor.field).toBeVisible();
      // before the first message
      const li = await stage.agent('li', '李娜');
      await stage.kefu.cli('team', 'rotate', 'svc');
      await visitor.send('有人吗');
      await li.open('有人吗');
      await li.sees('有人吗');
      await li.send('我在');
      await visitor.sees('我在');

      // and in the middle of it: an admin's console signs what it finds to sign
      await stage.kefu.cli('team', 'rotate', 'svc');
      const wang = await stage.agent('wang', '王强', ['svc'], 'admin');
      await stage.kefu.cli('directory', 'refresh');
      await visitor.send('还在吗');
      await li.sees('还在吗');
      await li.transfer('王强');
      await wang.items.first().click();
      for (const text of ['有人吗', '我在', '还在吗']) await wang.sees(text);
      await wang.send('我是王强');
      await visitor.sees('我是王强');
      await recall(visitor, wang, '写错了');

      await visitor.reload();
      for (const text of ['有人吗', '我在', '还在吗', '我是王强']) await visitor.sees(text);
      await expect(visitor.log.locator('.k-kind-broken')).toHaveCount(0);
      await visitor.send('收到');
      await wang.sees('收到');
    });

    test('everybody is busy: it does not say that nobody is here, and names the place in the queue', async ({
      stage,
    }) => {
      const li = await stage.agent('li', '李娜');
      await li.status('busy');
      await pin(stage, version);
      const visitor = await stage.visitor();
      await visitor.visit(stage.shop.origin);
      await fillForm(visitor, '王小明');
      await visitor.send('有人吗');
      await expect(visitor.panel.getByText(W.next)).toBeVisible();
      await expect(visitor.panel.getByText(W.away)).toHaveCount(0);
      await li.status('online');
      await li.open('有人吗');
      await li.send('我在');
      await visitor.sees('我在');
    });
  });
}
