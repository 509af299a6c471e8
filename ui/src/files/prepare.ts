/**
 * What becomes of a file before it is sealed. Pictures are drawn anew: upright, of a size that screens have, without the place and the
 * camera that are written in photos. What cannot be drawn here goes as it is.
 */
import type { Picked } from '../model';
import { clear, decode, headOf, paint, within } from './draw';
import { withoutRemarks } from './gif';
import { kindOf, PICTURE_HEAD, sizeIn, type PictureType, type Size } from './kinds';
import { MAX_THUMB } from '../crypto/envelope';

/** Pixels of a side, at most. */
const SIDE = 4_096;
/** A drawing or a screenshot stays a PNG up to this, bytes. */
const PNG_MAX = 3 * 2 ** 20;
const QUALITY = 0.86;
/** Of one's own pictures more is decoded than of a stranger's. */
const MAX_PIXELS = 120_000_000;
const MAX_NAME = 255;
const ENDING: Record<string, string> = {
  'image/png': 'png',
  'image/jpeg': 'jpg',
  'image/webp': 'webp',
  'image/gif': 'gif',
};

/** `name`: what it is to be called. */
export async function prepare(file: Blob, name: string): Promise<Picked> {
  const plain: Picked = { blob: file, name: shortName(name), type: file.type.slice(0, 127) };
  const kind = kindOf(await headOf(file));
  // what browsers of one maker take with their cameras, and only they can decode
  const heic = kind.is === 'other' && /^image\/hei[cf]$/.test(file.type);
  if (kind.is !== 'picture' && !heic) return plain;
  const type = kind.is === 'picture' ? kind.type : 'image/jpeg';
  try {
    const head = kind.is === 'picture' ? sizeIn(await headOf(file, PICTURE_HEAD), type) : null;
    if (kind.is === 'picture' && (!head || head.w * head.h > MAX_PIXELS || !head.w || !head.h)) return plain;
    return await redrawn(plain, type, heic);
  } catch {
    // broken, or of a kind that this browser does not decode
    return plain;
  }
}

async function redrawn(plain: Picked, type: PictureType, heic: boolean): Promise<Picked> {
  const { blob } = plain;
  const bitmap = await (heic ? createImageBitmap(blob) : decode(blob, type));
  const canvas = document.createElement('canvas');
  try {
    const size = within({ w: bitmap.width, h: bitmap.height }, { w: SIDE, h: SIDE });
    paint(canvas, bitmap, size);
    if (!isFaithful()) return plain;
    // its pictures move; drawn, they would stand still
    const made = type === 'image/gif' ? await withoutRemarks(blob) : await encoded(canvas, type);
    if (!made) return plain;
    return {
      blob: made,
      type: made.type,
      name: renamed(plain.name, made.type),
      ...size,
      thumb: await thumbOf(bitmap, size),
    };
  } finally {
    bitmap.close();
    clear(canvas);
  }
}

const toBlob = (canvas: HTMLCanvasElement, type: string, quality?: number): Promise<Blob | null> =>
  new Promise((done) => canvas.toBlob((b) => done(b?.type === type ? b : null), type, quality));

async function encoded(canvas: HTMLCanvasElement, type: PictureType): Promise<Blob | null> {
  if (type === 'image/jpeg') return toBlob(canvas, type, QUALITY);
  const png = type === 'image/png' ? await toBlob(canvas, type) : null;
  if (png && png.size <= PNG_MAX) return png;
  // keeps what is transparent; not every browser writes it
  return (await toBlob(canvas, 'image/webp', QUALITY)) ?? toBlob(onWhite(canvas), 'image/jpeg', QUALITY);
}

function onWhite(canvas: HTMLCanvasElement): HTMLCanvasElement {
  const context = canvas.getContext('2d')!;
  context.globalCompositeOperation = 'destination-over';
  context.fillStyle = '#fff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  return canvas;
}

/** Small enough to go with the message. */
async function thumbOf(bitmap: ImageBitmap, size: Size): Promise<Uint8Array | undefined> {
  const canvas = document.createElement('canvas');
  for (const [side, quality] of [
    [192, 0.6],
    [128, 0.5],
    [64, 0.4],
  ] as const) {
    paint(canvas, bitmap, within(size, { w: side, h: side }));
    const blob = await toBlob(onWhite(canvas), 'image/jpeg', quality);
    if (blob && blob.size <= MAX_THUMB) {
      clear(canvas);
      return new Uint8Array(await blob.arrayBuffer());
    }
  }
  return undefined;
}

/** Some browsers give every page noise in place of what it drew, so that it does not recognise people by it. */
function isFaithful(): boolean {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 4;
  const context = canvas.getContext('2d');
  if (!context) return false;
  context.fillStyle = 'rgb(10, 200, 30)';
  context.fillRect(0, 0, 4, 4);
  const { data } = context.getImageData(0, 0, 4, 4);
  return data.every((x, i) => x === [10, 200, 30, 255][i % 4]);
}

function renamed(name: string, type: string): string {
  const ending = ENDING[type]!;
  const dot = name.lastIndexOf('.');
  const old = dot < 0 ? '' : name.slice(dot + 1).toLowerCase();
  if (old === ending || (old === 'jpeg' && ending === 'jpg')) return name;
  return shortName(`${dot > 0 ? name.slice(0, dot) : name}.${ending}`);
}

/** The ending stays. */
function shortName(name: string): string {
  return name.length <= MAX_NAME ? name : name.slice(0, MAX_NAME - 20) + name.slice(-20);
}
