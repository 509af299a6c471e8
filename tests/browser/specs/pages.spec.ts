/**
 * A whole conversation on each of the hard pages: open, write, be answered, go on to another page, go on writing, end. The launcher is in
 * its corner and can be pressed, the page hears nothing of what is written and its own hotkeys work.
 */
import { inflateSync } from 'node:zlib';
import type { BrowserContext, FrameLocator, Page } from '@playwright/test';
import { PAGES, type HostPage } from '../pages';
import type { Agent } from '../support/agent';
import { freePort, Kefu } from '../support/kefu';
import { HostPages } from '../support/pages';
import { Shop } from '../support/shop';
import { Complaints, expect, Stage, test as base } from '../support/test';
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
      await kefu.cli('site', 'add', 'web', '--team', 'svc', '--name', '官网', '--origin', pages.origin, '--form', '', '--greeting', '您好');
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
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT') data.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  }
  // One byte says how the line is written; in a picture of one pixel all ways are the same.
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
    expect({ beside: beside >= 18 && beside <= 38, below: Math.round(height - box.y - box.height), size: Math.round(box.width) }).toEqual({ beside: true, below: Math.round(20 * zoom), size: Math.round(60 * zoom) });
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
    if (!host.noHotkey) {
      await frame.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
      await page.keyboard.press('F8');
      expect(await frame.evaluate('hotkeys')).toBe(1);
    }
    complaints.none();
  });
}
