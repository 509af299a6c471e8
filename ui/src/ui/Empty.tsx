/** Nothing here yet: what would be here, and what to do. */
import type { ComponentChildren } from 'preact';
import { Icon } from './Icon';

export function Empty({
  icon,
  title,
  children,
  heading,
}: {
  icon: string;
  title: string;
  children?: ComponentChildren /** It is what the page is about. */;
  heading?: boolean;
}) {
  const Title = heading ? 'h1' : 'p';
  return (
    <div class="k-empty">
      <Icon d={icon} size={32} />
      <Title class="k-empty-title">{title}</Title>
      {children && <div class="k-empty-text">{children}</div>}
    </div>
  );
}
