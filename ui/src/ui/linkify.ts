/**
 * Finds addresses in a text: `https://…`, `http://…`, `www.…` and mail. Everything else stays text. Looks at each character a few
 * times at most.
 */

/** Text with what is in it, of a few known kinds: what a page may show of a message. */
export type Node = string | Tagged;
export interface Tagged {
  tag: 'p' | 'ul' | 'ol' | 'li' | 'pre' | 'code' | 'strong' | 'em' | 'a' | 'div' | 'table' | 'tr' | 'th' | 'td';
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

// One character each.
const END = /[\s<>"'`]/;
const WORD = /\w/;
const LETTER = /[\p{L}\p{M}\p{N}]/u;
const LOCAL = /[\w.+%-]/;
const DOMAIN = /[a-z\d.-]/i;
const LATIN = /[a-z]/i;
export const SPACE = /\s/;

/** Length of `http://`, `https://` or `www.` at this place, else 0. */
function prefixAt(text: string, at: number): number {
  const c = text.charCodeAt(at) | 0x20;
  if ((c !== 0x68 && c !== 0x77) || (at > 0 && WORD.test(text.charAt(at - 1)))) return 0;
  const start = text.slice(at, at + 8).toLowerCase();
  return start === 'https://' ? 8 : start.startsWith('http://') ? 7 : start.startsWith('www.') ? 4 : 0;
}

/**
 * The end of the web address that begins here, or 0. It goes up to a blank, a quote, a closing bracket that it did not open, marks of
 * Markdown, or anything that is neither ASCII nor a letter. Chinese, Japanese and Korean continue without a blank: their letters end it,
 * except in the name of its host.
 */
export function addressAt(text: string, at: number): number {
  const prefix = prefixAt(text, at);
  if (!prefix) return 0;
  let end = at + prefix;
  let host = true;
  // of the part of the host's name that is read: how many came before, and whether it has ASCII characters
  let parts = prefix === 4 ? 1 : 0;
  let ascii = false;
  let [round, square] = [0, 0];
  for (; end < text.length; end++) {
    const c = text.charAt(end);
    const code = text.charCodeAt(end);
    if (code >= 0x80) {
      if (!LETTER.test(c) || (code >= 0x2e80 && !(host && !(ascii && parts)))) break;
    } else if (END.test(c) || (c === '*' && text.charAt(end + 1) === '*')) break;
    else if (c === '(') round++;
    else if (c === '[') square++;
    else if ((c === ')' && --round < 0) || (c === ']' && --square < 0)) break;
    else if (c === '.') {
      parts++;
      ascii = false;
    } else if ('/?#:'.includes(c)) host = false;
    else ascii = true;
  }
  return end;
}

/** `b`: shared by the parts of one text. */
export function linkify(text: string, b: Budget = budget()): Node[] {
  const pieces: Node[] = [];
  let from = 0;
  const take = (at: number, end: number, href: string): void => {
    if (at > from) pieces.push(text.slice(from, at));
    pieces.push({ tag: 'a', inside: [text.slice(at, end)], href });
    from = end;
    b.left--;
  };
  for (let at = 0; at < text.length && b.left > 0; at++) {
    let end = addressAt(text, at);
    if (end) {
      const next = end - 1;
      // punctuation at the end belongs to the sentence
      while ('.,;:!?*~'.includes(text.charAt(end - 1))) end--;
      const raw = text.slice(at, Math.min(end, at + MAX_ADDRESS + 1));
      const bare = raw.charAt(3) === '.';
      const href = bare && !raw.includes('.', 4) ? null : safeHref(bare ? `http://${raw}` : raw);
      if (href) take(at, end, href);
      at = next;
    } else if (text.charAt(at) === '@') {
      // each of its characters is between two of these signs and is looked at once for either
      let start = at;
      while (start > from && LOCAL.test(text.charAt(start - 1))) start--;
      while (text.charAt(start) === '.') start++;
      end = domainEnd(text, at + 1);
      if (start < at && text.charAt(start - 1) !== '@' && end) {
        take(start, end, `mailto:${text.slice(start, end)}`);
        at = end - 1;
      }
    }
  }
  if (from < text.length) pieces.push(text.slice(from));
  return pieces;
}

/** The end of a domain that begins here, with a dot and two letters or more behind the last one; else 0. */
function domainEnd(text: string, at: number): number {
  let end = at;
  while (DOMAIN.test(text.charAt(end))) end++;
  if (text.charAt(end) === '@') return 0;
  while ('.-'.includes(text.charAt(end - 1))) end--;
  let top = end;
  while (LATIN.test(text.charAt(top - 1))) top--;
  return end > top + 1 && top > at + 1 && text.charAt(top - 1) === '.' && text.charAt(at) !== '.' ? end : 0;
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
