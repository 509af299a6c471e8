/** Filters, orders, links, the palette's search: the rules behind the list. */
import { describe, expect, test } from 'vitest';
import { unansweredSince } from '../../src/client/list';
import type { ConvItem, Message } from '../../src/model';
import { NO_FILTER, shownIn, dueAt, targetOf, waitsSince } from '../../src/console/filters';
import { fuzzy, ranked } from '../../src/console/fuzzy';
import { snoozeUntil } from '../../src/console/handling';
import { idIn } from '../../src/console/route';
import { browserViews } from '../../src/console/views';

const item = (id: string, conv: Partial<ConvItem['conv']> = {}, more: Partial<ConvItem> = {}): ConvItem => ({
  id,
  conv: {
    id,
    site: 'web',
    team: 'svc',
    owner: 'agent:li',
    state: 'open',
    ed: '',
    x: '',
    last: 9,
    epoch: 0,
    created: 0,
    last_at: 0,
    visitor: { delivered: 0, read: 0 },
    agent: { delivered: 0, read: 0 },
    ...conv,
  },
  tabs: { mine: true, queue: false, missed: false, all: true },
  name: id,
  last: null,
  unread: 0,
  waitingSince: null,
  lastAt: 0,
  ownerName: '',
  handed: null,
  ...more,
});
const ids = (items: readonly ConvItem[]): string => items.map((one) => one.id).join(' ');

describe('filters', () => {
  const all = [
    item('a', { tags: ['vip'], priority: 'high' }, { unanswered: 500 }),
    item('b', { snoozed: 9_000 }, { unanswered: 100 }),
    item('c', { site: 'shop', tags: ['refund', 'vip'] }, { unanswered: 200 }),
    item('d', { state: 'closed', owner: 'none' }, { tabs: { mine: false, queue: false, missed: false, all: true } }),
    item('e', { priority: 'urgent' }),
  ];
  test('what is put aside is out of the way until it is asked for', () => {
    expect(ids(shownIn(all, 'mine', NO_FILTER, 'auto'))).toBe('a c e');
    expect(ids(shownIn(all, 'mine', { ...NO_FILTER, states: ['snoozed'] }, 'auto'))).toBe('b');
    expect(ids(shownIn(all, 'all', { ...NO_FILTER, states: ['closed', 'snoozed'] }, 'auto'))).toBe('b d');
    expect(waitsSince(all[1]!)).toBeNull();
  });
  test('kinds are combined, values of one kind are alternatives', () => {
    expect(ids(shownIn(all, 'mine', { ...NO_FILTER, tags: ['vip'] }, 'auto'))).toBe('a c');
    expect(ids(shownIn(all, 'mine', { ...NO_FILTER, tags: ['vip'], sites: ['shop'] }, 'auto'))).toBe('c');
    expect(ids(shownIn(all, 'mine', { ...NO_FILTER, priorities: ['high', 'urgent'] }, 'auto'))).toBe('a e');
    expect(ids(shownIn(all, 'mine', { ...NO_FILTER, states: ['mywait'] }, 'auto'))).toBe('a c');
  });
  test('orders', () => {
    expect(ids(shownIn(all, 'mine', NO_FILTER, 'waiting'))).toBe('c a e');
    expect(ids(shownIn(all, 'mine', NO_FILTER, 'priority'))).toBe('e a c');
  });
  test('the first answer has another target than the next ones', () => {
    const labels = { tags: [], reasons: [], targets: { svc: { first: 60, next: 120 } } };
    expect(targetOf(item('x', {}, { unmet: true }), labels)).toBe(60_000);
    expect(targetOf(item('x', {}, { unmet: false }), labels)).toBe(120_000);
    expect(targetOf(item('x', { team: 'other' }), labels)).toBeNull();
  });
  test('only hours of the team count against its target', () => {
    const times: [number, number][] = [
      [0, 100_000],
      [500_000, 540_000],
      [900_000, 1_000_000],
    ];
    const labels = { tags: [], reasons: [], targets: { svc: { first: 60 } }, hours: [{ teams: ['svc'], times }] };
    const due = (since: number, team = 'svc') => dueAt(item('x', { team }, { unmet: true }), since, labels);
    expect(due(10_000)).toBe(70_000);
    expect(due(40_000)).toBe(100_000);
    // a part of it before the night, the rest the next morning, or in two
    expect(due(90_000)).toBe(910_000);
    expect(due(200_000)).toBe(920_000);
    expect(due(960_000)).toBe(Infinity);
    expect(due(200_000, 'other')).toBeNull();
    const always = { ...labels, targets: { other: { first: 60 } } };
    expect(dueAt(item('x', { team: 'other' }, { unmet: true }), 200_000, always)).toBe(260_000);
  });
});

describe('who waits since when', () => {
  const say = (side: Message['side'], at: number): Message => ({
    id: `m${at}`,
    seq: at,
    at,
    side,
    mine: false,
    kind: 'text',
    text: 'x',
    missingBefore: false,
    unordered: false,
    canRecall: () => false,
  });
  const event = (at: number, e: Message['event']): Message => ({ ...say('system', at), kind: 'event', event: e });
  test('since the first word after the last answer of a person', () => {
    expect(unansweredSince([say('visitor', 1), say('agent', 2), say('visitor', 3), say('visitor', 4)])).toBe(3);
    expect(unansweredSince([say('visitor', 1), say('agent', 2)])).toBeNull();
    expect(unansweredSince([say('visitor', 1), event(2, { t: 'closed', by: 'li' })])).toBeNull();
  });
  test('not while the robot answered, but from the hand-over on', () => {
    const owner = event(5, { t: 'owner', owner: 'queue', team: 'svc', why: 'handoff' });
    expect(unansweredSince([say('visitor', 1), say('robot', 2), say('visitor', 3), owner])).toBe(5);
  });
});

test('a link names a conversation and nothing else', () => {
  expect(idIn(`#/c/${'0a'.repeat(16)}`)).toBe('0a'.repeat(16));
  for (const bad of ['', '#', '#/c/', '#/c/xyz', `#/c/${'0a'.repeat(17)}`, `#/d/${'0a'.repeat(16)}`])
    expect(idIn(bad)).toBeNull();
});

test('a search by a few letters: what was typed, beginnings of words, letters in their order', () => {
  expect(fuzzy('zzz', 'Close conversation')).toBeNull();
  expect(ranked('cl', ['Recall', 'Close conversation', 'Transfer'], (s) => s, 9)).toEqual([
    'Close conversation',
    'Recall',
  ]);
  expect(ranked('发票', ['开具发票', '发票怎么开'], (s) => s, 9)).toEqual(['发票怎么开', '开具发票']);
  expect(ranked('ｖＩＰ', ['vip 客户'], (s) => s, 9)).toEqual(['vip 客户']);
  expect(ranked('', ['a', 'b', 'c'], (s) => s, 2)).toEqual(['a', 'b']);
});

test('snoozes end in the morning of a day that is still to come', () => {
  const monday = new Date(2026, 10, 30, 8).getTime();
  expect(new Date(snoozeUntil('tomorrow', monday)).toString()).toContain('Dec 01 2026 09:00');
  expect(new Date(snoozeUntil('monday', monday)).toString()).toContain('Dec 07 2026 09:00');
  const sunday = new Date(2026, 10, 29, 23).getTime();
  expect(new Date(snoozeUntil('monday', sunday)).toString()).toContain('Nov 30 2026 09:00');
  expect(snoozeUntil('hour', monday)).toBe(monday + 3_600_000);
});

test('views that this browser kept are read with care', () => {
  const kept = new Map<string, string>();
  Object.assign(globalThis, {
    localStorage: { getItem: (k: string) => kept.get(k) ?? null, setItem: (k: string, v: string) => kept.set(k, v) },
  });
  browserViews.save('li', [{ ...NO_FILTER, name: 'VIP', tab: 'all', sort: 'waiting', tags: ['vip'] }]);
  expect(browserViews.load('li')).toEqual([{ ...NO_FILTER, name: 'VIP', tab: 'all', sort: 'waiting', tags: ['vip'] }]);
  expect(browserViews.load('wang')).toEqual([]);
  kept.set(
    'kefu.console.views.li',
    '[{"name":"x","tab":"evil","states":["closed","evil"],"sort":7},{"name":""},null,5]',
  );
  expect(browserViews.load('li')).toEqual([{ ...NO_FILTER, name: 'x', tab: 'mine', sort: 'auto', states: ['closed'] }]);
  kept.set('kefu.console.views.li', '{');
  expect(browserViews.load('li')).toEqual([]);
});
