/** Files for the tests of files: made by the browser or by hand, and given to a page as people give them. */
import type { Locator, Page } from '@playwright/test';

/** Names of things around files, in the words of the pages; zh and en. */
export const F = {
  attach: /^(添加文件|Attach files)$/,
  picked: /^(待发送的文件|Files to be sent)$/,
  open: /^(查看大图|Open the picture)/,
  viewer: /^(图片|Picture)$/,
  download: /^(下载|Download)/,
  anyway: /^(仍要下载|Download anyway)/,
  play: /^(播放|Play)/,
  risky: /此类文件可能含有程序|Files of this kind can contain programs/,
  over: /文件超过 .*，不能发送|Larger than .*; it cannot be sent/,
  pause: /^(暂停|Pause)$/,
  resume: /^(继续|Resume)$/,
  cancel: /^(取消发送|Cancel)$/,
  paused: /^(已暂停|Paused)$/,
  uploading: /^(已上传 \d+%|\d+% uploaded)$/,
  close: /^(关闭|Close)$/,
  next: /^(下一张|Next)$/,
};

/** Bytes of a picture that the browser draws: red in its upper left corner, blue in its lower right one. */
export async function picture(page: Page, type: string, w: number, h: number): Promise<Buffer> {
  const bytes = await page.evaluate(
    async ([kind, width, height]) => {
      const canvas = document.createElement('canvas');
      canvas.width = width;
      canvas.height = height;
      const context = canvas.getContext('2d')!;
      context.fillStyle = '#fff';
      context.fillRect(0, 0, width, height);
      context.fillStyle = '#f00';
      context.fillRect(0, 0, width / 2, height / 2);
      context.fillStyle = '#00f';
      context.fillRect(width / 2, height / 2, width / 2, height / 2);
      const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, kind, 0.95));
      return [...new Uint8Array(await blob!.arrayBuffer())];
    },
    [type, w, h] as const,
  );
  return Buffer.from(bytes);
}

/** The head of a PNG that says that it has 20,000 by 20,000 pixels; nothing behind it. */
export function bomb(): Buffer {
  const head = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
  const size = Buffer.alloc(8);
  size.writeUInt32BE(20_000, 0);
  size.writeUInt32BE(20_000, 4);
  return Buffer.concat([head, size, Buffer.from('0806000000', 'hex'), Buffer.alloc(60)]);
}

/** A photo as a phone takes it: lying on its side, with where it was taken written in it. */
export function photo(jpeg: Buffer, words: string): Buffer {
  const tiff = Buffer.concat([
    Buffer.from('4d4d002a00000008', 'hex'),
    // two entries: orientation 6, and a description
    Buffer.from('0002', 'hex'),
    Buffer.from('011200030000000100060000', 'hex'),
    Buffer.from('010e0002', 'hex'),
    Buffer.from([0, 0, 0, words.length + 1]),
    Buffer.from('00000026', 'hex'),
    Buffer.from('00000000', 'hex'),
    Buffer.from(`${words}\0`),
  ]);
  const body = Buffer.concat([Buffer.from('Exif\0\0'), tiff]);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(body.length + 2);
  return Buffer.concat([jpeg.subarray(0, 2), Buffer.from('ffe1', 'hex'), length, body, jpeg.subarray(2)]);
}

/** As if it were in the clipboard. */
export async function paste(field: Locator, bytes: Buffer, type = 'image/png', name = 'image.png'): Promise<void> {
  await field.evaluate(
    (element, [data, kind, called]) => {
      const held = new DataTransfer();
      held.items.add(new File([Uint8Array.from(data)], called, { type: kind }));
      const event = new ClipboardEvent('paste', { bubbles: true, composed: true, cancelable: true });
      // Firefox takes no files into an event of a script
      Object.defineProperty(event, 'clipboardData', { value: held });
      element.dispatchEvent(event);
    },
    [[...bytes], type, name] as const,
  );
}

/** Chosen in the browser's dialog. */
export async function choose(
  side: Locator,
  ...files: { name: string; buffer: Buffer; mimeType?: string }[]
): Promise<void> {
  await side
    .locator('input[type=file]')
    .setInputFiles(files.map((f) => ({ mimeType: 'application/octet-stream', ...f })));
}

/** A pixel of a canvas: red, green, blue. `x`, `y`: 0 to 1. */
export const pixel = (canvas: Locator, x: number, y: number): Promise<number[]> =>
  canvas.evaluate(
    (element, [fx, fy]) => {
      const c = element as HTMLCanvasElement;
      return [...c.getContext('2d')!.getImageData(fx * (c.width - 1), fy * (c.height - 1), 1, 1).data].slice(0, 3);
    },
    [x, y] as const,
  );
