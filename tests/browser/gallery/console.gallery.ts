/** Every page, menu and dialog of the console: zh and en, light and dark, desk and phone. */
import type { Page } from '@playwright/test';
import { C } from '../support/agent';
import { H, History } from '../support/history';
import { expect, picture, test } from '../support/test';
import { W } from '../support/visitor';

const DESK = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };

const N = {
  filter: /^(筛选|Filter)/,
  find: /^(在会话中查找|Find in conversation)$/,
  emoji: /^(表情|Emoji)$/,
  tags: /^(标签|Tags)$/,
  priority: /^(优先级|Priority)/,
  snooze: /^(暂缓|Snooze)/,
  snoozeOther: /^(其他时间…|Another time…)$/,
  block: /^(屏蔽访客…|Block visitor…)$/,
  info: /^(访客资料|About the visitor)$/,
  back: /^(返回|Back)$/,
  add: /^(新建|New)$/,
  quote: /^(引用|Quote)$/,
};
/** What the menu opens: a name for the picture, and the words of the entry. */
const DIALOGS = {
  palette: /^(快速操作|Commands)/,
  shortcuts: /^(快捷键|Keyboard shortcuts)$/,
  notices: /^(提醒设置…|Sounds and notices…)$/,
  labels: /^(标签与关闭原因|Tags and reasons for closing)$/,
  password: /^(修改密码|Change password)$/,
  replies: /^(快捷回复|Canned replies)$/,
};

for (const lang of ['zh-CN', 'en-GB'] as const) {
  const short = lang.slice(0, 2);
  const en = short === 'en';

  /** A state in both themes and both sizes. */
  const shoot = async (page: Page, state: string, sizes = [DESK, PHONE]): Promise<void> => {
    for (const size of sizes) {
      await page.setViewportSize(size);
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        await picture(page, `gallery-${state}-${short}-${colorScheme}-${size === PHONE ? 'phone' : 'desk'}`);
      }
    }
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize(DESK);
  };

  test.describe(`console, ${lang}`, () => {
    test.use({
      lang,
      form: 'name:required,phone',
      config: { KEFU_DESK__CAPACITY: '30', KEFU_DESK__AUTO_ACCEPT: 'false', KEFU_DESK__OFFER_SECONDS: '600' },
    });

    test('before and after signing in', async ({ stage }) => {
      test.setTimeout(240_000);
      const li = await stage.browserOfAgent({ reducedMotion: 'reduce' });
      const { page } = li;
      await li.goto();
      await expect(page.getByRole('textbox', { name: C.user })).toBeVisible();
      await shoot(page, 'signin');
      await li.tryLogin('li', 'not the password');
      await expect(page.getByText(C.wrongLogin)).toBeVisible({ timeout: 60_000 });
      await shoot(page, 'signin-refused');
      await page.getByRole('tab', { name: C.firstTime }).click();
      const code = await stage.kefu.invite('li', en ? 'Li Na' : '李娜', ['svc'], 'supervisor');
      await page.getByRole('textbox', { name: C.code }).fill(code);
      await shoot(page, 'first-time');
      await li.firstSignIn(code);
      await shoot(page, 'desk-offline');
      await li.goOnline();
      await shoot(page, 'desk-empty');
      for (const tab of ['queue', 'all'] as const) {
        await li.tab(tab);
        await shoot(page, `empty-${tab}`);
      }
      for (const [state, name] of Object.entries(DIALOGS)) {
        await page.getByRole('button', { name: C.menu }).click();
        if (state === 'palette') await shoot(page, 'menu');
        await page.getByRole('menuitem', { name }).click();
        await expect(page.getByRole('dialog')).toBeVisible();
        await shoot(page, `dialog-${state}`);
        if (state === 'replies') {
          await page.getByRole('dialog').getByRole('button', { name: N.add }).click();
          await shoot(page, 'dialog-reply-new');
          await page.keyboard.press('Escape');
        }
        await page.keyboard.press('Escape');
        if (await page.getByRole('dialog').count()) await page.keyboard.press('Escape');
      }
      await page.getByRole('button', { name: C.status }).click();
      await shoot(page, 'menu-status');
    });

    test('conversations', async ({ stage }) => {
      test.setTimeout(400_000);
      const code = await stage.kefu.invite('li', en ? 'Li Na' : '李娜', ['svc'], 'supervisor');
      const li = await stage.browserOfAgent({ reducedMotion: 'reduce' });
      const { page } = li;
      await li.enrol(code);
      await page.goto('about:blank');
      await stage.kefu.stop();
      await stage.kefu.cli('bench', 'desk', '--agent', 'li', '--conversations', '14', '--each', '7', '--long', '0');
      await stage.kefu.serve();
      await li.goto();
      await li.atDesk();
      await expect(li.items.first()).toContainText('#7');
      const visitor = await stage.visitor({ reducedMotion: 'reduce' });
      await visitor.visit(stage.shop.origin);
      await visitor.panel
        .getByRole('textbox')
        .first()
        .fill(en ? 'Samantha Clarke-Whitfield' : '欧阳思远（企业采购部）');
      await visitor.panel.getByRole('button', { name: W.start }).click();
      await visitor.send(en ? 'Hello, where is my order 2026-1130?' : '您好，订单 2026-1130 到哪里了？');
      await expect(li.offers).toHaveCount(1);
      await shoot(page, 'offer');
      await li.offers.getByRole('button', { name: C.accept }).click();
      await li.send(
        en
          ? 'Good morning! Let me have a look: https://example.com/orders/2026-1130'
          : '您好！我帮您查一下：https://example.com/orders/2026-1130',
      );
      await li.note(en ? 'Second time this week. Please be quick.' : '这周第二次来问，请尽快处理。');
      await visitor.wasRead();
      await visitor.send(en ? 'Thank you 😊' : '谢谢 😊');
      await li.sees(en ? 'Thank you 😊' : '谢谢 😊');
      await shoot(page, 'thread');
      await page.getByRole('tab', { name: C.note }).click();
      await shoot(page, 'note');
      await page.getByRole('tab', { name: C.reply }).click();
      await li.log.getByRole('button', { name: N.quote }).last().click();
      await shoot(page, 'quote');
      await page.keyboard.press('Escape');
      await page.keyboard.press('Control+Shift+F');
      await expect(page.getByRole('textbox', { name: N.find })).toBeFocused();
      await page.keyboard.type('2026');
      await shoot(page, 'find');
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: N.emoji }).click();
      await shoot(page, 'emoji');
      await page.keyboard.press('Escape');
      const main = page.getByRole('main');
      for (const [state, name] of [
        ['menu-priority', N.priority],
        ['menu-snooze', N.snooze],
      ] as const) {
        await main.getByRole('button', { name }).click();
        await shoot(page, state);
        await page.keyboard.press('Escape');
      }
      for (const [state, name] of [
        ['dialog-transfer', C.transfer],
        ['dialog-close', C.close],
        ['dialog-tags', N.tags],
      ] as const) {
        await main.getByRole('button', { name }).click();
        await expect(page.getByRole('dialog')).toBeVisible();
        await shoot(page, state);
        await page.keyboard.press('Escape');
        await expect(page.getByRole('dialog')).toBeHidden();
      }
      await main.getByRole('button', { name: N.snooze }).click();
      await page.getByRole('menuitem', { name: N.snoozeOther }).click();
      await shoot(page, 'dialog-snooze');
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: N.block }).click();
      await shoot(page, 'dialog-block');
      await page.keyboard.press('Escape');
      await page.setViewportSize(PHONE);
      await main.getByRole('button', { name: N.info }).click();
      await shoot(page, 'visitor', [PHONE]);
      await page.setViewportSize(PHONE);
      await page.keyboard.press('Escape');
      await main.getByRole('button', { name: N.back }).click();
      await shoot(page, 'list', [PHONE]);
      await page.getByRole('button', { name: N.filter }).click();
      await shoot(page, 'filter');
      await page.getByRole('button', { name: N.filter }).first().click();
      await li.tab('all');
      await shoot(page, 'all');
      await li.tab('mine');

      const history = new History(page);
      await history.open();
      await expect(history.rows.first()).toBeVisible();
      await shoot(page, 'history');
      await history.list.locator('summary').filter({ hasText: H.filters }).click();
      await shoot(page, 'history-filters');
      await history.rows.first().click();
      await expect(history.log).toBeVisible();
      await shoot(page, 'history-thread');
      await page.goBack();
      await page.goto(li.console);
      await li.atDesk();

      await li.open(en ? 'Samantha' : '欧阳');
      await li.reply.fill(en ? 'It is on its way to you' : '包裹正在派送途中');
      await stage.kefu.kill();
      await expect(page.getByText(C.offline)).toBeVisible();
      await li.reply.press('Enter');
      await shoot(page, 'offline');
    });
  });
}
