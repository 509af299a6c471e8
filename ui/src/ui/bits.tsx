/** Small marks: avatar, counter, banner, text with links. */
import type { ComponentChildren } from 'preact';
import { Icon } from './Icon';
import { linkify } from './linkify';

/** Two letters of a Latin name, the last two characters of a Chinese one (张小明 → 小明). */
export function initials(name: string): string {
  const chinese = name.match(/[\u3400-\u9fff]/g);
  if (chinese) return chinese.slice(-2).join('');
  const words = name.trim().split(/\s+/);
  const letters = words.length > 1 ? words[0]!.charAt(0) + words[words.length - 1]!.charAt(0) : [...words[0]!].slice(0, 2).join('');
  return letters.toUpperCase();
}

/** A stable number below `n` for a colour class. */
export function hue(seed: string, n = 6): number {
  let h = 0;
  for (let i = 0; i < seed.length; i++) h = (h * 31 + seed.charCodeAt(i)) >>> 0;
  return h % n;
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
    <span class={`k-avatar k-hue${hue(name)}${size ? ' k-avatar-sm' : ''}`} aria-hidden="true">
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

/** Text is always text; addresses in it become links built from nodes. */
export function RichText({ text }: { text: string }) {
  return (
    <>
      {linkify(text).map((piece, i) =>
        typeof piece === 'string' ? (
          piece
        ) : (
          <a key={i} href={piece.href} target="_blank" rel="noopener noreferrer nofollow">
            {piece.text}
          </a>
        ),
      )}
    </>
  );
}
