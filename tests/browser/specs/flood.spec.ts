/**
 * A peer who floods: the page stays usable. The client and the page are the real ones; the server lives in the page, so that ten thousand
 * messages are quickly there. Bounds are numbers of elements and of changes, not times.
 */
import { expect, test, type Locator, type Page } from '@playwright/test';
import { serveFlood } from '../../../ui/build/flood.mjs';

interface Flood {
  worst: string[];
  before(texts: string[]): Promise<void>;
  open(): Promise<void>;
  ready(texts: string[]): Promise<void>;
  deliver(): Promise<void>;
  nasty(name: string): string;
}
declare global {
  interface Window {
    flood: Promise<Flood>;
  }
}

/** As in ui/src/ui/group.ts. */
const AT_END = 96;
const AT_MOST = 288;
const GROUP = 32;
/** Elements of a bubble with all around it, and of the rest of a page. */
const EACH = 8;
const REST = 400;

test.use({ contextOptions: { reducedMotion: 'reduce' } });

let site: Awaited<ReturnType<typeof serveFlood>>;
test.beforeAll(async () => {
  site = await serveFlood();
});
test.afterAll(() => site.close());

class Side {
  constructor(
    readonly page: Page,
    readonly log: Locator,
  ) {}

  static async open(page: Page, side: 'agent' | 'visitor', before: string[] = []): Promise<Side> {
    page.on('pageerror', (e) => expect(e).toBeUndefined());
    await page.goto(`${site.url}?side=${side}`);
    await page.evaluate(async (texts) => {
      const flood = await window.flood;
      await flood.before(texts);
      await flood.open();
    }, before);
    return new Side(page, page.getByRole('log'));
  }

  bubbles(): Promise<number> {
    return this.log.locator('.k-bubble').count();
  }
  elements(): Promise<number> {
    return this.page.evaluate(
      () => (document.querySelector('kefu-widget')?.shadowRoot ?? document).querySelectorAll('*').length,
    );
  }
  ready(texts: string[]): Promise<void> {
    return this.page.evaluate(async (t) => (await window.flood).ready(t), texts);
  }
  deliver(): Promise<void> {
    return this.page.evaluate(async () => (await window.flood).deliver());
  }
  get field(): Locator {
    return this.page.getByRole('textbox').last();
  }
}

const texts = (what: string, n: number): string[] => Array.from({ length: n }, (_, i) => `${what} ${i}`);

for (const side of ['agent', 'visitor'] as const) {
  test.describe(side === 'agent' ? 'the console' : 'the widget', () => {
    test('with ten thousand messages has a part of them, and a key shows while five hundred more come', async ({
      page,
    }) => {
      test.slow();
      const s = await Side.open(page, side, texts('message', 10_000));
      await expect(s.log.getByText('message 9999', { exact: true })).toBeVisible();
      expect(await s.bubbles()).toBeLessThan(AT_END + GROUP);
      expect(await s.elements()).toBeLessThan(REST + EACH * (AT_END + GROUP));

      await s.ready(texts('burst', 500));
      await s.field.focus();
      // how often the log changes: each time is a render
      await s.log.evaluate((log) => {
        const w = window as unknown as { renders: number; began: number };
        w.renders = 0;
        w.began = performance.now();
        new MutationObserver(() => w.renders++).observe(log, { childList: true, subtree: true });
      });
      const done = s.deliver();
      await page.keyboard.type('typed meanwhile');
      await expect(s.field).toHaveValue('typed meanwhile');
      await done;
      await expect(s.log.getByText('burst 499', { exact: true })).toBeVisible();
      await expect(s.field).toBeFocused();
      await expect(s.field).toHaveValue('typed meanwhile');
      const { renders, took } = await page.evaluate(() => {
        const w = window as unknown as { renders: number; began: number };
        return { renders: w.renders, took: performance.now() - w.began };
      });
      // twenty a second, and a few for what else changes
      expect(renders).toBeLessThan(took / 50 + 20);
      expect(await s.bubbles()).toBeLessThan(AT_END + GROUP);
    });

    test('every earlier message can be read, where it is read it stays, and the way back is one press', async ({
      page,
    }) => {
      const s = await Side.open(page, side, texts('message', 1_000));
      await expect(s.log.getByText('message 999', { exact: true })).toBeVisible();
      const earlier = s.log.getByRole('button').first();
      for (
        let steps = 0;
        steps < 40 && (await s.log.locator('.k-bubble', { hasText: /^message 0$/ }).count()) === 0;
        steps++
      ) {
        const top = s.log.locator('.k-bubble').first();
        const text = (await top.textContent())!;
        await earlier.evaluate((b: HTMLElement) => b.click());
        await expect(s.log.locator('.k-bubble').first()).not.toHaveText(text);
        // what stood at the top is still on screen: nothing jumps
        await expect(s.log.getByText(text, { exact: true })).toBeInViewport();
        expect(await s.bubbles()).toBeLessThanOrEqual(AT_MOST + GROUP);
      }
      await expect(s.log.getByText('message 0', { exact: true })).toHaveCount(1);
      // others write meanwhile: the reader is not moved
      const shown = await s.log.locator('.k-bubble').first().textContent();
      const at = await s.log.evaluate((e) => e.scrollTop);
      await s.ready(texts('later', 50));
      await s.deliver();
      expect(await s.log.locator('.k-bubble').first().textContent()).toBe(shown);
      expect(await s.log.evaluate((e) => e.scrollTop)).toBe(at);
      await s.page.locator('.k-below, .k-list-wrap > button').click();
      await expect(s.log.getByText('later 49', { exact: true })).toBeInViewport();
      expect(await s.bubbles()).toBeLessThan(AT_END + GROUP);
    });

    test('the worst messages take their place and no more', async ({ page }) => {
      test.slow();
      const s = await Side.open(page, side);
      const frame = () =>
        page.evaluate(() => {
          const root = document.querySelector('kefu-widget')?.shadowRoot ?? document;
          return [...root.querySelectorAll('h1, textarea, header')].map((e) => {
            const r = e.getBoundingClientRect();
            return [r.left, r.top, r.width, r.height].map(Math.round).join();
          });
        });
      // a panel that opens slides in
      await page.evaluate(async () => {
        const root = document.querySelector('kefu-widget')?.shadowRoot ?? document;
        await Promise.all(root.getAnimations().map((a) => a.finished));
      });
      const before = await frame();
      const worst = await page.evaluate(async () => (await window.flood).worst);
      for (const kind of worst) {
        const text = await page.evaluate(async (k) => (await window.flood).nasty(k), kind);
        await s.ready(Array<string>(3).fill(text));
        await s.deliver();
      }
      await s.ready(['a short one']);
      await s.deliver();
      await expect(s.log.getByText('a short one', { exact: true })).toBeInViewport();
      expect(await frame()).toEqual(before);
      expect(await s.elements()).toBeLessThan(REST + 3 * worst.length * EACH + 3 * 200);
      const fits = () =>
        s.log.evaluate((log) => {
          const bubbles = [...log.querySelectorAll('.k-bubble')];
          return {
            // none is wider than the log, what is drawn outside of one is cut off, and none turns its surroundings around
            wide:
              log.scrollWidth > log.clientWidth + 1 ||
              bubbles.some((b) => b.getBoundingClientRect().width > log.clientWidth),
            cut: bubbles.every((b) => ['clip', 'hidden'].includes(getComputedStyle(b).overflowY)),
          };
        });
      expect(await fits()).toEqual({ wide: false, cut: true });
      // unfolded by the reader, each is whole, and still no more than its place
      const folds = s.log.locator('[aria-expanded=false]');
      expect(await folds.count()).toBe(3 * worst.length);
      for (let left = 3 * worst.length; left > 0; left -= 3)
        await folds.nth(left - 1).evaluate((b: HTMLElement) => b.click());
      await expect(s.log.locator('[aria-expanded=true]')).toHaveCount(worst.length);
      expect(await fits()).toEqual({ wide: false, cut: true });
      expect(await s.elements()).toBeLessThan(REST + 3 * worst.length * EACH + worst.length * 600);
      expect(await frame()).toEqual(before);
    });
  });
}
