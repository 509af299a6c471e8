/**
 * The launcher before the panel is there, and when it never comes: what loads it, what a person sees and hears meanwhile, where the focus
 * is, and what a page, a network or a false server can do about it.
 */
import type { Page, Route } from '@playwright/test';
import { accessible, bringAxe } from '../support/axe';
import { strictPolicy } from '../support/shop';
import { expect, picture, test, type Stage } from '../support/test';
import type { Visitor } from '../support/visitor';

const PANEL = /\/w\/[^/]+\/panel-[0-9a-f]{16}\.js$/;
const FAILED = /加载失败|could not be loaded/;
const FORBIDDEN = /安全策略不允许|security policy of this page/;
const RETRY = /^(重试|Try again)$/;

/** Paths of the panels that a page asked for. */
function panelsOf(page: Page): string[] {
  const asked: string[] = [];
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (PANEL.test(pathname)) asked.push(pathname);
  });
  return asked;
}

/** Holds back the panel until `go`; what is asked for then comes at once. */
async function slow(page: Page): Promise<() => Promise<void>> {
  const held: Route[] = [];
  let through = false;
  await page.route(PANEL, (route) => (through ? route.continue() : void held.push(route)));
  return async () => {
    through = true;
    for (const route of held) await route.continue();
  };
}

/** Says in the snippet when the panel is loaded. */
function load(stage: Stage, how: 'intent' | 'idle' | 'now'): void {
  stage.shop.snippet = stage.shop.snippet.replace(' defer', ` data-load="${how}" defer`);
}

/** What the launcher's page said in the browser's console. */
function consoleOf({ page }: Visitor): string[] {
  const said: string[] = [];
  page.on('console', (message) => said.push(message.text()));
  return said;
}

const loaded = ({ page }: Visitor) =>
  page.evaluate(
    () =>
      new Promise<void>((done) =>
        (window as { kefu?: { on(e: 'ready', f: () => void): void } }).kefu!.on('ready', done),
      ),
  );

test('what loads the panel: the setting, a pointer, the keyboard, a call, an open conversation', async ({ stage }) => {
  load(stage, 'intent');
  const visitor = await stage.visitor();
  const { page, launcher } = visitor;
  const asked = panelsOf(page);
  const fresh = async () => {
    asked.length = 0;
    await page.goto(stage.shop.origin);
    await expect(launcher).toBeVisible();
    // the idle page has had its turn
    await page.evaluate(() => new Promise((done) => requestIdleCallback(() => requestIdleCallback(done))));
    expect(asked).toEqual([]);
  };
  await fresh();
  await launcher.hover();
  await loaded(visitor);
  await fresh();
  await page.keyboard.press('Tab');
  await expect(launcher).toBeFocused();
  await loaded(visitor);
  await fresh();
  await page.evaluate('kefu.open()');
  await loaded(visitor);
  expect(asked).toHaveLength(1);
  await expect(visitor.field).toBeFocused();

  // an answer may have come since
  await visitor.send('你好');
  await visitor.sees('你好');
  await page.goto(stage.shop.origin);
  await loaded(visitor);
  await visitor.openWidget();
  await visitor.sees('你好');
});

test('an idle page loads it by itself, one that saves data does not; a single file has it', async ({ stage }) => {
  const visitor = await stage.visitor();
  const { page } = visitor;
  const asked = panelsOf(page);
  await page.goto(stage.shop.origin);
  await loaded(visitor);
  expect(asked).toHaveLength(1);

  await page.addInitScript(() => Object.defineProperty(navigator, 'connection', { value: { saveData: true } }));
  asked.length = 0;
  await page.reload();
  await expect(visitor.launcher).toBeVisible();
  await page.evaluate(() => new Promise((done) => requestIdleCallback(() => requestIdleCallback(done))));
  expect(asked).toEqual([]);

  await stage.shop.paste(stage.kefu, 'web', '--single');
  stage.shop.policy = stage.shop.policy.replace('trusted-types kefu', `trusted-types 'none'`);
  await page.reload();
  await loaded(visitor);
  await visitor.openWidget();
  await expect(visitor.field).toBeVisible();
  expect(asked).toEqual([]);
});

for (const lang of ['zh-CN', 'en-GB']) {
  test.describe(lang, () => {
    test.use({ lang });
    test('a slow panel: the frame opens at once, keeps the focus, closes and opens, and is filled when it comes', async ({
      stage,
    }) => {
      const visitor = await stage.visitor({ reducedMotion: 'reduce' });
      const { page, panel, launcher } = visitor;
      await bringAxe(page.context());
      const go = await slow(page);
      await page.goto(stage.shop.origin);
      await page.evaluate(() => {
        const heard: unknown[] = [];
        Object.assign(window, { heard });
        (window as { kefu?: { on(e: string, f: () => void): void } }).kefu!.on('ready', () => heard.push('ready'));
      });
      await expect(launcher).toHaveAttribute('aria-expanded', 'false');
      await launcher.focus();
      await page.keyboard.press('Enter');
      await expect(panel.getByRole('status')).toBeVisible();
      const close = panel.getByRole('button', { name: /^(收起在线客服|Close chat)$/ });
      await expect(close).toBeFocused();
      await accessible(page, 'a spinner');
      await picture(page, `launcher-waiting-${lang}`);
      const button = page.locator('kefu-widget').locator('.w-right > button');
      await expect(button).toHaveAttribute('aria-expanded', 'true');
      await page.keyboard.press('Tab');
      await expect(close).toBeFocused();
      await page.keyboard.press('Escape');
      await expect(panel).toBeHidden();
      await expect(launcher).toBeFocused();
      await expect(launcher).toHaveAttribute('aria-expanded', 'false');
      await page.keyboard.press('Enter');
      await expect(close).toBeFocused();
      // the page takes the element out, and rewrites its body
      await page.evaluate(() => document.querySelector('kefu-widget')!.remove());
      await page.evaluate(() => document.body.replaceWith(document.createElement('body')));
      await expect(panel).toBeVisible();
      await go();
      await expect(visitor.field).toBeFocused();
      await page.keyboard.type('你好');
      await page.keyboard.press('Enter');
      await visitor.sees('你好');
      expect(await page.evaluate('heard')).toEqual(['ready']);
      await page.keyboard.press('Escape');
      await expect(launcher).toBeFocused();
    });

    test('offline when it is pressed: a sentence and another try, which comes by itself with the network', async ({
      stage,
    }) => {
      load(stage, 'intent');
      const visitor = await stage.visitor({ reducedMotion: 'reduce' });
      const { page, panel } = visitor;
      await bringAxe(page.context());
      await page.goto(stage.shop.origin);
      await page.context().setOffline(true);
      await visitor.launcher.click();
      await expect(panel.getByRole('alert')).toContainText(FAILED);
      const retry = panel.getByRole('button', { name: RETRY });
      await expect(retry).toBeFocused();
      await accessible(page, 'not loaded');
      await picture(page, `launcher-failed-${lang}`);
      await page.keyboard.press('Enter');
      await expect(retry).toBeFocused();
      await page.context().setOffline(false);
      await expect(visitor.field).toBeFocused();
      await visitor.send('又有网络了');
      await visitor.sees('又有网络了');
    });
  });
}

test.describe('a false server', () => {
  test.use({ proxied: true });
  test('a changed panel does not run, and is not shown; the right one is, when it is tried again', async ({
    stage,
  }) => {
    load(stage, 'intent');
    const visitor = await stage.visitor();
    const { page, panel } = visitor;
    const said = consoleOf(visitor);
    const src = /src="([^"]*)"/.exec(stage.shop.snippet)![1]!;
    const launcher = await (await fetch(src)).text();
    const path = new URL(/panel-[0-9a-f]{16}\.js/.exec(launcher)![0], src).pathname;
    const right = Buffer.from(await (await fetch(new URL(path, src))).arrayBuffer());
    stage.proxy.scripts.set(path, Buffer.concat([right, Buffer.from(';self.stolen=1')]));
    await page.goto(stage.shop.origin);
    await visitor.launcher.click();
    await expect(panel.getByRole('alert')).toContainText(FAILED);
    await expect.poll(() => said.join('\n')).toMatch(/integrity/i);
    expect(await page.evaluate(() => 'stolen' in self)).toBe(false);
    await expect(panel.getByRole('textbox')).toHaveCount(0);
    stage.proxy.scripts.set(path, right);
    // the browser keeps what the address gave it for a year
    await page
      .context()
      .newCDPSession(page)
      .then((cdp) => cdp.send('Network.clearBrowserCache'));
    await panel.getByRole('button', { name: RETRY }).click();
    await expect(visitor.field).toBeVisible();
  });
});

test.describe('policies of pages', () => {
  /** It cannot load; the panel says so, one line of the console says what to change. */
  async function forbidden(stage: Stage, cure: RegExp): Promise<void> {
    const visitor = await stage.visitor();
    const said = consoleOf(visitor);
    await visitor.page.goto(stage.shop.origin);
    await visitor.launcher.click();
    await expect(visitor.panel.getByRole('alert')).toContainText(FORBIDDEN);
    await expect(visitor.panel.getByRole('button', { name: RETRY })).toHaveCount(0);
    const lines = said.filter((line) => line.startsWith('kefu:'));
    expect(lines).toEqual([expect.stringMatching(cure)]);
    await picture(visitor.page, 'launcher-forbidden');
    expect(stage.complaints.violations.length).toBeGreaterThan(0);
    stage.complaints.violations.length = 0;
  }

  test('that name the launcher alone', async ({ stage }) => {
    load(stage, 'intent');
    const src = /src="([^"]*)"/.exec(stage.shop.snippet)![1]!;
    stage.shop.policy = strictPolicy(stage.kefu.origin).replace(/script-src [^;]*/, `script-src ${src}`);
    await forbidden(stage, new RegExp(`script-src: ${stage.kefu.origin}; or .*--single`));
  });

  test('that require Trusted Types and allow none', async ({ stage }) => {
    load(stage, 'intent');
    stage.shop.policy = stage.shop.policy.replace('trusted-types kefu', `trusted-types 'none'`);
    await forbidden(stage, /trusted-types kefu; or .*--single/);
  });

  test('that allow no policy of Trusted Types and require none: a plain address is enough', async ({ stage }) => {
    stage.shop.policy = stage.shop.policy
      .replace('trusted-types kefu', `trusted-types 'none'`)
      .replace(`require-trusted-types-for 'script'; `, '');
    const visitor = await stage.visitor();
    await visitor.visit(stage.shop.origin);
    await expect(visitor.field).toBeVisible();
    expect(stage.complaints.violations.join('\n')).toMatch(/kefu/);
    stage.complaints.violations.length = 0;
  });

  test('that require Trusted Types and allow ours, or any', async ({ stage }) => {
    for (const allowed of ['trusted-types kefu', 'trusted-types *']) {
      stage.shop.policy = strictPolicy(stage.kefu.origin).replace('trusted-types kefu', allowed);
      const visitor = await stage.visitor();
      await visitor.visit(stage.shop.origin);
      await expect(visitor.field).toBeVisible();
    }
  });
});
