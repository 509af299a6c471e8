/** Small marks: avatar, counter, banner, text with links. */
import { h, type ComponentChildren } from 'preact';
import { Icon } from './Icon';
import { linkify, type Node } from './linkify';
import { markdown } from './markdown';

/** Two letters of a Latin name, the last two characters of a Chinese one (张小明 → 小明). */
export function initials(name: string): string {
  const chinese = name.match(/[\u3400-\u9fff]/g);
  if (chinese) return chinese.slice(-2).join('');
  const words = name.trim().split(/\s+/);
  const letters = words.length > 1 ? words[0]!.charAt(0) + words[words.length - 1]!.charAt(0) : [...words[0]!].slice(0, 2).join('');
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

export function Avatar({ name, org, state, size }: AvatarProps) {
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

/** Text is always text: it becomes nodes of known kinds, never markup. Addresses are links; `rich`: it is Markdown. */
export function RichText({ text, rich }: { text: string; rich?: boolean }) {
  return <>{shown(rich ? markdown(text) : linkify(text))}</>;
}

const shown = (nodes: readonly Node[]): ComponentChildren =>
  nodes.map((n) => (typeof n === 'string' ? n : h(n.tag, { href: n.href, value: n.value, ...(n.href && LINK) } as object, shown(n.inside))));
const LINK = { target: '_blank', rel: 'noopener noreferrer nofollow' };
