/** Voice messages, with a microphone that Chromium pretends: in the real pages, with the other side and the server in the page. */
import { test, type Page } from '@playwright/test';
import { servePreview } from '../../../ui/build/flood.mjs';
import { CHROMIUM, CHROMIUM_ARGS } from '../playwright.config';
import { expect } from '../support/test';

test.use({
  launchOptions: {
    executablePath: CHROMIUM,
    args: [...CHROMIUM_ARGS, '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
  },
});

let site: Awaited<ReturnType<typeof servePreview>>;
test.beforeAll(async () => {
  site = await servePreview('files');
});
test.afterAll(() => site.close());

const open = async (page: Page, query: string): Promise<string[]> => {
  const errors: string[] = [];
  page.on('pageerror', (e) => errors.push(String(e)));
  await page.goto(`${site.url}?${query}`);
  await page.evaluate(() => window.pair.then(() => null));
  return errors;
};
const RECORD = /^(录制语音|Record a voice message)/;
const SEND = /^(发送语音|Send the voice message)$/;

for (const [query, cancel, shown] of [
  ['side=visitor&lang=zh', '取消', '语音'],
  ['side=agent&lang=en', 'Cancel', 'Voice message'],
] as const) {
  test(`by keys and by holding, cancelled and sent, and played: ${query}`, async ({ page }) => {
    const errors = await open(page, query);
    const record = page.getByRole('button', { name: RECORD });
    await record.focus();
    await page.keyboard.press('Enter');
    await expect(page.getByRole('timer')).toContainText('0:01');
    await page.getByRole('button', { name: cancel, exact: true }).click();
    await expect(page.getByRole('timer')).toHaveCount(0);
    await expect(page.getByRole('log')).not.toContainText(shown);

    // pressed once, and once more to send
    await record.click();
    await expect(page.getByRole('timer')).toContainText('0:02');
    await page.getByRole('button', { name: SEND }).click();
    await expect(page.getByRole('log')).toContainText(/0:0[23]/);

    // held
    await record.hover();
    await page.mouse.down();
    await expect(page.getByRole('timer')).toContainText('0:01');
    await page.mouse.up();
    await expect(page.getByRole('timer')).toHaveCount(0);
    const play = page.getByRole('log').getByRole('button', { name: /^(播放|Play)/ });
    await expect(play).toHaveCount(2);
    await play.first().click();
    const audio = page.frameLocator('iframe').locator('audio');
    await expect.poll(() => audio.evaluate((a: HTMLAudioElement) => a.readyState)).toBeGreaterThanOrEqual(2);
    // the other side has both
    await expect.poll(() => page.evaluate(() => window.pair.then((p) => p.sizes().then((s) => s.length)))).toBe(2);
    expect(errors).toEqual([]);
  });
}
