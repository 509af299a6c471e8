/** Presence, as the panel shows it before anything is written: polled while it is open, with three states. */
import type { Page } from '@playwright/test';
import { accessible, bringAxe } from '../support/axe';
import { expect, picture, test, type Stage } from '../support/test';
import { W } from '../support/visitor';

const P = {
  online: /^(在线|Online)$/,
  busy: /^(客服都在忙|Everybody is busy)$/,
  ahead: /客服都在忙，您前面还有 3 位|Everybody is busy; 3 people are ahead of you/,
  one: /Everybody is busy; 1 person is ahead of you/,
  next: W.next,
};
type Answer = { state: string; agents: number; waiting: number };

/** Answers instead of the server; how often it was asked. */
async function answers(stage: Stage, page: Page, first: Answer): Promise<{ now: Answer | null; asked: number }> {
  const what = { now: first as Answer | null, asked: 0 };
  await page.route(`${stage.kefu.origin}/api/v1/site/web/presence`, async (route) => {
    what.asked++;
    const headers = { 'access-control-allow-origin': '*' };
    if (what.now) await route.fulfill({ json: what.now, headers });
    else await route.fulfill({ status: 404, headers, json: { code: 6, name: 'not_found', text: '' } });
  });
  return what;
}

for (const lang of ['zh-CN', 'en-GB']) {
  test.describe(lang, () => {
    test.use({ lang });
    test('nobody, all busy, somebody: each is said within twenty seconds, and not asked while the panel is closed', async ({
      stage,
    }) => {
      const visitor = await stage.visitor();
      await bringAxe(visitor.page.context());
      const { page, panel } = visitor;
      await page.clock.install();
      const server = await answers(stage, page, { state: 'away', agents: 0, waiting: 0 });
      await visitor.visit(stage.shop.origin);
      await expect(panel.getByText(W.away).first()).toBeVisible();

      server.now = { state: 'busy', agents: 3, waiting: 3 };
      await page.clock.fastForward(20_000);
      await expect(panel.getByText(P.ahead)).toBeVisible();
      await expect(panel.getByText(P.busy)).toBeVisible();
      await expect(panel.getByText(W.away)).toHaveCount(0);
      await picture(page, `presence-busy-${lang}`);
      await accessible(page, 'presence-busy', 'kefu-widget');

      server.now = { state: 'busy', agents: 3, waiting: 0 };
      await page.clock.fastForward(20_000);
      await expect(panel.getByText(P.next)).toBeVisible();
      if (lang !== 'zh-CN') {
        server.now = { state: 'busy', agents: 3, waiting: 1 };
        await page.clock.fastForward(20_000);
        await expect(panel.getByText(P.one)).toBeVisible();
      }

      server.now = { state: 'open', agents: 1, waiting: 0 };
      await page.clock.fastForward(20_000);
      await expect(panel.getByText(P.online)).toBeVisible();
      await expect(panel.getByText(P.next)).toHaveCount(0);

      await panel.getByRole('button', { name: W.close }).click();
      // then all requests made while it was open have ended
      await expect(visitor.launcher).toBeFocused();
      const { asked } = server;
      await page.clock.fastForward(120_000);
      server.now = { state: 'away', agents: 0, waiting: 0 };
      expect(server.asked).toBe(asked);
      // at once when it is opened
      await visitor.openWidget();
      await expect(panel.getByText(W.away).first()).toBeVisible();

      // from here on the socket reports it
      await visitor.send('hello');
      await expect(visitor.log.locator('.k-state-sent, .k-state-delivered')).toBeVisible();
      const since = server.asked;
      await page.clock.fastForward(20_000);
      await page.clock.fastForward(20_000);
      expect(server.asked).toBe(since);
    });
  });
}

test('a server without that address says it with all of the site', async ({ stage }) => {
  const visitor = await stage.visitor();
  await visitor.page.clock.install();
  const server = await answers(stage, visitor.page, { state: 'away', agents: 0, waiting: 0 });
  server.now = null;
  await visitor.visit(stage.shop.origin);
  await expect(visitor.panel.getByText(W.away).first()).toBeVisible();
  const agent = await stage.agent('li', '李娜');
  await agent.status('online');
  await visitor.page.clock.fastForward(20_000);
  await expect(visitor.panel.getByText(P.online)).toBeVisible();
  await expect(visitor.panel.getByText(W.away)).toHaveCount(0);
});

for (const [lang, opens, own] of [
  ['zh-CN', /人工服务将于 \d+月\d+日.*(00:00|12:00|01:00|13:00) 恢复/, '节日期间请拨打 95500'],
  ['en-GB', /We are back .*(00:00|12:00|01:00|13:00)/, 'Call 95500 during the holidays'],
] as const) {
  test.describe(lang, () => {
    test.use({ lang, timezoneId: 'UTC' });
    test('outside of its hours the widget says when they begin, or what the company says', async ({ stage }) => {
      // an hour of the day that is not now
      const span = new Date().getUTCHours() >= 2 ? '00:00-01:00' : '12:00-13:00';
      await stage.kefu.cli('hours', 'set', 'svc', '--week', `mon-sun ${span}`, '--zone', 'UTC');
      const visitor = await stage.visitor();
      await bringAxe(visitor.page.context());
      await visitor.visit(stage.shop.origin);
      await expect(visitor.panel.getByText(opens)).toBeVisible();
      await picture(visitor.page, `presence-hours-${lang}`);
      await accessible(visitor.page, 'presence-hours', 'kefu-widget');
      await stage.kefu.cli('site', 'change', 'web', '--away', own);
      await visitor.reload();
      await expect(visitor.panel.getByText(own)).toBeVisible();
    });
  });
}
