/** Browsers that keep nothing: the chat works while the page is open, and shows a notice. */
import { chromium, type Page } from '@playwright/test';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHROMIUM, CHROMIUM_ARGS } from '../playwright.config';
import { expect, test, type Stage } from '../support/test';
import { Visitor } from '../support/visitor';

async function worksInMemory(stage: Stage, page: Page): Promise<void> {
  const agent = await stage.agent('li', '李娜');
  const visitor = new Visitor(page);
  await visitor.visit(stage.shop.origin);
  await expect(visitor.panel.getByText('此浏览器不保存数据')).toBeVisible();
  await visitor.send('无痕的问题');
  await agent.open('无痕的问题');
  await agent.send('无痕的答复');
  await visitor.sees('无痕的答复');
  await visitor.reload();
  await expect(visitor.field).toBeVisible();
  await expect(visitor.said('无痕的问题')).toHaveCount(0);
}

test('the database throws', async ({ stage }) => {
  const { page } = await stage.visitor();
  await page.addInitScript(() => {
    const no = {
      get: () => {
        throw new DOMException('blocked', 'SecurityError');
      },
    };
    for (const name of ['indexedDB', 'localStorage', 'sessionStorage']) Object.defineProperty(window, name, no);
  });
  await worksInMemory(stage, page);
});

test('the person forbade sites to keep data', async ({ stage }) => {
  const profile = mkdtempSync(join(tmpdir(), 'kefu-profile-'));
  mkdirSync(join(profile, 'Default'));
  writeFileSync(
    join(profile, 'Default', 'Preferences'),
    JSON.stringify({ profile: { default_content_setting_values: { cookies: 2 } } }),
  );
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    args: CHROMIUM_ARGS,
    locale: 'zh-CN',
  });
  try {
    const page = await context.newPage();
    stage.complaints.watch(page);
    await page.goto(stage.shop.origin);
    // The browser does what this test is about.
    expect(
      await page.evaluate(() => {
        try {
          return !!localStorage;
        } catch {
          return false;
        }
      }),
    ).toBe(false);
    await worksInMemory(stage, page);
  } finally {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  }
});
