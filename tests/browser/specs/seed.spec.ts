/** A customer whom the shop knows, on a phone and a computer: one conversation, one person for the agent. */
import { randomBytes } from 'node:crypto';
import { expect, picture, test, type Stage } from '../support/test';
import type { Visitor } from '../support/visitor';

/** As the shop's own page would have it before the widget's script. */
async function device(stage: Stage, seed: string, phone = false): Promise<Visitor> {
  const visitor = await stage.visitor(phone ? { viewport: { width: 390, height: 844 } } : {});
  await visitor.page.addInitScript((s) => Object.assign(window, { kefuSettings: { seed: s } }), seed);
  await visitor.visit(stage.shop.origin);
  return visitor;
}

for (const lang of ['zh-CN', 'en'] as const)
  test.describe(`two devices, ${lang}`, () => {
    test.use({ lang });
    test('show one conversation, and the agent one person', async ({ stage }) => {
      const [seed, other] = [randomBytes(32).toString('base64url'), randomBytes(32).toString('base64url')];
      const li = await stage.agent('li', '李娜');
      const phone = await device(stage, seed, true);
      await phone.send('我在手机上');
      await phone.sees('我在手机上');
      await li.open('我在手机上');
      await li.send('您好');
      await phone.sees('您好');

      const computer = await device(stage, seed);
      await computer.sees('我在手机上');
      await computer.sees('您好');
      await computer.send('现在我在电脑上');
      await phone.sees('现在我在电脑上');
      await li.sees('现在我在电脑上');
      await expect(li.items).toHaveCount(1);
      await picture(computer.page, `seed-${lang}`);

      // the page can't read it any more, and the browser keeps nothing of it
      expect(
        await computer.page.evaluate(() => JSON.stringify((window as { kefuSettings?: unknown }).kefuSettings)),
      ).toBe('{}');
      // another customer at the same computer sees nothing of it
      const context = computer.page.context();
      const page = await context.newPage();
      await page.addInitScript((s) => Object.assign(window, { kefuSettings: { seed: s } }), other);
      await page.goto(stage.shop.origin);
      const host = page.locator('kefu-widget');
      await host.getByRole('button', { name: /^(打开在线客服|Open chat)/ }).click();
      await expect(host.getByRole('textbox')).toBeVisible();
      await expect(host.getByText('我在手机上')).toHaveCount(0);
      await computer.reload();
      await computer.sees('您好');
      await phone.send('还是我');
      await computer.sees('还是我');
    });
  });
