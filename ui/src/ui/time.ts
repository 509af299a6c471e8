/** Times for people. `now` ticks twice a minute so that what is on screen stays true. */
import { lang } from '../i18n/core';
import { t } from '../i18n/shared';
import { signal } from '../signals';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

export const now = signal(Date.now());
let timer: ReturnType<typeof setInterval> | undefined;

/** Starts the tick of `now`; returns its end. */
export function startClock(every = 30_000): () => void {
  clearInterval(timer);
  now.value = Date.now();
  timer = setInterval(() => (now.value = Date.now()), every);
  return () => clearInterval(timer);
}

const formats = new Map<string, Intl.DateTimeFormat>();
function format(at: number, options: Intl.DateTimeFormatOptions): string {
  const key = lang.value + JSON.stringify(options);
  let f = formats.get(key);
  if (!f) formats.set(key, (f = new Intl.DateTimeFormat(lang.value, options)));
  return f.format(at);
}

/** Midnight before `at`, local time: equal for two moments of one day. */
export function dayOf(at: number): number {
  return new Date(at).setHours(0, 0, 0, 0);
}

function daysBetween(at: number, from: number): number {
  return Math.round((dayOf(from) - dayOf(at)) / (24 * HOUR));
}

/** `14:05`. */
export function clock(at: number): string {
  return format(at, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
}

/** `今天`, `昨天`, `11月20日`, with the year when it is another one. */
export function day(at: number, from = now.value): string {
  const days = daysBetween(at, from);
  if (days === 0) return t('today');
  if (days === 1) return t('yesterday');
  const sameYear = new Date(at).getFullYear() === new Date(from).getFullYear();
  return format(at, sameYear ? { month: 'long', day: 'numeric' } : { year: 'numeric', month: 'long', day: 'numeric' });
}

/** For lists: `刚刚`, `5 分钟前`, `3 小时前`, `昨天`, a date. A clock that is ahead counts as now. */
export function relative(at: number, from = now.value): string {
  const ago = from - at;
  if (ago < MINUTE) return t('justNow');
  if (ago < HOUR) return t('minutes', { n: Math.floor(ago / MINUTE) });
  const days = daysBetween(at, from);
  if (days === 0) return t('hours', { n: Math.floor(ago / HOUR) });
  if (days === 1) return t('yesterday');
  return format(at, { month: 'numeric', day: 'numeric' });
}

/** Everything, for titles and the visitor pane. */
export function full(at: number): string {
  return format(at, {
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
}

/** A moment of the next days: `12月1日周二 09:00`. */
export function soon(at: number): string {
  return format(at, {
    weekday: 'short',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
}

/** `4:05` of a waiting time or a countdown. */
export function duration(ms: number): string {
  const s = Math.max(0, Math.ceil(ms / 1000));
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, '0')}`;
}
