/** How agents sort their work: tags, priority, snooze, reasons for closing, filters and views, links, blocked visitors, the palette. */
import { accessible, bringAxe } from '../support/axe';
import type { Agent } from '../support/agent';
import { expect, picture, test, type Stage } from '../support/test';

/** Names of things, zh and en. */
const N = {
  tags: /^(标签|Tags)$/,
  save: /^(保存|Save)$/,
  filter: /^(筛选|Filter)$/,
  clear: /^(清除筛选|Clear filters)$/,
  snoozed: /^(已暂缓|Snoozed)/,
  mywait: /^(等我回复|Waits on me)/,
  snooze: /^(暂缓|Snooze)/,
  word: /^(直到访客回复|Until the visitor writes)$/,
  priority: /^(优先级|Priority)/,
  urgent: /^(紧急|Urgent)$/,
  close: /^(结束会话|Close conversation)$/,
  closeNext: /^(关闭并处理下一个|Close and next)$/,
  labels: /^(标签与关闭原因|Tags and reasons for closing)$/,
  menu: /^(菜单|Menu)$/,
  add: /^(添加|Add)$/,
  block: /^(屏蔽访客…|Block visitor…)$/,
  blockNow: /^(屏蔽|Block)$/,
  unblock: /^(解除|Unblock)$/,
  view: /^(视图名称|Name of the view)$/,
};

/** A person who signs in for the first time, in a browser that can be examined. */
const enter = async (stage: Stage, id: string, name: string, teams = ['svc'], role = 'agent'): Promise<Agent> => {
  const code = await stage.kefu.invite(id, name, teams, role);
  const agent = await stage.browserOfAgent();
  await bringAxe(agent.page.context());
  await agent.enrol(code);
  return agent;
};

const palette = async (agent: Agent, typed: string): Promise<void> => {
  await agent.page.keyboard.press('Control+k');
  const field = agent.page.getByRole('combobox', { name: /搜索会话|Search conversations/ });
  await expect(field).toBeFocused();
  await field.fill(typed);
};

for (const lang of ['zh-CN', 'en'] as const) {
  test.describe(`in ${lang}`, () => {
    test.use({ lang });

    test('a supervisor defines tags and reasons; an agent sorts, filters, saves a view and closes with a reason', async ({
      stage,
    }) => {
      const chen = await enter(stage, 'chen', '陈经理', ['svc'], 'supervisor');
      await chen.status('busy');
      const li = await enter(stage, 'li', '李娜');
      await chen.page.getByRole('button', { name: N.menu }).click();
      await chen.page.getByRole('menuitem', { name: N.labels }).click();
      const lists = chen.page.getByRole('dialog', { name: N.labels });
      const define = async (part: number, name: string, color?: string): Promise<void> => {
        const list = lists.locator('section').nth(part);
        await list.getByRole('textbox').fill(name);
        if (color) await list.getByRole('combobox').selectOption(color);
        await list.getByRole('button', { name: N.add }).click();
        await expect(list.getByText(name, { exact: true })).toBeVisible();
      };
      await define(0, '退款', 'red');
      await define(0, 'VIP', 'purple');
      await define(1, '已解决');
      await accessible(chen.page, 'the lists of tags and reasons');
      await picture(chen.page, `sorting-labels-${lang}`);

      const [one, two] = [await stage.visitor(), await stage.visitor()];
      for (const [visitor, text] of [
        [one, '我要退款'],
        [two, '营业时间？'],
      ] as const) {
        await visitor.visit(stage.shop.origin);
        await visitor.send(text);
        await expect(li.item(text)).toBeVisible();
      }
      await li.open('我要退款');
      const main = li.page.getByRole('main');
      await main.getByRole('button', { name: N.tags }).click();
      const dialog = li.page.getByRole('dialog', { name: N.tags });
      await dialog.getByRole('checkbox', { name: '退款' }).check();
      await accessible(li.page, 'the choice of tags');
      await dialog.getByRole('button', { name: N.save }).click();
      await expect(li.item('我要退款').locator('.c-label')).toHaveText('退款');
      await main.getByRole('button', { name: N.priority }).click();
      await li.page.getByRole('menuitemradio', { name: N.urgent }).click();
      await expect(li.item('我要退款')).toContainText(/紧急|Urgent/);
      await expect(li.log).toContainText(/把标签设为：退款|set the tags: 退款/);

      // the colleague sees the same, with counts, and keeps the choice as a view over a reload
      await chen.page.keyboard.press('Escape');
      await chen.tab('all');
      await chen.page.getByRole('button', { name: N.filter }).click();
      const filters = chen.page.locator('.c-filters');
      await expect(filters.getByRole('button', { name: /退款/ })).toContainText('1');
      await filters.getByRole('button', { name: /退款/ }).click();
      await expect(chen.items).toHaveCount(1);
      await filters.getByRole('textbox', { name: N.view }).fill('退款单');
      await filters.getByRole('button', { name: N.save }).click();
      await accessible(chen.page, 'filters');
      await picture(chen.page, `sorting-filters-${lang}`);
      await chen.page.reload();
      await chen.atDesk();
      await expect(chen.items).toHaveCount(2);
      await chen.page.getByRole('button', { name: N.filter }).click();
      await chen.page.getByRole('button', { name: '退款单', exact: true }).click();
      await expect(chen.items).toHaveCount(1);
      await expect(chen.items.first()).toContainText('我要退款');

      // visitors are told nothing of it
      const dom = await one.page.evaluate(() => document.querySelector('kefu-widget')?.shadowRoot?.innerHTML ?? '');
      expect(dom).not.toMatch(/紧急|VIP|把标签/);

      await main.getByRole('button', { name: N.close }).click();
      const closing = li.page.getByRole('dialog');
      await closing.getByRole('radio', { name: '已解决' }).check();
      await accessible(li.page, 'closing');
      await picture(li.page, `sorting-closing-${lang}`);
      await closing.getByRole('button', { name: N.closeNext }).click();
      await expect(closing).toBeHidden();
      await li.sees('营业时间？');
      await li.tab('all');
      await li.open('我要退款');
      await expect(main).toContainText(/关闭原因：已解决|Closed: 已解决/);
      stage.complaints.none();
    });

    test('what is snoozed leaves the list and comes back with the visitor’s word', async ({ stage }) => {
      const li = await enter(stage, 'li', '李娜');
      const visitor = await stage.visitor();
      await visitor.visit(stage.shop.origin);
      await visitor.send('我晚点再来');
      await li.open('我晚点再来');
      await li.send('好的');
      await li.page.getByRole('main').getByRole('button', { name: N.snooze }).click();
      await li.page.getByRole('menuitem', { name: N.word }).click();
      await expect(li.items).toHaveCount(0);
      await li.page.getByRole('button', { name: /另有 1 个|1 more is snoozed/ }).click();
      await expect(li.items).toHaveCount(1);
      await expect(li.items.first()).toContainText(/暂缓到访客回复|Snoozed until they write/);
      await li.page.getByRole('button', { name: N.clear }).click();
      await expect(li.items).toHaveCount(0);
      await li.page.reload();
      await li.atDesk();
      await expect(li.page.getByRole('button', { name: /另有 1 个|1 more is snoozed/ })).toBeVisible();
      await visitor.send('我回来了');
      await expect(li.item('我回来了')).toBeVisible();
      await li.sees('我回来了');
      await expect(li.log).toContainText(/访客回复，会话回到列表|the conversation is back/);
    });

    test('a link opens its conversation; Back and a reload keep the place; who may not see it is told', async ({
      stage,
    }) => {
      const li = await enter(stage, 'li', '李娜');
      const [one, two] = [await stage.visitor(), await stage.visitor()];
      for (const [visitor, text] of [
        [one, '第一个问题'],
        [two, '第二个问题'],
      ] as const) {
        await visitor.visit(stage.shop.origin);
        await visitor.send(text);
        await expect(li.item(text)).toBeVisible();
      }
      await li.open('第一个问题');
      const link = li.page.url();
      expect(link).toMatch(/#\/c\/[0-9a-f]{32}$/);
      await li.open('第二个问题');
      await li.sees('第二个问题');
      await li.page.goBack();
      await li.sees('第一个问题');
      await li.page.goForward();
      await li.sees('第二个问题');
      await li.page.reload();
      await li.sees('第二个问题');
      await li.page.goto(link);
      await li.sees('第一个问题');

      await stage.kefu.cli('team', 'add', 'bank', '--name', '贷款组');
      const zhao = await enter(stage, 'zhao', '赵敏', ['bank']);
      await zhao.page.goto(link);
      await expect(
        zhao.page.getByText(/此会话不存在，或您无权查看|There is no such conversation, or you may not/),
      ).toBeVisible();
      await expect(zhao.page).not.toHaveURL(/#/);
    });

    test('a blocked visitor is told in one sentence, and writes again when unblocked', async ({ stage }) => {
      const li = await enter(stage, 'li', '李娜');
      const visitor = await stage.visitor();
      await visitor.visit(stage.shop.origin);
      await visitor.send('垃圾广告');
      await li.open('垃圾广告');
      await li.page.getByRole('button', { name: N.block }).click();
      const dialog = li.page.getByRole('dialog');
      await accessible(li.page, 'blocking');
      await picture(li.page, `sorting-blocking-${lang}`);
      await dialog.getByRole('button', { name: N.blockNow }).click();
      await expect(dialog).toBeHidden();
      await expect(li.log).toContainText(/屏蔽了访客，到|blocked the visitor until/);
      await visitor.send('还是广告');
      await expect(
        visitor.panel.getByText(/对方暂时不接收您的消息|Your messages are not accepted for now/).first(),
      ).toBeVisible();
      await expect(li.said('还是广告')).toHaveCount(0);
      expect((await stage.kefu.cli('block', 'list')).blocks).toHaveLength(1);
      await li.page.getByRole('button', { name: N.block }).click();
      await li.page.getByRole('dialog').getByRole('button', { name: N.unblock }).click();
      await expect(li.log).toContainText(/解除了对访客的屏蔽|unblocked the visitor/);
    });

    test('the palette finds conversations, colleagues and acts by a few letters, from the keyboard', async ({
      stage,
    }) => {
      const li = await enter(stage, 'li', '李娜');
      const visitor = await stage.visitor();
      await visitor.visit(stage.shop.origin);
      await visitor.send('发票怎么开');
      await expect(li.item('发票怎么开')).toBeVisible();
      await palette(li, '发票');
      await accessible(li.page, 'the palette');
      await picture(li.page, `sorting-palette-${lang}`);
      await li.page.keyboard.press('Enter');
      await li.sees('发票怎么开');
      const wang = await enter(stage, 'wang', '王强');
      await palette(li, lang === 'en' ? 'urg' : '紧急');
      await li.page.keyboard.press('Enter');
      await expect(li.item('发票怎么开')).toContainText(/紧急|Urgent/);
      await palette(li, lang === 'en' ? 'busy' : '忙碌');
      await li.page.keyboard.press('Enter');
      await expect(li.page.getByRole('button', { name: /^(我的状态|My status)/ })).toContainText(/忙碌|Busy/);
      await palette(li, '王强');
      await expect(li.page.getByRole('option', { selected: true })).toContainText('王强');
      await li.page.keyboard.press('Enter');
      await wang.open('发票怎么开');
      await wang.sees('发票怎么开');
    });
  });
}

test('a visitor’s other conversations are listed and opened; a wait beyond the team’s target is red', async ({
  stage,
}) => {
  await stage.kefu.cli('team', 'set', 'svc', '--first-answer', '1', '--next-answer', '3600');
  const li = await enter(stage, 'li', '李娜');
  // two browsers are two visitors: what the server says of one is given for the other
  await li.page.route('**/api/v1/conversations/*/others', async (route) => {
    const url = new URL(route.request().url());
    const all = await route.fetch({ url: `${url.origin}/api/v1/conversations?tab=all` });
    const { convs } = (await all.json()) as { convs: { id: string }[] };
    await route.fulfill({ json: { convs: convs.filter((c) => !url.pathname.includes(c.id)) } });
  });
  const [visitor, before] = [await stage.visitor(), await stage.visitor()];
  await before.visit(stage.shop.origin);
  await before.send('上次的问题');
  await expect(li.item('上次的问题')).toBeVisible();
  await visitor.visit(stage.shop.origin);
  await visitor.send('第一次来');
  await expect(li.item('第一次来').locator('.c-wait-too-long')).toBeVisible();
  await li.open('第一次来');
  const pane = li.page.getByRole('complementary');
  await expect(pane.getByRole('heading', { name: '该访客的其他会话（1）' })).toBeVisible();
  await accessible(li.page, 'a thread with earlier conversations');
  await picture(li.page, 'sorting-earlier');
  await pane.locator('.c-earlier').getByRole('button').click();
  await li.sees('上次的问题');
  await li.page.goBack();
  await li.sees('第一次来');
  await li.send('您好');
  await visitor.sees('您好');
  await visitor.send('再问一句');
  await expect(li.item('再问一句').locator('.c-wait')).toBeVisible();
  await expect(li.item('再问一句').locator('.c-wait-too-long')).toHaveCount(0);
  stage.complaints.none();
});
