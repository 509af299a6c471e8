/** What the pages show of the robot, and what becomes of agents' corrections. */
import { readdirSync, readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { csvOf, examplesIn, feedbackIn } from '../../src/client/intent-feedback';
import { eventText as forAgents } from '../../src/console/events';
import { intentId, intentName, INTENTS } from '../../src/console/intents';
import { reasonText } from '../../src/console/reasons';
import { lang } from '../../src/i18n/core';
import type { Message, ThreadEvent } from '../../src/model';
import { layOut } from '../../src/ui/group';
import { eventText as forVisitors } from '../../src/widget/events';

beforeEach(() => {
  lang.value = 'en';
});

let seq = 0;
const m = (side: Message['side'], text: string, over: Partial<Message> = {}): Message => {
  seq++;
  return {
    id: `m${seq}`,
    seq,
    at: seq,
    side,
    mine: false,
    kind: 'text',
    text,
    missingBefore: false,
    unordered: false,
    canRecall: () => false,
    ...over,
  };
};
const event = (e: ThreadEvent): Message => m('system', '', { kind: 'event', event: e });
const fix = (of: Message, intent: string): Message =>
  m('agent', '', { kind: 'note', fix: { msg: of.id, intent }, author: { name: 'Li', kid: 'a' } });

describe('corrections', () => {
  const q1 = m('visitor', 'hello, "you"');
  const q2 = m('visitor', 'the shoes, too small');
  const late = m('visitor', 'and quickly');
  const a1 = m('robot', 'which?', { thought: { intent: 'size', p: 0.4, why: '', re: q2.id } });
  const a2 = m('robot', '', {
    kind: 'event',
    event: { t: 'handoff', why: 'unsure' },
    thought: { intent: null, p: 0, why: '', re: late.id },
  });

  it('have the words the robot answered, and the last judgement counts', () => {
    const all = [
      q1,
      q2,
      late,
      a1,
      a2,
      fix(a1, 'return'),
      fix(a2, 'urge'),
      fix(a1, 'exchange'),
      fix(m('robot', 'x'), 'nowhere'),
    ];
    expect(examplesIn(all)).toEqual([
      { text: 'hello, "you"\nthe shoes, too small', intent: 'exchange' },
      { text: 'and quickly', intent: 'urge' },
    ]);
    expect(feedbackIn(all).get(a1.id)).toMatchObject({ intent: 'exchange', by: 'Li' });
  });

  it('have the same words whichever message of a turn was judged', () => {
    const bye = m('robot', 'one moment', { thought: { intent: 'ask_person', p: 0.9, why: '', re: late.id } });
    expect(examplesIn([q1, q2, a1, late, bye, a2, fix(a2, 'complaint')])).toEqual([
      { text: 'and quickly', intent: 'complaint' },
    ]);
    expect(examplesIn([q1, q2, a1, late, bye, a2, fix(bye, 'complaint')])).toEqual([
      { text: 'and quickly', intent: 'complaint' },
    ]);
  });

  it('without a judgement, or without words, are none', () => {
    expect(examplesIn([q1, a1])).toEqual([]);
    expect(examplesIn([a1, fix(a1, 'return')])).toEqual([]);
  });

  it('are a CSV that keeps quotes and line breaks', () => {
    expect(csvOf([{ text: 'say "no"\nnow', intent: 'deny' }])).toBe('text,intent\r\n"say ""no""\nnow","deny"\r\n');
  });

  it('are no formulas for a spreadsheet; a guard more than a text has is taken off by reading', () => {
    const cells = ['=HYPERLINK("x")', '+86', '-1', '@a', '\tx', "'=1", "'quoted'", "it's = 1", '1=1'];
    const rows = csvOf(cells.map((text) => ({ text, intent: 'i' })))
      .split('\r\n')
      .slice(1, -1);
    expect(rows.map((r) => r.slice(1, -'","i"'.length))).toEqual([
      `'=HYPERLINK(""x"")`,
      "'+86",
      "'-1",
      "'@a",
      "'\tx",
      "''=1",
      "'quoted'",
      "it's = 1",
      '1=1',
    ]);
  });
});

describe('intents', () => {
  it('are those of models/intents, with their names', () => {
    const dir = new URL('../../../models/intents/', import.meta.url);
    const theirs = readdirSync(dir)
      .filter((f) => f.endsWith('.toml'))
      .map((f) => {
        const text = readFileSync(new URL(f, dir), 'utf8');
        const field = (k: string): string => new RegExp(`^${k} = "(.*)"$`, 'm').exec(text)![1]!;
        return [field('name'), [field('zh'), field('en')]] as const;
      });
    expect(INTENTS).toEqual(Object.fromEntries(theirs));
  });

  it('are found by name in either language; others keep what was typed', () => {
    expect(intentId('换货')).toBe('exchange');
    expect(intentId(' Exchange ')).toBe('exchange');
    expect(intentId('loyalty_points')).toBe('loyalty_points');
    expect(intentName('loyalty_points')).toBe('loyalty_points');
    expect(intentName('constructor')).toBe('constructor');
  });
});

describe('events', () => {
  const of = (e: ThreadEvent) => [forVisitors(event(e)), forAgents(event(e), (id) => id.toUpperCase(), 'V')];
  it('say why the robot goes', () => {
    expect(of({ t: 'handoff', why: 'unsure', team: 'vip' })).toEqual([null, 'Robot: not sure enough · proposes VIP']);
    expect(of({ t: 'handoff', why: 'of a newer version' })).toEqual([null, 'Robot: handed over']);
    expect(of({ t: 'owner', owner: 'queue', team: 'svc', why: 'person' })).toEqual([
      'Handed over to our people',
      'The visitor asked for a person; in the queue of SVC',
    ]);
    expect(of({ t: 'owner', owner: 'queue', team: 'svc', why: 'handoff' })).toEqual([
      'Handed over to our people',
      'The robot handed over; in the queue of SVC',
    ]);
  });
});

it('a form in which nothing was asked takes no room', () => {
  const rows = layOut([
    m('visitor', '', { kind: 'form', form: { fields: {} } }),
    m('visitor', '', { kind: 'form', form: { fields: { name: 'Wang' } } }),
  ]);
  expect(rows.filter((r) => r.kind === 'group')).toHaveLength(1);
});

describe('reasons', () => {
  const zh = <T>(fn: () => T): T => {
    lang.value = 'zh-CN';
    return fn();
  };
  it('are worded in the language of the page, with names and percents', () => {
    const rule = { code: 'rule', intent: 'exchange', p: 0.934, needs: 0.5, do: 'route' };
    expect(reasonText(rule)).toBe('Exchange has 93% (needs 50%); its rule is: route to a team');
    expect(zh(() => reasonText(rule))).toBe('“换货”的概率为 93%（需要 50%），规则是转到指定技能组');
    const failed = { code: 'failed', n: 2, because: { code: 'nothing' } };
    expect(zh(() => reasonText(failed))).toBe('什么也没有识别出来；此前 2 次也没能回答');
  });

  it('of older robots are words and stay as they are; of newer ones the code is better than nothing', () => {
    expect(zh(() => reasonText('people answer at this hour'))).toBe('people answer at this hour');
    expect(reasonText({ code: 'of_a_newer_version', x: 1 })).toBe('of_a_newer_version');
    for (const odd of [undefined, null, 3, [], {}]) expect(reasonText(odd)).toBe('');
    expect(reasonText({ code: 'constructor' })).toBe('constructor');
  });
});
