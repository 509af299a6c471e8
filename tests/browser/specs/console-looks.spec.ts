/** States of the console that looks.spec.ts does not pass through, as pictures and under all of axe: 320 px to 4K, light and dark, colours of the system. */
import { accessible, bringAxe } from '../support/axe';
import type { Agent } from '../support/agent';
import { expect, picture, test } from '../support/test';
import { W } from '../support/visitor';

const DESK = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };
const SMALL = { width: 320, height: 568 };
const WALL = { width: 3840, height: 2160 };
const NAMES = new Map([[DESK, 'desk'], [PHONE, 'phone'], [SMALL, 'small'], [WALL, 'wall']]);

for (const [lang, colorScheme] of [['zh-CN', 'light'], ['zh-CN', 'dark'], ['en-GB', 'light'], ['en-GB', 'dark']] as const) {
  test.describe(`${lang} ${colorScheme}`, () => {
    test.use({ lang, form: 'name:required', config: { KEFU_DESK__CAPACITY: '1' } });
    test('the console in its other states', async ({ stage }) => {
      test.setTimeout(240_000);
      const en = lang.startsWith('en');
      const look = { colorScheme, reducedMotion: 'reduce', viewport: DESK } as const;
      const shoot = async (agent: Agent, state: string, sizes = [DESK, PHONE, SMALL, WALL]): Promise<void> => {
        for (const size of sizes) {
          await agent.page.setViewportSize(size);
          const name = `console-${state}-${en ? 'en' : 'zh'}-${colorScheme}-${NAMES.get(size)}`;
          await picture(agent.page, name);
          await accessible(agent.page, name, 'html', true);
          const wide = await agent.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
          expect.soft(wide, `${name} scrolls sideways`).toBe(0);
        }
        await agent.page.setViewportSize(DESK);
      };

      const boss = await stage.browserOfAgent(look);
      await bringAxe(boss.page.context());
      await boss.enrol(await stage.kefu.invite('boss', '王班长', ['svc'], 'supervisor'));
      await boss.status('busy');
      await boss.tab('all');
      await expect(boss.page.getByRole('heading', { name: /还没有会话|No conversations yet/ }).first()).toBeVisible();
      await shoot(boss, 'first-desk');

      const li = await stage.browserOfAgent(look);
      await bringAxe(li.page.context());
      await li.enrol(await stage.kefu.invite('li', '李娜', ['svc']));
      for (const name of ['陈一', 'Bea', '陈三']) {
        const visitor = await stage.visitor();
        await visitor.visit(stage.shop.origin);
        await visitor.panel.getByRole('textbox').first().fill(name);
        await visitor.panel.getByRole('button', { name: W.start }).click();
        await visitor.send(en ? 'When do you close today?' : '今天营业到几点？');
        await visitor.sees(en ? 'When do you close today?' : '今天营业到几点？');
        if (name === '陈一') {
          await li.open(name);
          await li.send(en ? 'At nine.' : '晚上九点。');
          await visitor.sees(en ? 'At nine.' : '晚上九点。');
          await li.closeConversation();
        }
      }
      await expect(boss.items).toHaveCount(3);
      for (const name of ['陈一', 'Bea', '陈三']) await expect(boss.item(name)).toHaveCount(1);
      await shoot(boss, 'all');
      await boss.item('陈一').click();
      await expect(boss.log).toBeVisible();
      await boss.page.getByRole('tab', { selected: true }).first().hover();
      await shoot(boss, 'all-open', [DESK, PHONE, WALL]);
      await boss.page.setViewportSize(PHONE);
      await boss.page.getByRole('button', { name: /访客资料|Visitor$|About the visitor|Visitor info/ }).first().click();
      await shoot(boss, 'visitor', [PHONE]);
      await boss.page.keyboard.press('Escape');

      await li.open('Bea');
      await li.transfer('王班长', en ? 'Wants a refund' : '客户要求退款');
      await expect(boss.offers).toHaveCount(1);
      await shoot(boss, 'handed');
      await boss.offers.getByRole('button').click();
      await boss.reply.fill(en ? 'One moment, I am looking' : '请稍等，我来查一下');
      await shoot(boss, 'taken-over', [DESK, SMALL, WALL]);
      await boss.page.emulateMedia({ forcedColors: 'active' });
      await picture(boss.page, `console-forced-${en ? 'en' : 'zh'}-${colorScheme}-desk`);
      await boss.page.emulateMedia({ forcedColors: 'none' });
      await stage.kefu.cli('user', 'teams', 'boss', '--remove', 'svc');
      await expect(boss.page.getByRole('dialog')).toBeVisible();
      await shoot(boss, 'given-back', [DESK, SMALL]);
      await boss.page.keyboard.press('Escape');
      await expect(boss.page.getByText('kefu user teams boss --add')).toBeVisible();
      await shoot(boss, 'no-team', [DESK, PHONE]);
    });
  });
}
