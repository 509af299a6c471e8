/** The console as an app: it opens without a server, keeps nothing but its own files, and follows an upgrade. */
import type { Page } from '@playwright/test';
import { C } from '../support/agent';
import { expect, test } from '../support/test';

test.use({ serviceWorkers: 'allow' });

/** What is kept: the name of each cache with its paths. */
const kept = (page: Page) =>
  page.evaluate(async () => {
    const all: Record<string, string[]> = {};
    for (const name of await caches.keys())
      all[name] = (await (await caches.open(name)).keys()).map(({ url }) => new URL(url).pathname).sort();
    return all;
  });

test('it opens without a server and is connected when that is back; what the API says is never kept', async ({
  stage,
}) => {
  const code = await stage.kefu.invite('li', '李娜', ['svc']);
  const agent = await stage.browserOfAgent({ serviceWorkers: 'allow' });
  await agent.enrol(code);
  const { page } = agent;
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  const manifest = await page.evaluate(async () => {
    const link = document.querySelector<HTMLLinkElement>('link[rel="manifest"]')!;
    const answer = await fetch(link.href);
    return { type: answer.headers.get('content-type'), ...(await answer.json()) };
  });
  expect(manifest).toMatchObject({
    type: 'application/manifest+json',
    start_url: './',
    scope: './',
    display: 'standalone',
  });
  for (const { src, sizes } of manifest.icons) {
    const size = await page.evaluate(async (path) => {
      const image = await createImageBitmap(await (await fetch(path)).blob());
      return `${image.width}x${image.height}`;
    }, src);
    expect(size).toBe(sizes);
  }
  const visitor = await stage.visitor();
  await visitor.visit(stage.shop.origin);
  await visitor.send('你好');
  await agent.open('你好');
  await agent.sees('你好');
  // the page is the worker's from its next visit on
  await page.reload();
  await agent.atDesk();
  expect(await page.evaluate(() => navigator.serviceWorker.controller?.scriptURL)).toBe(`${agent.console}sw.js`);

  await stage.kefu.kill();
  await page.reload();
  await expect(page).toHaveTitle(/kefu/);
  await expect(page.locator('#app')).not.toBeEmpty();
  const caches = await kept(page);
  expect(Object.keys(caches).length).toBe(1);
  const paths = Object.values(caches)[0]!;
  expect(paths.filter((path) => !/^\/console\/($|assets\/|icons\/|manifest\.webmanifest$)/.test(path))).toEqual([]);
  await stage.kefu.serve();
  await agent.atDesk();
  await agent.open('你好');
  await agent.sees('你好');
});

test.describe('an upgrade', () => {
  test.use({ proxied: true });

  test('is taken up by the next visit, and a page of another build is not kept', async ({ stage }) => {
    const agent = await stage.browserOfAgent({ serviceWorkers: 'allow' });
    const { page } = agent;
    await agent.goto();
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
    await expect(page.getByRole('tab', { name: C.firstTime })).toBeVisible();
    const [first] = Object.keys(await kept(page));
    const worker = await page.evaluate(async () => (await fetch('sw.js')).text());
    const version = /version: "([0-9a-f]{16})"/.exec(worker)![1]!;
    expect(first).toBe(`kefu-shell-${version}`);

    // between worker and page the server was upgraded
    const hash = /page: "([0-9a-f]{64})"/.exec(worker)![1]!;
    stage.proxy.scripts.set(
      '/console/sw.js',
      Buffer.from(worker.replace(version, 'aaaaaaaaaaaaaaaa').replace(hash, 'f'.repeat(64))),
    );
    const failed = await page.evaluate(async () => {
      const registration = (await navigator.serviceWorker.getRegistration())!;
      await registration.update();
      const coming = registration.installing;
      if (!coming) return 'nothing came';
      if (coming.state !== 'redundant')
        await new Promise((done) => coming.addEventListener('statechange', done, { once: true }));
      return coming.state;
    });
    expect(failed).toBe('redundant');
    expect(Object.keys(await kept(page))).toEqual([first]);

    // a whole one waits until no tab has the old page
    stage.proxy.scripts.set('/console/sw.js', Buffer.from(worker.replace(version, 'bbbbbbbbbbbbbbbb')));
    await page.evaluate(async () => {
      const registration = (await navigator.serviceWorker.getRegistration())!;
      await registration.update();
      const coming = registration.installing;
      if (coming && coming.state === 'installing')
        await new Promise((done) => coming.addEventListener('statechange', done, { once: true }));
    });
    expect(Object.keys(await kept(page)).sort()).toEqual([first, 'kefu-shell-bbbbbbbbbbbbbbbb'].sort());
    const next = await page.context().newPage();
    await page.close();
    await expect
      .poll(async () => {
        await next.goto(agent.console);
        return Object.keys(await kept(next));
      })
      .toEqual(['kefu-shell-bbbbbbbbbbbbbbbb']);
    await expect(next.getByRole('tab', { name: C.firstTime })).toBeVisible();
  });
});
