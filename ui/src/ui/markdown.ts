/**
 * The Markdown of the robot's answers: paragraphs, lists, code, bold, italics, links. No HTML, no images; what is not
 * understood stays text. It makes nodes of a few known kinds and never markup. Every visitor loads this, so it is short.
 */
import { linkify, safeHref, type Node, type Tagged } from './linkify';

/** A list item, a heading, or a quotation. */
const LINE = /^\s*(?:(?:[-*+]|(\d{1,9})[.)]) +(.+)|#+ +(.+)|> ?(.*))/;
/** An address; an escaped mark; code; emphasis (bounded: open marks in a long text would take long); a link. */
const MARK = /https?:\/\/\S+|\\([!-/:-@[-`{-~])|`([^`]+)`|(\*\*|__|[*_])(?=\S)(.{0,999}?\S)\3(?!\*)|!?\[([^[\]]*)\]\(([^\s()]+)\)/gis;

export function markdown(text: string): Node[] {
  const blocks: Node[] = [];
  /** Those that still hold their lines. */
  const raw: Tagged[] = [];
  text.split(/^ *```.*\n?/m).forEach((part, n) => {
    // between two fences
    if (n % 2) return blocks.push({ tag: 'pre', inside: [part.trimEnd()] });
    let list: Tagged | undefined;
    let open: Tagged | undefined;
    for (const line of part.split('\n')) {
      const [, value, item, head, quote] = LINE.exec(line) ?? [];
      const words = item ?? (head ? `**${head}**` : (quote ?? line).trim());
      if (!words) open = undefined;
      else if (open && !item) open.inside.push(words);
      else {
        const tag = value ? 'ol' : 'ul';
        if (!item) list = undefined;
        else if (list?.tag !== tag) blocks.push((list = { tag, inside: [] }));
        (list ? list.inside : blocks).push((open = { tag: item ? 'li' : 'p', inside: [words], value }));
        raw.push(open);
      }
    }
  });
  for (const block of raw) block.inside = inline(block.inside.join('\n'));
  return blocks;
}

function inline(s: string): Node[] {
  const out: Node[] = [];
  let from = 0;
  for (const m of s.matchAll(MARK)) {
    const [whole, escaped, code, mark, inner, label, address] = m;
    let node: Node | undefined = escaped;
    if (code) node = { tag: 'code', inside: [code] };
    // 20*30*40 and snake_case are no italics
    else if (inner && (mark![1] || !/[a-z0-9]/i.test(s.charAt(m.index - 1) + s.charAt(m.index + whole.length)))) node = { tag: mark![1] ? 'strong' : 'em', inside: inline(inner) };
    else if (address) {
      const href = /^(mailto|tel):[^"<>]+$/i.test(address) ? address : safeHref(address);
      if (href) node = { tag: 'a', inside: [label || href], href };
    }
    if (!node) continue;
    out.push(...linkify(s.slice(from, m.index)), node);
    from = m.index + whole.length;
  }
  return [...out, ...linkify(s.slice(from))];
}
