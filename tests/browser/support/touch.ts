/** What fingers press. */
import type { Locator } from '@playwright/test';

/** px; WCAG 2.5.5. */
const LEAST = 44;

/** What is to be pressed within a part of the page and is smaller than a finger needs. Links within a text are as high as its lines. */
export async function tooSmall(part: Locator): Promise<string[]> {
  return part.evaluate(
    (root, least) =>
      [...root.querySelectorAll('button, summary, select, [role="tab"]')]
        .filter((e) => e.getClientRects().length > 0 && getComputedStyle(e).visibility === 'visible')
        .map((e) => ({ what: e.textContent || e.getAttribute('aria-label'), box: e.getBoundingClientRect() }))
        // half a pixel: what moves into its place is rounded
        .filter(({ box }) => Math.min(box.width, box.height) < least - 0.5)
        .map(({ what, box }) => `${what}: ${box.width} × ${box.height}`),
    LEAST,
  );
}
