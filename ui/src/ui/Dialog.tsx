/** A question or a small form above everything. Esc and the scrim close it; focus stays inside. */
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import { t } from '../i18n/shared';
import { IconButton } from './Button';
import { useFocusTrap } from './focus';
import * as icon from './icons';

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  actions?: ComponentChildren;
  /** For lists and forms. */
  wide?: boolean;
}

export function Dialog({ title, onClose, children, actions, wide }: DialogProps) {
  const id = useId();
  const ref = useFocusTrap<HTMLDivElement>(true, onClose);
  return (
    <div class="k-scrim" onMouseDown={(e) => e.target === e.currentTarget && onClose()}>
      <div
        ref={ref}
        class={`k-dialog${wide ? ' k-dialog-wide' : ''}`}
        role="dialog"
        aria-modal="true"
        aria-labelledby={id}
        tabIndex={-1}
      >
        <header>
          <h2 id={id}>{title}</h2>
          <IconButton icon={icon.close} label={t('close')} onClick={onClose} />
        </header>
        <div class="k-dialog-body">{children}</div>
        {actions && <footer>{actions}</footer>}
      </div>
    </div>
  );
}
