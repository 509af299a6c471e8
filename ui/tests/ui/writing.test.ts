/** What helps an agent write and read: drafts, colleagues named in notes, words found, events folded, messages changed. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Drafts } from '../../src/client/drafts';
import { keepDrafts } from '../../src/console/drafts';
import { findIn } from '../../src/console/Find';
import { foldEvents } from '../../src/console/fold';
import { fitting, mentionIn, named } from '../../src/console/replies/mentions';
import { createConsoleState } from '../../src/console/state';
import { begin, cancel, lastEditable, sendReply, writingIn } from '../../src/console/writing';
import { nativeBackend } from '../../src/crypto/native';
import type { AgentClient, AgentInfo, Message } from '../../src/model';
import { memoryStore } from '../../src/storage/store';

const message = (id: string, over: Partial<Message> = {}): Message => ({
  id,
  seq: 1,
  at: 0,
  side: 'visitor',
  mine: false,
  kind: 'text',
  text: id,
  missingBefore: false,
  unordered: false,
  canRecall: () => false,
  ...over,
});

describe('drafts', () => {
  const b = nativeBackend();

  it('come back sealed to their writer alone, and go when they sign out', async () => {
    const [store, own, other] = [memoryStore(), await b.newBoxKey(), await b.newBoxKey()];
    const drafts = new Drafts(b, store, 'a/li/', own);
    drafts.keep('reply c1', '写到一半的话');
    drafts.keep('note c2', 'x');
    drafts.keep('note c2', '');
    expect(await new Drafts(b, store, 'a/li/', own).load()).toEqual(new Map());
    await vi.waitFor(async () =>
      expect(await new Drafts(b, store, 'a/li/', own).load()).toEqual(new Map([['reply c1', '写到一半的话']])),
    );
    const kept = Buffer.concat((await store.list<{ ct: Uint8Array }>('')).map((row) => Buffer.from(row.value.ct)));
    expect(kept.includes('写到一半')).toBe(false);
    // moved to another conversation, it does not open
    const [row] = await store.list('a/li/draft/');
    await store.set('a/li/draft/reply c9', row!.value);
    expect([...(await drafts.load()).keys()]).toEqual(['reply c1']);
    expect(await new Drafts(b, store, 'a/li/', other).load()).toEqual(new Map());
    drafts.keep('reply c1', 'more');
    await drafts.forget();
    expect(await store.list('')).toEqual([]);
  });

  it('are kept as they change; a message that is being edited is none', async () => {
    vi.useFakeTimers();
    vi.stubGlobal('addEventListener', vi.fn());
    vi.stubGlobal('removeEventListener', vi.fn());
    const state = createConsoleState();
    const kept: [string, string][] = [];
    const drafts = {
      load: async () => new Map([['reply c1', 'from before']]),
      keep: (name: string, words: string) => void kept.push([name, words]),
    };
    const stop = keepDrafts(state, { drafts } as unknown as AgentClient);
    await vi.advanceTimersByTimeAsync(1_000);
    expect([state.draftOf('c1', 'reply'), kept]).toEqual(['from before', []]);
    begin(state, 'c1', 'edit', message('m', { text: 'sent' }));
    await vi.advanceTimersByTimeAsync(1_000);
    expect([state.draftOf('c1', 'reply'), kept]).toEqual(['sent', []]);
    cancel(state);
    state.setDraft('c1', 'reply', '');
    state.setDraft('c2', 'note', 'n');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(kept).toEqual([
      ['note c2', 'n'],
      ['reply c1', ''],
    ]);
    stop();
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });
});

describe('a message that is changed or quoted', () => {
  it('is sent as that, and what was being written comes back', async () => {
    const state = createConsoleState();
    const sent: unknown[] = [];
    const client = {
      send: async (...a: unknown[]) => void sent.push(['send', ...a]),
      edit: async (...a: unknown[]) => void sent.push(['edit', ...a]),
    } as unknown as AgentClient;
    state.setDraft('c1', 'reply', 'half');
    begin(state, 'c1', 'edit', message('m', { text: 'sent' }));
    expect([state.draftOf('c1', 'reply'), writingIn(state, 'c1')?.as, writingIn(state, 'c2')]).toEqual([
      'sent',
      'edit',
      null,
    ]);
    await sendReply(state, client, 'c1', 'better');
    expect(state.draftOf('c1', 'reply')).toBe('half');
    begin(state, 'c1', 'quote', message('q'));
    expect(state.draftOf('c1', 'reply')).toBe('half');
    await sendReply(state, client, 'c1', 'answer');
    await sendReply(state, client, 'c1', 'plain');
    begin(state, 'c1', 'edit', message('m', { text: 'same' }));
    await sendReply(state, client, 'c1', 'same');
    expect(sent).toEqual([
      ['edit', 'c1', 'm', 'better'],
      ['send', 'c1', 'answer', 'q'],
      ['send', 'c1', 'plain'],
    ]);
  });

  it('is the newest own one, while it can be changed', () => {
    const mine = message('m', { mine: true, canRecall: () => true });
    expect(lastEditable([message('a'), mine, message('b')])).toBe(mine);
    expect(lastEditable([mine, message('late', { mine: true })])).toBeNull();
    expect(lastEditable([])).toBeNull();
  });
});

describe('colleagues', () => {
  const people = [
    { user: 'wang', name: '王强' },
    { user: 'chen', name: 'Chen Siyuan' },
  ] as AgentInfo[];

  it('are named at the end of a note', () => {
    expect(['@', 'see @wa', '@王', 'a@b c', 'no', 'x @a\nb', `@${'x'.repeat(30)}`].map(mentionIn)).toEqual([
      '',
      'wa',
      '王',
      null,
      null,
      null,
      null,
    ]);
    expect(['', '王', 'CHEN', 'wa', 'zz'].map((q) => fitting(people, q).length)).toEqual([2, 1, 1, 1, 0]);
    expect(named(people, '请 @王强 看一下，@Chen 也可以')).toEqual(['wang']);
  });
});

describe('words', () => {
  it('are found in texts, notes and names of files, the newest first', () => {
    const all = [
      message('Refund please'),
      message('a note', { kind: 'note', text: '退款 REFUND' }),
      message('event', { kind: 'event', text: 'refund' }),
      message('f', { text: '', file: { name: 'refund.pdf', size: 1 } }),
      message('gone', { kind: 'recalled', text: '' }),
    ];
    expect(findIn(all, ' refund ').map((m) => m.id)).toEqual(['f', 'a note', 'Refund please']);
    expect([findIn(all, ''), findIn(all, '  '), findIn(all, 'nothing')]).toEqual([[], [], []]);
  });
});

describe('events', () => {
  const event = (id: string, over: Partial<Message> = {}) =>
    message(id, { kind: 'event', event: { t: 'closed', by: 'li' }, ...over });
  beforeEach(() => undefined);

  it('in a row are one line and the newest; what needs attention stays', () => {
    const row = ['a', 'b', 'c', 'd', 'e'].map((id) => event(id));
    const { messages, folds } = foldEvents([message('1'), ...row, message('2'), event('x'), event('y')], () => true);
    expect(messages.map((m) => m.id)).toEqual(['1', 'fa', 'e', '2', 'x', 'y']);
    expect(folds.get('fa')!.map((m) => m.id)).toEqual(['a', 'b', 'c', 'd']);
    const alarm = event('r', { event: { t: 'rewound' } });
    expect(foldEvents([...row.slice(0, 3), alarm, ...row.slice(3)], () => true).messages).toHaveLength(6);
    // what is not shown does not count
    expect(foldEvents(row, (m) => m.id === 'a').messages).toHaveLength(5);
  });
});
