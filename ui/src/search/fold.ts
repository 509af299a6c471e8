/**
 * Text as it is searched: width and case do not count (NFKC, lower case), runs of white space are one space. Every place of the folded
 * text knows where it comes from, so that what was found can be marked in the text as it was written.
 */

export interface Folded {
  text: string;
  /** For each UTF-16 unit of `text`, and for its end: where it begins in the original. */
  from: Uint32Array;
}

/** A character with the marks that belong to it: NFKC makes one of them. */
const CLUSTER = /[\s\u200b]+|\P{M}[\p{M}\uff9e\uff9f]{0,32}|\p{M}{1,32}/gu;
const SPACE = /^[\s\u200b]+$/;
/** What folding leaves as it is, but for capital letters: most of Chinese and English. */
const PLAIN = /^[\x21-\x7e\u3400-\u9fff\u3001\u3002]*(?: [\x21-\x7e\u3400-\u9fff\u3001\u3002]+)*$/;

const fold1 = (s: string): string => (SPACE.test(s) ? ' ' : s.normalize('NFKC').toLowerCase());

/** The folded text alone. */
export function foldText(s: string): string {
  if (PLAIN.test(s)) return s.toLowerCase();
  let out = '';
  for (const [part] of s.matchAll(CLUSTER)) out += fold1(part);
  return out;
}

export function fold(s: string): Folded {
  let text = '';
  const from: number[] = [];
  for (const m of s.matchAll(CLUSTER)) {
    const part = fold1(m[0]);
    for (let i = 0; i < part.length; i++) from.push(m.index);
    text += part;
  }
  from.push(s.length);
  return { text, from: Uint32Array.from(from) };
}

/** Scripts that are written without spaces, and Hangul, whose words have endings: they are indexed by pairs of characters. */
const CJK = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u30fc\u3005\u3007]/u;
const RUNS =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u30fc\u3005\u3007]+|[^\P{L}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]+|[\p{N}\p{M}]+|[_]+/gu;

/** A piece of folded text that has terms. */
export interface Run {
  text: string;
  at: number;
  cjk: boolean;
}

/** Words of letters, digits and marks stay together ("sf1234567890"); CJK is separate from them. */
export function runs(folded: string): Run[] {
  const out: Run[] = [];
  for (const m of folded.matchAll(RUNS)) {
    const cjk = CJK.test(m[0]);
    const last = out[out.length - 1];
    if (!cjk && last && !last.cjk && last.at + last.text.length === m.index) last.text += m[0];
    else out.push({ text: m[0], at: m.index, cjk });
  }
  return out;
}

/** Longest piece of a word that is a term by itself, in characters. */
const GRAM = 3;

/** FNV-1a over UTF-16 units. Two terms with one hash cost a look at the text, nothing more. */
function hash(s: string, from: number, to: number): number {
  let h = 0x811c9dc5;
  for (let i = from; i < to; i++) h = Math.imul(h ^ s.charCodeAt(i), 0x01000193);
  return (h ^ (h >>> 15)) >>> 0;
}

/** Before the beginning of a word, in terms; no text has it: it is not NFKC's. */
const START = '\uffff';

/** Calls `term` for what a text with this run is found by: single characters and pairs of CJK; of words the first one and two characters, and each three in a row. */
function each({ text, cjk }: Run, term: (h: number) => void): void {
  if (cjk) {
    // units, not characters: a pair of surrogates is two of them, in the index and in a query alike
    for (let i = 0; i < text.length; i++) {
      term(hash(text, i, i + 1));
      if (i + 1 < text.length) term(hash(text, i, i + 2));
    }
    return;
  }
  for (let n = 1; n < GRAM && n <= text.length; n++) term(hash(START + text.slice(0, n), 0, n + 1));
  for (let i = 0; i + GRAM <= text.length; i++) term(hash(text, i, i + GRAM));
}

/** All terms of a folded text, each once. */
export function termsOf(folded: string): Set<number> {
  const out = new Set<number>();
  for (const run of runs(folded)) each(run, (h) => out.add(h));
  return out;
}

/** Terms that every text with these words has, the fewest that say so. */
export function termsToFind(folded: string): number[] {
  const out = new Set<number>();
  for (const { text, cjk } of runs(folded)) {
    const n = cjk ? 2 : GRAM;
    if (text.length < n) out.add(cjk ? hash(text, 0, 1) : hash(START + text, 0, text.length + 1));
    else for (let i = 0; i + n <= text.length; i++) out.add(hash(text, i, i + n));
  }
  return [...out];
}
