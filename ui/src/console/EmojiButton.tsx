/** The button that opens the emoji, beside the one that sends. What is chosen goes where the cursor is. */
import { t } from '../i18n/console';
import { IconButton } from '../ui/Button';
import * as icon from '../ui/icons';
import { useSignal } from '../ui/signals';
import { lazy } from './lazy';

const Emoji = lazy(() => import('./Emoji').then((m) => m.default));

export function EmojiButton({ disabled }: { disabled: boolean }) {
  const open = useSignal(false);
  const field = (): HTMLTextAreaElement | null => document.querySelector('.c-reply .k-composer-field');
  const close = () => {
    open.value = false;
    field()?.focus();
  };
  const take = (emoji: string) => {
    const el = field();
    close();
    if (!el) return;
    el.setRangeText(emoji, el.selectionStart, el.selectionEnd, 'end');
    // the field's own way of hearing that it changed
    el.dispatchEvent(new Event('input', { bubbles: true }));
  };
  return (
    <span class="c-emojis">
      <IconButton
        icon={icon.smile}
        label={t('emoji')}
        disabled={disabled}
        aria-expanded={open.value}
        onClick={() => (open.value = !open.peek())}
      />
      {open.value && <Emoji onTake={take} onClose={close} />}
    </span>
  );
}
