/**
 * A whole conversation on each of the hard pages: open, write, be answered, go to another page, continue writing, end. The launcher is in
 * its corner and can be pressed, the page receives no events of what is written, and its own shortcuts work.
 */
import { inflateSync } from 'node:zlib';
import type { BrowserContext, FrameLocator, Page } from '@playwright/test';
import { PAGES, type HostPage } from '../pages';
import type { Agent } from '../support/agent';
import { freePort, Kefu } from '../support/kefu';
import { HostPages } from '../support/pages';
import { Shop } from '../support/shop';
import { Complaints, expect, firefox, Stage, test as base } from '../support/test';
import { Visitor } from '../support/visitor';

interface Desk {
  pages: HostPages;
  li: Agent;
}

/** One server and one agent for all pages that a worker tries. */
const test = base.extend<{ fresh: BrowserContext; complaints: Complaints }, { desk: Desk }>({
  desk: [
    async ({ browser }, use) => {
      const kefu = new Kefu(await freePort());
      const pages = await HostPages.open();
      const stage = new Stage(kefu, await Shop.open(), null, (o) => browser.newContext(o), 'zh-CN');
      await kefu.init('云杉银行');
      await kefu.cli('team', 'add', 'svc', '--name', '客服');
      await kefu.cli(
        'site',
        'add',
        'web',
        '--team',
        'svc',
        '--name',
        '官网',
        '--origin',
        pages.origin,
        '--form',
        '',
        '--greeting',
        '您好',
      );
      kefu.config = { KEFU_DESK__CAPACITY: '500', KEFU_LIMITS__CONVERSATIONS_PER_HOUR: '1000' };
      await kefu.serve();
      await pages.paste(kefu);
      const li = await stage.agent('li', '李娜');
      await use({ pages, li });
      await stage.dispose();
      await pages.close();
    },
    { scope: 'worker', timeout: 120_000 },
  ],
  complaints: async ({}, use) => use(new Complaints()),
  fresh: async ({ browser, complaints }, use) => {
    const context = await browser.newContext({ locale: 'zh-CN', viewport: { width: 900, height: 800 } });
    context.on('page', (page) => complaints.watch(page));
    await use(context);
    await context.close();
  },
});

const rootOf = (page: Page, host: HostPage): Page | FrameLocator => (host.frame ? page.frameLocator('iframe') : page);

/** What is painted there. */
async function colourAt(page: Page, x: number, y: number): Promise<number[]> {
  const png = await page.screenshot({ clip: { x: Math.round(x), y: Math.round(y), width: 1, height: 1 } });
  const data: Buffer[] = [];
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT')
      data.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  }
  // One byte encodes how the line is written; in a picture of one pixel all ways are the same.
  return [...inflateSync(Buffer.concat(data)).subarray(1, 4)];
}

/** In its corner of the window, on top, whatever is open and wherever the page is scrolled to. */
async function inItsCorner(page: Page, host: HostPage): Promise<void> {
  const launcher = rootOf(page, host).locator('kefu-widget').locator('.w-right > button, .w-left > button');
  await expect(launcher).toHaveCount(1);
  await expect(async () => {
    const box = (await launcher.boundingBox())!;
    const { width, height } = page.viewportSize()!;
    const beside = host.left ? box.x : width - box.x - box.width;
    const zoom = host.zoom ?? 1;
    // a scroll bar may be beside it
    expect({
      beside: beside >= 18 && beside <= 38,
      below: Math.round(height - box.y - box.height),
      size: Math.round(box.width),
    }).toEqual({ beside: true, below: Math.round(20 * zoom), size: Math.round(60 * zoom) });
    if (host.rooted && firefox(page)) return;
    const [red, , blue] = await colourAt(page, box.x + box.width / 10, box.y + box.height / 2);
    expect(blue - red, 'its colour is seen').toBeGreaterThan(60);
  }).toPass({ timeout: 10_000 });
  const seen = await launcher.evaluate((e) => {
    const box = e.getBoundingClientRect();
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const root = e.getRootNode() as ShadowRoot;
    let top = document.elementFromPoint(x, y);
    while (top?.shadowRoot?.elementFromPoint(x, y) && top !== root.host) top = top.shadowRoot.elementFromPoint(x, y);
    return top === root.host && e.contains(root.elementFromPoint(x, y));
  });
  expect(seen, 'it can be pressed').toBe(true);
}

for (const host of PAGES) {
  test(host.name, async ({ desk, fresh, complaints }, info) => {
    const { pages, li } = desk;
    const tag = `第${PAGES.indexOf(host) + 1}页${info.retry || ''}`;
    const page = await fresh.newPage();
    const said: string[] = [];
    page.on('console', (message) => said.push(message.text()));
    const visitor = new Visitor(page, rootOf(page, host));
    await page.goto(pages.url(host));
    await visitor.launcher.waitFor();
    await host.then?.(page);
    await inItsCorner(page, host);
    if (host.says) expect(said.join('\n')).toMatch(host.says);

    await visitor.openWidget();
    // its languages are written from the left, whatever the page is written in
    expect(
      await visitor.panel.evaluate((e) =>
        [...e.querySelectorAll('h1, p, form, textarea')].map((part) => getComputedStyle(part).direction),
      ),
    ).not.toContain('rtl');
    // every letter is some page's hotkey
    const first = `fast / spin shoes ${tag}`;
    await visitor.field.pressSequentially(first);
    await expect(visitor.field).toHaveValue(first);
    await visitor.field.press('ControlOrMeta+a');
    await visitor.field.press('ControlOrMeta+x');
    await expect(visitor.field).toHaveValue('');
    await visitor.field.press('ControlOrMeta+v');
    await expect(visitor.field).toHaveValue(first);
    await visitor.field.press('Enter');
    await visitor.sees(first);
    await li.open(tag);
    await li.sees(first);
    for (let n = 0; n < 3; n++) await li.send(Array.from({ length: 10 }, (_, i) => `第${i}行`).join('\n'));
    await li.send(`答${tag}`);
    await visitor.sees(`答${tag}`);

    // the log scrolls by the wheel
    await visitor.log.hover();
    const top = await visitor.log.evaluate((e) => e.scrollTop);
    expect(top).toBeGreaterThan(0);
    await page.mouse.wheel(0, -200);
    await expect.poll(() => visitor.log.evaluate((e) => e.scrollTop)).toBeLessThan(top);

    await (host.next ?? ((p) => p.reload()))(page);
    await inItsCorner(page, host);
    if (!(await visitor.panel.isVisible())) await visitor.openWidget();
    await visitor.sees(first);
    await visitor.field.focus();
    await page.keyboard.type(`还在${tag}`);
    await page.keyboard.press('Enter');
    await visitor.sees(`还在${tag}`);
    await li.sees(`还在${tag}`);
    await li.send(`在的${tag}`);
    await visitor.sees(`在的${tag}`);

    await visitor.panel.getByRole('button', { name: /^(结束会话|End conversation)$/ }).click();
    await visitor.panel.getByRole('button', { name: /^(结束|End)$/ }).click();
    await expect(visitor.panel.getByText(/本次会话已结束|This conversation is closed/)).toBeVisible();
    await visitor.panel.getByRole('button', { name: /^(收起在线客服|Close chat)$/ }).click();
    await inItsCorner(page, host);

    const frame = host.frame ? page.frames()[1]! : page;
    expect(await frame.evaluate('heard')).toEqual([]);
    // Firefox sends no key events while the body is not displayed.
    const mute = firefox(page) && (await frame.evaluate(() => document.body.getClientRects().length === 0));
    // The launcher takes the focus when the panel has gone.
    await expect(async () => {
      await frame.evaluate(() => {
        let focused = document.activeElement;
        while (focused?.shadowRoot?.activeElement) focused = focused.shadowRoot.activeElement;
        (focused as HTMLElement | null)?.blur();
      });
      await page.keyboard.press('F8');
      if (!mute) expect(await frame.evaluate('hotkeys')).toBeGreaterThan(0);
    }).toPass({ timeout: 10_000 });
    complaints.none();
  });
}

const PLAIN: HostPage = PAGES.find((host) => host.name === 'snippet in the head')!;
const TAKEN: HostPage = PAGES.find((host) => host.name === 'a function kefu')!;

test('a page that has a kefu of its own opens the chat by another name, and may hide it', async ({
  desk,
  fresh,
  complaints,
}) => {
  const page = await fresh.newPage();
  const visitor = new Visitor(page);
  await page.goto(desk.pages.url(TAKEN));
  await visitor.launcher.waitFor();
  expect(await page.evaluate('kefu()')).toBe(1);
  await page.evaluate('kefuWidget.open()');
  await expect(visitor.panel).toBeVisible();
  await page.evaluate('kefuWidget.close()');
  await expect(visitor.launcher).toBeVisible();
  await page.evaluate(`document.querySelector('kefu-widget').hidden = true`);
  await expect(visitor.launcher).toBeHidden();
  await page.evaluate(`document.querySelector('kefu-widget').hidden = false`);
  await expect(visitor.launcher).toBeVisible();
  complaints.none();
});

test('Esc closes the chat and not the dialog of the page; a click on it closes the menu of the page', async ({
  desk,
  fresh,
  complaints,
}) => {
  const page = await fresh.newPage();
  const visitor = new Visitor(page);
  await page.goto(desk.pages.url(PAGES.find((host) => host.name === 'a modal dialog that opens afterwards')!));
  await visitor.launcher.waitFor();
  expect(await page.evaluate('menuOpen')).toBe(true);
  await visitor.openWidget();
  expect(await page.evaluate('menuOpen')).toBe(false);
  await page.evaluate('dialog.showModal()');
  await visitor.field.fill('写到一半');
  await visitor.field.press('Escape');
  await expect(visitor.panel).toBeHidden();
  await expect(visitor.launcher).toBeFocused();
  expect(await page.evaluate('dialog.open')).toBe(true);
  await visitor.openWidget();
  await expect(visitor.field).toHaveValue('写到一半');
  await page.evaluate('dialog.close()');
  await expect(visitor.panel).toBeVisible();
  complaints.none();
});

test('what a page calls works on when its body is another one', async ({ desk, fresh, complaints }) => {
  const page = await fresh.newPage();
  const visitor = new Visitor(page);
  await page.goto(desk.pages.url(PLAIN));
  await visitor.launcher.waitFor();
  await page.evaluate(
    `window.counts = []; kefu.on('unread', (n) => counts.push(n)); document.body.replaceWith(document.createElement('body'))`,
  );
  await page.evaluate('kefu.open()');
  await expect(visitor.panel).toBeVisible();
  await visitor.send('第一句，换了正文');
  await visitor.sees('第一句，换了正文');
  await page.evaluate(`document.body.innerHTML = '<main>next page</main>'; kefu.close()`);
  await expect(visitor.launcher).toBeVisible();
  await desk.li.open('第一句，换了正文');
  await desk.li.send('看到了');
  await expect.poll(() => page.evaluate('counts')).toEqual([1]);
  await page.evaluate('kefu.toggle()');
  await visitor.sees('看到了');
  complaints.none();
});

test('a finger scrolls the log on a page that scrolls by touches itself, and the page hears nothing of it', async ({
  browser,
  browserName,
  desk,
  complaints,
}) => {
  test.skip(browserName !== 'chromium', 'touches are made by the protocol of Chromium');
  const context = await browser.newContext({
    locale: 'zh-CN',
    viewport: { width: 390, height: 844 },
    hasTouch: true,
    isMobile: true,
  });
  context.on('page', (page) => complaints.watch(page));
  const page = await context.newPage();
  const visitor = new Visitor(page);
  await page.goto(desk.pages.url(PAGES.find((host) => host.name === 'wheel and touch are the page’s')!));
  await visitor.launcher.tap();
  for (let n = 0; n < 6; n++) await visitor.send(Array.from({ length: 8 }, (_, i) => `手指第${n}${i}行`).join('\n'));
  await expect(visitor.log.getByText('手指第57行')).toBeVisible();
  const top = await visitor.log.evaluate((e) => e.scrollTop);
  expect(top).toBeGreaterThan(200);
  const box = (await visitor.log.boundingBox())!;
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 4];
  const session = await context.newCDPSession(page);
  const touch = (type: string, at?: number) =>
    session.send('Input.dispatchTouchEvent', {
      type: type as 'touchStart',
      touchPoints: at === undefined ? [] : [{ x, y: at }],
    });
  // a tap while it still moves only stops it
  const still = visitor.log.evaluate(
    (e) => new Promise((done) => e.addEventListener('scrollend', () => done(true), { once: true })),
  );
  await touch('touchStart', y);
  for (let moved = 20; moved <= 200; moved += 20) await touch('touchMove', y + moved);
  await touch('touchEnd');
  await expect.poll(() => visitor.log.evaluate((e) => e.scrollTop)).toBeLessThan(top - 100);
  await still;
  expect(await page.evaluate('[turned, heard]')).toEqual([0, []]);
  // outside of it touches are the page's
  await visitor.panel
    .getByRole('button', { name: /^收起在线客服$/ })
    .first()
    .tap();
  await expect(visitor.panel).toBeHidden();
  await touch('touchStart', y);
  await touch('touchMove', y + 60);
  await touch('touchEnd');
  await expect.poll(() => page.evaluate('turned')).toBeGreaterThan(0);
  complaints.none();
  await context.close();
});

test('what had the focus keeps it when the page takes the widget out, and how far the log was scrolled', async ({
  desk,
  fresh,
  complaints,
}) => {
  const page = await fresh.newPage();
  const visitor = new Visitor(page);
  await page.goto(desk.pages.url(PLAIN));
  await visitor.openWidget();
  for (let n = 0; n < 4; n++) {
    await visitor.field.fill(Array.from({ length: 8 }, (_, i) => `第${n}${i}行`).join('\n'));
    await visitor.field.press('Enter');
  }
  await expect(visitor.log.getByText('第37行')).toBeVisible();
  const middle = 150;
  expect(await visitor.log.evaluate((e) => e.scrollTop)).toBeGreaterThan(middle);
  await visitor.log.evaluate((e, to) => (e.scrollTop = to), middle);
  // an open dialog takes it over, its end gives it back
  await visitor.field.focus();
  await page.evaluate(() => {
    const dialog = document.body.appendChild(document.createElement('dialog'));
    dialog.innerHTML = '<button>Close</button>';
    dialog.showModal();
  });
  await expect.poll(() => visitor.log.evaluate((e) => e.scrollTop)).toBe(middle);
  await visitor.field.fill('还在');
  await page.evaluate(() => document.querySelector('dialog')!.close());
  await expect(visitor.field).toHaveValue('还在');
  await page.evaluate(() => document.querySelector('kefu-widget')!.remove());
  await expect(visitor.panel).toBeVisible();
  await expect(visitor.field).toHaveValue('还在');
  await expect.poll(() => visitor.log.evaluate((e) => e.scrollTop)).toBe(middle);
  complaints.none();
});

test('in a frame without an origin the chat is there and opens', async ({ desk, fresh, complaints }) => {
  const page = await fresh.newPage();
  await page.setContent(
    `<iframe sandbox="allow-scripts" src="${desk.pages.url(PLAIN)}" style="position: fixed; inset: 0; width: 100%; height: 100%; border: 0"></iframe>`,
  );
  const frame: HostPage = { name: '', frame: 'sandbox' };
  await inItsCorner(page, frame);
  const visitor = new Visitor(page, rootOf(page, frame));
  // no key and no click of WebDriver reaches such a frame in Firefox
  if (firefox(page)) await visitor.launcher.evaluate((e: HTMLElement) => e.click());
  else await visitor.openWidget();
  await expect(visitor.panel).toContainText(/\S/);
  complaints.none();
});

for (const tabs of [2, 3]) {
  test(`${tabs} tabs, opened before the first message, are one conversation`, async ({ desk, fresh, complaints }) => {
    const { pages, li } = desk;
    const said = Array.from({ length: tabs }, (_, i) => `${tabs}个页签之${i + 1}`);
    const visitors = await Promise.all(said.map(async () => new Visitor(await fresh.newPage())));
    for (const visitor of visitors) await visitor.visit(pages.url(PLAIN));
    for (const [i, visitor] of visitors.entries()) await visitor.send(said[i]!);
    for (const visitor of visitors) for (const text of said) await visitor.sees(text);
    await expect(li.item(new RegExp(`${tabs}个页签`))).toHaveCount(1);
    await li.open(new RegExp(`${tabs}个页签`));
    for (const text of said) await li.sees(text);
    await li.send('看到了');
    for (const visitor of visitors) await visitor.sees('看到了');
    complaints.none();
  });
}
