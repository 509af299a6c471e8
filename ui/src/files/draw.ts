/** Pictures of strangers, drawn: what their header says is checked before anything decodes them, and what is drawn are pixels only. */
import { fits, HEAD, kindOf, PICTURE_HEAD, sizeIn, type FileKind, type PictureType, type Size } from './kinds';

export const headOf = async (file: Blob, most = HEAD): Promise<Uint8Array> =>
  new Uint8Array(await file.slice(0, most).arrayBuffer());

/** What it is. A picture that is too large to be decoded, or whose size is not found, is none. */
export async function look(file: Blob): Promise<FileKind> {
  const kind = kindOf(await headOf(file));
  if (kind.is !== 'picture') return kind;
  const size = sizeIn(await headOf(file, PICTURE_HEAD), kind.type);
  return size && fits(size) ? kind : { is: 'other', risky: false };
}

/** Decoded, upright. The caller closes it. */
export async function decode(file: Blob, type: PictureType): Promise<ImageBitmap> {
  // a type of our own: what its sender calls it does not count
  const typed = file.slice(0, file.size, type);
  try {
    return await createImageBitmap(typed, { imageOrientation: 'from-image' });
  } catch (e) {
    // a browser that does not know the word turns pictures by itself
    if (e instanceof TypeError) return createImageBitmap(typed);
    throw e;
  }
}

/** Within a box, without being made larger. */
export function within({ w, h }: Size, most: Size): Size {
  const scale = Math.min(1, most.w / w, most.h / h);
  return { w: Math.max(1, Math.round(w * scale)), h: Math.max(1, Math.round(h * scale)) };
}

/** Pixels of a canvas on paper or screen: as many as are seen. */
export function paint(canvas: HTMLCanvasElement, bitmap: ImageBitmap, size: Size): void {
  canvas.width = size.w;
  canvas.height = size.h;
  const context = canvas.getContext('2d');
  if (!context) return;
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, size.w, size.h);
}

/** Gives its memory back at once. */
export function clear(canvas: HTMLCanvasElement | null): void {
  if (canvas) canvas.width = canvas.height = 0;
}

/** Thumbnails are tiny, and nothing else. */
const THUMB_SIDE = 512;

/** A thumbnail as a message brings it; null if it is none. */
export async function thumbnail(bytes: Uint8Array): Promise<ImageBitmap | null> {
  const kind = kindOf(bytes);
  if (kind.is !== 'picture') return null;
  const size = sizeIn(bytes, kind.type);
  if (!size || size.w > THUMB_SIDE || size.h > THUMB_SIDE) return null;
  return decode(new Blob([bytes as Uint8Array<ArrayBuffer>]), kind.type).catch(() => null);
}
