/** Canned replies: written once, sealed, used by a slash; by the keyboard, in both languages. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { accessible, bringAxe } from '../support/axe';
import { C, type Agent } from '../support/agent';
import { canary, search } from '../support/canary';
import { expect, picture, test, type Stage } from '../support/test';
import type { Visitor } from '../support/visitor';

const R = {
  menu: /^(快捷回复|Canned replies)$/,
  add: /^(新建|New)$/,
  save: /^(保存|Save)$/,
  title: /^(标题|Title)/,
  shortcut: /^(缩写|Shortcut)/,
  group: /^(分组|Group)/,
  text: /^(内容|Text)/,
  scope: /^(谁可以使用|Who can use it)/,
  public: /^(公开|Public)/,
  search: /^(查找|Search)/,
  missing: /请填写内容|Enter a text/,
  importIt: /^(导入 CSV|Import CSV)$/,
  importGo: /^(导入 \d+ 条|Import \d+)$/,
  exportIt: /^(导出 CSV|Export CSV)$/,
  own: /^(仅自己|Only me)$/,
};

interface Draft {
  title: string;
  shortcut: string;
  text: string;
  group?: string;
  scope?: RegExp;
  public?: true;
}

/** Ends in the list of replies, which is open. */
async function add(agent: Agent, draft: Draft): Promise<void> {
  const { page } = agent;
  await page.getByRole('dialog').getByRole('button', { name: R.add }).click();
  const dialog = page.getByRole('dialog', { name: R.add });
  await dialog.getByLabel(R.title).fill(draft.title);
  await dialog.getByLabel(R.shortcut).fill(draft.shortcut);
  await dialog.getByLabel(R.group).fill(draft.group ?? '');
  await dialog.getByLabel(R.text).fill(draft.text);
  if (draft.scope) {
    const label = await dialog.getByLabel(R.scope).getByRole('option', { name: draft.scope }).textContent();
    await dialog.getByLabel(R.scope).selectOption({ label: label! });
  }
  if (draft.public) await dialog.getByLabel(R.public).check();
  await dialog.getByRole('button', { name: R.save }).click();
  await expect(page.getByRole('dialog', { name: R.menu })).toContainText(draft.title);
}

async function manage(agent: Agent): Promise<void> {
  await agent.page.getByRole('button', { name: C.menu }).click();
  await agent.page.getByRole('menuitem', { name: R.menu }).click();
  await expect(agent.page.getByRole('dialog', { name: R.menu })).toBeVisible();
}

async function close(agent: Agent): Promise<void> {
  await agent.page.keyboard.press('Escape');
  await expect(agent.page.getByRole('dialog')).toHaveCount(0);
}

async function talk(stage: Stage, text: string, code: string): Promise<{ li: Agent; visitor: Visitor }> {
  const li = await stage.browserOfAgent();
  await bringAxe(li.page.context());
  await li.enrol(code);
  const visitor = await stage.visitor();
  await visitor.visit(stage.shop.origin);
  await visitor.send(text);
  await li.open(text);
  return { li, visitor };
}

test('a reply is kept for the team, sealed; colleagues have it at once, and take it by a slash', async ({ stage }) => {
  test.slow();
  const { li, visitor } = await talk(stage, '我要退货', await stage.kefu.invite('li', '李娜', ['svc']));
  const [secret, open] = [canary('team reply'), canary('public reply')];
  await manage(li);
  await expect(li.page.getByRole('dialog')).toContainText('还没有快捷回复');
  await picture(li.page, 'replies-none');
  await li.page.getByRole('dialog').getByRole('button', { name: R.add }).click();
  await li.page.getByRole('dialog').getByRole('button', { name: R.save }).click();
  await expect(li.page.getByRole('alert')).toContainText(R.missing);
  await li.page.getByRole('button', { name: '取消' }).click();
  await add(li, {
    title: '退货流程',
    shortcut: 'tui',
    group: '售后',
    text: `{visitor}好，我是{site}的{agent}。${secret} {order}`,
    scope: /^技能组/,
  });
  await add(li, { title: '再见', shortcut: 'bye', text: '感谢咨询，再见。' });
  await add(li, { title: '营业时间', shortcut: 'hours', text: open, scope: /^技能组/, public: true });
  await picture(li.page, 'replies-list');
  await accessible(li.page, 'replies-list', 'html', true);
  await li.page.getByLabel(R.search).fill('退货');
  await expect(li.page.getByRole('dialog').getByRole('listitem')).toHaveCount(1);
  await li.page.getByRole('button', { name: /^编辑 退货流程/ }).click();
  await picture(li.page, 'replies-edit');
  await accessible(li.page, 'replies-edit', 'html', true);
  await close(li);
  // the server holds no word of what is sealed, and all of what is public
  const found = search({ secret, open, title: '退货流程' }, [stage.kefu.dir], [stage.kefu.log]);
  expect(found.map((f) => (f.includes('open') ? 'open' : f))).toContain('open');
  expect(found.filter((f) => !f.includes('open'))).toEqual([]);

  await li.reply.fill('');
  await li.reply.pressSequentially('/');
  const list = li.page.getByRole('listbox', { name: R.menu });
  await expect(list.getByRole('option')).toHaveCount(3);
  await expect(list.getByRole('option').first()).toHaveAttribute('aria-selected', 'true');
  await picture(li.page, 'replies-pick');
  await accessible(li.page, 'replies-pick', 'html', true);
  await li.reply.press('ArrowDown');
  await expect(list.getByRole('option').nth(1)).toHaveAttribute('aria-selected', 'true');
  await li.reply.press('Escape');
  await expect(list).toBeHidden();
  await expect(li.reply).toBeFocused();
  await li.reply.pressSequentially('tui');
  await expect(list.getByRole('option')).toHaveCount(1);
  await li.reply.press('Tab');
  // what nobody knows stays, for the agent to see
  const text = `您好，我是官网的李娜。${secret} {order}`;
  await expect(li.reply).toHaveValue(text);
  await expect(li.reply).toBeFocused();
  await expect(visitor.said(text)).toHaveCount(0);
  await li.reply.press('Enter');
  await visitor.sees(text);

  // a colleague who has the console open gets what comes next without asking
  const wang = await stage.agent('wang', '王强');
  await manage(wang);
  const dialog = wang.page.getByRole('dialog');
  await expect(dialog.getByRole('listitem')).toHaveCount(2);
  await expect(dialog).not.toContainText('再见');
  await manage(li);
  await add(li, { title: '开发票', shortcut: 'fp', text: '下单时选择电子发票。', scope: /^技能组/ });
  await expect(dialog).toContainText('开发票');
  await li.page.getByRole('button', { name: /^删除 开发票/ }).click();
  await li.page.getByRole('dialog').getByRole('button', { name: '删除' }).click();
  await expect(dialog).not.toContainText('开发票');
  await expect(dialog.getByRole('button', { name: /^删除/ })).toHaveCount(0);
  await expect(dialog.getByRole('button', { name: /^编辑/ })).toHaveCount(2);
  await wang.page.setViewportSize({ width: 390, height: 760 });
  await picture(wang.page, 'replies-phone');
});

test('a reply moves to other readers, and a table goes out and comes in', async ({ stage }) => {
  test.slow();
  const { li } = await talk(stage, '你好', await stage.kefu.invite('li', '李娜', ['svc'], 'supervisor'));
  await manage(li);
  await add(li, { title: '公式', shortcut: 'f', text: '=1+1', group: '售后' });
  await li.page.getByRole('button', { name: /^编辑 公式/ }).click();
  const dialog = li.page.getByRole('dialog');
  await dialog.getByLabel(R.scope).selectOption({ label: '全公司' });
  await dialog.getByRole('button', { name: R.save }).click();
  await expect(dialog.getByRole('listitem')).toContainText('全公司');
  await expect(dialog.getByRole('listitem')).toHaveCount(1);
  const downloading = li.page.waitForEvent('download');
  await dialog.getByRole('button', { name: R.exportIt }).click();
  const csv = readFileSync(await (await downloading).path(), 'utf8');
  expect(csv).toBe(
    '\uFEFF"scope","group","shortcut","title","text","public"\r\n"全公司","售后","f","公式","\'=1+1",""\r\n',
  );
  // as a spreadsheet in China writes it: GBK
  const file = join(stage.kefu.dir, '..', 'replies.csv');
  const gbk = Buffer.from('b1eacce22ccbf5d0b42cc4dac8dd0acdcbbbf52c66742cc6dfccecc4da0a2c2c0a', 'hex');
  writeFileSync(file, gbk);
  await dialog.getByRole('button', { name: R.importIt }).click();
  await dialog.getByLabel('CSV').setInputFiles(file);
  await picture(li.page, 'replies-import');
  await dialog.getByRole('button', { name: R.importGo }).click();
  await expect(dialog.getByRole('listitem')).toHaveCount(2);
  await expect(dialog).toContainText('七天内');
  await close(li);
  await stage.kefu.stop();
  await stage.kefu.serve();
  await li.page.reload();
  await li.atDesk();
  await li.open('你好');
  await li.reply.fill('/ft');
  // before they are here it is not sent either
  await li.reply.press('Enter');
  await expect(li.said('/ft')).toHaveCount(0);
  if ((await li.reply.inputValue()) === '/ft') {
    await expect(li.page.getByRole('listbox', { name: R.menu }).getByRole('option')).toHaveCount(1);
    await li.reply.press('Enter');
  }
  await expect(li.reply).toHaveValue('七天内');
});

test.describe('in English', () => {
  test.use({ lang: 'en', greeting: '' });

  test('all of it by the keyboard alone', async ({ stage }) => {
    const { li } = await talk(stage, 'Hello there', await stage.kefu.invite('li', 'Li Na', ['svc']));
    const { keyboard } = li.page;
    await li.reply.fill('/');
    await expect(li.page.getByText('No canned reply found')).toBeVisible();
    await li.page.getByRole('button', { name: 'Manage canned replies' }).focus();
    await keyboard.press('Enter');
    await expect(li.page.getByLabel(R.search)).toBeFocused();
    await li.page.getByRole('dialog').getByRole('button', { name: R.add }).focus();
    await keyboard.press('Enter');
    await expect(li.page.getByLabel(R.title)).toBeFocused();
    await keyboard.type('Refund');
    await keyboard.press('Tab');
    await keyboard.type('/ref');
    await keyboard.press('Tab');
    await keyboard.press('Tab');
    await keyboard.press('Tab');
    await keyboard.type('Hello {visitor}, a refund takes five days.');
    await keyboard.press('Tab');
    await keyboard.press('Tab');
    await keyboard.press('Tab');
    await keyboard.press('Enter');
    await expect(li.page.getByRole('dialog', { name: R.menu })).toContainText('Refund');
    await picture(li.page, 'replies-list-en');
    await keyboard.press('Escape');
    await li.reply.fill('/ref');
    await li.reply.press('Enter');
    await expect(li.reply).toHaveValue('Hello there, a refund takes five days.');
    await li.page.emulateMedia({ colorScheme: 'dark' });
    await li.reply.fill('/');
    await picture(li.page, 'replies-pick-dark-en');
  });
});
