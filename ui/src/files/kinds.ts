/** What a file is, by its first bytes. Its name and its sender's word count only against it. */

export type PictureType = 'image/png' | 'image/jpeg' | 'image/gif' | 'image/webp';

export type FileKind =
  | { is: 'picture'; type: PictureType }
  | { is: 'audio' | 'video'; type: string }
  /** Saved and never shown. `risky`: something that runs, or that runs what is in it, once it is opened. */
  | { is: 'other'; risky: boolean };

/** So much is looked at. */
export const HEAD = 4_096;

const at = (b: Uint8Array, from: number, ...bytes: number[]): boolean => bytes.every((x, i) => b[from + i] === x);
const ascii = (b: Uint8Array, from: number, to: number): string =>
  String.fromCharCode(...b.subarray(from, Math.min(to, b.length)));

/** Beginnings of what is risky: programs of Windows, Linux, macOS and Java, scripts, old office files, RTF, shortcuts, cabinets, 7z and RAR. */
const RISKY = [
  'MZ',
  '\x7fELF',
  '\xca\xfe\xba\xbe',
  '\xcf\xfa\xed\xfe',
  '\xce\xfa\xed\xfe',
  '\xfe\xed\xfa',
  '#!',
  '\xd0\xcf\x11\xe0',
  '{\\rt',
  'L\0\0\0\x01\x14\x02',
  'MSCF',
  'PK\x03\x04',
  '7z\xbc\xaf',
  'Rar!',
  'ITSF',
];

/** Endings that a computer runs, or opens in something that does. */
const RISKY_ENDINGS =
  ' exe msi msix com scr pif bat cmd ps1 vbs vbe js jse mjs cjs wsf wsh hta cpl dll sys lnk url reg inf chm iso img vhd jar class ' +
  'apk ipa app dmg pkg command sh bash run deb rpm appimage desktop workflow scpt py pl rb php html htm xhtml xht shtml mht mhtml svg ' +
  'svgz xml xsl xslt swf doc docx docm dot dotm xls xlsx xlsm xlsb xlt xltm xlam ppt pptx pptm pps ppsx ppsm odt ods odp rtf one zip rar 7z gz ';

/** Whether its name ends as what is risky does. */
export const endsRisky = (ending: string): boolean =>
  ending.length < 12 && RISKY_ENDINGS.includes(` ${ending.toLowerCase()} `);

/** A page or an image made of text: anything whose first character that is no space is `<`, in UTF-8 or UTF-16. */
function isMarkup(b: Uint8Array): boolean {
  for (let i = 0; i < Math.min(b.length, HEAD); i++) {
    const x = b[i]!;
    if (x === 0x3c) return true;
    // spaces, zeros between letters, byte order marks
    if (x > 0x20 && x !== 0xef && x !== 0xbb && x !== 0xbf && x !== 0xff && x !== 0xfe) return false;
  }
  return false;
}

/** Brands of MP4 that browsers play. */
const BRANDS = ['isom', 'iso2', 'iso4', 'iso5', 'iso6', 'mp41', 'mp42', 'avc1', 'M4V ', 'qt  ', 'dash', 'MSNV'];

/** `b`: its beginning. Allowed is what is named here; everything else is only saved. */
export function kindOf(b: Uint8Array): FileKind {
  if (at(b, 0, 0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)) return { is: 'picture', type: 'image/png' };
  if (at(b, 0, 0xff, 0xd8, 0xff)) return { is: 'picture', type: 'image/jpeg' };
  const four = ascii(b, 0, 4);
  const riff = four === 'RIFF' ? ascii(b, 8, 12) : '';
  if (four === 'GIF8' && at(b, 5, 0x61) && (b[4] === 0x37 || b[4] === 0x39))
    return { is: 'picture', type: 'image/gif' };
  if (riff === 'WEBP') return { is: 'picture', type: 'image/webp' };
  if (riff === 'WAVE') return { is: 'audio', type: 'audio/wav' };
  if (four === 'OggS') return { is: 'audio', type: 'audio/ogg' };
  if (ascii(b, 0, 3) === 'ID3' || (b[0] === 0xff && (b[1]! & 0xe6) === 0xe2))
    return { is: 'audio', type: 'audio/mpeg' };
  if (at(b, 0, 0x1a, 0x45, 0xdf, 0xa3) && ascii(b, 0, 64).includes('webm')) return { is: 'video', type: 'video/webm' };
  if (ascii(b, 4, 8) === 'ftyp') {
    const brand = ascii(b, 8, 12);
    if (brand === 'M4A ' || brand === 'M4B ') return { is: 'audio', type: 'audio/mp4' };
    if (BRANDS.includes(brand)) return { is: 'video', type: 'video/mp4' };
  }
  return { is: 'other', risky: isMarkup(b) || RISKY.some((start) => ascii(b, 0, start.length) === start) };
}

export interface Size {
  w: number;
  h: number;
}

/** Pixels that are decoded at most: of a whole picture, and of a side. */
const MAX_PIXELS = 40_000_000;
const MAX_SIDE = 16_384;

/** Whether it may be decoded here. */
export const fits = ({ w, h }: Size): boolean =>
  w > 0 && h > 0 && w <= MAX_SIDE && h <= MAX_SIDE && w * h <= MAX_PIXELS;

/** So much of a picture is looked at for its size: a JPEG may have a long preface. */
export const PICTURE_HEAD = 1_048_576;

/** Width and height as the file states them, before anything decodes it; null if they are not found. A JPEG's may be turned when shown. */
export function sizeIn(b: Uint8Array, type: PictureType): Size | null {
  const v = new DataView(b.buffer, b.byteOffset, b.length);
  try {
    switch (type) {
      case 'image/png':
        return ascii(b, 12, 16) === 'IHDR' ? { w: v.getUint32(16), h: v.getUint32(20) } : null;
      case 'image/gif':
        return gifSize(v);
      case 'image/webp':
        return webpSize(v, ascii(b, 12, 16));
      case 'image/jpeg':
        return jpegSize(v);
    }
  } catch {
    // it ends before
    return null;
  }
}

/** Of the screen, or of its first picture if that is larger: browsers make room for it. */
function gifSize(v: DataView): Size {
  const le = (i: number): number => v.getUint16(i, true);
  const colours = (flags: number): number => (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0);
  let i = 13 + colours(v.getUint8(10));
  while (v.getUint8(i) === 0x21) {
    i += 2;
    while (v.getUint8(i)) i += v.getUint8(i) + 1;
    i++;
  }
  return { w: Math.max(le(6), le(i + 1) + le(i + 5)), h: Math.max(le(8), le(i + 3) + le(i + 7)) };
}

function webpSize(v: DataView, form: string): Size | null {
  const u24 = (i: number): number => v.getUint16(i, true) + v.getUint8(i + 2) * 0x10000;
  if (form === 'VP8X') return { w: u24(24) + 1, h: u24(27) + 1 };
  if (form === 'VP8 ') return { w: v.getUint16(26, true) & 0x3fff, h: v.getUint16(28, true) & 0x3fff };
  if (form !== 'VP8L') return null;
  const bits = v.getUint32(21, true);
  return { w: (bits & 0x3fff) + 1, h: ((bits >>> 14) & 0x3fff) + 1 };
}

/** The largest of its frames: a second one may be another size. */
function jpegSize(v: DataView): Size | null {
  let found: Size | null = null;
  for (let i = 2; i < v.byteLength; ) {
    if (v.getUint8(i) !== 0xff) return found;
    const marker = v.getUint8(i + 1);
    if (marker === 0xff) {
      // a filler
      i++;
      continue;
    }
    // the picture itself begins, or ends
    if (marker === 0xda || marker === 0xd9) return found;
    const frame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (frame) {
      const [h, w] = [v.getUint16(i + 5), v.getUint16(i + 7)];
      if (!found || w * h > found.w * found.h) found = { w, h };
    }
    const alone = marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8);
    const length = alone ? 0 : v.getUint16(i + 2);
    if (!alone && length < 2) return found;
    i += 2 + length;
  }
  // longer than what is looked at
  return null;
}
