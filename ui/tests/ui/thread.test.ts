import { beforeEach, describe, expect, it } from 'vitest';
import { lang } from '../../src/i18n/core';
import { when } from '../../src/i18n/wait';
import type { Message } from '../../src/model';
import { initials } from '../../src/ui/Avatar';
import { accentTokens } from '../../src/ui/contrast';
import { lastWhere, layOut } from '../../src/ui/group';
import { isComposing, isLine, isSend } from '../../src/ui/keys';
import { clock, day, duration, full, relative } from '../../src/ui/time';

const key = (over: Partial<KeyboardEvent>) =>
  ({
    key: 'Enter',
    keyCode: 13,
    isComposing: false,
    ctrlKey: false,
    metaKey: false,
    shiftKey: false,
    altKey: false,
    ...over,
  }) as KeyboardEvent;

describe('Enter', () => {
  it('sends alone, makes a line with Shift or Ctrl', () => {
    expect(isSend(key({}))).toBe(true);
    expect(isSend(key({ shiftKey: true }))).toBe(false);
    expect(isSend(key({ ctrlKey: true }))).toBe(false);
    expect(isLine(key({ ctrlKey: true }))).toBe(true);
    expect(isLine(key({}))).toBe(false);
  });

  it('belongs to the input method while it composes', () => {
    expect(isSend(key({ isComposing: true }))).toBe(false);
    // Safari: the composition has ended, the key code still shows it.
    expect(isSend(key({ keyCode: 229 }))).toBe(false);
    expect(isLine(key({ ctrlKey: true, isComposing: true }))).toBe(false);
    expect(isComposing(key({ key: 'Process', keyCode: 229 }))).toBe(true);
  });
});

let nextId = 0;
const T = new Date(2026, 10, 20, 10, 0, 0).getTime();
const message = (over: Partial<Message>): Message => ({
  id: `m${nextId++}`,
  seq: nextId,
  at: T,
  side: 'visitor',
  mine: false,
  kind: 'text',
  text: 'x',
  missingBefore: false,
  unordered: false,
  canRecall: () => false,
  ...over,
});
const kinds = (messages: Message[], unread?: string) =>
  layOut(messages, unread).map((row) => (row.kind === 'group' ? `group ${row.messages.length}` : row.kind));

describe('layout of a thread', () => {
  it('groups one sender within a minute', () => {
    expect(kinds([message({}), message({ at: T + 59_000 }), message({ at: T + 61_000 })])).toEqual([
      'day',
      'group 2',
      'group 1',
    ]);
  });

  it('never joins sides, people, notes, forms, gaps, or past a failure', () => {
    const li = { user: 'li', name: 'Li', kid: '1' };
    const wang = { user: 'wang', name: 'Wang', kid: '2' };
    const cases: [Partial<Message>, Partial<Message>][] = [
      [{ side: 'visitor' }, { side: 'agent', author: li }],
      [
        { side: 'agent', author: li },
        { side: 'agent', author: wang },
      ],
      [
        { side: 'agent', author: li },
        { side: 'agent', author: li, kind: 'note' },
      ],
      [{ kind: 'form' }, {}],
      [{}, { missingBefore: true }],
      [
        { mine: true, state: 'failed' },
        { mine: true, state: 'queued' },
      ],
    ];
    for (const [a, b] of cases) expect(kinds([message(a), message(b)])).toEqual(['day', 'group 1', 'group 1']);
  });

  it('puts days, events and the line of what is new between groups', () => {
    const fresh = message({ at: T + 86_400_000 });
    const event = message({ kind: 'event', side: 'system', event: { t: 'open' } });
    expect(kinds([message({}), event, message({}), fresh], fresh.id)).toEqual([
      'day',
      'group 1',
      'event',
      'group 1',
      'day',
      'unread',
      'group 1',
    ]);
  });

  it('has one key a row', () => {
    // Clocks may go back: the same day can come twice.
    const rows = layOut([message({}), message({ at: T + 86_400_000 }), message({})]);
    expect(new Set(rows.map((row) => row.key)).size).toBe(rows.length);
  });

  it('finds the last that fits', () => {
    expect(lastWhere([1, 2, 3, 4], (n) => n % 2 === 1)).toBe(3);
    expect(lastWhere([], () => true)).toBeUndefined();
  });
});

describe('times', () => {
  beforeEach(() => {
    lang.value = 'zh-CN';
  });

  it('are said as people say them', () => {
    expect(relative(T, T + 30_000)).toBe('刚刚');
    expect(relative(T + 5_000, T)).toBe('刚刚');
    expect(relative(T, T + 5 * 60_000)).toBe('5 分钟前');
    expect(relative(T, T + 3 * 3_600_000)).toBe('3 小时前');
    expect(relative(T, T + 86_400_000)).toBe('昨天');
    expect(relative(T, T + 3 * 86_400_000)).toBe('11/20');
    lang.value = 'en';
    expect(relative(T, T + 5 * 60_000)).toBe('5 min ago');
  });

  it('name days by the calendar, not by 24 hours', () => {
    const lateEvening = new Date(2026, 10, 20, 23, 50).getTime();
    const justAfter = new Date(2026, 10, 21, 0, 10).getTime();
    expect(day(lateEvening, justAfter)).toBe('昨天');
    expect(day(T, T)).toBe('今天');
    expect(day(new Date(2025, 0, 5).getTime(), T)).toBe('2025年1月5日');
  });

  it('after midnight begin with 00, in both languages', () => {
    const at = new Date(2026, 10, 21, 0, 5).getTime();
    for (const language of ['zh-CN', 'en'] as const) {
      lang.value = language;
      expect(clock(at)).toBe('00:05');
      expect(full(at)).toMatch(/\b00:05$/);
      expect(when(at, at - 2 * 3_600_000)).toContain('00:05');
    }
  });

  it('count down in whole seconds, never below zero', () => {
    expect(duration(61_000)).toBe('1:01');
    expect(duration(-5)).toBe('0:00');
  });
});

describe('looks', () => {
  it('takes letters that tell people apart', () => {
    expect(initials('张小明')).toBe('小明');
    expect(initials('Li Wei')).toBe('LW');
    expect(initials('kefu')).toBe('KE');
    expect(initials('')).toBe('');
  });

  it('makes any colour of a site readable and refuses what is none', () => {
    expect(accentTokens('url(https://evil.example)', false)).toBeNull();
    expect(accentTokens('#ffe14d', false)!['--k-on-accent']).toBe('#111820');
    expect(accentTokens('#003366', true)!['--k-on-accent']).toBe('#fff');
    expect(accentTokens('#ffe14d', false)!['--k-accent-text']).not.toBe('rgb(255 225 77)');
  });
});
