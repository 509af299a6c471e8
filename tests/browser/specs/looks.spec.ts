/** Every main state as a picture in tests/artifacts/states, and under axe: zh and en, light and dark, desk and phone. */
import { accessible, bringAxe } from '../support/axe';
import { C } from '../support/agent';
import { expect, picture, test } from '../support/test';
import { W } from '../support/visitor';

const DESK = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };

for (const [lang, colorScheme] of [
  ['zh-CN', 'light'],
  ['zh-CN', 'dark'],
  ['en-GB', 'light'],
  ['en-GB', 'dark'],
] as const) {
  test.describe(`${lang} ${colorScheme}`, () => {
    test.use({
      lang,
      form: 'name:required,phone',
      greeting: '您好！Hello! 工作日 9:00–18:00 有人在线。',
      config: { KEFU_DESK__CAPACITY: '1' },
    });
    test('looks and accessibility', async ({ stage }) => {
      test.setTimeout(150_000);
      const look = { colorScheme, reducedMotion: 'reduce' } as const;
      const en = lang.startsWith('en');
      const code = await stage.kefu.invite('li', '李娜', ['svc']);
      const code2 = await stage.kefu.invite('wang', '王强', ['svc']);

      const agent = await stage.browserOfAgent({ ...look, viewport: DESK });
      const visitor = await stage.visitor({ ...look, viewport: DESK });
      for (const side of [agent, visitor]) await bringAxe(side.page.context());

      const shoot = async (
        side: typeof agent | typeof visitor,
        state: string,
        sizes = [DESK, PHONE],
      ): Promise<void> => {
        for (const size of sizes) {
          await side.page.setViewportSize(size);
          const name = `${state}-${en ? 'en' : 'zh'}-${colorScheme}-${size === PHONE ? 'phone' : 'desk'}`;
          await picture(side.page, name);
          await accessible(side.page, name, side === visitor ? 'kefu-widget' : 'html');
        }
        await side.page.setViewportSize(DESK);
      };

      await visitor.page.goto(stage.shop.origin);
      await expect(visitor.launcher).toBeVisible();
      await shoot(visitor, 'widget-closed');
      await visitor.openWidget();
      await shoot(visitor, 'widget-form-away');

      await agent.goto();
      await expect(agent.page.getByRole('textbox', { name: C.user })).toBeVisible();
      await shoot(agent, 'console-signin');
      await agent.page.getByRole('tab', { name: C.firstTime }).click();
      await agent.page.getByRole('textbox', { name: C.code }).fill(code);
      await shoot(agent, 'console-first');
      await agent.enrol(code);
      await shoot(agent, 'console-empty');

      await visitor.panel.getByRole('textbox').first().fill('陈思远');
      await visitor.panel.getByRole('button', { name: W.start }).click();
      await visitor.send(en ? 'Hello, where is my order?' : '你好，我的订单到哪里了？');
      await agent.open('陈思远');
      await agent.send(en ? 'Let me have a look: https://example.com/orders' : '我查一下：https://example.com/orders');
      await agent.note(en ? 'Second time this week.' : '这周第二次来问。');
      await visitor.wasRead();
      await shoot(visitor, 'widget-chat');
      await shoot(agent, 'console-chat');

      const second = await stage.visitor({ ...look, viewport: DESK });
      await second.visit(stage.shop.origin);
      await second.panel.getByRole('textbox').first().fill('Ann');
      await second.panel.getByRole('button', { name: W.start }).click();
      await second.send('Is anybody there?');
      await expect(second.panel.getByText(W.next)).toBeVisible();
      await picture(second.page, `widget-queue-${en ? 'en' : 'zh'}-${colorScheme}-desk`);
      await agent.tab('queue');
      await expect(agent.items).toHaveCount(1);
      await shoot(agent, 'console-queue', [DESK]);
      await agent.tab('mine');

      const colleague = await stage.browserOfAgent(look);
      await colleague.enrol(code2);
      await agent.page.getByRole('main').getByRole('button', { name: C.transfer }).click();
      await expect(agent.page.getByRole('dialog', { name: C.transferTitle })).toContainText('王强');
      await shoot(agent, 'console-transfer');
      await agent.page.keyboard.press('Escape');
      await agent.page.getByRole('main').click({ position: { x: 5, y: 5 } });
      await agent.page.keyboard.press('?');
      await expect(agent.page.getByRole('dialog')).toBeVisible();
      await shoot(agent, 'console-shortcuts', [DESK]);
      await agent.page.keyboard.press('Escape');

      await stage.kefu.kill();
      await expect(visitor.panel.getByText(W.offline)).toBeVisible();
      await expect(agent.page.getByText(C.offline)).toBeVisible();
      await visitor.send(en ? 'Still there?' : '还在吗？');
      await shoot(visitor, 'widget-offline');
      await shoot(agent, 'console-offline', [DESK]);
      await stage.kefu.serve();
      await expect(agent.page.getByText(C.offline)).toBeHidden({ timeout: 40_000 });
      await expect(visitor.panel.getByText(W.offline)).toBeHidden({ timeout: 40_000 });
      await visitor.panel.getByRole('button', { name: /^(结束会话|End conversation)$/ }).click();
      await visitor.panel.getByRole('button', { name: /^(结束|End)$/ }).click();
      await expect(visitor.panel.getByText(W.closed)).toBeVisible();
      await shoot(visitor, 'widget-closed-conversation', [DESK]);

      stage.shop.snippet = stage.shop.snippet.replace(stage.kefu.org, `k1-${'0'.repeat(32)}`);
      const deceived = await stage.visitor({ ...look, viewport: DESK });
      await bringAxe(deceived.page.context());
      await deceived.visit(stage.shop.origin);
      await expect(deceived.panel.getByRole('alert')).toBeVisible();
      await picture(deceived.page, `widget-broken-${en ? 'en' : 'zh'}-${colorScheme}-desk`);
      await accessible(deceived.page, 'widget-broken', 'kefu-widget');
    });
  });
}
