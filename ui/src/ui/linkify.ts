/** Finds web addresses in a text. Only `http:` and `https:`; everything else stays text. */

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

// A scheme we name, then anything that cannot end a sentence. Chinese punctuation ends an address too.
const ADDRESS = /\bhttps?:\/\/[^\s<>"'`，。；：！？、（）【】《》“”‘’]+/gi;
const TRAILING = /[.,;:!?]+$/;

export function linkify(text: string): Node[] {
  const pieces: Node[] = [];
  let from = 0;
  for (const found of text.matchAll(ADDRESS)) {
    let raw = found[0].replace(TRAILING, '');
    // "(see https://a.example/x)": the bracket belongs to the sentence unless the address opened it.
    while (raw.endsWith(')') && !raw.includes('(')) raw = raw.slice(0, -1);
    const href = safeHref(raw);
    if (!href) continue;
    if (found.index > from) pieces.push(text.slice(from, found.index));
    pieces.push({ tag: 'a', inside: [raw], href });
    from = found.index + raw.length;
  }
  if (from < text.length) pieces.push(text.slice(from));
  return pieces;
}

/** The address in normal form, or null unless it is a plain http(s) one without a user name hidden in it. */
export function safeHref(raw: string): string | null {
  try {
    const url = new URL(raw);
    const web = url.protocol === 'http:' || url.protocol === 'https:';
    return web && !url.username && !url.password ? url.href : null;
  } catch {
    return null;
  }
}
