/** Finds web addresses in a text. Only `http:` and `https:`; everything else stays text. Looks at each character a few times at most. */

/** Text with what stands in it, of a few known kinds: what a page may show of a message. */
export type Node = string | Tagged;
export interface Tagged {
  tag: 'p' | 'ul' | 'ol' | 'li' | 'pre' | 'code' | 'strong' | 'em' | 'a';
  inside: Node[];
  /** Of an `a`. */
  href?: string;
  /** Number of an `li`. */
  value?: string;
}

/** Longer ones stay text. */
export const MAX_ADDRESS = 2_048;
/** Most nodes made of one text; what follows stays text. */
export const MAX_NODES = 500;

/** How many nodes may still be made. */
export interface Budget {
  left: number;
}
export const budget = (): Budget => ({ left: MAX_NODES });

// One character each. What cannot be part of an address: Chinese punctuation ends one, and so does what is not seen.
const END = /[\s<>"'`，。；：！？、（）【】《》“”‘’\u200b-\u200f\u202a-\u202e\u2060-\u2069]/;
const WORD = /\w/;
export const SPACE = /\s/;

/** Length of `http://` or `https://` at this place, else 0. */
export function schemeAt(text: string, at: number): number {
  const c = text.charCodeAt(at);
  if (c !== 0x68 && c !== 0x48) return 0;
  const start = text.slice(at, at + 8).toLowerCase();
  return start === 'https://' ? 8 : start.startsWith('http://') ? 7 : 0;
}

/** `b`: shared by the parts of one text. */
export function linkify(text: string, b: Budget = budget()): Node[] {
  const pieces: Node[] = [];
  let from = 0;
  for (let at = 0; at < text.length && b.left > 0; at++) {
    const scheme = schemeAt(text, at);
    if (!scheme || (at > 0 && WORD.test(text.charAt(at - 1)))) continue;
    let end = at + scheme;
    let opened = false;
    for (; end < text.length && !END.test(text.charAt(end)); end++) opened ||= text.charCodeAt(end) === 0x28;
    const href = end - at > MAX_ADDRESS ? null : address(text, at, end, opened);
    if (href) {
      if (at > from) pieces.push(text.slice(from, at));
      pieces.push({ tag: 'a', inside: [href.raw], href: href.href });
      from = at + href.raw.length;
      b.left--;
    }
    at = end - 1;
  }
  if (from < text.length) pieces.push(text.slice(from));
  return pieces;
}

/** Punctuation at the end belongs to the sentence, and so does a bracket that the address did not open. */
function address(text: string, at: number, end: number, opened: boolean): { raw: string; href: string } | null {
  while (end > at && ('.,;:!?'.includes(text.charAt(end - 1)) || (!opened && text.charAt(end - 1) === ')'))) end--;
  const raw = text.slice(at, end);
  const href = safeHref(raw);
  return href === null ? null : { raw, href };
}

/** The address in normal form, or null unless it is a plain http(s) one without a user name hidden in it. */
export function safeHref(raw: string): string | null {
  if (raw.length > MAX_ADDRESS) return null;
  try {
    const url = new URL(raw);
    const web = url.protocol === 'http:' || url.protocol === 'https:';
    return web && !url.username && !url.password ? url.href : null;
  } catch {
    return null;
  }
}
