/** How much room a text takes in the envelope it is sealed in, before it is sealed. Looks at each character once. */
import { MAX_BODY } from '../proto';

/** Characters of one message. */
export const MAX_TEXT = 8_000;
/** What else a body holds, and its padding, in bytes. */
const REST = 256;
/** Bytes of the texts in one body. */
export const ROOM = MAX_BODY - REST;

/** Bytes of `text` in JSON and UTF-8. */
export function bytesOf(text: string): number {
  let n = 0;
  for (let at = 0; at < text.length; at++) {
    const c = text.charCodeAt(at);
    // \b \t \n \f \r have two characters, other controls six
    if (c < 0x20) n += c > 7 && c < 14 && c !== 11 ? 2 : 6;
    else if (c < 0x80) n += c === 0x22 || c === 0x5c ? 2 : 1;
    else if (c < 0x800) n += 2;
    else if (c < 0xd800 || c > 0xdfff) n += 3;
    else if (c < 0xdc00 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00) {
      n += 4;
      at++;
    } else n += 6;
  }
  return n;
}

/** Of `MAX_TEXT`: characters, or more if they are of a kind that takes more room. */
export const weigh = (text: string): number => Math.max(text.length, Math.ceil((bytesOf(text) * MAX_TEXT) / ROOM));
