/** A clock that is wrong is called that, and nothing else is blamed for it. */
import { C, PASSWORD } from '../support/agent';
import { expect, picture, test } from '../support/test';
import { Visitor } from '../support/visitor';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Everything a page knows of the time is off by so much; `offset` of the window changes it. */
function shift(by: number): void {
  const [Real, w] = [Date, window as unknown as { offset: number }];
  w.offset = by;
  const now = (): number => Real.now() + w.offset;
  class Shifted extends Real {
    constructor(...args: unknown[]) {
      if (args.length) super(...(args as [number]));
      else super(now());
    }
    static override now = now;
  }
  window.Date = Shifted as DateConstructor;
}

for (const lang of ['zh-CN', 'en-GB']) {
  test.describe(lang, () => {
    test.use({ lang });
    for (const [what, by] of [
      ['26 hours behind', -26 * HOUR],
      ['3 days behind', -3 * DAY],
      ['40 years behind', -40 * 365 * DAY],
      ['31 days ahead', 31 * DAY],
      ['40 years ahead', 40 * 365 * DAY],
    ] as const) {
      test(`a visitor's, ${what}: the clock is named, with both times, and nothing is sent`, async ({ stage }) => {
        const { page } = await stage.visitor();
        await page.addInitScript(shift, by);
        await page.goto(stage.shop.origin);
        const visitor = new Visitor(page);
        await visitor.openWidget();
        await expect(
          visitor.panel.getByText(lang === 'zh-CN' ? '此设备的时间不对' : 'This device’s clock is wrong'),
        ).toBeVisible();
        await expect(visitor.panel.getByText(String(new Date(Date.now() + by).getFullYear())).first()).toBeVisible();
        await expect(visitor.panel.getByText(String(new Date().getFullYear())).first()).toBeVisible();
        await expect(
          visitor.panel.getByText(/无法确认对方身份|could not be verified|名单的签名|signed list/),
        ).toHaveCount(0);
        await expect(visitor.field).toHaveCount(0);
        if (what === '3 days behind') await picture(page, `clock-visitor-${lang}`);
      });
    }
  });
}

for (const [what, by] of [
  ['10 minutes behind', -HOUR / 6],
  ['2 days ahead', 2 * DAY],
] as const) {
  test(`a visitor's, ${what}: nothing is in the way`, async ({ stage }) => {
    const { page } = await stage.visitor();
    await page.addInitScript(shift, by);
    await page.goto(stage.shop.origin);
    const visitor = new Visitor(page);
    await visitor.openWidget();
    await visitor.send('hello');
    await visitor.sees('hello');
  });
}

for (const lang of ['zh-CN', 'en-GB']) {
  test.describe(lang, () => {
    test.use({ lang });
    test('an agent who enrols with a clock that is 4 days ahead hears of the clock, not of an invite that is over', async ({
      stage,
    }) => {
      const code = await stage.kefu.invite('li', '李娜', ['svc']);
      const agent = await stage.browserOfAgent();
      await agent.page.addInitScript(shift, 4 * DAY);
      await agent.goto();
      await agent.page.getByRole('tab', { name: C.firstTime }).click();
      await agent.page.getByRole('textbox', { name: C.code }).fill(code);
      await agent.page.getByLabel(C.newPassword).fill(PASSWORD);
      await agent.page.getByRole('button', { name: C.createKeys }).click();
      await expect(
        agent.page
          .getByRole('alert')
          .getByText(/两者不一致|本机时间不对|This computer’s clock/)
          .first(),
      ).toBeVisible();
      await expect(
        agent.page.getByText(lang === 'zh-CN' ? /两者不一致|本机时间不对/ : /This computer’s clock/).first(),
      ).toBeVisible();
      await expect(agent.page.getByText(/邀请码已过期|has expired/)).toHaveCount(0);
      await picture(agent.page, `clock-enrol-${lang}`);
    });

    test('an agent whose clock is 3 days behind is told while they work', async ({ stage }) => {
      const agent = await stage.agent('li', '李娜');
      await agent.page.addInitScript(shift, -3 * DAY);
      await agent.page.reload();
      await agent.atDesk();
      await expect(
        agent.page.getByText(lang === 'zh-CN' ? '本机时间不对' : 'This computer’s clock is wrong'),
      ).toBeVisible();
      await picture(agent.page, `clock-agent-${lang}`);
    });
  });
}

test('a console that is open while its clock is set hears of it, and that it is right again', async ({ stage }) => {
  const agent = await stage.agent('li', '李娜');
  await agent.page.addInitScript(shift, 0);
  await agent.page.reload();
  await agent.atDesk();
  await expect(agent.page.getByText(/本机时间/)).toHaveCount(0);
  const set = (ms: number): Promise<void> =>
    agent.page.evaluate((by) => void ((window as unknown as { offset: number }).offset = by), ms);
  await set(-3 * DAY);
  await expect(agent.page.getByText(/本机时间/)).toBeVisible({ timeout: 40_000 });
  await set(0);
  await expect(agent.page.getByText(/本机时间/)).toHaveCount(0, { timeout: 40_000 });
});

test('an admin whose clock is years ahead signs nothing by it', async ({ stage }) => {
  const admin = await stage.browserOfAgent();
  await admin.firstSignIn(stage.kefu.adminCode);
  const until = async (): Promise<number> =>
    (await stage.kefu.cli<{ directory: { fresh_until: number } }>('stats')).directory.fresh_until;
  await expect.poll(until).toBeGreaterThan(Date.now() + 20 * DAY);
  await admin.page.addInitScript(shift, 3 * 365 * DAY);
  await admin.page.reload();
  await admin.atDesk();
  await expect(admin.page.getByText(/两者不一致/)).toBeVisible();
  // by now it would have signed, if it did
  const visitor = await stage.visitor();
  await visitor.visit(stage.shop.origin);
  await visitor.send('hello');
  await visitor.sees('hello');
  expect(await until()).toBeLessThan(Date.now() + 40 * DAY);
});
