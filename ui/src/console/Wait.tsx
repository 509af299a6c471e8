/** How long a visitor has waited: in seconds at first, then in minutes; more prominent with age. */
import { useEffect } from 'preact/hooks';
import { t } from '../i18n/console';
import { signal } from '../signals';
import { duration } from '../ui/time';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
/** Longer waits are shown in minutes. */
const SECONDS_FOR = 10 * MINUTE;
const HOUR = 60 * MINUTE;
/** From here on a wait is long, and then too long. */
const LONG = MINUTE;
const TOO_LONG = 5 * MINUTE;

/** One clock for all lines, and only while there are any. */
const second = signal(Date.now());
let readers = 0;
let timer: ReturnType<typeof setInterval> | undefined;

function useSecond(): number {
  useEffect(() => {
    if (readers++ === 0) timer = setInterval(() => (second.value = Date.now()), SECOND);
    return () => {
      if (--readers === 0) clearInterval(timer);
    };
  }, []);
  return Math.max(second.value, Date.now());
}

export function waitText(ms: number): string {
  if (ms < SECONDS_FOR) return t('waiting', { time: duration(ms) });
  return ms < HOUR
    ? t('waitingMinutes', { n: Math.floor(ms / MINUTE) })
    : t('waitingHours', { n: Math.floor(ms / HOUR) });
}

export const waitClass = (ms: number): string =>
  ms < LONG ? 'c-wait' : ms < TOO_LONG ? 'c-wait c-wait-long' : 'c-wait c-wait-too-long';

/** `due`: when the answer is late by what the team means to do, ms: coloured only then; null: it has not said. */
export function Wait({ since, due }: { since: number; due: number | null }) {
  const now = useSecond();
  const ms = now - since;
  const over = due !== null && now >= due;
  return (
    <span class={due === null ? waitClass(ms) : over ? 'c-wait c-wait-too-long' : 'c-wait'}>
      {waitText(ms)}
      {over && <span class="k-sr"> {t('overTarget')}</span>}
    </span>
  );
}
