/** States of the console that looks.spec.ts does not pass through, as pictures and under all of axe: 320 px to 4K, light and dark, colours of the system. */
import { accessible, bringAxe } from '../support/axe';
import { C, type Agent } from '../support/agent';
import { expect, picture, test } from '../support/test';
import { tooSmall } from '../support/touch';
import { W } from '../support/visitor';

const DESK = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };
const SMALL = { width: 320, height: 568 };
const WALL = { width: 3840, height: 2160 };
const NAMES = new Map([
  [DESK, 'desk'],
  [PHONE, 'phone'],
  [SMALL, 'small'],
  [WALL, 'wall'],
]);

/** Visible parts of the page that overlap another part. */
function overlaps({ page }: Agent): Promise<string[]> {
  return page.evaluate(() => {
    const parts = [...document.querySelectorAll('.c-offers, .c-listpane, .c-thread, .c-visitor')].filter(
      (e) => e.getClientRects().length > 0,
    );
    const boxes = parts.map((e) => ({ name: e.className, box: e.getBoundingClientRect() }));
    return boxes.flatMap(({ name, box: a }, i) =>
      boxes
        .slice(i + 1)
        .filter(
          ({ box: b }) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1,
        )
        .map((other) => `${name} and ${other.name}`),
    );
  });
}

/** What only a background sets apart has a border, and what is chosen an outline, where the system chooses the colours. */
async function inSystemColours({ page, list, log, items }: Agent): Promise<void> {
  await page.emulateMedia({ forcedColors: 'active' });
  for (const part of [
    log.locator('.k-left .k-bubble').first(),
    log.locator('.k-right .k-bubble').first(),
    items.first().locator('.k-avatar').first(),
    page.getByRole('main').getByRole('button', { name: C.close }),
    page.locator('.k-send'),
  ]) {
    await expect(part).toHaveCSS('border-top-style', 'solid');
    await expect(part).not.toHaveCSS('border-top-width', '0px');
  }
  const [on, off] = [list.getByRole('tab', { selected: true }), list.getByRole('tab', { selected: false }).first()];
  for (const part of [
    on,
    page.locator('.c-item[aria-current="true"]'),
    page.locator('.c-modes [aria-selected="true"]'),
  ])
    await expect(part).toHaveCSS('outline-style', 'solid');
  await expect(off).toHaveCSS('outline-style', 'none');
}

for (const [lang, colorScheme] of [
  ['zh-CN', 'light'],
  ['zh-CN', 'dark'],
  ['en-GB', 'light'],
  ['en-GB', 'dark'],
] as const) {
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
          expect.soft(await overlaps(agent), name).toEqual([]);
          await accessible(agent.page, name, 'html', true);
          const wide = await agent.page.evaluate(
            () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
          );
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
      // in a team, and with a site: two of the five steps are done
      await expect(boss.page.locator('.c-steps > li')).toHaveCount(5);
      await expect(boss.page.locator('.c-steps > .c-done')).toHaveCount(2);
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
      const chosen = boss.list.getByRole('tab', { selected: true });
      const colour = (tab: typeof chosen) => tab.evaluate((e) => getComputedStyle(e).color);
      const before = await colour(chosen);
      expect(before).not.toBe(await colour(boss.list.getByRole('tab', { selected: false }).first()));
      await chosen.hover();
      expect(await colour(chosen), 'under the pointer').toBe(before);
      await shoot(boss, 'all-open', [DESK, PHONE, WALL]);
      await boss.page.setViewportSize(PHONE);
      await boss.page
        .getByRole('button', { name: /访客资料|Visitor$|About the visitor|Visitor info/ })
        .first()
        .click();
      await shoot(boss, 'visitor', [PHONE]);
      await boss.page.keyboard.press('Escape');

      await li.open('Bea');
      await li.transfer('王班长', en ? 'Wants a refund' : '客户要求退款');
      await expect(boss.offers).toHaveCount(1);
      await shoot(boss, 'handed');
      await boss.offers.getByRole('button').click();
      await boss.reply.fill(en ? 'One moment, I am looking' : '请稍等，我来查一下');
      await shoot(boss, 'taken-over', [DESK, SMALL, WALL]);
      await inSystemColours(boss);
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

test.describe('on a touch screen', () => {
  test.use({ config: { KEFU_DESK__AUTO_ACCEPT: 'false', KEFU_DESK__OFFER_SECONDS: '300' } });
  test('everything that is pressed is 44 px: cards, the heads and lines of a conversation, dialogs', async ({
    stage,
  }) => {
    const li = await stage.agent('li', '李娜', ['svc'], 'agent', { hasTouch: true, isMobile: true, viewport: PHONE });
    const visitor = await stage.visitor();
    await visitor.visit(stage.shop.origin);
    await visitor.send('今天营业到几点？');
    await expect(li.offers.getByRole('button')).toHaveText(['拒绝', '接受']);
    const fits = async (what: string) => expect.soft(await tooSmall(li.page.locator('body')), what).toEqual([]);
    await fits('an offer');
    await li.offers.getByRole('button', { name: C.accept }).click();
    await expect(li.log).toBeVisible();
    await li.send('晚上九点。');
    await visitor.sees('晚上九点。');
    const head = li.page.getByRole('main').getByRole('button');
    await expect(head.filter({ hasText: C.close })).toBeVisible();
    await expect(head.filter({ hasText: C.transfer })).toBeVisible();
    await expect(li.log.getByRole('button', { name: '撤回' })).toBeVisible();
    await fits('a conversation');
    await picture(li.page, 'console-touch');
    await head.filter({ hasText: C.close }).click();
    await expect(li.page.getByRole('dialog')).toBeVisible();
    await fits('a dialog');
    await li.page.getByRole('dialog').getByRole('button', { name: C.close }).click();
    await expect(li.page.getByRole('button', { name: C.reopen })).toBeVisible();
    await fits('a closed conversation');
  });
});
