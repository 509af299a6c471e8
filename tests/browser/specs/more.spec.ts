/**
 * The widget's third file, which the panel loads when a file is attached or comes: under a strict policy with a nonce, without a network,
 * forbidden by a page, and changed by a false server.
 */
import type { Page } from '@playwright/test';
import { choose, F } from '../support/files';
import { strictPolicy } from '../support/shop';
import { expect, test } from '../support/test';
import type { Visitor } from '../support/visitor';

const MORE = /\/w\/[^/]+\/more-[0-9a-f]{16}\.js$/;
const FAILED = /这部分内容未能加载|This part could not be loaded/;
const RETRY = /^(重试|Try again)$/;

function asked(page: Page): string[] {
  const paths: string[] = [];
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (MORE.test(pathname)) paths.push(pathname);
  });
  return paths;
}

const attach = ({ panel }: Visitor) => choose(panel, { name: 'note.txt', buffer: Buffer.from('kefu') });
const tray = ({ panel }: Visitor) => panel.getByRole('list', { name: F.picked });

test('it is loaded once, when a file is attached, by a page whose policy has a nonce and nothing else', async ({
  stage,
}) => {
  stage.shop.policy = strictPolicy(stage.kefu.origin).replace(/script-src [^;]*/, `script-src 'nonce-r4nd0m'`);
  stage.shop.snippet = stage.shop.snippet.replace('<script', '<script nonce="r4nd0m"');
  const visitor = await stage.visitor();
  const paths = asked(visitor.page);
  await visitor.visit(stage.shop.origin);
  await visitor.send('你好');
  await visitor.sees('你好');
  expect(paths).toEqual([]);
  await attach(visitor);
  await expect(tray(visitor)).toContainText('note.txt');
  await visitor.field.press('Enter');
  await expect(visitor.log.getByText('.txt')).toBeVisible();
  expect(paths).toHaveLength(1);
  await expect(visitor.log.locator('bdi[dir=ltr]')).toHaveCSS('display', 'flex');
});

test('no network when it is needed: the page says so, and goes on by itself when there is one', async ({ stage }) => {
  const visitor = await stage.visitor();
  await visitor.visit(stage.shop.origin);
  await expect(visitor.field).toBeVisible();
  await visitor.page.context().setOffline(true);
  await attach(visitor);
  await expect(visitor.panel.getByRole('alert').filter({ hasText: FAILED })).toBeVisible();
  await visitor.page.context().setOffline(false);
  await expect(tray(visitor)).toContainText('note.txt');
  await expect(visitor.panel.getByText(FAILED)).toHaveCount(0);
  await visitor.field.press('Enter');
  await expect(visitor.log.getByText('.txt')).toBeVisible();
});

test('a page whose policy keeps it out: the rest of the chat works, and one line names the cure', async ({ stage }) => {
  const visitor = await stage.visitor();
  const src = /src="([^"]*)"/.exec(stage.shop.snippet)![1]!;
  const launcher = await (await fetch(src)).text();
  const panel = new URL(/panel-[0-9a-f]{16}\.js/.exec(launcher)![0], src).href;
  stage.shop.policy = strictPolicy(stage.kefu.origin).replace(/script-src [^;]*/, `script-src ${src} ${panel}`);
  const said: string[] = [];
  visitor.page.on('console', (message) => said.push(message.text()));
  await visitor.visit(stage.shop.origin);
  await attach(visitor);
  await expect(visitor.panel.getByRole('alert').filter({ hasText: FAILED })).toBeVisible();
  expect(said.some((line) => line.startsWith('kefu:') && line.includes(`script-src: ${stage.kefu.origin}`))).toBe(true);
  await visitor.send('你好');
  await visitor.sees('你好');
  expect(stage.complaints.violations.length).toBeGreaterThan(0);
  stage.complaints.violations.length = 0;
});

test.describe('a false server', () => {
  test.use({ proxied: true });
  test('a changed file does not run; the right one does, when it is tried again', async ({ stage }) => {
    const visitor = await stage.visitor();
    const { page, panel } = visitor;
    const src = /src="([^"]*)"/.exec(stage.shop.snippet)![1]!;
    const read = async (address: URL) => Buffer.from(await (await fetch(address)).arrayBuffer());
    const named = (kind: string, text: string) => new URL(new RegExp(`${kind}-[0-9a-f]{16}\\.js`).exec(text)![0], src);
    const launcher = await (await fetch(src)).text();
    const address = named('more', String(await read(named('panel', launcher))));
    const right = await read(address);
    stage.proxy.scripts.set(address.pathname, Buffer.concat([right, Buffer.from(';self.stolen=1')]));
    await visitor.visit(stage.shop.origin);
    await attach(visitor);
    await expect(panel.getByRole('alert').filter({ hasText: FAILED })).toBeVisible();
    expect(await page.evaluate(() => 'stolen' in self)).toBe(false);
    stage.proxy.scripts.set(address.pathname, right);
    // the browser keeps what the address gave it for a year
    const cdp = await page.context().newCDPSession(page);
    await cdp.send('Network.clearBrowserCache');
    await panel.getByRole('button', { name: RETRY }).click();
    await expect(tray(visitor)).toContainText('note.txt');
  });
});

test('the single file needs none', async ({ stage }) => {
  await stage.shop.paste(stage.kefu, 'web', '--single');
  const visitor = await stage.visitor();
  const paths = asked(visitor.page);
  await visitor.visit(stage.shop.origin);
  await attach(visitor);
  await expect(tray(visitor)).toContainText('note.txt');
  await visitor.field.press('Enter');
  await expect(visitor.log.getByText('.txt')).toBeVisible();
  expect(paths).toEqual([]);
});
