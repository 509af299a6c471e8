/** A round mark for a person or a company: letters of the name on a colour of its own. */
import { short } from './readable';

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
