/** A text of a message: with links, as Markdown, or as it is. */
import { h, type ComponentChildren } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { t } from '../i18n/shared';
import { linkify, type Node } from './linkify';
import { markdown } from './markdown';
import { foldAt, unpiled } from './readable';

/** How a text is read: with addresses as links, as Markdown, or as it is. */
const READ = { links: linkify, markdown, text: (text: string): Node[] => [text] };

/**
 * Text is always text: it becomes nodes of known kinds, never markup. A long one is folded. It is parsed once, however often
 * what is around it is rendered.
 */
export function RichText({ text, as }: { text: string; as: keyof typeof READ }) {
  const [all, setAll] = useState(false);
  const fold = useMemo(() => foldAt(text), [text]);
  const inside = useMemo(() => <>{shown(READ[as](unpiled(all ? text : text.slice(0, fold))))}</>, [text, as, all]);
  return (
    <>
      {inside}
      {fold < text.length && (
        <button type="button" class="k-link k-fold" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? t('showLess') : t('showAll', { n: text.length })}
        </button>
      )}
    </>
  );
}

const shown = (nodes: readonly Node[]): ComponentChildren =>
  nodes.map((n) =>
    typeof n === 'string'
      ? n
      : h(
          n.tag,
          { href: n.href, value: n.value, ...(n.href && LINK), ...(n.tag === 'div' && SCROLLS) } as object,
          shown(n.inside),
        ),
  );
/** A wide table; from the keyboard, too. */
const SCROLLS = { tabIndex: 0 };
const LINK = { target: '_blank', rel: 'noopener noreferrer nofollow' };
