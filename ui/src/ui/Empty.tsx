/** Nothing here yet: what would stand here, and what to do. */
import type { ComponentChildren } from 'preact';
import { Icon } from './Icon';

export function Empty({ icon, title, children }: { icon: string; title: string; children?: ComponentChildren }) {
  return (
    <div class="k-empty">
      <Icon d={icon} size={32} />
      <p class="k-empty-title">{title}</p>
      {children && <div class="k-empty-text">{children}</div>}
    </div>
  );
}
