/** Markdown as people would write it in a chat: the words, the addresses, and no marks. */
import type { Node } from './linkify';
import { markdown } from './markdown';

export function plain(text: string): string {
  const blocks = markdown(text).map((block) => {
    if (typeof block === 'string') return block;
    const table = block.tag === 'div' && block.inside[0];
    if (table && typeof table !== 'string')
      return table.inside.map((tr) => (typeof tr === 'string' ? tr : tr.inside.map(words).join(' | '))).join('\n');
    const lines = block.tag === 'ul' || block.tag === 'ol' ? block.inside : [block];
    const mark = (line: Node): string =>
      typeof line === 'string' || line.tag !== 'li' ? '' : line.value ? `${line.value}. ` : '- ';
    return lines.map((line) => mark(line) + words(line)).join('\n');
  });
  // a numbered list that continues after a paragraph needs no empty line between
  return blocks.join('\n').trim();
}

function words(node: Node): string {
  if (typeof node === 'string') return node;
  const inside = node.inside.map(words).join('');
  const at = node.href?.replace(/^(mailto|tel):/i, '');
  return at && at !== inside && at !== `${inside}/` ? `${inside} ${at} ` : inside;
}
