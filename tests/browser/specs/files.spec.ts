/** Files over the real server: they arrive as they were, go on after reloads and crashes, and leave nothing in clear and nothing behind. */
import { readFileSync } from 'node:fs';
import type { Download, Page, Route } from '@playwright/test';
import { canary, search } from '../support/canary';
import { bomb, choose, F, paste, picture, pixel } from '../support/files';
import { expect, test } from '../support/test';
import type { Stage } from '../support/test';
import type { Agent } from '../support/agent';
import { W, type Visitor } from '../support/visitor';

const NO_OFFLINE = 'the protocol that drives an installed Firefox cannot take it off the network';

/** As it is uploaded. */
const PART = 1_048_832;

const saved = async (page: Page, act: () => Promise<void>): Promise<{ name: string; bytes: Buffer }> => {
  if (page.context().browser()?.browserType().name() === 'firefox') return savedByScript(page, act);
  const [download] = (await Promise.all([page.waitForEvent('download'), act()])) as [Download, void];
  return { name: download.suggestedFilename(), bytes: readFileSync((await download.path())!) };
};

/** The protocol that drives an installed Firefox tells nothing of downloads: what the page's link would save, read by the page. */
async function savedByScript(page: Page, act: () => Promise<void>): Promise<{ name: string; bytes: Buffer }> {
  await page.evaluate(() => {
    const saving = window as unknown as { saved?: Promise<[string, number[]]>; made?: Map<string, Blob> };
    delete saving.saved;
    if (saving.made) return;
    const made = (saving.made = new Map<string, Blob>());
    const make = URL.createObjectURL;
    URL.createObjectURL = (blob: Blob) => {
      const url = make.call(URL, blob);
      made.set(url, blob);
      return url;
    };
    HTMLAnchorElement.prototype.click = function () {
      saving.saved = made
        .get(this.href)!
        .arrayBuffer()
        .then((bytes) => [this.download, [...new Uint8Array(bytes)]]);
    };
  });
  await act();
  const found = await page.waitForFunction(() => (window as unknown as { saved?: Promise<[string, number[]]> }).saved);
  const [name, bytes] = (await found.jsonValue()) as [string, number[]];
  return { name, bytes: Buffer.from(bytes) };
}

/** Bytes that no compression makes fewer, and that are unlike each other. */
const noise = (n: number): Buffer => Buffer.from(Uint8Array.from({ length: n }, (_, i) => (i * 2_654_435_761) >>> 24));

async function talking(stage: Stage): Promise<{ agent: Agent; visitor: Visitor }> {
  const agent = await stage.agent('li', '李娜');
  const visitor = await stage.visitor();
  await visitor.visit(stage.shop.origin);
  await visitor.send('hello');
  await visitor.sees('hello');
  await agent.open('hello');
  await agent.sees('hello');
  return { agent, visitor };
}

/** Uploads stop after the first part until they are let on. */
async function stopAfterOne(page: Page): Promise<() => Promise<void>> {
  const later = /\/files\/[0-9a-f]+\?at=[1-9]/;
  const hold = (_: Route): void => undefined;
  await page.route(later, hold);
  return () => page.unroute(later);
}

async function attach(visitor: Visitor, name: string, buffer: Buffer): Promise<void> {
  await choose(visitor.panel, { name, buffer });
  await expect(visitor.panel.getByRole('list', { name: F.picked })).toContainText('MB');
  await visitor.field.press('Enter');
  await expect(visitor.panel.getByRole('list', { name: F.picked })).toHaveCount(0);
}

/** Part of it is there: the bar is neither empty nor full. */
const halfway = (visitor: Visitor) =>
  expect(visitor.log.getByRole('progressbar')).toHaveAttribute('value', /^0\.[1-9]/, { timeout: 30_000 });

for (const lang of ['zh-CN', 'en-GB']) {
  test.describe(lang, () => {
    test.use({ lang });

    test('a picture that the visitor pastes arrives and opens; a PDF is saved with the same bytes', async ({
      stage,
    }) => {
      const { agent, visitor } = await talking(stage);
      await paste(visitor.field, await picture(visitor.page, 'image/png', 800, 600));
      await visitor.field.press('Enter');
      const thumb = agent.log.getByRole('button', { name: F.open });
      await expect(thumb).toBeVisible();
      await expect.poll(() => pixel(thumb.locator('canvas'), 0.1, 0.1)).toEqual([255, 0, 0]);
      await thumb.click();
      const viewer = agent.page.getByRole('dialog', { name: F.viewer });
      await expect.poll(() => pixel(viewer.locator('canvas'), 0.9, 0.9)).toEqual([0, 0, 255]);
      await agent.page.keyboard.press('Escape');
      // of two windows of an installed Firefox one has the focus
      await agent.page.bringToFront();
      await expect(thumb).toBeFocused();

      const pdf = Buffer.concat([Buffer.from('%PDF-1.7\n'), noise(2_500_000)]);
      await choose(agent.page.getByRole('main'), { name: '合同 2026.pdf', buffer: pdf });
      await expect(agent.page.getByRole('list', { name: F.picked })).toContainText('MB');
      await agent.reply.press('Enter');
      const card = visitor.log.getByRole('button', { name: /合同 2026\.pdf/ });
      await expect(card).toBeVisible({ timeout: 30_000 });
      expect(await saved(visitor.page, () => card.click())).toEqual({ name: '合同 2026.pdf', bytes: pdf });
      // and after a reload, from the server again
      await visitor.reload();
      expect(await saved(visitor.page, () => card.click())).toEqual({ name: '合同 2026.pdf', bytes: pdf });
    });
  });
}

test('a file begins a conversation', async ({ stage }) => {
  const visitor = await stage.visitor();
  await visitor.visit(stage.shop.origin);
  await expect(visitor.field).toBeVisible();
  await paste(visitor.field, await picture(visitor.page, 'image/png', 80, 60));
  await visitor.field.press('Enter');
  await expect(visitor.log.getByText(W.queued)).toHaveCount(0);
  const agent = await stage.agent('li', '李娜');
  await agent.open('[图片]');
  await expect(agent.log.getByRole('button', { name: F.open })).toBeVisible();
});

test('an upload shows how far it is; cancelled, it is nowhere, and what is written meanwhile does not wait', async ({
  stage,
}) => {
  const { agent, visitor } = await talking(stage);
  const let_on = await stopAfterOne(visitor.page);
  await attach(visitor, 'big.bin', noise(3 * PART));
  await halfway(visitor);
  await visitor.send('meanwhile');
  await agent.sees('meanwhile');
  await expect(agent.log.getByText('big')).toHaveCount(0);
  await visitor.log.getByRole('button', { name: F.pause }).click();
  await expect(visitor.log.getByText(F.paused)).toBeVisible();
  const gone = visitor.page.waitForResponse((r) => r.request().method() === 'DELETE' && r.url().includes('/files/'));
  await visitor.log.getByRole('button', { name: F.cancel }).click();
  expect((await gone).status()).toBe(200);
  await expect(visitor.log.getByText('big')).toHaveCount(0);
  await let_on();
  await visitor.reload();
  await visitor.sees('meanwhile');
  await expect(visitor.log.getByText('big')).toHaveCount(0);
});

for (const how of ['reload', 'offline', 'kill', 'stop'] as const) {
  test(`an upload goes on where it was after: ${how}`, async ({ stage, browserName }) => {
    test.skip(browserName === 'firefox' && how === 'offline', NO_OFFLINE);
    test.slow();
    const { agent, visitor } = await talking(stage);
    const let_on = await stopAfterOne(visitor.page);
    const file = noise(4 * PART);
    await attach(visitor, 'big.bin', file);
    await halfway(visitor);
    const puts: string[] = [];
    visitor.page.on('request', (r) => r.method() === 'PUT' && puts.push(new URL(r.url()).search));
    if (how === 'offline') await visitor.page.context().setOffline(true);
    if (how === 'kill' || how === 'stop') await stage.kefu[how]();
    await let_on();
    if (how === 'reload') await visitor.reload();
    if (how === 'offline') {
      await expect(visitor.panel.getByText(W.offline)).toBeVisible();
      await visitor.page.context().setOffline(false);
    }
    if (how === 'kill' || how === 'stop') await stage.kefu.serve();
    const card = agent.log.getByRole('button', { name: /big\.bin/ });
    await expect(card).toBeVisible({ timeout: 60_000 });
    // what the server had is not sent again
    expect(puts).not.toContain('?at=0');
    expect(await saved(agent.page, () => card.click())).toEqual({ name: 'big.bin', bytes: file });
    await expect(card).toHaveCount(1);
    await expect(visitor.log.getByRole('progressbar')).toHaveCount(0);
  });
}

test('two tabs of a browser send it once', async ({ stage, browserName }) => {
  test.skip(browserName === 'firefox', NO_OFFLINE);
  const { agent, visitor } = await talking(stage);
  const let_on = await stopAfterOne(visitor.page);
  await attach(visitor, 'big.bin', noise(3 * PART));
  await halfway(visitor);
  const second = await visitor.page.context().newPage();
  const puts: string[] = [];
  second.on('request', (r) => r.method() === 'PUT' && puts.push(r.url()));
  await second.goto(stage.shop.origin);
  await let_on();
  await visitor.page.bringToFront();
  // what was held back goes out again after the connection
  await visitor.page.context().setOffline(true);
  await expect(visitor.panel.getByText(W.offline)).toBeVisible();
  await visitor.page.context().setOffline(false);
  await expect(agent.log.getByRole('button', { name: /big\.bin/ })).toHaveCount(1, { timeout: 60_000 });
  expect(puts).toEqual([]);
});

test('hostile names, pages and pictures are downloads with a warning, and bombs are cards', async ({ stage }) => {
  const { agent, visitor } = await talking(stage);
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>');
  const html = Buffer.from('<!doctype html><script>alert(2)</script>');
  await choose(
    visitor.panel,
    { name: '../照片\u202egnp.svg', buffer: svg, mimeType: 'image/png' },
    { name: 'page.png', buffer: html, mimeType: 'image/png' },
    { name: 'bomb.png', buffer: bomb(), mimeType: 'image/png' },
  );
  await expect(visitor.panel.getByRole('list', { name: F.picked }).getByRole('listitem')).toHaveCount(3);
  await visitor.field.press('Enter');
  const card = (name: RegExp) => agent.log.getByRole('button', { name });
  await expect(card(/U\+202E.*\.svg/)).toBeVisible();
  await expect(agent.log.getByText(F.risky)).toHaveCount(1);
  const one = await saved(agent.page, () => card(/U\+202E.*\.svg/).click());
  expect(one.bytes).toEqual(svg);
  expect(one.name).not.toMatch(/[/\\\u202e]/);
  // its name is harmless, its bytes are not: it is asked again
  await card(/page\.png/).click();
  await expect(agent.log.getByText(F.risky)).toHaveCount(2);
  expect((await saved(agent.page, () => agent.log.getByRole('button', { name: F.anyway }).click())).bytes).toEqual(
    html,
  );
  expect((await saved(agent.page, () => card(/bomb\.png/).click())).bytes).toEqual(bomb());
  await expect(agent.log.locator('canvas')).toHaveCount(0);
});

test('what is larger than the site takes is said before a byte is uploaded', async ({ stage }) => {
  const { agent, visitor } = await talking(stage);
  const asked: string[] = [];
  for (const { page } of [agent, visitor])
    page.on('request', (r) => r.url().includes('/files/') && asked.push(r.url()));
  const large = { name: 'film.bin', buffer: Buffer.alloc(21 * 2 ** 20) };
  for (const [side, field] of [
    [visitor.panel, visitor.field],
    [agent.page.getByRole('main'), agent.reply],
  ] as const) {
    await choose(side, large);
    await expect(side.getByText(F.over)).toBeVisible();
    await field.press('Enter');
    await expect(side.getByText(F.over)).toBeVisible();
  }
  expect(asked).toEqual([]);
});

test('no name, type, thumbnail, key or byte of a file is in clear on the server', async ({ stage }) => {
  const { agent, visitor } = await talking(stage);
  const words = { name: canary('name'), type: `x-${canary('type')}`, bytes: canary('bytes') };
  await choose(visitor.panel, {
    name: `${words.name}.txt`,
    mimeType: `text/${words.type}`,
    buffer: Buffer.from(words.bytes.repeat(50)),
  });
  await expect(visitor.panel.getByRole('list', { name: F.picked })).toContainText('KB');
  await visitor.field.press('Enter');
  await expect(agent.log.getByRole('button', { name: new RegExp(words.name) })).toBeVisible();
  await stage.kefu.stop();
  expect(search(words, [stage.kefu.dir], [stage.kefu.log])).toEqual([]);
});

test('a recall takes the file with it', async ({ stage }) => {
  const { agent, visitor } = await talking(stage);
  await paste(visitor.field, await picture(visitor.page, 'image/png', 80, 60));
  await visitor.field.press('Enter');
  await expect(agent.log.getByRole('button', { name: F.open })).toBeVisible();
  const asked = agent.page.waitForRequest((r) => r.url().includes('/files/') && r.method() === 'GET');
  await agent.page.reload();
  await agent.open('[图片]');
  const address = (await asked).url();
  const headers = await (await asked).allHeaders();
  await visitor.log.getByRole('button', { name: '撤回' }).last().click();
  await expect(agent.log.getByRole('button', { name: F.open })).toHaveCount(0);
  const status = (): Promise<number> =>
    agent.page.evaluate(async ([url, token]) => (await fetch(url, { headers: { authorization: token } })).status, [
      address,
      headers.authorization ?? '',
    ] as const);
  await expect.poll(status).toBe(404);
});
