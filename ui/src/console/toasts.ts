/** Short messages about what went wrong or was done: those of one console. */
import { signal } from '../signals';

export interface Toast {
  id: number;
  kind: 'error' | 'info';
  text: () => string;
  onClose?: () => void;
}

const SHOWN_MS = 8_000;
/** At the same time. */
const MOST = 4;

export class ToastList {
  readonly shown = signal<readonly Toast[]>([]);
  private next = 1;

  /** Shows a text (a function, so that it follows the language) for 8 s. */
  readonly show = (text: () => string, kind: Toast['kind'] = 'error', onClose?: () => void): void => {
    const id = this.next++;
    // The same sentence twice is not shown again.
    if (this.shown.peek().some((other) => other.text() === text())) return;
    this.shown.value = [...this.shown.peek().slice(1 - MOST), { id, kind, text, onClose }];
    setTimeout(() => this.close(id), SHOWN_MS);
  };

  close(id: number): void {
    this.shown
      .peek()
      .find((one) => one.id === id)
      ?.onClose?.();
    this.shown.value = this.shown.peek().filter((one) => one.id !== id);
  }
}
