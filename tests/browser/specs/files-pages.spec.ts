/**
 * Files in the real pages of visitor and agent, with the other side and the server in the page: what strangers send is shown as what it is,
 * one's own pictures are made ready, and both can be used with keys and fingers.
 */
import { test, type Download, type Locator, type Page } from '@playwright/test';
import { readFileSync } from 'node:fs';
import { servePreview } from '../../../ui/build/flood.mjs';
import { accessible, bringAxe } from '../support/axe';
import { bomb, choose, F, paste, photo, picture, pixel } from '../support/files';
import { expect } from '../support/test';

/** Of the console, as the server gives it. */
const answer = readFileSync(new URL('../../../crates/server/src/http/answer.rs', import.meta.url), 'utf8');
const POLICY = /PAGE_POLICY: &str = "([^"]*)"/.exec(answer)![1]!.replace(/\\\n\s*/g, '');

interface Sent {
  name: string;
  type: string;
  w?: number;
  h?: number;
}
interface Pair {
  show(): void;
  sizes(): Promise<number[]>;
  send(bytes: readonly number[], file: Sent): Promise<void>;
  got(): Promise<{ name: string; w?: number; h?: number; thumb?: number; bytes: number[] }[]>;
  state(name: string): string | null;
  server: { files: { log: string[]; all: Map<string, unknown>; answer(method: string, at: number): unknown } };
}
declare global {
  interface Window {
    pair: Promise<Pair>;
  }
}

/** Of a customer whose page lets nobody write pages or load anything. */
const STRICT = [
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'none'; base-uri 'none'; form-action 'none'",
  // the icon of this page
  'img-src data:',
  "require-trusted-types-for 'script'; trusted-types 'none'",
].join('; ');

let site: Awaited<ReturnType<typeof servePreview>>;
let strict: Awaited<ReturnType<typeof servePreview>>;
test.beforeAll(async () => {
  site = await servePreview('files', POLICY);
  strict = await servePreview('files', STRICT);
});
test.afterAll(() => {
  site.close();
  strict.close();
});

class Side {
  readonly log: Locator;
  readonly field: Locator;
  readonly viewer: Locator;
  readonly errors: string[] = [];

  constructor(
    readonly page: Page,
    readonly side: 'visitor' | 'agent',
  ) {
    this.log = page.getByRole('log');
    this.field = page.locator('textarea').first();
    this.viewer = page.getByRole('dialog', { name: F.viewer });
    page.on('pageerror', (e) => this.errors.push(String(e)));
    page.on('console', (m) => m.type() === 'error' && this.errors.push(m.text()));
    page.on('dialog', (d) => {
      this.errors.push(d.message());
      void d.dismiss();
    });
  }

  async open(query = '', at = site): Promise<this> {
    await this.page.goto(`${at.url}?side=${this.side}${query}`);
    await this.page.evaluate(() => window.pair.then(() => null));
    if (!query.includes('later')) await expect(this.field).toBeVisible();
    return this;
  }

  /** The other side sends it. */
  send(bytes: Buffer, file: Sent): Promise<void> {
    return this.page.evaluate(([b, f]) => window.pair.then((p) => p.send(b, f)), [[...bytes], file] as const);
  }

  got(): ReturnType<Pair['got']> {
    return this.page.evaluate(() => window.pair.then((p) => p.got()));
  }

  requests(): Promise<string[]> {
    return this.page.evaluate(() => window.pair.then((p) => p.server.files.log));
  }

  async press(key: string): Promise<void> {
    await this.page.keyboard.press(key);
  }

  async fine(): Promise<void> {
    expect(this.errors).toEqual([]);
  }
}

const saved = async (page: Page, act: () => Promise<void>): Promise<{ name: string; bytes: Buffer }> => {
  const [download] = (await Promise.all([page.waitForEvent('download'), act()])) as [Download, void];
  return { name: download.suggestedFilename(), bytes: readFileSync((await download.path())!) };
};

for (const [side, lang] of [
  ['visitor', 'zh'],
  ['visitor', 'en'],
  ['agent', 'zh'],
  ['agent', 'en'],
] as const) {
  test.describe(`${side}, ${lang}`, () => {
    test('a picture that is pasted is made ready, sent, and opened with keys alone', async ({ page, context }) => {
      await bringAxe(context);
      const me = await new Side(page, side).open(`&lang=${lang}`);
      await paste(me.field, await picture(page, 'image/png', 900, 600));
      const tray = page.getByRole('list', { name: F.picked });
      await expect(tray.getByRole('listitem')).toHaveCount(1);
      await expect(tray).toContainText(lang === 'zh' ? /截图 \d{4}-/ : /Screenshot \d{4}-/);
      await accessible(page, 'a file that is about to be sent');
      await me.field.press('Enter');
      await expect(tray).toHaveCount(0);
      await expect.poll(async () => (await me.got()).length).toBe(1);
      const [got] = await me.got();
      expect(got).toMatchObject({ w: 900, h: 600 });
      expect(got!.thumb).toBeLessThanOrEqual(6 * 1024);
      expect(Buffer.from(got!.bytes).subarray(1, 4).toString()).toBe('PNG');

      await me.send(await picture(page, 'image/jpeg', 300, 500), { name: 'two.jpg', type: 'x', w: 300, h: 500 });
      const pictures = me.log.getByRole('button', { name: F.open });
      await expect(pictures).toHaveCount(2);
      await expect.poll(() => pixel(pictures.first().locator('canvas'), 0.1, 0.1)).toEqual([255, 0, 0]);
      await accessible(page, 'pictures in a thread');
      await pictures.first().focus();
      await me.press('Enter');
      await expect(me.viewer).toBeVisible();
      await expect.poll(() => pixel(me.viewer.locator('canvas'), 0.9, 0.9)).toEqual([0, 0, 255]);
      await accessible(page, 'the viewer');
      await me.press('ArrowRight');
      await expect(me.viewer).toContainText('two.jpg');
      await expect(me.viewer.getByRole('button', { name: F.next })).toHaveCount(0);
      // the focus stays inside, all the way around
      for (let n = 0; n < 8; n++) {
        await me.press('Tab');
        await expect(me.viewer.locator(':focus')).toHaveCount(1);
      }
      await me.press('+');
      await expect(me.viewer.locator('canvas')).toHaveAttribute('style', /scale\(1\.5\)/);
      await me.press('Escape');
      await expect(me.viewer).toHaveCount(0);
      await expect(pictures.first()).toBeFocused();
      await me.fine();
    });

    test('what says that it is a picture and is none is a download with a warning', async ({ page }) => {
      const me = await new Side(page, side).open(`&lang=${lang}`);
      const svg = Buffer.from(
        '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(2)</script></svg>',
      );
      await me.send(svg, { name: '照片.png', type: 'image/png', w: 40, h: 30 });
      const button = me.log.getByRole('button', { name: F.download });
      await expect(button).toHaveCount(1);
      // its bytes are here, and saved only when a person says so again
      await button.click();
      await expect(me.log.getByText(F.risky)).toBeVisible();
      const file = await saved(page, () => me.log.getByRole('button', { name: F.anyway }).click());
      expect(file).toEqual({ name: '照片.png', bytes: svg });

      await me.send(Buffer.from('<!doctype html><script>alert(3)</script>'), { name: 'a.html', type: 'image/png' });
      await expect(me.log.getByText(F.risky)).toHaveCount(2);
      await me.send(bomb(), { name: 'bomb.png', type: 'image/png', w: 200, h: 200 });
      await expect(me.log.getByRole('button', { name: /bomb\.png/ })).toHaveAccessibleName(F.download);
      await me.fine();
    });
  });
}

test('names cannot lie: what is hidden in them is seen, the ending is always there, saved ones are names', async ({
  page,
}) => {
  const me = await new Side(page, 'agent').open();
  const pdf = Buffer.from('%PDF-1.4 of these bytes');
  await me.send(pdf, { name: `../..\\${'长'.repeat(120)}\u202efdp.exe`, type: 'application/pdf' });
  const card = me.log.locator('.k-card');
  await expect(card).toContainText('[U+202E]fdp');
  const end = card.locator('.k-filename > :last-child');
  await expect(end).toHaveText('.exe');
  const [inner, outer] = [await end.boundingBox(), await card.boundingBox()];
  expect(inner!.x + inner!.width).toBeLessThanOrEqual(outer!.x + outer!.width);
  await expect(me.log.getByText(F.risky)).toBeVisible();
  const file = await saved(page, () => card.getByRole('button').click());
  expect(file.bytes).toEqual(pdf);
  expect(file.name).toMatch(/^_\.\.[^/\\\u202e]+\.exe$/);
  await me.fine();
});

test('a photo goes upright and without what is written in it', async ({ page }) => {
  const me = await new Side(page, 'visitor').open();
  const taken = photo(await picture(page, 'image/jpeg', 400, 200), 'at-home-51.5-0.1');
  await choose(page.locator('kefu-widget'), { name: 'IMG_1.JPG', buffer: taken, mimeType: 'image/jpeg' });
  await expect(page.getByRole('list', { name: F.picked }).getByRole('listitem')).toContainText('KB');
  await me.field.press('Enter');
  await expect.poll(async () => (await me.got()).length).toBe(1);
  const [got] = await me.got();
  expect(got).toMatchObject({ name: 'IMG_1.JPG', w: 200, h: 400 });
  const bytes = Buffer.from(got!.bytes);
  for (const word of ['Exif', 'at-home']) expect(bytes.includes(word)).toBe(false);
  // turned by a quarter: what was its upper left corner is its upper right one
  const canvas = me.log.getByRole('button', { name: F.open }).locator('canvas');
  await expect
    .poll(async () => (await pixel(canvas, 0.9, 0.05))[0]! > 200 && (await pixel(canvas, 0.9, 0.05))[2]! < 60)
    .toBe(true);
  await me.fine();
});

test('large pictures are made smaller; what is too large is said before anything is uploaded', async ({ page }) => {
  const me = await new Side(page, 'visitor').open('&max=3000000');
  await choose(
    page.locator('kefu-widget'),
    { name: 'wide.png', buffer: await picture(page, 'image/png', 6_000, 300), mimeType: 'image/png' },
    { name: 'film.mp4', buffer: Buffer.alloc(3_000_001, 7) },
  );
  await expect(page.getByText(F.over)).toBeVisible();
  await me.field.press('Enter');
  await expect.poll(async () => (await me.got()).length).toBe(1);
  expect((await me.got())[0]).toMatchObject({ name: 'wide.png', w: 4_096, h: 205 });
  expect((await me.requests()).filter((r) => r === 'POST')).toHaveLength(1);
  await me.fine();
});

test('an upload shows how far it is, pauses, goes on, and is cancelled cleanly', async ({ page, context }) => {
  await bringAxe(context);
  const me = await new Side(page, 'visitor').open();
  await page.evaluate(() =>
    window.pair.then((p) => {
      const held = window as unknown as { go?: () => void };
      p.server.files.answer = (method, at) =>
        method === 'PUT' && at > 0 && !held.go ? new Promise((done) => (held.go = () => done(null))) : null;
    }),
  );
  await choose(page.locator('kefu-widget'), { name: 'big.bin', buffer: Buffer.alloc(3_000_000, 1) });
  await expect(page.getByRole('list', { name: F.picked })).toBeVisible();
  await me.field.press('Enter');
  await expect(me.log.getByText(F.uploading)).toBeVisible();
  await expect(me.log.getByRole('progressbar')).toHaveAttribute('value', /0\.[23]/);
  await accessible(page, 'an upload');
  await me.log.getByRole('button', { name: F.pause }).click();
  await expect(me.log.getByText(F.paused)).toBeVisible();
  await page.evaluate(() => (window as unknown as { go: () => void }).go());
  await me.log.getByRole('button', { name: F.resume }).click();
  await expect.poll(() => page.evaluate(() => window.pair.then((p) => p.sizes()))).toEqual([3_000_000]);

  await page.evaluate(() =>
    window.pair.then((p) => (p.server.files.answer = (m) => (m === 'PUT' ? new Promise(() => null) : null))),
  );
  await choose(page.locator('kefu-widget'), { name: 'never.bin', buffer: Buffer.alloc(3_000_000, 2) });
  await expect(page.getByRole('list', { name: F.picked })).toBeVisible();
  await me.field.press('Enter');
  await me.log.getByRole('button', { name: F.cancel }).click();
  await expect(me.log.getByText('never')).toHaveCount(0);
  await expect.poll(() => page.evaluate(() => window.pair.then((p) => p.server.files.all.size))).toBe(1);
  await me.fine();
});

test('what is dropped on the conversation is taken, and its place is shown meanwhile', async ({ page }) => {
  const me = await new Side(page, 'agent').open();
  const drag = (type: string) =>
    page.locator('[data-drop]').evaluate((area, name) => {
      const held = new DataTransfer();
      held.items.add(new File(['hello'], 'hello.txt'));
      area.dispatchEvent(new DragEvent(name, { dataTransfer: held, bubbles: true, cancelable: true, composed: true }));
    }, type);
  await drag('dragenter');
  await expect(page.getByText('松开即可添加')).toBeVisible();
  await drag('drop');
  await expect(page.getByText('松开即可添加')).toHaveCount(0);
  await expect(page.getByRole('list', { name: F.picked })).toContainText('hello.txt');
  await me.fine();
});

test('sound plays in a frame that is nobody’s, under the policy of the console', async ({ page }) => {
  const me = await new Side(page, 'agent').open();
  const samples = Buffer.alloc(8_000, 128);
  const wav = Buffer.concat([
    Buffer.from('RIFF'),
    Buffer.alloc(4),
    Buffer.from('WAVEfmt '),
    Buffer.alloc(20),
    Buffer.from('data'),
    Buffer.alloc(4),
    samples,
  ]);
  wav.writeUInt32LE(36 + samples.length, 4);
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(1, 22);
  wav.writeUInt32LE(8_000, 24);
  wav.writeUInt32LE(8_000, 28);
  wav.writeUInt16LE(1, 32);
  wav.writeUInt16LE(8, 34);
  wav.writeUInt32LE(samples.length, 40);
  await me.send(wav, { name: 'note.wav', type: 'text/html' });
  await me.log.getByRole('button', { name: F.play }).click();
  const frame = page.frameLocator('iframe');
  await expect(frame.locator('audio')).toHaveJSProperty('readyState', 4);
  expect(await frame.locator('audio').evaluate(() => origin)).toBe('null');
  // a page that says that it is sound
  await me.send(Buffer.from('<script>alert(1)</script>'), { name: 'bad.mp3', type: 'audio/mpeg' });
  await me.log.getByRole('button', { name: /bad\.mp3/ }).click();
  await expect(me.log.getByRole('button', { name: /bad\.mp3/ })).toHaveAccessibleName(F.download);
  await expect(page.locator('iframe')).toHaveCount(1);
  await me.fine();
});

test('a page with a strict policy shows pictures and saves files; what it does not let play is saved, too', async ({
  page,
}) => {
  const me = await new Side(page, 'visitor').open('', strict);
  await paste(me.field, await picture(page, 'image/png', 90, 60));
  await expect(page.getByRole('list', { name: F.picked })).toContainText('B');
  await me.field.press('Enter');
  await me.send(await picture(page, 'image/jpeg', 300, 200), { name: 'two.jpg', type: '', w: 300, h: 200 });
  const pictures = me.log.getByRole('button', { name: F.open });
  await expect.poll(() => pixel(pictures.last().locator('canvas'), 0.9, 0.9)).toEqual([0, 0, 254]);
  await pictures.last().click();
  await expect.poll(() => pixel(me.viewer.locator('canvas'), 0.9, 0.9)).toEqual([0, 0, 254]);
  expect((await saved(page, () => me.viewer.getByRole('button', { name: F.download }).click())).name).toBe('two.jpg');
  await me.press('Escape');
  await me.fine();
  await me.send(Buffer.from('ID3\x03 no sound at all'), { name: 'a.mp3', type: '' });
  await me.log.getByRole('button', { name: F.play }).click();
  const button = me.log.getByRole('button', { name: /a\.mp3/ });
  await expect(button).toHaveAccessibleName(F.download);
  expect((await saved(page, () => button.click())).name).toBe('a.mp3');
  // nothing but the frame's script was refused
  for (const error of me.errors) expect(error).toMatch(/TrustedHTML/);
});

test('of a thousand pictures only those on screen are fetched, and their places do not jump', async ({ page }) => {
  test.slow();
  const me = await new Side(page, 'agent').open('&later');
  const bytes = await picture(page, 'image/jpeg', 320, 240);
  await page.evaluate(
    async ([b]) => {
      const pair = await window.pair;
      for (let n = 0; n < 1_000; n++) await pair.send(b, { name: `${n}.jpg`, type: 'image/jpeg', w: 320, h: 240 });
      pair.show();
    },
    [[...bytes]] as const,
  );
  await expect(me.log.getByRole('button', { name: /: 999\.jpg/ })).toBeVisible();
  const drawn = () => me.log.locator('.k-picture:not(.k-blur)').count();
  await expect.poll(drawn).toBeGreaterThan(0);
  const before = (await me.requests()).filter((r) => r === 'GET').length;
  expect(before).toBeLessThan(120);
  const heights = await me.log.locator('.k-picture').evaluateAll((all) => [...new Set(all.map((e) => e.clientHeight))]);
  expect(heights).toEqual([180]);
  for (let n = 0; n < 20; n++) {
    await me.log.evaluate((log) => (log.scrollTop -= 2_000));
    await page.waitForTimeout(50);
  }
  await expect.poll(drawn).toBeGreaterThan(0);
  expect(await drawn()).toBeLessThan(20);
  await me.fine();
});
