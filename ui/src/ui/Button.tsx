/** Buttons: one main act a screen is `primary`; `quiet` is for the rest; `icon` buttons always carry a name. */
import type { ComponentChildren, JSX } from 'preact';
import { Icon } from './Icon';

type Native = Omit<JSX.IntrinsicElements['button'], 'size' | 'icon' | 'class' | 'label'>;

interface ButtonProps extends Native {
  kind?: 'primary' | 'quiet' | 'plain' | 'danger';
  size?: 'sm' | 'md';
  wide?: boolean;
  /** Waiting for an answer: cannot be pressed again, and shows it. */
  busy?: boolean;
  children: ComponentChildren;
}

export function Button({
  kind = 'quiet',
  size = 'md',
  wide,
  busy,
  onClick,
  children,
  type = 'button',
  ...rest
}: ButtonProps) {
  const classes = `k-btn k-btn-${kind} k-btn-${size}${wide ? ' k-wide' : ''}`;
  return (
    // not disabled: that would take the focus away for good
    <button
      {...rest}
      type={busy ? 'button' : type}
      class={classes}
      onClick={busy ? undefined : onClick}
      aria-disabled={busy ? 'true' : undefined}
      aria-busy={busy ? 'true' : undefined}
    >
      {busy && <span class="k-spin" aria-hidden="true" />}
      {children}
    </button>
  );
}

interface IconButtonProps extends Native {
  icon: string;
  label: string;
  size?: number;
  on?: boolean;
}

export function IconButton({ icon, label, size = 20, on, type = 'button', ...rest }: IconButtonProps) {
  return (
    <button {...rest} type={type} class={`k-iconbtn${on ? ' k-on' : ''}`} aria-label={label} title={label}>
      <Icon d={icon} size={size} />
    </button>
  );
}
