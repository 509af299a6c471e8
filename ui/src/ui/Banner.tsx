/** A line across a pane: what is the matter, and what to do about it. */
import type { ComponentChildren } from 'preact';
import { Icon } from './Icon';

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
