import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { lang } from '../../src/i18n/core';
import { keyOf } from '../../src/console/acts';
import { watchAttention } from '../../src/console/attention';
import { eventText } from '../../src/console/events';
import { fieldLabel } from '../../src/console/fields';
import { lengthOf } from '../../src/console/FirstLogin';
import { readable } from '../../src/ui/fingerprint';
import { handleKey } from '../../src/console/hotkeys';
import { dismissMissed } from '../../src/console/missed';
import { rightsOf } from '../../src/console/rights';
import { inTab, nameOf } from '../../src/console/conversations';
import { createConsoleState, type ConsoleState } from '../../src/console/state';
import { firstUnreadOf } from '../../src/console/ThreadPane';
import { candidates } from '../../src/console/TransferDialog';
import { isHandedToMe } from '../../src/console/Offers';
import { readersOf } from '../../src/console/VisitorPane';
import { waitClass, waitText } from '../../src/console/Wait';
import { askedAbout, isLate, putAside } from '../../src/console/Waiting';
import {
  ClientError,
  type AgentClient,
  type AgentInfo,
  type ConvItem,
  type Me,
  type Message,
  type Offer,
  type WaitingPerson,
} from '../../src/model';
import { signal, type Signal } from '../../src/signals';

const conv = (id: string, owner: string, over: Partial<ConvItem> = {}): ConvItem => ({
  id,
  conv: {
    id,
    site: 's',
    team: 't',
    owner,
    state: owner === 'none' ? 'closed' : 'open',
    ed: '',
    x: '',
    last: 1,
    epoch: 0,
    created: 0,
    last_at: 0,
    visitor: { delivered: 0, read: 0 },
    agent: { delivered: 0, read: 0 },
  },
  tabs: { mine: owner === 'agent:li', queue: owner === 'queue', missed: false, all: true },
  name: '',
  last: null,
  unread: 0,
  waitingSince: null,
  ownerName: '',
  handed: null,
  lastAt: 0,
  ...over,
});

function client(items: ConvItem[], role: Me['role'] = 'agent', offers: string[] = []): AgentClient {
  return {
    me: signal<Me>({ user: 'li', name: 'Li', role, teams: ['t'], state: 'online' }),
    conversations: signal(items),
    offers: signal(offers.map((id) => ({ conv: id, until: 0 }))),
  } as unknown as AgentClient;
}

const press = (c: AgentClient, over: Partial<KeyboardEvent>) =>
  handleKey(state, c, {
    key: '',
    code: '',
    keyCode: 0,
    altKey: false,
    ctrlKey: false,
    metaKey: false,
    shiftKey: false,
    isComposing: false,
    target: null,
    ...over,
  } as KeyboardEvent);

let state: ConsoleState;
beforeEach(() => {
  lang.value = 'en';
  state = createConsoleState();
});

// The console runs in a browser; here only its rules are tried.
class FakeElement {
  constructor(private readonly field: boolean) {}
  closest(): FakeElement | null {
    return this.field ? this : null;
  }
}
(globalThis as { Element?: unknown }).Element = FakeElement;

describe('missed conversations', () => {
  const missed = (id: string, at: number) => {
    const item = conv(id, 'none');
    return { ...item, conv: { ...item.conv, missed: at }, tabs: { ...item.tabs, missed: true } };
  };
  const items = [missed('a', 1), missed('b', 3), missed('c', 2), conv('d', 'none')];

  it('are listed with the last one on top, can be taken, put back and dismissed, and are no ordinary closed ones', () => {
    expect(inTab(items, 'missed').map((item) => item.id)).toEqual(['b', 'c', 'a']);
    const c = client(items);
    expect(rightsOf(c, items[0]!)).toMatchObject({ missed: true, canReopen: true, canReply: false });
    expect(rightsOf(c, items[3]!)).toMatchObject({ missed: false, canReopen: true });
    // opened again, the list of the server may still be on its way
    const open = { ...items[0]!, conv: { ...items[0]!.conv, state: 'open' as const, owner: 'queue' } };
    expect(rightsOf(c, open)).toMatchObject({ missed: false, canTake: true });
  });

  it('Alt+E dismisses one and goes on to the next, and stays where it is when the server refuses', async () => {
    const gone: string[] = [];
    const c = client(items);
    c.dismissMissed = async (id) => void gone.push(id);
    state.tab.value = 'missed';
    state.select('c');
    expect(press(c, { altKey: true, code: 'KeyE' })).toBe(true);
    await vi.waitFor(() => expect(state.selected.value).toBe('a'));
    c.dismissMissed = () => Promise.reject(new ClientError('error.network'));
    const said = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    await dismissMissed(state, c, 'a');
    expect([gone, state.selected.value, state.dialog.value]).toEqual([['c'], 'a', null]);
    expect(said).toHaveBeenCalledOnce();
    said.mockRestore();
  });

  it('say in the thread who decided what', () => {
    const said = (event: Message['event']) => eventText({ kind: 'event', event } as Message, (id) => id, 'Ann');
    expect(said({ t: 'closed', by: '@missed' })).toBe('Closed as missed: nobody answered in time');
    expect(said({ t: 'dismissed', by: 'li', name: 'Li Na' })).toBe(
      'Li Na decided that this missed conversation needs no answer',
    );
  });
});

describe('keys of the desk', () => {
  const c = client([conv('a', 'agent:li'), conv('b', 'agent:li'), conv('q', 'queue')]);

  it('move through the tab on screen and stop at its ends', () => {
    press(c, { altKey: true, code: 'KeyJ' });
    expect(state.selected.value).toBe('a');
    press(c, { altKey: true, code: 'KeyJ' });
    press(c, { altKey: true, code: 'KeyJ' });
    expect(state.selected.value).toBe('b');
    press(c, { altKey: true, code: 'KeyK' });
    expect(state.selected.value).toBe('a');
  });

  it('go by the physical key, whatever it types', () => {
    expect(press(c, { altKey: true, code: 'KeyJ', key: '∆' })).toBe(true);
    expect(press(c, { altKey: true, code: 'KeyX', key: 'j' })).toBe(false);
  });

  it('leave an input method, other modifiers and fields alone', () => {
    expect(press(c, { altKey: true, code: 'KeyJ', isComposing: true })).toBe(false);
    expect(press(c, { key: 'Escape', keyCode: 229 })).toBe(false);
    expect(press(c, { altKey: true, ctrlKey: true, code: 'KeyJ' })).toBe(false);
    expect(press(c, { key: '?', target: new FakeElement(true) as unknown as EventTarget })).toBe(false);
    expect(press(c, { key: '?', target: new FakeElement(false) as unknown as EventTarget })).toBe(true);
    expect(state.dialog.value).toBe('shortcuts');
  });

  it('switch to a note, ask before closing, and Esc goes back one step at a time', () => {
    state.select('a');
    press(c, { altKey: true, code: 'KeyP' });
    expect(state.mode.value).toBe('note');
    press(c, { altKey: true, code: 'KeyE' });
    expect(state.dialog.value).toBe('close');
    expect(press(c, { altKey: true, code: 'KeyJ' })).toBe(false);
    press(c, { key: 'Escape' });
    expect([state.dialog.value, state.selected.value]).toEqual([null, 'a']);
    press(c, { key: 'Escape' });
    expect(state.selected.value).toBeNull();
  });
});

describe('rights', () => {
  it('let only the owner reply', () => {
    expect(rightsOf(client([]), conv('a', 'agent:li'))).toMatchObject({
      canReply: true,
      canTake: false,
      canTransfer: true,
      canClose: true,
    });
    expect(rightsOf(client([]), conv('a', 'agent:wang'))).toMatchObject({
      canReply: false,
      canTake: false,
      canTransfer: false,
      canClose: false,
    });
    expect(rightsOf(client([]), conv('a', 'queue'))).toMatchObject({ canReply: false, canTake: true });
    expect(rightsOf(client([]), conv('a', 'robot'))).toMatchObject({ canReply: false, canTake: true });
  });

  it('let a supervisor take over', () => {
    expect(rightsOf(client([], 'supervisor'), conv('a', 'agent:wang'))).toMatchObject({
      canReply: false,
      canTake: true,
      canTransfer: true,
    });
  });

  it('leave of a closed conversation only reopening', () => {
    expect(rightsOf(client([], 'admin'), conv('a', 'none'))).toMatchObject({
      canReply: false,
      canTake: false,
      canTransfer: false,
      canClose: false,
      canReopen: true,
    });
  });

  it('know an offer', () => {
    expect(rightsOf(client([], 'agent', ['a']), conv('a', 'queue')).offered).toBe(true);
  });
});

describe('lists', () => {
  it('put the longest wait on top of the queue', () => {
    const items = [
      conv('new', 'queue', { waitingSince: 20 }),
      conv('old', 'queue', { waitingSince: 10 }),
      conv('a', 'agent:li'),
    ];
    expect(inTab(items, 'queue').map((i) => i.id)).toEqual(['old', 'new']);
    expect(inTab(items, 'all').map((i) => i.id)).toEqual(['new', 'old', 'a']);
  });

  it('name visitors who said no name', () => {
    expect(nameOf({ id: '3f2a99', name: ' ' })).toBe('Visitor 3f2a');
    expect(nameOf({ id: '3f2a99', name: '陈' })).toBe('陈');
  });

  it('offer the freest colleague first and never one who is away or has it', () => {
    const agent = (user: string, state: AgentInfo['state'], load: number, capacity = 8): AgentInfo => ({
      user,
      name: user,
      state,
      load,
      capacity,
      teams: [],
    });
    const all = [
      agent('busy', 'busy', 0),
      agent('full', 'online', 8),
      agent('free', 'online', 1),
      agent('away', 'offline', 0),
      agent('li', 'online', 0),
    ];
    expect(candidates(all, ['li']).map((a) => a.user)).toEqual(['free', 'full', 'busy']);
  });

  it('keep drafts apart, by conversation and by kind', () => {
    state.setDraft('a', 'reply', 'r');
    state.setDraft('a', 'note', 'n');
    expect([state.draftOf('a', 'reply'), state.draftOf('a', 'note'), state.draftOf('b', 'reply')]).toEqual([
      'r',
      'n',
      '',
    ]);
    state.setDraft('a', 'reply', '');
    expect([state.draftOf('a', 'reply'), state.draftOf('a', 'note')]).toEqual(['', 'n']);
  });
});

describe('words', () => {
  const team = (id: string) => id.toUpperCase();
  const e = (event: Message['event']) => ({ kind: 'event', event }) as Message;

  it('say what happened to a conversation', () => {
    const say = (m: Message) => eventText(m, team, 'Chen');
    expect(say(e({ t: 'owner', owner: 'queue', team: 'card', why: 'lost' }))).toContain('CARD');
    expect(say(e({ t: 'owner', owner: 'agent', user: 'li', name: 'Li', team: 'card', why: 'transfer' }))).toBe(
      'Transferred to Li',
    );
    expect(say(e({ t: 'owner', owner: 'none', team: 'card', why: 'closed' }))).toBeNull();
    expect(say(e({ t: 'closed', by: 'visitor' }))).toBe('Chen closed the conversation');
    expect(say(e({ t: 'epoch', epoch: 1, bot: false, botBefore: true }))).toContain('left');
    expect(say(e({ t: 'epoch', epoch: 0, bot: false }))).toBeNull();
  });

  it('mark where the reader left off, unless all is new; the form is no message', () => {
    const of = (id: string, kind: Message['kind'], mine = false) => ({ id, kind, mine }) as Message;
    const all = [
      e({ t: 'open' }),
      of('form', 'form'),
      of('a', 'text'),
      of('own', 'text', true),
      of('b', 'text'),
      of('gone', 'recalled'),
      of('c', 'text'),
    ];
    expect([0, 1, 2, 3].map((n) => firstUnreadOf(all, n))).toEqual([null, 'c', 'b', null]);
    expect(firstUnreadOf(all.slice(0, 3), 1)).toBeNull();
  });

  it('do not look a field up in what every object has', () => {
    expect(fieldLabel('constructor')).toBe('constructor');
    expect(fieldLabel('name')).toBe('Name');
  });

  it('count characters as people do and read fingerprints aloud', () => {
    expect(lengthOf('密码🙂')).toBe(3);
    expect(readable('k1-5b8c21f09e4d7a36c2e18f5470b9d3aa')).toBe('k1-5b8c 21f0 9e4d 7a36 c2e1 8f54 70b9 d3aa');
  });

  it('know the client’s errors, and call others the server’s', () => {
    expect(keyOf(new ClientError('error.conflict'))).toBe('error.conflict');
    expect(keyOf(new TypeError('x'))).toBe('error.server');
  });
});

describe('people who wait for confirmation', () => {
  const person = (user: string, until: number): WaitingPerson => ({
    user,
    name: user,
    teams: ['t'],
    at: 1,
    until,
    invitedBy: null,
  });
  const of = (role: Me['role']): AgentClient => ({
    ...client([], role),
    waiting: signal([person('late', Date.now() - 60_000), person('intime', Date.now() + 3_600_000)]),
  });

  it('are late when their invite ended, for everybody; only admins are asked about them', () => {
    for (const role of ['agent', 'supervisor', 'admin'] as const) {
      const c = of(role);
      expect([isLate(c, 'late'), isLate(c, 'intime'), isLate(c, 'nobody')]).toEqual([true, false, false]);
      expect(askedAbout(state, c).map((p) => p.user)).toEqual(role === 'admin' ? ['late'] : []);
    }
  });

  it('are left alone when an admin says so; a new enrolment of the same name is another question', () => {
    const c = of('admin');
    putAside(state, askedAbout(state, c)[0]!);
    expect(askedAbout(state, c)).toEqual([]);
    expect(isLate(c, 'late')).toBe(true);
    expect(askedAbout(state, { ...c, waiting: signal([person('late', Date.now() - 1_000_000)]) })).toHaveLength(1);
  });
});

describe('a wait', () => {
  it('is shown with seconds, then in minutes and hours, and louder with age', () => {
    lang.value = 'zh-CN';
    expect([5_000, 599_000, 600_000, 17 * 60_000 + 42_000, 2 * 3_600_000].map(waitText)).toEqual([
      '已等 0:05',
      '已等 9:59',
      '已等 10 分钟',
      '已等 17 分钟',
      '已等 2 小时',
    ]);
    expect([59_000, 60_000, 299_000, 300_000].map(waitClass)).toEqual([
      'c-wait',
      'c-wait c-wait-long',
      'c-wait c-wait-long',
      'c-wait c-wait-too-long',
    ]);
  });
});

describe('readers of a conversation', () => {
  it('are named, unless they are many', () => {
    lang.value = 'zh-CN';
    expect(readersOf([])).toBe('—');
    expect(readersOf(['a', 'b', 'c', 'd'])).toBe('a、b、c、d');
    expect(readersOf(Array.from({ length: 32 }, (_, i) => `p${i}`))).toMatch(/^p0.p1.p2 等 32 人$/);
  });
});

it('a card rings for what a colleague handed over, until it was opened', () => {
  const handed = { by: '王班长', reason: '' };
  expect(isHandedToMe(conv('a', 'agent:li', { handed, unread: 1 }))).toBe(true);
  expect(isHandedToMe(conv('a', 'agent:li', { handed }))).toBe(false);
  expect(isHandedToMe(conv('a', 'agent:li', { unread: 1 }))).toBe(false);
  expect(isHandedToMe(conv('a', 'agent:wu', { handed, unread: 1 }))).toBe(false);
});

it('Esc leaves the field before the conversation, and what is written in it stays', () => {
  vi.stubGlobal('document', { querySelector: () => null });
  state.select('a');
  state.setDraft('a', 'reply', 'half a sen');
  const blur = vi.fn();
  const field = Object.assign(new FakeElement(true), { blur }) as unknown as EventTarget;
  expect(press(client([conv('a', 'agent:li')]), { key: 'Escape', target: field })).toBe(true);
  expect([blur.mock.calls.length, state.selected.value]).toEqual([1, 'a']);
  press(client([conv('a', 'agent:li')]), { key: 'Escape' });
  expect([state.selected.value, state.draftOf('a', 'reply')]).toEqual([null, 'half a sen']);
  state.setDraft('a', 'reply', '');
});

describe('what calls an agent back', () => {
  const handedOn = (unread: number) => [conv('a', 'agent:li', { handed: { by: 'wu', reason: '' }, unread })];
  const notes: number[] = [];
  let start = 1_790_000_000_000;
  let stop: (() => void) | undefined;

  beforeEach(() => {
    // long after the sounds of the test before
    vi.useFakeTimers({ now: (start += 3_600_000) });
    notes.length = 0;
    const param = {
      setValueAtTime: () => undefined,
      linearRampToValueAtTime: () => undefined,
      exponentialRampToValueAtTime: () => undefined,
    };
    const node = { connect: (to: unknown) => to };
    class Sounds {
      currentTime = 0;
      createGain = () => ({ ...node, gain: param });
      createOscillator = () => ({
        ...node,
        frequency: { value: 0 },
        start: (at: number) => void notes.push(at),
        stop: () => undefined,
      });
    }
    vi.stubGlobal('AudioContext', Sounds);
    vi.stubGlobal('document', { title: '', querySelector: () => null });
    vi.stubGlobal('localStorage', { setItem: () => undefined });
    vi.stubGlobal('navigator', {});
  });
  afterEach(() => {
    stop?.();
    state.notices.set('sound', false);
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });

  /** At the desk, with what is there already. */
  function watched(items: ConvItem[]) {
    const c = { ...client(items), session: signal('signed-in') } as AgentClient & {
      conversations: Signal<ConvItem[]>;
      offers: Signal<Offer[]>;
    };
    stop = watchAttention(state, c);
    return c;
  }

  it('is a sound for what a colleague handed over, for an offer and for new words, if it is switched on', () => {
    state.notices.set('sound', true);
    const c = watched(handedOn(0));
    expect([notes.length, document.title]).toEqual([0, 'kefu · Agent console']);
    c.conversations.value = handedOn(1);
    expect([notes.length, document.title]).toEqual([2, '(1) kefu · Agent console']);
    vi.advanceTimersByTime(5_000);
    c.offers.value = [{ conv: 'b', until: 0 }];
    expect(notes.length).toBe(4);
    // what was read makes none
    vi.advanceTimersByTime(5_000);
    c.conversations.value = handedOn(0);
    expect([notes.length, document.title]).toEqual([4, '(1) kefu · Agent console']);
    // what comes together rings once
    c.conversations.value = handedOn(1);
    c.conversations.value = handedOn(2);
    expect(notes.length).toBe(6);
  });

  it('is no sound for what was there when the page came, nor while it is switched off', () => {
    state.notices.set('sound', true);
    const c = watched(handedOn(3));
    expect(notes).toEqual([]);
    state.notices.set('sound', false);
    vi.advanceTimersByTime(5_000);
    c.conversations.value = handedOn(4);
    expect([notes.length, document.title]).toEqual([0, '(4) kefu · Agent console']);
  });

  it('comes again until everything is answered, if that is wished', () => {
    state.notices.set('sound', true);
    state.notices.set('repeat', true);
    const c = watched(handedOn(0));
    c.conversations.value = handedOn(1);
    expect(notes.length).toBe(2);
    vi.advanceTimersByTime(25_000);
    expect(notes.length).toBe(6);
    c.conversations.value = handedOn(0);
    vi.advanceTimersByTime(60_000);
    expect(notes.length).toBe(6);
    state.notices.set('repeat', false);
  });

  it('is no sound while the agent is not to be disturbed; the title counts on', () => {
    state.notices.set('sound', true);
    state.notices.set('quiet', true);
    const c = watched(handedOn(0));
    c.conversations.value = handedOn(2);
    expect([notes.length, document.title]).toEqual([0, '(2) kefu · Agent console']);
    state.notices.set('quiet', false);
    vi.advanceTimersByTime(5_000);
    c.conversations.value = handedOn(3);
    expect(notes.length).toBe(2);
  });

  it('has the tone that was chosen', () => {
    state.notices.set('sound', true);
    state.notices.setTone('knock');
    const c = watched(handedOn(0));
    c.conversations.value = handedOn(1);
    expect(notes.length).toBe(3);
    state.notices.setTone('chime');
  });
});
