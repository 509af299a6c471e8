/** Records a voice message: press and hold, or press once to begin and again to send. While it records it takes the place of the field. */
import { useEffect, useRef } from 'preact/hooks';
import { LONGEST } from '../files/microphone';
import type { Recording } from '../files/recorder';
import { secondsText } from '../files/seconds';
import { t } from '../i18n/shared';
import type { Picked } from '../model';
import { makePart } from '../part';
import { IconButton } from './Button';
import { Icon } from './Icon';
import { useSignal } from './signals';
import * as icon from './icons';

const recorder = makePart(() => import('../files/recorder'));

/** Who lets go later than this meant to hold, ms. */
const HELD_MS = 600;

interface VoiceProps {
  disabled?: boolean;
  onDone: (voice: Picked) => void;
  /** It begins or ends. */
  onBusy: (busy: boolean) => void;
}

export function Voice({ disabled, onDone, onBusy }: VoiceProps) {
  const recording = useRef<Recording | null>(null);
  const state = useSignal<'idle' | 'asking' | 'recording' | 'refused' | 'missing'>('idle');
  const secs = useSignal(0);
  const pressed = useRef(0);
  /** Each try has its own: one that was given up while the browser asked ends at once. */
  const turn = useRef(0);

  const quiet = (): void => {
    turn.current++;
    recording.current = null;
    state.value = 'idle';
    onBusy(false);
  };
  const cancel = (): void => {
    recording.current?.cancel();
    quiet();
  };
  const finish = async (): Promise<void> => {
    const done = recording.current?.end();
    quiet();
    const voice = await done;
    if (voice) onDone(voice);
  };
  const begin = async (): Promise<void> => {
    if (state.value === 'asking' || state.value === 'recording') return;
    const mine = ++turn.current;
    state.value = 'asking';
    try {
      const { record } = await recorder.fetch();
      if (turn.current !== mine) return;
      const made = await record(t('voice'));
      if (turn.current !== mine) return made.cancel();
      recording.current = made;
      secs.value = 0;
      state.value = 'recording';
      onBusy(true);
    } catch {
      if (turn.current === mine) state.value = recorder.here.value ? 'refused' : 'missing';
    }
  };

  useEffect(() => {
    const timer = setInterval(() => {
      if (!recording.current) return;
      secs.value = Math.floor((Date.now() - recording.current.since) / 1_000);
      if (secs.value >= LONGEST) void finish();
    }, 250);
    return () => {
      clearInterval(timer);
      turn.current++;
      recording.current?.cancel();
    };
  }, []);

  if (state.value === 'recording') {
    return (
      <div class="k-voice" onKeyDown={(e) => e.key === 'Escape' && (e.preventDefault(), e.stopPropagation(), cancel())}>
        <span class="k-dot-live" aria-hidden="true" />
        <span class="k-grow" role="timer">
          {t('recording')} {secondsText(secs.value)}
        </span>
        <button type="button" class="k-link" onClick={cancel}>
          {t('cancel')}
        </button>
        <button
          type="button"
          class="k-send"
          ref={(button) => button?.focus()}
          aria-label={t('sendVoice')}
          title={t('sendVoice')}
          onClick={() => void finish()}
        >
          <Icon d={icon.send} />
        </button>
      </div>
    );
  }
  return (
    <>
      <IconButton
        icon={icon.microphone}
        label={t('record')}
        disabled={disabled}
        aria-busy={state.value === 'asking'}
        onPointerDown={(e) => {
          if (e.button !== 0 || disabled) return;
          pressed.current = Date.now();
          void begin();
          // let go anywhere
          const up = (): void => {
            for (const name of ['pointerup', 'pointercancel']) removeEventListener(name, up, true);
            if (recording.current && Date.now() - pressed.current > HELD_MS) void finish();
          };
          for (const name of ['pointerup', 'pointercancel']) addEventListener(name, up, true);
        }}
        // by keys
        onClick={(e) => e.detail === 0 && void begin()}
      />
      {(state.value === 'refused' || state.value === 'missing') && (
        <p class="k-error k-wide" role="alert">
          {t(state.value === 'missing' ? 'partFailed' : 'noMicrophone')}
        </p>
      )}
    </>
  );
}
