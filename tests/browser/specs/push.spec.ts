/** A closed console is woken: from the switch in the settings to the notice that the service worker shows. */
import type { Page } from '@playwright/test';
import { C } from '../support/agent';
import { PushServer } from '../support/push';
import { expect, picture, test } from '../support/test';

test.use({
  serviceWorkers: 'allow',
  config: {
    KEFU_PUSH__ENABLED: 'true',
    KEFU_PUSH__CONTACT: 'mailto:it@example.com',
    KEFU_PUSH__HOSTS: '127.0.0.1',
    KEFU_PUSH__ALLOW_PRIVATE: 'true',
    KEFU_PUSH__AFTER_SECONDS: '1',
    KEFU_DESK__GRACE_SECONDS: '5',
  },
});

/** Hands the service worker a push, as a browser does. */
async function deliverer(page: Page): Promise<(origin: string) => Promise<void>> {
  const cdp = await page.context().newCDPSession(page);
  let id = '';
  cdp.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
    for (const one of registrations) if (one.scopeURL.endsWith('/console/')) id = one.registrationId;
  });
  await cdp.send('ServiceWorker.enable');
  return async (origin) => {
    await expect.poll(() => id).not.toBe('');
    await cdp.send('ServiceWorker.deliverPushMessage', { origin, registrationId: id, data: 'look' });
  };
}

for (const lang of ['zh-CN', 'en']) {
  const zh = lang === 'zh-CN';
  test.describe(lang, () => {
    test.use({ lang });

    test('who closed the console is woken without a word, and not after they signed out', async ({ stage }) => {
      test.slow();
      const service = await PushServer.open();
      const code = await stage.kefu.invite('li', '李娜', ['svc']);
      const agent = await stage.browserOfAgent({ serviceWorkers: 'allow', permissions: ['notifications'] });
      // the maker of this browser can't be reached: its part is played here
      await agent.page.context().addInitScript(
        ({ subscription }) => {
          let key: ArrayBuffer | null = null;
          const one = () =>
            key && {
              ...subscription,
              options: { applicationServerKey: key },
              toJSON: () => subscription,
              unsubscribe: async () => ((key = null), localStorage.removeItem('subscribed'), true),
            };
          const proto = PushManager.prototype as unknown as Record<string, unknown>;
          proto.getSubscription = async () => one();
          proto.subscribe = async (o: PushSubscriptionOptionsInit) => {
            key = (o.applicationServerKey as Uint8Array<ArrayBuffer>).slice().buffer;
            return one();
          };
        },
        { subscription: service.subscription('/li') },
      );
      await agent.enrol(code);
      const { page } = agent;
      await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
      const open = async () => {
        await page.getByRole('button', { name: C.menu }).click();
        await page.getByRole('menuitem', { name: zh ? '提醒设置…' : 'Sounds and notices…' }).click();
      };
      await open();
      const push = page.getByRole('checkbox', { name: zh ? /推送到此设备/ : /Wake this browser/ });
      await push.click();
      await expect(push).toBeChecked();
      await picture(page, `push-${lang}`);

      // the page goes, the browser stays
      await page.goto('about:blank');
      const visitor = await stage.visitor();
      await visitor.visit(stage.shop.origin);
      await visitor.send('有人吗？');
      await expect.poll(() => service.pushed.length, { timeout: 40_000 }).toBeGreaterThan(0);
      const [first] = service.pushed;
      expect(first!.path).toBe('/li');
      expect(first!.headers.authorization).toMatch(/^vapid t=[\w-]+\.[\w-]+\.[\w-]+, k=[\w-]+$/);
      expect(await service.text(first!)).toBe('look');

      // what the service worker makes of it; who looks at the console sees no notice
      const push_ = await deliverer(page);
      await push_(stage.kefu.origin);
      await agent.goto();
      await agent.atDesk();
      const shown = () =>
        page.evaluate(async () => {
          const all = await (await navigator.serviceWorker.ready).getNotifications();
          return all.map(({ title, body }) => ({ title, body }));
        });
      const notice = { title: 'kefu', body: zh ? '有访客在等待' : 'Somebody is waiting' };
      await expect.poll(shown).toEqual([notice]);
      await page.evaluate(async () => {
        for (const one of await (await navigator.serviceWorker.ready).getNotifications()) one.close();
      });
      await expect.poll(shown).toEqual([]);
      const heard = page.evaluate(
        () => new Promise((done) => navigator.serviceWorker.addEventListener('message', (e) => done(e.data))),
      );
      await push_(stage.kefu.origin);
      await heard;
      expect(await shown()).toEqual([]);

      // signing out ends it
      await page.getByRole('button', { name: C.menu }).click();
      const removed = page.waitForResponse((r) => r.url().endsWith('/api/v1/push/remove'));
      await page.getByRole('menuitem', { name: zh ? '退出登录' : 'Sign out' }).click();
      expect((await removed).status()).toBe(200);
      await service.close();
    });
  });
}

test('the switch is not there where the server has no pushes', async ({ stage }) => {
  stage.kefu.config = {};
  await stage.kefu.stop();
  await stage.kefu.serve();
  const agent = await stage.agent('li', '李娜', ['svc'], 'agent', { serviceWorkers: 'allow' });
  const asked = agent.page.waitForResponse((r) => r.url().endsWith('/api/v1/push'));
  await agent.page.getByRole('button', { name: C.menu }).click();
  await agent.page.getByRole('menuitem', { name: '提醒设置…' }).click();
  await asked;
  await expect(agent.page.getByRole('dialog')).toBeVisible();
  await expect(agent.page.getByRole('checkbox', { name: /推送到此设备/ })).toHaveCount(0);
});
