/** The code that leads to another device can be read by a scanner that knows nothing of how it was drawn. */
import jsQR from 'jsqr';
import { describe, expect, it } from 'vitest';
import { codePath } from '../../src/widget/DeviceCode';

/** As a camera sees it: so many pixels for each module, black on white. */
function photo(text: string, scale = 4): { data: Uint8ClampedArray; side: number } {
  const { path, size } = codePath(text);
  const side = size * scale;
  const data = new Uint8ClampedArray(side * side * 4).fill(255);
  for (const [, x, y] of path.matchAll(/M(\d+) (\d+)h1v1h-1z/g))
    for (let dy = 0; dy < scale; dy++)
      for (let dx = 0; dx < scale; dx++) {
        const at = ((Number(y) * scale + dy) * side + Number(x) * scale + dx) * 4;
        data.fill(0, at, at + 3);
      }
  return { data, side };
}

describe('the code', () => {
  const secret = 'sJ2-_'.repeat(9).slice(0, 43);
  it.each([
    `https://www.example.com/#kefu-device=${secret}`,
    `https://shop.example.com:8443/konto/bestellungen.html?id=${'7'.repeat(120)}#kefu-device=${secret}`,
    `https://商店.example/帮助?问=退货#kefu-device=${secret}`,
  ])('of %s is read', (link) => {
    const { data, side } = photo(link);
    expect(jsQR(data, side, side)?.data).toBe(link);
  });
});
