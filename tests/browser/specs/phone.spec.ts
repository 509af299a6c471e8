/** An agent on a phone: list, conversation and visitor are pages with a way back; the field is above the keyboard; zh and en, light and dark. */
import { accessible, bringAxe } from '../support/axe';
import { C, type Agent } from '../support/agent';
import { expect, picture, test } from '../support/test';
import { tooSmall } from '../support/touch';

const info = /^(访客资料|About the visitor)$/;
const back = /^(返回|Back)$/;
const KEYBOARD_PX = 320;

/** Which of the three is the page. */
const pageOf = ({ page }: Agent) => page.locator('.c-desk');

/** Nothing sticks out of the screen. */
async function fits({ page }: Agent, what: string): Promise<void> {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect.soft(wide, `${what} scrolls sideways`).toBeLessThanOrEqual(0);
  expect.soft(await tooSmall(page.locator('body')), `${what}: what fingers press`).toEqual([]);
  await accessible(page, what, 'html', true);
}

for (const [lang, colorScheme, viewport] of [
  ['zh-CN', 'light', { width: 390, height: 844 }],
  ['zh-CN', 'dark', { width: 360, height: 640 }],
  ['en-GB', 'light', { width: 360, height: 640 }],
  ['en-GB', 'dark', { width: 390, height: 844 }],
] as const) {
  test.describe(`${lang}, ${colorScheme}, ${viewport.width} px`, () => {
    test.use({ lang });
    test('list, conversation, visitor and back; the field above the keyboard', async ({ stage }) => {
      const en = lang.startsWith('en');
      const look = { viewport, colorScheme, hasTouch: true, isMobile: true, reducedMotion: 'reduce' } as const;
      const li = await stage.browserOfAgent(look);
      const { page } = li;
      await bringAxe(page.context());
      // a keyboard that a headless browser does not have
      await page.addInitScript((px) => {
        const view = window.visualViewport!;
        let covered = 0;
        Object.defineProperty(view, 'height', { get: () => innerHeight - covered });
        Object.assign(window, {
          keyboard: (on: boolean) => {
            covered = on ? px : 0;
            view.dispatchEvent(new Event('resize'));
          },
        });
      }, KEYBOARD_PX);
      const keyboard = (on: boolean) =>
        page.evaluate((is) => (window as unknown as { keyboard(on: boolean): void }).keyboard(is), on);
      await li.enrol(await stage.kefu.invite('li', '李娜', ['svc']));
      const [one, two] = [await stage.visitor(), await stage.visitor()];
      const asked = en ? 'Where is my order? It was promised for yesterday.' : '我的订单到哪里了？说好昨天送到的。';
      for (const [visitor, text] of [
        [one, asked],
        [two, en ? 'Are you open on Sunday?' : '星期天营业吗？'],
      ] as const) {
        await visitor.visit(stage.shop.origin);
        await visitor.send(text);
        await expect(li.item(text)).toBeVisible();
      }
      await expect(pageOf(li)).toHaveAttribute('data-view', 'list');
      await fits(li, 'the list');

      await li.item(asked).tap();
      await expect(pageOf(li)).toHaveAttribute('data-view', 'thread');
      await expect(li.list).toBeHidden();
      await li.sees(asked);
      await fits(li, 'a conversation');

      // the newest line and the field are in view
      await li.reply.tap();
      await keyboard(true);
      const seen = viewport.height - KEYBOARD_PX;
      await expect
        .poll(async () => (await li.reply.boundingBox())!.y + (await li.reply.boundingBox())!.height)
        .toBeLessThanOrEqual(seen);
      const shown = async (): Promise<number> => {
        const [last, log] = [await li.log.locator('[data-line]').last().boundingBox(), await li.log.boundingBox()];
        const end = log!.y + log!.height;
        return last!.y >= log!.y && last!.y + last!.height <= end && end < seen ? log!.height : 0;
      };
      await expect.poll(shown).toBeGreaterThan(120);
      const answer = en
        ? 'It is on its way: https://example.com/parcels/2026-1130. It should be with you before noon.'
        : '正在派送中：https://example.com/parcels/2026-1130，预计中午前送达，请保持电话畅通。';
      await li.send(answer);
      await one.sees(answer);
      await picture(page, `phone-keyboard-${en ? 'en' : 'zh'}-${colorScheme}-${viewport.width}`);
      await keyboard(false);
      await expect.poll(async () => (await li.reply.boundingBox())!.y).toBeGreaterThan(seen);
      // what can be done with a message does not take the width of its text
      const [bubble, log] = [
        await li.log.locator('.k-right .k-bubble').last().boundingBox(),
        await li.log.boundingBox(),
      ];
      expect(bubble!.width).toBeGreaterThan(log!.width * 0.6);
      await picture(page, `phone-thread-${en ? 'en' : 'zh'}-${colorScheme}-${viewport.width}`);
      await fits(li, 'an answered conversation');
      // side by side, of one height
      const [transfer, close] = [C.transfer, C.close].map((name) =>
        page.getByRole('main').getByRole('button', { name }),
      );
      expect((await transfer!.boundingBox())!.y).toBe((await close!.boundingBox())!.y);

      await page.getByRole('main').getByRole('button', { name: info }).tap();
      await expect(pageOf(li)).toHaveAttribute('data-view', 'visitor');
      await expect(li.log).toBeHidden();
      await fits(li, 'the visitor');
      await page
        .getByRole('main')
        .getByRole('button', { name: /^(关闭|Close|返回|Back)$/ })
        .first()
        .tap();
      await expect(pageOf(li)).toHaveAttribute('data-view', 'thread');
      await page.getByRole('main').getByRole('button', { name: back }).tap();
      await expect(pageOf(li)).toHaveAttribute('data-view', 'list');
      await expect(li.list).toBeVisible();

      // the way back of the browser is the same way
      await li.item(en ? 'Sunday' : '星期天').tap();
      await expect(pageOf(li)).toHaveAttribute('data-view', 'thread');
      await page.goBack();
      await expect(pageOf(li)).toHaveAttribute('data-view', 'list');

      // a dialog with long names of acts
      await li
        .item(asked.slice(0, 3))
        .or(li.item(answer.slice(0, 6)))
        .first()
        .tap();
      await page.getByRole('main').getByRole('button', { name: C.close }).tap();
      await expect(page.getByRole('dialog')).toBeVisible();
      await fits(li, 'a dialog');
      await picture(page, `phone-close-${en ? 'en' : 'zh'}-${colorScheme}-${viewport.width}`);
      await page.getByRole('dialog').getByRole('button', { name: C.close }).tap();
      await expect(page.getByRole('dialog')).toBeHidden();
    });
  });
}
