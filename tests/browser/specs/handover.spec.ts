/** From the robot to people and back: with nobody there the visitor is asked first, and a left message and the robot are two conversations. */
import { accessible, bringAxe } from '../support/axe';
import { expect, picture, test } from '../support/test';
import { W } from '../support/visitor';

const H = {
  person: /^(转人工|Talk to a person)$/,
  ask: /^(问机器人|Ask the robot)$/,
  leave: /^(去留言|Leave a message)$/,
  question: /留言等客服回复，还是继续问机器人？|Leave a message for our people, or keep asking the robot\?/,
  serving: /机器人正在应答|The robot is answering/,
  waits: /您的留言等待回复|Your message waits for an answer/,
  answered: /您的留言有回复了|Your message was answered/,
  robot: /您与机器人的会话|Your chat with the robot/,
  view: /^(查看|Show)$/,
};

for (const lang of ['zh-CN', 'en-GB']) {
  test.describe(lang, () => {
    test.use({ lang, form: 'name,topic' });
    test('asked first; the message left and the robot are both there, over a reload, and the answer is announced', async ({
      stage,
    }) => {
      test.slow();
      await stage.kefu.cli('knowledge', 'add', '怎么退货', '签收后七天内可以退货。', '--site', 'web');
      await stage.kefu.cli('robot', 'on', 'web');
      const code = await stage.kefu.invite('li', '李娜', ['svc']);
      const visitor = await stage.visitor();
      await bringAxe(visitor.page.context());
      const { panel } = visitor;
      const button = (name: RegExp) => panel.getByRole('button', { name });
      await visitor.visit(stage.shop.origin);
      const topic = panel.getByRole('textbox', { name: lang === 'zh-CN' ? '咨询类型' : 'Topic' });
      await panel.getByRole('textbox', { name: /^(姓名|Name)$/ }).fill('王小明');
      await topic.fill('退换');
      await button(W.start).click();
      await visitor.send('怎么退货');
      await visitor.sees('签收后七天内可以退货。');
      // called what it is in the language of the page
      const said = visitor.log.locator('.k-left').last();
      await expect(said).toContainText(lang === 'zh-CN' ? '机器人' : 'Robot');
      await expect(said).not.toContainText(lang === 'zh-CN' ? 'Robot' : '机器人');

      await button(H.person).click();
      await expect(panel.getByText(H.question)).toBeVisible();
      // the button that was pressed is gone: the first answer has the focus
      await expect(button(H.leave)).toBeFocused();
      await picture(visitor.page, `handover-asked-${lang}`);
      await accessible(visitor.page, 'handover-asked', 'kefu-widget');
      await button(H.ask).click();
      await expect(visitor.field).toBeFocused();
      await expect(panel.getByText(H.serving)).toBeVisible();

      await button(H.person).click();
      await button(H.leave).click();
      await expect(visitor.field).toBeFocused();
      await expect(panel.getByText(W.away).first()).toBeVisible();
      await visitor.send('请客服看看我的订单');
      await visitor.sees('请客服看看我的订单');
      await picture(visitor.page, `handover-left-${lang}`);

      await button(H.ask).click();
      await expect(panel.getByText(H.serving)).toBeVisible();
      await expect(panel.getByText(H.waits)).toBeVisible();
      await expect(visitor.said('请客服看看我的订单')).toHaveCount(0);
      await visitor.send('怎么退货');
      await visitor.sees('签收后七天内可以退货。');
      await picture(visitor.page, `handover-beside-${lang}`);
      await accessible(visitor.page, 'handover-beside', 'kefu-widget');
      // one message waits already: it is shown, no second one is made
      await button(H.person).click();
      await button(H.leave).click();
      await visitor.sees('请客服看看我的订单');
      await expect(panel.getByText(H.robot)).toBeVisible();
      await button(H.view).click();
      await expect(visitor.said('请客服看看我的订单')).toHaveCount(0);

      await visitor.reload();
      await expect(panel.getByText(H.waits)).toBeVisible();
      await visitor.sees('签收后七天内可以退货。');
      await expect(visitor.said('请客服看看我的订单')).toHaveCount(0);

      // the message stayed in the queue
      const agent = await stage.browserOfAgent();
      await agent.enrol(code);
      await agent.status('online');
      await agent.open('请客服看看我的订单');
      await expect(agent.items).toHaveCount(1);
      await agent.send('看过了，已补发');
      await expect(panel.getByText(H.answered)).toBeVisible();
      await picture(visitor.page, `handover-answered-${lang}`);
      await panel.getByRole('button', { name: W.close }).click();
      await expect(visitor.launcher).toHaveAccessibleName(/1/);
      await visitor.openWidget();
      await button(H.view).click();
      await visitor.sees('看过了，已补发');
      await expect(panel.getByText('李娜').first()).toBeVisible();
      await visitor.send('谢谢');
      await agent.sees('谢谢');

      // the other one names it, and its reader finds the way
      await agent.tab('all');
      await expect(agent.items).toHaveCount(2);
      // a line that nobody opened has the name and the last words, the robot's too
      const robots = agent.items.filter({ hasNotText: '谢谢' });
      await expect(robots).toContainText('王小明');
      await expect(robots).toContainText('签收后七天内可以退货。');
      await robots.click();
      await expect(agent.log.getByText('签收后七天内可以退货。')).toBeVisible();
      await expect(agent.log.locator('.k-form')).toContainText('退换');
    });
  });
}

test('with somebody there nobody is asked', async ({ stage }) => {
  await stage.kefu.cli('robot', 'on', 'web');
  const agent = await stage.agent('li', '李娜');
  await agent.status('online');
  const visitor = await stage.visitor();
  await visitor.visit(stage.shop.origin);
  await visitor.send('你好');
  await visitor.panel.getByRole('button', { name: H.person }).click();
  await expect(visitor.panel.getByText(H.question)).toHaveCount(0);
  await expect(visitor.field).toBeFocused();
  await expect(visitor.panel.getByText('李娜').first()).toBeVisible();
});
