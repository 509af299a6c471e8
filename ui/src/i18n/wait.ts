/** What is said about a refusal that time mends: of what it is too much, what happens then, and when. */
import type { Wait } from '../model';
import { dayOf } from '../ui/time';
import { lang, translator, type Texts } from './core';

/** What becomes of what was refused: it is sent by itself, asked for again by itself, or a person must try again. */
export type Then = 'sent' | 'asked' | 'act';

const zh = {
  messages: '消息发得太快',
  openings: '从此网络发起的会话过多',
  changes: '操作过于频繁',
  keys: '更换密钥过于频繁',
  bytes: '今天可发送的内容已达上限',
  conversation: '此会话的内容已达上限',
  files: '可上传的文件已达上限',
  reads: '从此网络来的请求过多',
  blocked: '对方暂时不接收您的消息。',
  rate: '操作太快',
  storage: '服务器暂时无法保存消息',
  missing: '有消息没有收到',
  sent: '{why}。您写的内容已保留，{when}自动发送。',
  asked: '{why}，{when}自动重试。',
  act: '{why}，请{when}再试。',
  soon: '稍后',
  seconds: '{n} 秒后',
  minutes: '{n} 分钟后',
  today: '在 {time} ',
  tomorrow: '明天 {time} ',
  later: '{date} {time} ',
};

const en: Record<keyof typeof zh, string> = {
  messages: 'Too many messages in a short time',
  openings: 'Too many conversations were started from this network',
  changes: 'Too many changes in a short time',
  keys: 'Too many new keys in a short time',
  bytes: 'You have reached what one may send in a day',
  conversation: 'This conversation is full',
  files: 'You have reached what one may upload',
  reads: 'Too many requests from this network',
  blocked: 'Your messages are not accepted for now.',
  rate: 'Too fast',
  storage: "The service can't store messages at the moment",
  missing: 'Some messages did not arrive',
  sent: '{why}. What you wrote is kept here and sent {when}.',
  asked: '{why}; it is tried again {when}.',
  act: '{why}. Try again {when}.',
  soon: 'in a moment',
  seconds: 'in {n} second|in {n} seconds',
  minutes: 'in {n} minute|in {n} minutes',
  today: 'at {time}',
  tomorrow: 'tomorrow at {time}',
  later: 'on {date} at {time}',
};

export const waiting: Texts<keyof typeof zh> = { zh, en };
const t = translator(waiting);

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Seconds, minutes, the time of day; the day, too, if it is another one. */
export function when(until: number, now: number): string {
  const left = until - now;
  if (left <= 0) return t('soon');
  if (left < MINUTE) return t('seconds', { n: Math.ceil(left / 1000) });
  if (left < HOUR) return t('minutes', { n: Math.ceil(left / MINUTE) });
  const at = (o: Intl.DateTimeFormatOptions): string => new Intl.DateTimeFormat(lang.value, o).format(until);
  const time = at({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  const days = Math.round((dayOf(until) - dayOf(now)) / DAY);
  if (days === 0) return t('today', { time });
  return days === 1 ? t('tomorrow', { time }) : t('later', { date: at({ month: 'long', day: 'numeric' }), time });
}

export function waitText(wait: Wait, then: Then, now = Date.now()): string {
  return wait.why === 'blocked' ? t('blocked') : t(then, { why: t(wait.why), when: when(wait.until, now) });
}
