/**
 * The Markdown of the robot's answers: paragraphs, lists, code, bold, italics, links. No HTML, no images; what is not
 * understood stays text. It makes nodes of a few known kinds and never markup.
 */
import { linkify, safeHref } from './linkify';

export interface Tagged {
  tag: 'p' | 'ul' | 'ol' | 'li' | 'pre' | 'code' | 'strong' | 'em' | 'a';
  inside: Node[];
  href?: string;
  /** Number of the first item of an `ol`. */
  start?: number;
}
export type Node = string | Tagged;

/** Marks inside marks beyond this stay as they are. */
const DEPTH = 5;
const LINE = /^\s*(?:(```)|#{1,6} +(.*)|> ?(.*)|(?:[-*+]|(\d{1,9})[.)]) +(.*))/;
const MARK = /https?:\/\/\S*|\\[!-/:-@[-`{-~]|`+|\*\*?|__?|!?\[/g;
const LINK = /\[([^[\]]*)\]\(\s*([^\s()]*)\s*\)/y;
/** What a single mark must not stand beside: 20*30*40 and snake_case are no italics. */
const WORD = /[a-z0-9]/i;

const tagged = (tag: Tagged['tag'], inside: Node[], more?: { href: string } | { start: number }): Tagged => ({ tag, inside, ...more });

export function markdown(text: string): Node[] {
  const blocks: { tag: Tagged['tag']; parts: string[]; start?: number }[] = [];
  /** The next line goes on with the last block. */
  let open = false;
  for (const line of text.split('\n')) {
    const last = blocks[blocks.length - 1];
    const [, fence, head, quote, number, item] = LINE.exec(line) ?? [];
    const begin = (tag: Tagged['tag'], ...parts: string[]): void => void blocks.push({ tag, parts, start: Number(number) });
    if (last?.tag === 'pre' && open) {
      if (fence) open = false;
      else last.parts.push(line);
      continue;
    }
    const words = head ? `**${head}**` : (quote ?? line).trim();
    const goesOn = open && last && !fence;
    open = !!(fence || words);
    if (fence) begin('pre');
    else if (item) {
      const tag = number ? 'ol' : 'ul';
      if (last?.tag === tag) last.parts.push(item);
      else begin(tag, item);
    } else if (goesOn && words) last.parts[last.parts.length - 1] += `\n${words}`;
    else if (words) begin('p', words);
  }
  return blocks.map(({ tag, parts, start }) => {
    if (tag === 'pre') return tagged(tag, [parts.join('\n')]);
    return tag === 'p' ? tagged(tag, inline(parts[0]!)) : tagged(tag, parts.map((part) => tagged('li', inline(part))), start ? { start } : undefined);
  });
}

function inline(s: string, depth = 0): Node[] {
  const out: Node[] = [];
  let from = 0;
  let at = 0;
  const text = (to: number): void => {
    for (const piece of linkify(s.slice(from, to))) out.push(typeof piece === 'string' ? piece : tagged('a', [piece.text], { href: piece.href }));
  };
  for (;;) {
    MARK.lastIndex = at;
    const found = MARK.exec(s);
    if (!found || depth > DEPTH) break;
    const mark = found[0];
    const begin = found.index;
    at = begin + mark.length;
    let node: Node | undefined;
    let end = at;
    if (mark[0] === '\\') node = mark[1]!;
    else if (mark.endsWith('[')) {
      LINK.lastIndex = at - 1;
      const link = LINK.exec(s);
      const href = link && (/^(mailto|tel):[^"<>]+$/i.test(link[2]!) ? link[2]! : safeHref(link[2]!));
      if (href) {
        node = tagged('a', [link[1] || href], { href });
        end = LINK.lastIndex;
      }
    } else if (mark[0] !== 'h') {
      let close = s.indexOf(mark, at);
      while (close > 0 && s[close + mark.length] === mark[0]) close++;
      end = close + mark.length;
      const code = mark[0] === '`';
      const alone = (c: string | undefined): boolean => mark[1] !== undefined || !WORD.test(c ?? '');
      if (close > at && (code || (s[at]!.trim() && s[close - 1]!.trim() && alone(s[begin - 1]) && alone(s[end])))) {
        const inner = s.slice(at, close);
        node = code ? tagged('code', [inner.trim()]) : tagged(mark[1] ? 'strong' : 'em', inline(inner, depth + 1));
      }
    }
    if (node === undefined) continue;
    text(begin);
    out.push(node);
    from = at = end;
  }
  text(s.length);
  return out;
}
