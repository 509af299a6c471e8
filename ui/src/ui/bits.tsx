/** Small marks: avatar, counter, banner, text with links. */
import { h, type ComponentChildren } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { t } from '../i18n/shared';
import { Icon } from './Icon';
import { linkify, type Node } from './linkify';
import { markdown } from './markdown';
import { foldAt, short, unpiled } from './readable';

/** Two letters of a Latin name, the last two characters of a Chinese one (张小明 → 小明). */
export function initials(whole: string): string {
  const name = short(whole);
  const chinese = name.match(/[\u3400-\u9fff]/g);
  if (chinese) return chinese.slice(-2).join('');
  const words = name.trim().split(/\s+/);
  const letters =
    words.length > 1 ? words[0]!.charAt(0) + words[words.length - 1]!.charAt(0) : [...words[0]!].slice(0, 2).join('');
  return letters.toUpperCase();
}

/** A stable colour, in degrees. */
export function hue(seed: string): number {
  let h = 0;
  for (let i = 0; i < seed.length; i++) h = (h * 31 + seed.charCodeAt(i)) >>> 0;
  return h % 360;
}

interface AvatarProps {
  name: string;
  /** A company: its first letters, not its last. */
  org?: boolean;
  state?: string;
  size?: 'sm';
}

export function Avatar({ name: whole, org, state, size }: AvatarProps) {
  const name = short(whole);
  return (
    <span class={`k-avatar${size ? ' k-avatar-sm' : ''}`} style={`--k-hue:${hue(name)}`} aria-hidden="true">
      {org ? [...name].slice(0, 2).join('') : initials(name)}
      {state && <span class={`k-dot k-dot-${state}`} />}
    </span>
  );
}

/** A count, capped; nothing at zero. */
export function Badge({ n, max = 9, label }: { n: number; max?: number; label?: string }) {
  if (n <= 0) return null;
  return (
    <span class="k-badge" aria-label={label}>
      {n > max ? `${max}+` : n}
    </span>
  );
}

interface BannerProps {
  kind: 'info' | 'ok' | 'warn' | 'danger';
  icon?: string;
  children: ComponentChildren;
  action?: ComponentChildren;
}

export function Banner({ kind, icon, children, action }: BannerProps) {
  return (
    <div class={`k-banner k-banner-${kind}`} role={kind === 'danger' ? 'alert' : 'status'}>
      {icon && <Icon d={icon} size={18} />}
      <span class="k-grow">{children}</span>
      {action}
    </div>
  );
}

/** How a text is read: with addresses as links, as Markdown, or as it is. */
const READ = { links: linkify, markdown, text: (text: string): Node[] => [text] };

/**
 * Text is always text: it becomes nodes of known kinds, never markup. A long one is folded. It is parsed once, however often
 * what stands around it is rendered.
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
