/** Short messages about what went wrong or was done. They stay long enough to be read and can be put away. */
import { t } from '../i18n/shared';
import { signal } from '../signals';
import { IconButton } from './Button';
import { Icon } from './Icon';
import * as icon from './icons';

interface Toast {
  id: number;
  kind: 'error' | 'info';
  text: () => string;
  onClose?: () => void;
}

const toasts = signal<readonly Toast[]>([]);
let next = 1;

/** Shows a text (a function, so that it follows the language) for 8 s. */
export function toast(text: () => string, kind: Toast['kind'] = 'error', onClose?: () => void): void {
  const id = next++;
  // The same sentence twice says nothing new.
  if (toasts.peek().some((other) => other.text() === text())) return;
  toasts.value = [...toasts.peek().slice(-3), { id, kind, text, onClose }];
  setTimeout(() => closeToast(id), 8_000);
}

function closeToast(id: number): void {
  toasts
    .peek()
    .find((one) => one.id === id)
    ?.onClose?.();
  toasts.value = toasts.peek().filter((one) => one.id !== id);
}

export function Toasts() {
  return (
    <div class="k-toasts" role="region" aria-live="polite">
      {toasts.value.map((one) => (
        <div key={one.id} class={`k-toast k-toast-${one.kind}`} role={one.kind === 'error' ? 'alert' : 'status'}>
          <Icon d={one.kind === 'error' ? icon.alert : icon.info} />
          <span class="k-grow">{one.text()}</span>
          <IconButton icon={icon.close} size={16} label={t('dismiss')} onClick={() => closeToast(one.id)} />
        </div>
      ))}
    </div>
  );
}
