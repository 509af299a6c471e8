/**
 * The Markdown of the robot's answers: paragraphs, lists, tables, code, bold, italics, links. No HTML, no images; what is not
 * understood stays text. It makes nodes of a few known kinds and never markup. Every visitor loads this, so it is short; and
 * each character is looked at a few times for each level of nesting, however the marks are placed.
 */
import {
  addressAt,
  budget,
  linkify,
  MAX_ADDRESS,
  safeHref,
  SPACE,
  type Budget,
  type Node,
  type Tagged,
} from './linkify';

/** Marks within marks; deeper ones stay text. */
const MAX_DEPTH = 6;
/** Wider tables stay text. */
const MAX_COLUMNS = 12;
const MARKABLE = /[!-/:-@[-`{-~]/;
const ALPHANUMERIC = /[a-z0-9]/i;
const DIGIT = /\d/;

interface Line {
  /** Of a list item: its number, or ''. */
  item?: string;
  head?: boolean;
  words: string;
}

/** What begins a line: a list item, a heading, or a quotation. */
function lineOf(text: string): Line {
  const t = text.trimStart();
  const plain = { words: text.trim() };
  let n = 0;
  while (n < 9 && DIGIT.test(t.charAt(n))) n++;
  const mark = t.charAt(n);
  const numbered = n > 0 && '.)'.includes(mark);
  if (mark && (numbered || (n === 0 && '-*+'.includes(mark)))) {
    const words = after(t, n + 1);
    return words ? { item: t.slice(0, n), words } : plain;
  }
  if (n || !mark) return plain;
  if (mark === '>') return { words: t.slice(1).trim() };
  while (t.charAt(n) === '#') n++;
  const words = n ? unclosed(after(t, n)) : '';
  return words ? { head: true, words } : plain;
}

/** A heading without the marks that may close it: `## words ##`. */
function unclosed(words: string): string {
  const t = words.trimEnd();
  let n = t.length;
  while (t.charAt(n - 1) === '#') n--;
  return n < t.length && (n === 0 || t.charAt(n - 1) === ' ') ? t.slice(0, n).trimEnd() : t;
}

/** The cells of a line of a table; the last of `most` takes the rest. */
function cellsOf(line: string, most = MAX_COLUMNS + 1): string[] {
  let t = line.trim();
  if (t.endsWith('|') && t.charAt(t.length - 2) !== '\\') t = t.slice(0, -1);
  const out: string[] = [];
  let from = t.charAt(0) === '|' ? 1 : 0;
  for (let at = from; at < t.length && out.length < most - 1; at++) {
    if (t.charAt(at) === '\\') at++;
    else if (t.charAt(at) === '|') {
      out.push(t.slice(from, at).trim());
      from = at + 1;
    }
  }
  out.push(t.slice(from).trim());
  return out;
}

/** How many columns a line such as `| --- | :-: |` names; 0 if it is none. */
function columnsOf(line: string): number {
  for (let at = 0; at < line.length; at++) if (!'|-: \r'.includes(line.charAt(at))) return 0;
  const cells = cellsOf(line);
  return cells.length <= MAX_COLUMNS && cells.every((c) => c.includes('-')) ? cells.length : 0;
}

/** What follows one space or more; '' if nothing does. */
function after(line: string, at: number): string {
  const rest = line.slice(at);
  if (rest.charAt(0) !== ' ') return '';
  let n = 1;
  while (rest.charAt(n) === ' ') n++;
  return rest.slice(n);
}

export function markdown(text: string): Node[] {
  const b = budget();
  const blocks: Node[] = [];
  /** Those that still hold their lines. */
  const raw: Tagged[] = [];
  let list: Tagged | undefined;
  let open: Tagged | undefined;
  /** With its columns. */
  let table: { node: Tagged; columns: number } | undefined;
  /** Where the code between two fences begins. */
  let code = -1;
  let at = 0;
  const closeCode = (end: number): void => void blocks.push({ tag: 'pre', inside: [text.slice(code, end).trimEnd()] });
  const row = (tag: 'th' | 'td', cells: string[]): Tagged => {
    const inside = cells.map((c): Tagged => ({ tag, inside: [c] }));
    raw.push(...inside);
    b.left -= cells.length;
    return { tag: 'tr', inside };
  };
  for (let end: number; at <= text.length; at = end + 1) {
    end = text.indexOf('\n', at);
    if (end < 0) end = text.length;
    const line = text.slice(at, end);
    if (line.trimStart().startsWith('```')) {
      if (code >= 0) closeCode(at);
      else if (b.left-- <= 0) break;
      code = code < 0 ? end + 1 : -1;
      list = open = table = undefined;
    } else if (code < 0) {
      const { item, head, words } = lineOf(line);
      const isRow = line.includes('|');
      if (!isRow) table = undefined;
      if (table) {
        if (b.left <= 0) break;
        table.node.inside.push(row('td', cellsOf(line, table.columns)));
        continue;
      }
      if (isRow && item === undefined) {
        let next = text.indexOf('\n', end + 1);
        if (next < 0) next = text.length;
        const columns = columnsOf(text.slice(end + 1, next));
        const cells = columns ? cellsOf(line) : [];
        if (columns && cells.length === columns) {
          if (b.left <= 0) break;
          table = { node: { tag: 'table', inside: [row('th', cells)] }, columns };
          // the box in which a wide one scrolls
          blocks.push({ tag: 'div', inside: [table.node] });
          list = open = undefined;
          end = next;
          continue;
        }
      }
      if (!words) open = undefined;
      else if (open && item === undefined) open.inside.push(head ? `**${words}**` : words);
      else {
        // of a text with so many blocks nobody wants the marks
        if (b.left-- <= 0) break;
        const tag = item ? 'ol' : 'ul';
        if (item === undefined) list = undefined;
        else if (list?.tag !== tag) blocks.push((list = { tag, inside: [] }));
        (list ? list.inside : blocks).push(
          (open = {
            tag: item === undefined ? 'p' : 'li',
            inside: [head ? `**${words}**` : words],
            value: item || undefined,
          }),
        );
        raw.push(open);
      }
    }
  }
  if (code >= 0) closeCode(text.length);
  else if (at < text.length) blocks.push({ tag: 'p', inside: [text.slice(at)] });
  for (const block of raw) block.inside = inline(block.inside.join('\n'), b, 0);
  return blocks;
}

/** The places of marks that can close, each looked for once, from left to right. */
class Closers {
  private readonly found = new Map<string, number>();
  constructor(private readonly s: string) {}

  /** The first at `from` or after it; ∞ if there is none. `from` only grows. */
  next(mark: string, from: number): number {
    let at = this.found.get(mark) ?? -1;
    if (at < from) {
      do at = this.s.indexOf(mark, Math.max(from, at + 1));
      while (at > 0 && (SPACE.test(this.s.charAt(at - 1)) || this.s.charAt(at + mark.length) === '*'));
      if (at < 0) at = Infinity;
      this.found.set(mark, at);
    }
    return at;
  }
}

function inline(s: string, b: Budget, depth: number): Node[] {
  if (depth > MAX_DEPTH) return [s];
  const out: Node[] = [];
  const closers = new Closers(s);
  let from = 0;
  const take = (start: number, end: number, node: Node): number => {
    out.push(...linkify(s.slice(from, start), b), node);
    b.left--;
    return (from = end) - 1;
  };
  for (let i = 0; i < s.length && b.left > 0; i++) {
    const c = s.charAt(i);
    if (c === '\\') {
      if (MARKABLE.test(s.charAt(i + 1))) i = take(i, i + 2, s.charAt(i + 1));
    } else if (c === '`') {
      const end = closeCode(s, i);
      if (end) i = take(i, end, { tag: 'code', inside: [s.slice(i + 1, end - 1)] });
    } else if (c === '*' || c === '_') {
      for (const mark of s.charAt(i + 1) === c ? [c + c, c] : [c]) {
        const start = i + mark.length;
        const end = SPACE.test(s.charAt(start) || ' ') ? Infinity : closers.next(mark, start + 1);
        if (end === Infinity) continue;
        const whole = end + mark.length;
        // 20*30*40 and snake_case are no italics
        if (mark[1] || !(ALPHANUMERIC.test(s.charAt(i - 1)) || ALPHANUMERIC.test(s.charAt(whole)))) {
          i = take(i, whole, { tag: mark[1] ? 'strong' : 'em', inside: inline(s.slice(start, end), b, depth + 1) });
        } else i = whole - 1;
        break;
      }
    } else if (c === '[') {
      const link = linkAt(s, i);
      if (link) i = take(i > from && s.charAt(i - 1) === '!' ? i - 1 : i, link.end, link.node);
    } else i = Math.max(i, addressAt(s, i) - 1);
  }
  return [...out, ...linkify(s.slice(from), b)];
}

/** The end of code that begins here, or 0. */
function closeCode(s: string, at: number): number {
  const end = s.indexOf('`', at + 1);
  return end > at + 1 ? end + 1 : 0;
}

/** The `[label](address)` that begins here. */
function linkAt(s: string, at: number): { end: number; node: Node } | null {
  let close = at + 1;
  while (close < s.length && !'[]'.includes(s.charAt(close))) close++;
  if (s.charAt(close) !== ']' || s.charAt(close + 1) !== '(') return null;
  const start = close + 2;
  let end = start;
  // up to the bracket that closes the first one; another link begins at the next square one
  for (let open = 1; end < s.length && end - start <= MAX_ADDRESS; end++) {
    const c = s.charAt(end);
    if (c === '[' || SPACE.test(c)) return null;
    if (c === '(') open++;
    if (c === ')' && --open === 0) break;
  }
  if (s.charAt(end) !== ')' || end === start) return null;
  const address = s.slice(start, end);
  const href = /^(mailto|tel):[^"<>]+$/i.test(address) ? address : safeHref(address);
  return href ? { end: end + 1, node: { tag: 'a', inside: [s.slice(at + 1, close) || href], href } } : null;
}
