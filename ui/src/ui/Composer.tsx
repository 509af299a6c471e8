/** Where people write. Enter sends, Shift or Ctrl with it makes a line, an input method keeps its own Enter. */
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { translator } from '../i18n/core';
import { visitorErrors } from '../i18n/errors';
import { t } from '../i18n/shared';
import { hasKeyboard } from './focus';
import { Icon } from './Icon';
import { isLine, isSend } from './keys';
import { unpadded } from './readable';
import { MAX_TEXT, sizeOf } from './textSize';
import * as icon from './icons';

const error = translator(visitorErrors);
const TYPING_EVERY_MS = 3_000;
const TYPING_OFF_MS = 4_000;

interface ComposerProps {
  value: string;
  onValue: (text: string) => void;
  onSend: (text: string) => void;
  onTyping?: (on: boolean) => void;
  placeholder: string;
  label?: string;
  disabled?: boolean;
  /** Changes when the field should take the focus. */
  focusKey?: unknown;
  autofocus?: boolean;
  foot?: ComponentChildren;
}

export function Composer({
  value,
  onValue,
  onSend,
  onTyping,
  placeholder,
  label,
  disabled,
  focusKey,
  autofocus,
  foot,
}: ComposerProps) {
  const field = useRef<HTMLTextAreaElement>(null);
  const typing = useTyping(onTyping);
  const size = sizeOf(value);
  const tooLong = size > MAX_TEXT;
  const ready = !disabled && !tooLong && value.trim() !== '';

  useLayoutEffect(() => {
    const el = field.current;
    // Gone already when the page changed in the same breath.
    if (!el) return;
    el.style.height = 'auto';
    el.style.height = `${el.scrollHeight}px`;
  }, [value]);

  useEffect(() => {
    if (focusKey !== undefined && hasKeyboard()) field.current?.focus();
  }, [focusKey]);

  const send = () => {
    if (!ready) return;
    typing.stop();
    onSend(unpadded(value));
    field.current?.focus();
  };

  const onKey = (e: KeyboardEvent) => {
    if (isSend(e)) {
      e.preventDefault();
      send();
    } else if (isLine(e)) {
      e.preventDefault();
      const el = field.current!;
      el.setRangeText('\n', el.selectionStart, el.selectionEnd, 'end');
      onValue(el.value);
    }
  };

  return (
    <form
      class="k-composer"
      onSubmit={(e) => {
        e.preventDefault();
        send();
      }}
    >
      {tooLong && (
        <p class="k-error k-wide" role="alert">
          {error('error.too_large')}
        </p>
      )}
      <textarea
        ref={field}
        class="k-composer-field"
        rows={1}
        value={value}
        placeholder={placeholder}
        aria-label={label ?? placeholder}
        disabled={disabled}
        data-autofocus={autofocus || undefined}
        enterkeyhint="send"
        dir="auto"
        onInput={(e) => {
          onValue(e.currentTarget.value);
          if (e.currentTarget.value) typing.tick();
          else typing.stop();
        }}
        onBlur={typing.stop}
        onKeyDown={onKey}
      />
      <div class="k-composer-side">
        {foot}
        {size > MAX_TEXT * 0.9 && (
          <span class={`k-count${tooLong ? ' k-error' : ''}`}>
            {size} / {MAX_TEXT}
          </span>
        )}
        <button type="submit" class="k-send" disabled={!ready} aria-label={t('send')} title={t('send')}>
          <Icon d={icon.send} />
        </button>
      </div>
    </form>
  );
}

/** Sends "on" at most every 3 s while keys are pressed, and "off" after 4 s of silence. */
function useTyping(say?: (on: boolean) => void) {
  const last = useRef(0);
  const timer = useRef<ReturnType<typeof setTimeout>>();
  const stop = () => {
    clearTimeout(timer.current);
    if (last.current) say?.(false);
    last.current = 0;
  };
  const tick = () => {
    if (Date.now() - last.current > TYPING_EVERY_MS) {
      last.current = Date.now();
      say?.(true);
    }
    clearTimeout(timer.current);
    timer.current = setTimeout(stop, TYPING_OFF_MS);
  };
  useEffect(() => stop, []);
  return { tick, stop };
}
