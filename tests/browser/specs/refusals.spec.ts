/** Every refusal that can reach a visitor has a sentence: what happened, until when, and what they can do. Never "waiting" for what will not come. */
import type { Page } from '@playwright/test';
import { refuseMessages } from '../support/refuse';
import { Shop } from '../support/shop';
import { expect, picture, test } from '../support/test';
import { W } from '../support/visitor';

const R = {
  origin: /网址不在允许名单中|its address is not on the list/,
  csp: /本页的安全策略不允许连接服务器|security policy of this page does not let the chat connect; the/,
  socket: /实时连接被此网络拦截|This network blocks live connections/,
  gone: /此站点未开通在线客服|Chat is not set up for this site/,
  tooLong: /内容太长，请缩短或分几条发送|Too long: shorten it, or send it in parts/,
  openings: /从此网络发起的会话过多|Too many conversations were started from this network/,
  reads: /从此网络来的请求过多|Too many requests from this network/,
  failed: /未能发送|Not sent/,
  edit: /^(修改|Edit)$/,
};

/** Everything the page's own scripts wrote into the browser's console. */
function consoleOf(page: Page): () => string {
  const told: string[] = [];
  page.on('console', (message) => told.push(message.text()));
  return () => told.join('\n');
}

for (const lang of ['zh-CN', 'en-GB']) {
  test.describe(lang, () => {
    test.use({ lang });

    test('a page in a sandboxed frame has no address: said so, and in its console what to do', async ({ stage }) => {
      const outer = await Shop.open();
      try {
        outer.body = `<iframe sandbox="allow-scripts" width="500" height="760" src="${stage.shop.origin}"></iframe>`;
        const { page } = await stage.visitor();
        const told = consoleOf(page);
        await page.goto(outer.origin);
        const host = page.frameLocator('iframe').locator('kefu-widget');
        await host.getByRole('button', { name: W.open }).click();
        await expect(host.getByRole('dialog').getByRole('alert')).toContainText(R.origin);
        await expect(host.getByRole('textbox')).toHaveCount(0);
        expect(told()).toContain('site web does not list null');
        await picture(page, `refused-origin-${lang}`);
      } finally {
        await outer.close();
      }
    });

    test('a policy without connect-src: the page says it, the console says what to add', async ({ stage }) => {
      stage.shop.policy = stage.shop.policy.replace(/connect-src [^;]*/, `connect-src 'none'`);
      const visitor = await stage.visitor();
      const told = consoleOf(visitor.page);
      await visitor.visit(stage.shop.origin);
      await expect(visitor.panel.getByRole('alert')).toContainText(R.csp);
      await expect(visitor.panel.getByText(W.offline)).toHaveCount(0);
      expect(told()).toContain(`connect-src: ${stage.kefu.origin} ${stage.kefu.origin.replace(/^http/, 'ws')}`);
      await picture(visitor.page, `refused-csp-${lang}`);
      // the browser reports it, too
      stage.complaints.violations.length = 0;
    });

    test('too many conversations from one address: what was written is kept, and until when is said', async ({
      stage,
    }) => {
      await stage.kefu.stop();
      stage.kefu.config = { KEFU_LIMITS__CONVERSATIONS_PER_HOUR: '1' };
      await stage.kefu.serve();
      const first = await stage.visitor();
      await first.visit(stage.shop.origin);
      await first.send('one');
      await expect(first.log.locator('.k-state-sent, .k-state-delivered')).toBeVisible();
      const second = await stage.visitor();
      await second.visit(stage.shop.origin);
      await second.send('two');
      const banner = second.panel.getByRole('status').filter({ hasText: R.openings });
      await expect(banner).toBeVisible();
      await expect(banner).toContainText(/自动发送|What you wrote is kept here and sent/);
      await second.sees('two');
      await picture(second.page, `refused-openings-${lang}`);
    });

    test('a text of characters that take much room is refused before it is sent, with words', async ({ stage }) => {
      const visitor = await stage.visitor();
      await visitor.visit(stage.shop.origin);
      const send = visitor.panel.getByRole('button', { name: W.send });
      await visitor.field.fill('\u001b'.repeat(6_000));
      await expect(visitor.panel.getByRole('alert')).toContainText(R.tooLong);
      await expect(send).toBeDisabled();
      await picture(visitor.page, `refused-too-long-${lang}`);
      // what just fits is taken by the server
      const most = `${'\u001b'.repeat(5_418)}!`;
      await visitor.field.fill(most);
      await expect(visitor.panel.getByRole('alert')).toHaveCount(0);
      await send.click();
      await expect(visitor.log.locator('.k-right .k-state-sent, .k-right .k-state-delivered')).toBeVisible();
      await visitor.field.fill('x'.repeat(8_200));
      const count = visitor.panel.getByText('8200 / 8000');
      await expect(count).toHaveCSS('color', 'rgb(179, 38, 30)');
      await visitor.page.emulateMedia({ colorScheme: 'dark' });
      await expect(count).toHaveCSS('color', 'rgb(255, 138, 128)');
    });

    test("a message that the server refuses is not sent, says so, and its text is its writer's again", async ({
      stage,
    }) => {
      const visitor = await stage.visitor();
      const server = await refuseMessages(stage, visitor.page, { code: 2 });
      server.refusing = false;
      await visitor.visit(stage.shop.origin);
      await visitor.send('hello');
      await expect(visitor.log.locator('.k-right .k-state-sent, .k-right .k-state-delivered')).toBeVisible();
      server.refusing = true;
      await visitor.send('refused');
      const alert = visitor.log.getByRole('alert');
      await expect(alert).toContainText(R.failed);
      await expect(alert).toContainText(R.tooLong);
      await expect(visitor.log.getByText(W.queued)).toHaveCount(0);
      await picture(visitor.page, `refused-message-${lang}`);
      await visitor.field.fill('half a sentence');
      await alert.getByRole('button', { name: R.edit }).click();
      await expect(visitor.field).toHaveValue('refused\nhalf a sentence');
      await expect(visitor.field).toBeFocused();
      await expect(visitor.said('refused')).toHaveCount(0);
      server.refusing = false;
      await visitor.send('taken');
      await expect(
        visitor.log.locator('.k-right').filter({ hasText: 'taken' }).locator('.k-state-sent, .k-state-delivered'),
      ).toBeVisible();
      await visitor.reload();
      await visitor.sees('taken');
      await expect(visitor.log.getByRole('alert')).toHaveCount(0);
    });

    test('a page that is taken off the list while it is open: said, and what waits is not sent', async ({ stage }) => {
      const visitor = await stage.visitor();
      await visitor.visit(stage.shop.origin);
      await visitor.send('hello');
      await expect(visitor.log.locator('.k-right .k-state-sent, .k-right .k-state-delivered')).toBeVisible();
      await stage.kefu.stop();
      await visitor.send('too late');
      await expect(visitor.panel.getByText(W.offline)).toBeVisible();
      await stage.kefu.cli('site', 'change', 'web', '--origin', 'https://elsewhere.example');
      await stage.kefu.serve();
      await expect(visitor.panel.getByText(R.origin).first()).toBeVisible({ timeout: 60_000 });
      await expect(visitor.panel.getByText(W.offline)).toHaveCount(0);
      await expect(visitor.log.getByRole('alert')).toContainText(R.failed);
      await expect(visitor.log.getByText(W.queued)).toHaveCount(0);
      await expect(visitor.panel.getByRole('textbox')).toBeDisabled();
      await picture(visitor.page, `refused-unlisted-${lang}`);
    });

    test('a site that is switched off before the first message: said, and the message is not sent', async ({
      stage,
    }) => {
      const visitor = await stage.visitor();
      await visitor.visit(stage.shop.origin);
      await stage.kefu.cli('site', 'off', 'web');
      await visitor.send('too late');
      await expect(visitor.panel.getByText(R.gone).first()).toBeVisible();
      await expect(visitor.log.getByText(W.queued)).toHaveCount(0);
      await picture(visitor.page, `refused-gone-${lang}`);
    });

    test('sockets that this network does not let through are not called offline', async ({ stage }) => {
      const visitor = await stage.visitor();
      await visitor.page.addInitScript(() => {
        // a proxy that knows no WebSocket
        class Cut {
          onclose: ((e: { code: number; reason: string }) => void) | null = null;
          constructor() {
            setTimeout(() => this.onclose?.({ code: 1006, reason: '' }), 5);
          }
          close(): void {}
        }
        Object.defineProperty(window, 'WebSocket', { value: Cut });
      });
      await visitor.visit(stage.shop.origin);
      await visitor.send('hello');
      await expect(visitor.panel.getByText(R.socket)).toBeVisible();
      await expect(visitor.panel.getByText(W.offline)).toHaveCount(0);
      await picture(visitor.page, `refused-socket-${lang}`);
    });
  });
}

test('a policy that allows requests and no sockets: said when the first is refused, nothing waits', async ({
  stage,
}) => {
  stage.shop.policy = stage.shop.policy.replace(/connect-src [^;]*/, `connect-src ${stage.kefu.origin}`);
  const visitor = await stage.visitor();
  const told = consoleOf(visitor.page);
  await visitor.visit(stage.shop.origin);
  await visitor.send('你好');
  await expect(visitor.panel.getByText(R.csp).first()).toBeVisible();
  await expect(visitor.log.getByText(W.queued)).toHaveCount(0);
  expect(told()).toContain('add to its connect-src');
  stage.complaints.violations.length = 0;
});

test('a site that is not there', async ({ stage }) => {
  stage.shop.snippet = stage.shop.snippet.replace('data-site="web"', 'data-site="nothere"');
  const visitor = await stage.visitor();
  await visitor.visit(stage.shop.origin);
  await expect(visitor.panel.getByRole('alert')).toContainText(R.gone);
});

test('too many requests before there is any conversation: until when is said', async ({ stage }) => {
  const visitor = await stage.visitor();
  let refused = 0;
  await visitor.page.route(`${stage.kefu.origin}/api/v1/site/web*`, async (route) => {
    if (refused++) return route.continue();
    await route.fulfill({
      status: 429,
      headers: { 'access-control-allow-origin': '*' },
      json: { code: 3, name: 'rate_limited', text: '', retry_ms: 4_000, limit: 'reads' },
    });
  });
  await visitor.visit(stage.shop.origin);
  await expect(visitor.panel.getByRole('status').filter({ hasText: R.reads })).toBeVisible();
  await expect(visitor.field).toBeVisible();
});

test('a new conversation that the server refuses for good: said, and the next one takes the text along', async ({
  stage,
}) => {
  const visitor = await stage.visitor();
  let refusing = true;
  await visitor.page.routeWebSocket(`${stage.kefu.origin.replace(/^http/, 'ws')}/**`, (ws) => {
    const server = ws.connectToServer();
    ws.onMessage((m) => {
      const f = typeof m === 'string' ? (JSON.parse(m) as { t: string; req: number }) : null;
      if (refusing && f?.t === 'open') ws.send(JSON.stringify({ t: 'error', code: 5, text: '', req: f.req }));
      else server.send(m);
    });
  });
  await visitor.visit(stage.shop.origin);
  await visitor.send('我的问题');
  await expect(visitor.log.getByText(W.queued)).toHaveCount(0);
  const again = visitor.panel.getByRole('button', { name: '开始新的会话' });
  await expect(again).toBeVisible();
  await picture(visitor.page, 'refused-opening-for-good');
  refusing = false;
  await again.click();
  await expect(visitor.field).toHaveValue('我的问题');
  await visitor.field.press('Enter');
  await expect(visitor.log.locator('.k-state-sent, .k-state-delivered')).toBeVisible();
});
