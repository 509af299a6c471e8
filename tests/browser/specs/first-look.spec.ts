/** What a visitor sees first: who they talk to, a greeting, fields with names; and every state of the widget under all rules of axe, from 320 px to 4K. */
import type { Page } from '@playwright/test';
import type { AxeResults } from 'axe-core';
import { bringAxe } from '../support/axe';
import { refuseMessages } from '../support/refuse';
import { expect, picture, test, type Stage } from '../support/test';
import { tooSmall } from '../support/touch';
import { W, type Visitor } from '../support/visitor';

declare const axe: { run(context: unknown, options: object): Promise<AxeResults> };

/** No violation of any impact, the page around it included. */
async function clean(page: Page, what: string): Promise<void> {
  const bad = await page.evaluate(async () => {
    const { violations } = await axe.run('html', { resultTypes: ['violations'] });
    return violations.map((v) => `${v.impact} ${v.id}: ${v.nodes.map((n) => n.html.slice(0, 140)).join(' | ')}`);
  });
  expect.soft(bad, what).toEqual([]);
}

const SIZES = [
  { width: 320, height: 568 },
  { width: 1240, height: 440 },
  { width: 3840, height: 2160 },
];

/** Words of the header that are cut without a sign of it, or lie below the buttons beside them, were they eight times as long. */
function cutInHeader({ panel }: Visitor): Promise<string[]> {
  return panel.locator(':has(> div > h1)').evaluate((header) => {
    const buttons = [...header.querySelectorAll('button')].map((b) => b.getBoundingClientRect().left);
    const ends = (e: Element) =>
      getComputedStyle(e).overflowX === 'hidden' &&
      getComputedStyle(e).textOverflow === 'ellipsis' &&
      !getComputedStyle(e).display.includes('flex');
    const words = [...header.querySelectorAll('h1, p, p > span:last-child')];
    const texts = [...header.querySelectorAll('h1 bdi, p > span:last-child')].map(
      (e) => [e.firstChild as Text, e.textContent!] as const,
    );
    for (const [node, text] of texts) node.data = text.repeat(8);
    const cut = words
      .filter(
        (e) => (e.scrollWidth > e.clientWidth && !ends(e)) || e.getBoundingClientRect().right > Math.min(...buttons),
      )
      .map((e) => `${e.outerHTML.slice(0, 100)}: ${e.clientWidth} of ${e.scrollWidth} px`);
    for (const [node, text] of texts) node.data = text;
    return cut;
  });
}

/** The panel at each size: within the window, nothing wider than it, clean. */
async function everywhere(visitor: Visitor, state: string): Promise<void> {
  const { page, panel } = visitor;
  for (const size of SIZES) {
    await page.setViewportSize(size);
    await expect(async () => {
      const box = (await panel.boundingBox())!;
      expect(box.width).toBeLessThanOrEqual(480);
      expect([box.x >= 0, box.y >= 0, box.x + box.width <= size.width, box.y + box.height <= size.height]).toEqual([
        true,
        true,
        true,
        true,
      ]);
    }).toPass();
    const cut = await panel.evaluate((root) =>
      [...root.querySelectorAll('*')]
        .filter((e) => e.scrollWidth > root.clientWidth)
        .map((e) => e.outerHTML.slice(0, 100)),
    );
    expect(cut, `${state} ${size.width}`).toEqual([]);
    expect(await cutInHeader(visitor), `${state} ${size.width}`).toEqual([]);
    await picture(page, `${state}-${size.width}`);
    await clean(page, `${state} at ${size.width}`);
  }
  await page.setViewportSize({ width: 900, height: 800 });
}

test.describe('a site that nobody gave a name or a greeting', () => {
  for (const lang of ['zh-CN', 'en-GB']) {
    test.describe(lang, () => {
      test.use({ lang, greeting: '' });
      test('is called by the company, and says hello', async ({ stage }) => {
        await stage.kefu.cli('site', 'change', 'web', '--name', 'web');
        const visitor = await stage.visitor();
        await visitor.visit(stage.shop.origin);
        await expect(visitor.panel.getByRole('heading', { level: 1 })).toHaveText('云杉银行');
        await expect(
          visitor.log.getByText(lang === 'zh-CN' ? '您好，请问有什么可以帮您？' : 'Hello! How can we help you?'),
        ).toBeVisible();
        await expect(visitor.panel.getByText('web', { exact: true })).toHaveCount(0);
        await picture(visitor.page, `first-look-${lang}`);
      });
    });
  }
});

test.describe('a greeting', () => {
  test.use({
    greeting: '**您好！**\n\n- 查[订单](https://shop.example/orders)\n- 问运费\n\n<b>x</b>',
    form: 'name,topic,vip_no,plan=套餐|Plan',
  });
  test('is shown as the Markdown that the company wrote, above the form and in the log; fields have the names that are known or that it gave them', async ({
    stage,
  }) => {
    const visitor = await stage.visitor();
    const shown = async (where: Visitor['panel']) => {
      await expect(where.locator('strong').getByText('您好！')).toBeVisible();
      await expect(where.locator('ul > li')).toHaveCount(2);
      await expect(where.getByRole('link', { name: '订单' })).toHaveAttribute('href', 'https://shop.example/orders');
      await expect(where.getByText('<b>x</b>')).toBeVisible();
    };
    await visitor.visit(stage.shop.origin);
    await shown(visitor.panel);
    for (const name of ['姓名', '咨询类型', 'vip_no', '套餐'])
      await expect(visitor.panel.getByRole('textbox', { name })).toBeVisible();
    await picture(visitor.page, 'greeting-form');
    // a text too long for one envelope is reported at the field
    await visitor.panel.getByRole('textbox', { name: '咨询类型' }).fill('长'.repeat(3_000));
    await visitor.panel.getByRole('button', { name: W.start }).click();
    await expect(visitor.panel.getByText('内容太长，请缩短或分几条发送')).toBeVisible();
    await visitor.panel.getByRole('textbox', { name: '咨询类型' }).fill('运费');
    await visitor.panel.getByRole('textbox', { name: '套餐' }).fill('金卡');
    await visitor.panel.getByRole('button', { name: W.start }).click();
    await shown(visitor.log);
    await visitor.send('你好');
    await expect(visitor.log.locator('dl > div').filter({ hasText: '金卡' })).toHaveText('套餐金卡');
  });
});

/** What only a background sets apart has a border where the system chooses the colours. */
async function inSystemColours({ page, panel, log }: Visitor): Promise<void> {
  await page.emulateMedia({ forcedColors: 'active' });
  const bubbles = ['.k-left', '.k-right'].map((side) => log.locator(`${side} .k-bubble-row > div`).last());
  for (const part of [
    ...bubbles,
    panel,
    panel.getByRole('button', { name: W.send }),
    panel.locator('.k-avatar').first(),
    page.locator('kefu-widget').locator('.w-right > button'),
  ]) {
    await expect(part).toHaveCSS('border-top-style', 'solid');
    await expect(part).not.toHaveCSS('border-top-width', '0px');
  }
  // someone is available, shown not only by a colour
  await expect(panel.locator('.k-dot-online').first()).toHaveCSS('border-top-width', '4px');
  await picture(page, 'look-forced-colours');
  await page.emulateMedia({ forcedColors: 'none' });
  await expect(bubbles[0]!).toHaveCSS('border-top-width', '0px');
}

async function states(stage: Stage, visitor: Visitor): Promise<void> {
  const { panel, page } = visitor;
  await stage.kefu.cli('knowledge', 'add', '怎么退货', '签收后七天内可以退货。', '--site', 'web');
  await stage.kefu.cli('robot', 'on', 'web');
  // a page with landmarks of its own, of which there is one each
  stage.shop.body = '<header>小店 Shop</header><main><h1>小店 Shop</h1></main><footer>2026</footer>';
  await page.goto(stage.shop.origin);
  await expect(visitor.launcher).toBeVisible();
  await clean(page, 'closed');
  await visitor.openWidget();
  await expect(panel.getByRole('button', { name: W.start })).toBeVisible();
  await everywhere(visitor, 'look-form');
  await panel.getByRole('button', { name: W.start }).click();
  await visitor.send('怎么退货');
  await visitor.sees('签收后七天内可以退货。');
  await everywhere(visitor, 'look-robot');
  await inSystemColours(visitor);
  await page.setViewportSize(SIZES[0]!);
  // one line, and the whole of it when it is asked for
  const lock = panel.locator('summary');
  await expect(lock).toHaveText(/^\s*(谁能看到此对话|Who can read this)/);
  expect((await lock.boundingBox())!.height).toBeLessThan(50);
  await lock.click();
  const fingerprint = panel.locator('details code');
  await expect(fingerprint).toHaveText(/^k1-([0-9a-f]{4} ){7}[0-9a-f]{4}$/);
  await expect(panel.getByText(/机器人能看到此对话|its robot on the server can read this/)).toBeVisible();
  await picture(page, 'look-lock-320');
  await lock.click();
  await panel.getByRole('button', { name: /^(转人工|Talk to a person)$/ }).click();
  await everywhere(visitor, 'look-asked');
  await panel.getByRole('button', { name: W.start }).click();
  await expect(panel.getByText(W.away).first()).toBeVisible();
  await everywhere(visitor, 'look-left');
  await panel.getByRole('button', { name: /^(结束会话|End conversation)$/ }).click();
  await everywhere(visitor, 'look-end');
  await panel.getByRole('button', { name: /^(结束|End)$/ }).click();
  await expect(panel.getByText(W.closed)).toBeVisible();
  await everywhere(visitor, 'look-closed');
}

for (const [lang, colorScheme] of [
  ['zh-CN', 'light'],
  ['en-GB', 'dark'],
] as const) {
  test.describe(`${lang} ${colorScheme}`, () => {
    test.use({ lang, form: 'name,topic' });
    test('every state is clean and within the window at every size', async ({ stage }) => {
      test.slow();
      const visitor = await stage.visitor({ colorScheme, reducedMotion: 'reduce' });
      await bringAxe(visitor.page.context());
      await states(stage, visitor);
    });
  });
}

test('on a touch screen everything that is pressed is 44 px', async ({ stage }) => {
  const visitor = await stage.visitor({ hasTouch: true, isMobile: true, viewport: { width: 390, height: 844 } });
  const server = await refuseMessages(stage, visitor.page, { code: 2 });
  server.refusing = false;
  await visitor.page.goto(stage.shop.origin);
  await visitor.openWidget();
  await visitor.send('你好');
  await expect(visitor.log.locator('.k-state-sent, .k-state-delivered')).toBeVisible();
  await expect(visitor.log.getByRole('button', { name: '撤回' })).toBeVisible();
  server.refusing = true;
  await visitor.send('未能发送的话');
  await expect(visitor.log.getByRole('alert').getByRole('button')).toHaveText(['重试', '修改']);
  expect(await tooSmall(visitor.panel)).toEqual([]);
});

test.describe('the page of the demo', () => {
  test.use({ config: { KEFU_SERVER__DEMO: 'true' } });
  test('is clean in both languages, light and dark, with the chat closed and open', async ({ stage }) => {
    const visitor = await stage.visitor({ reducedMotion: 'reduce' });
    const { page } = visitor;
    await bringAxe(page.context());
    await page.goto(`${stage.kefu.origin}/demo/`);
    await expect(visitor.launcher).toBeVisible();
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await clean(page, `demo ${colorScheme}`);
      await page.locator('#lang').click();
    }
    await page.locator('#ask').click();
    await expect(visitor.field).toBeVisible();
    await picture(page, 'demo-open');
    await clean(page, 'demo, chat open');
  });
});
