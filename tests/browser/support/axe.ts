/** Accessibility, as far as a program can see it. */
import type { BrowserContext, Page } from '@playwright/test';
import type { AxeResults, ElementContext, RunOptions } from 'axe-core';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect } from './test';

declare const axe: { run(context: ElementContext, options: RunOptions): Promise<AxeResults> };

/** Puts axe into every page, before the page's own policy could refuse it. */
export async function bringAxe(context: BrowserContext): Promise<void> {
  await context.addInitScript({
    content: readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'),
  });
}

/** No serious and no critical violation; none at all if `strict`. `within`: a selector, the whole page by default. */
export async function accessible(page: Page, what: string, within = 'html', strict = false): Promise<void> {
  const bad = await page.evaluate(
    async ([selector, all]) => {
      // colours on their way are no colours
      const ends = document.getAnimations().filter((a) => a.effect?.getComputedTiming().endTime !== Infinity);
      await Promise.all(ends.map((a) => a.finished.catch(() => undefined)));
      const { violations } = await axe.run({ include: [[selector]] }, { resultTypes: ['violations'] });
      return violations
        .filter((v) => all || v.impact === 'serious' || v.impact === 'critical')
        .map(
          (v) =>
            `${v.id}: ${v.help}\n${v.nodes.map((n) => `  ${n.html.slice(0, 160)}\n    ${n.failureSummary ?? ''}`).join('\n')}`,
        );
    },
    [within, strict] as const,
  );
  expect.soft(bad, what).toEqual([]);
}
