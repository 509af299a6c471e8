/** What a person types into the search field: words that must all be there, and phrases in quotes. */
import { fold, foldText, termsToFind } from './fold';

/** Most words and phrases of one query, and most characters. */
const MAX_CLAUSES = 16;
const MAX_QUERY = 200;

export interface Clause {
  /** Folded. */
  text: string;
  /** In quotes: words are whole. Otherwise a text needs words that begin so; of numbers, such as of orders, any part will do. */
  exact: boolean;
}

export interface Query {
  clauses: Clause[];
  terms: number[];
}

const PARTS = /["“”„«»「『]([^"“”„«»」』]*)["“”„«»」』]?|[^\s"“”„«»「『]+/gu;

export function parseQuery(typed: string): Query {
  const clauses: Clause[] = [];
  for (const m of typed.slice(0, MAX_QUERY).matchAll(PARTS)) {
    const exact = m[1] !== undefined;
    const text = foldText(m[1] ?? m[0]).trim();
    if (text && clauses.length < MAX_CLAUSES) clauses.push({ text, exact });
  }
  return { clauses, terms: [...new Set(clauses.flatMap((c) => termsToFind(c.text)))] };
}

const WORD = /[\p{L}\p{N}\p{M}_]/u;
const SPACELESS = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u;
const DIGIT = /\p{N}/u;

const inWord = (c: string | undefined): boolean => c !== undefined && WORD.test(c) && !SPACELESS.test(c);

/** Where a clause is in a folded text, from `at` on; −1 if it is nowhere. */
function place(text: string, { text: what, exact }: Clause, at: number): number {
  // inside a word is no match, unless it is a number
  const start = inWord(what[0]) && (exact || what.length < 3 || !DIGIT.test(what));
  const end = exact && inWord(what[what.length - 1]);
  for (let i = text.indexOf(what, at); i >= 0; i = text.indexOf(what, i + 1)) {
    if (start && inWord(text[i - 1])) continue;
    if (end && inWord(text[i + what.length])) continue;
    return i;
  }
  return -1;
}

/** Whether all of it is in this text. */
export function matches(text: string, query: Query): boolean {
  const folded = foldText(text);
  return query.clauses.length > 0 && query.clauses.every((c) => place(folded, c, 0) >= 0);
}

/** A piece of a text with the places that were found in it, in UTF-16 units. */
export interface Snippet {
  text: string;
  marks: [from: number, to: number][];
}

/** Characters of a snippet before what was found, and in all. */
const BEFORE = 24;
const LENGTH = 160;

export function snippetOf(original: string, query: Query): Snippet {
  const { text, from } = fold(original);
  const found: [number, number][] = [];
  for (const c of query.clauses)
    for (let i = place(text, c, 0); i >= 0 && found.length < 100; i = place(text, c, i + 1))
      found.push([from[i]!, from[i + c.text.length]!]);
  found.sort((a, b) => a[0] - b[0] || b[1] - a[1]);
  const first = found[0]?.[0] ?? 0;
  let begin = first > LENGTH / 2 ? first - BEFORE : 0;
  let end = Math.min(original.length, begin + LENGTH);
  // no half of a character at either end
  if (begin > 0 && isLow(original, begin)) begin--;
  if (end < original.length && isLow(original, end)) end++;
  const lead = begin > 0 ? '…' : '';
  const marks: Snippet['marks'] = [];
  for (const [a, b] of found) {
    if (a >= end || b <= begin) continue;
    const [x, y] = [Math.max(a, begin) - begin + lead.length, Math.min(b, end) - begin + lead.length];
    const last = marks[marks.length - 1];
    if (last && x <= last[1]) last[1] = Math.max(last[1], y);
    else marks.push([x, y]);
  }
  return { text: lead + original.slice(begin, end) + (end < original.length ? '…' : ''), marks };
}

const isLow = (s: string, at: number): boolean => (s.charCodeAt(at) & 0xfc00) === 0xdc00;
