/**
 * What a page shows of a text that someone else wrote, before the reader asks for all of it. Long texts are folded, and piles of
 * marks on one letter (some languages have a few, none has many) lose those that no letter needs: laying out either takes a browser
 * seconds. Each character is looked at once or twice.
 */

/** Characters and lines shown of a long text. */
export const MAX_SHOWN = 2_000;
export const MAX_LINES = 40;
/** Combining marks on one letter. */
const MAX_PILE = 16;
/** A name, in characters. */
const MAX_NAME = 64;

// One character each.
const MARK = /\p{M}/u;
/** Turn the direction of what follows. A text of its own box keeps them; a name among other words has none. */
const TURNS = /[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Where a text is folded; its length if it is short enough. */
export function foldAt(text: string): number {
  const most = Math.min(text.length, MAX_SHOWN);
  let lines = 0;
  for (let at = 0; at < most; at++) if (text.charCodeAt(at) === 0x0a && ++lines === MAX_LINES) return at;
  // no half of a pair
  return most < text.length && isHigh(text.charCodeAt(most - 1)) ? most - 1 : most;
}

const isHigh = (c: number): boolean => c >= 0xd800 && c < 0xdc00;

/** Without marks beyond the sixteenth on one letter. */
export function unpiled(text: string): string {
  let out = '';
  let from = 0;
  let pile = 0;
  for (let at = 0, next: number; at < text.length; at = next) {
    const c = text.charCodeAt(at);
    next = at + (isHigh(c) ? 2 : 1);
    if (c < 0x300 || !MARK.test(text.slice(at, next))) pile = 0;
    else if (++pile > MAX_PILE) {
      out += text.slice(from, at);
      from = next;
    }
  }
  return from ? out + text.slice(from) : text;
}

/** A name or another line within the page's own text: shortened if too long, and without characters that reverse the text after it. */
export function short(text: string, most = MAX_NAME): string {
  const end = text.length > most && isHigh(text.charCodeAt(most - 1)) ? most - 1 : most;
  return unpiled(text.slice(0, end)).replace(TURNS, '') + (text.length > most ? '…' : '');
}

/** A written text, without empty lines around it. Of several lines the first keeps its indentation: it may be code or a log. */
export function unpadded(text: string): string {
  const kept = text.trimEnd();
  const words = kept.trimStart();
  return words.includes('\n') ? kept.slice(kept.lastIndexOf('\n', kept.length - words.length - 1) + 1) : words;
}
