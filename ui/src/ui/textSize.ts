/** How many bytes a text takes in the envelope it is sealed in, before it is sealed. */
import { MAX_BODY } from '../proto';

/** Characters of one message. */
export const MAX_TEXT = 8_000;
/** What else a body holds, and its padding, in bytes. */
const REST = 256;
/** Bytes of the texts in one body. */
export const MAX_TEXT_BYTES = MAX_BODY - REST;

/** Bytes of `text` in JSON and UTF-8. */
export const bytesOf = (text: string): number => new TextEncoder().encode(JSON.stringify(text)).length;

/** Of `MAX_TEXT`: characters, or more if they are of a kind that takes more bytes. */
export const sizeOf = (text: string): number =>
  Math.max(text.length, Math.ceil((bytesOf(text) * MAX_TEXT) / MAX_TEXT_BYTES));
