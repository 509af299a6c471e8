/** Where people write, and put files. Enter sends, Shift or Ctrl with it makes a line, an input method keeps its own Enter. */
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { canRecord } from '../files/microphone';
import type { SendFile, Tray as Items } from '../files/tray';
import { translator } from '../i18n/core';
import { visitorErrors } from '../i18n/errors';
import { t } from '../i18n/shared';
import type { ErrorKey } from '../model';
import { makePart } from '../part';
import { IconButton } from './Button';
import { hasKeyboard } from './focus';
import { Icon } from './Icon';
import { isLine, isSend } from './keys';
import { unpadded } from './readable';
import { MAX_TEXT, sizeOf } from './textSize';
import { PartFailed } from './PartFailed';
import { Voice } from './Voice';
import { usePart } from './usePart';
import { usePick } from './usePick';
import * as icon from './icons';

const error = translator(visitorErrors);
const trayPart = makePart(async () => (await import('./Tray')).Tray);
const TYPING_EVERY_MS = 3_000;
const TYPING_OFF_MS = 4_000;

/** Where files can be sent. */
export interface ComposerFiles {
  tray: Items;
  /** The largest one, in bytes. */
  max: () => number | Promise<number>;
  send: SendFile;
  errorText: (key: ErrorKey) => string;
}

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
  files?: ComposerFiles;
  /** Keys that mean something else here; true: this one did. */
  keys?: (e: KeyboardEvent) => boolean;
  /** Enter makes a line, and Ctrl+Enter sends. */
  ctrlSends?: boolean;
  /** More attributes of the field. */
  field?: Record<string, string | undefined>;
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
  files,
  keys,
  ctrlSends,
  field: more,
}: ComposerProps) {
  const form = useRef<HTMLFormElement>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const typing = useTyping(onTyping);
  const size = sizeOf(value);
  const tooLong = size > MAX_TEXT;
  const pick = usePick(form, disabled ? undefined : files?.tray, () => files!.max());
  const some = files?.tray.some ?? false;
  const [speaking, setSpeaking] = useState(false);
  const ready = !disabled && !tooLong && (value.trim() !== '' || some);

  // under fingers it takes the place of the other button while there is nothing to send
  const voice = files && canRecord() && (value === '' || speaking) && !some && (
    <Voice
      disabled={disabled}
      onBusy={setSpeaking}
      onDone={(spoken) => files.tray.send(files.send, files.tray.give(spoken))}
    />
  );

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
    if (value.trim() !== '') onSend(unpadded(value));
    files?.tray.send(files.send);
    field.current?.focus();
  };

  const onKey = (e: KeyboardEvent) => {
    if (keys?.(e)) e.preventDefault();
    else if (ctrlSends ? isLine(e) : isSend(e)) {
      e.preventDefault();
      send();
    } else if (!ctrlSends && isLine(e)) {
      e.preventDefault();
      const el = field.current!;
      el.setRangeText('\n', el.selectionStart, el.selectionEnd, 'end');
      onValue(el.value);
    }
  };

  return (
    <form
      ref={form}
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
      {files && <TraySlot {...files} />}
      {pick.over && (
        <div class="k-drop">
          <p>{t('dropHere')}</p>
        </div>
      )}
      {files && !speaking && <Choose disabled={disabled} onFiles={pick.add} />}
      <textarea
        ref={field}
        hidden={speaking}
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
        onPaste={pick.onPaste}
        onKeyDown={onKey}
        {...more}
      />
      {voice}
      <div class="k-composer-side" hidden={speaking || (!!voice && !hasKeyboard())}>
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

/** Nothing until a file was given. */
function TraySlot(files: ComposerFiles) {
  const some = files.tray.items.value.length > 0;
  const Tray = usePart(trayPart, some);
  if (!some) return null;
  return Tray ? <Tray {...files} /> : <PartFailed part={trayPart} />;
}

/** Buttons that open the browser's choice of files; for fingers one more, for the camera and its pictures. */
function Choose({ disabled, onFiles }: { disabled?: boolean; onFiles: (files: Iterable<File>) => void }) {
  const input = useRef<HTMLInputElement>(null);
  const choose = (accept: string) => {
    input.current!.accept = accept;
    input.current!.click();
  };
  return (
    <div class="k-composer-side">
      <input
        ref={input}
        type="file"
        multiple
        hidden
        disabled={disabled}
        onChange={(e) => {
          onFiles([...(e.currentTarget.files ?? [])]);
          // the same one may be chosen again
          e.currentTarget.value = '';
        }}
      />
      <IconButton icon={icon.attach} label={t('attach')} disabled={disabled} onClick={() => choose('')} />
      {!hasKeyboard() && (
        <IconButton icon={icon.photo} label={t('photo')} disabled={disabled} onClick={() => choose('image/*')} />
      )}
    </div>
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
