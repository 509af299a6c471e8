/** Looks for words in the open conversation: what this page has decrypted. Enter goes to an earlier one, Shift+Enter to a later. */
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { t } from '../i18n/console';
import { t as shared } from '../i18n/shared';
import type { Message } from '../model';
import { IconButton } from '../ui/Button';
import * as icon from '../ui/icons';
import { isComposing } from '../ui/keys';
import { useSignal } from '../ui/signals';

/** Characters that are looked for. */
const MAX_WORDS = 100;

/** The newest first. */
export function findIn(messages: readonly Message[], words: string): Message[] {
  const asked = words.slice(0, MAX_WORDS).trim().toLowerCase();
  if (!asked) return [];
  const says = (m: Message): boolean =>
    m.text.toLowerCase().includes(asked) || (m.file?.name.toLowerCase().includes(asked) ?? false);
  return messages.filter((m) => (m.kind === 'text' || m.kind === 'note') && says(m)).reverse();
}

export function Find({
  messages,
  onGo,
  onClose,
}: {
  messages: readonly Message[];
  onGo: (id: string) => void;
  onClose: () => void;
}) {
  const words = useSignal('');
  const at = useSignal(0);
  const field = useRef<HTMLInputElement>(null);
  const found = useMemo(() => findIn(messages, words.value), [messages, words.value]);
  const n = found.length;
  useEffect(() => field.current?.focus(), []);
  const go = (to: number) => {
    if (!n) return;
    at.value = (to + n) % n;
    onGo(found[at.value]!.id);
  };
  const onKey = (e: KeyboardEvent) => {
    if (isComposing(e)) return;
    if (e.key === 'Enter') go(at.value + (e.shiftKey ? -1 : 1));
    else if (e.key === 'Escape') onClose();
    else return;
    e.preventDefault();
    e.stopPropagation();
  };
  return (
    <search class="c-find">
      <input
        ref={field}
        class="k-input"
        type="text"
        aria-label={t('find')}
        placeholder={t('find')}
        value={words.value}
        maxLength={MAX_WORDS}
        dir="auto"
        onInput={(e) => {
          words.value = e.currentTarget.value;
          const first = findIn(messages, words.value)[0];
          at.value = 0;
          if (first) onGo(first.id);
        }}
        onKeyDown={onKey}
      />
      <span class="c-find-count" role="status">
        {words.value.trim() && (n ? t('findAt', { at: Math.min(at.value, n - 1) + 1, n }) : t('findNone'))}
      </span>
      <IconButton icon={icon.up} label={t('findOlder')} disabled={!n} onClick={() => go(at.value + 1)} />
      <IconButton icon={icon.down} label={t('findNewer')} disabled={!n} onClick={() => go(at.value - 1)} />
      <IconButton icon={icon.close} label={shared('close')} onClick={onClose} />
    </search>
  );
}
