import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { lang, localised } from '../../src/i18n/core';
import type { FormField, Message, Thread, VisitorClient } from '../../src/model';
import { signal } from '../../src/signals';
import { announce } from '../../src/widget/announce';
import { makeApi, publish, running, type KefuApi } from '../../src/widget/api';
import { missed, wordsFirst } from '../../src/widget/Chat';
import { offerPanel, takePanel, type StartPanel } from '../../src/widget/contract';
import { eventText } from '../../src/widget/events';
import { ownTag, readSettings } from '../../src/widget/settings';
import { check } from '../../src/widget/StartForm';

beforeEach(() => {
  lang.value = 'en';
});

describe('the script tag', () => {
  const script = (src: string, dataset: Record<string, string>) => ({ src, dataset }) as unknown as HTMLScriptElement;
  beforeEach(() => {
    vi.stubGlobal('window', {});
    vi.stubGlobal('location', { href: 'https://shop.example/page', hash: '' });
    vi.stubGlobal('navigator', { languages: ['fr', 'zh-TW'], language: 'fr' });
  });
  afterEach(() => vi.unstubAllGlobals());

  it('names the server by its own address', () => {
    const read = readSettings(script('https://kefu.bank.cn/w/1.0.0/kefu.js', { site: 's1', org: 'k1-ab' }));
    expect(read).toMatchObject({
      server: 'https://kefu.bank.cn',
      widget: '1.0.0',
      site: 's1',
      org: 'k1-ab',
      lang: 'zh-CN',
      position: 'right',
    });
  });

  it('prefers its own language and refuses to run without a site', () => {
    expect(readSettings(script('https://k.example/w.js', { site: 's', lang: 'en' }))?.lang).toBe('en');
    const said = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    expect(readSettings(script('https://k.example/w.js', {}))).toBeNull();
    expect(readSettings(null)).toBeNull();
    expect(said.mock.calls.map(([text]) => String(text))).toEqual([
      expect.stringContaining('cannot find the site'),
      expect.stringContaining('cannot find its own script tag'),
    ]);
    said.mockRestore();
  });

  it('may say all of it in its address, where a tag manager leaves nothing else', () => {
    const read = readSettings(
      script('https://kefu.bank.cn/w/1.0.0/kefu.js?site=web&lang=en#org=k1-ab&position=left', {}),
    );
    expect(read).toMatchObject({
      server: 'https://kefu.bank.cn',
      widget: '1.0.0',
      site: 'web',
      org: 'k1-ab',
      lang: 'en',
      position: 'left',
    });
  });

  it('comes before window.kefuSettings, which stand in for it, and whose place an element cannot take', () => {
    vi.stubGlobal('window', { kefuSettings: { site: 'other', org: 'k1-other', color: '#123456' } });
    expect(readSettings(script('https://k.example/w/1/kefu.js', { site: 'web', org: 'k1-ab' }))).toMatchObject({
      site: 'web',
      org: 'k1-ab',
      color: '#123456',
    });
    vi.stubGlobal('window', { kefuSettings: { server: 'https://k.example', site: 'web', org: 7 } });
    expect(readSettings(null)).toMatchObject({
      server: 'https://k.example',
      site: 'web',
      org: undefined,
      widget: undefined,
    });
    // elements by id are found on the window's prototype
    vi.stubGlobal('window', Object.create({ kefuSettings: { org: 'k1-wrong' } }));
    expect(readSettings(script('https://k.example/w/1/kefu.js', { site: 'web' }))?.org).toBeUndefined();
  });

  it('is found when the browser does not name it, or names an image', () => {
    const tag = script('https://k.example/w/1/kefu.js', { site: 'web' });
    for (const currentScript of [null, { localName: 'img' }]) {
      vi.stubGlobal('document', {
        currentScript,
        querySelector: (selector: string) => (selector.startsWith('script[src*="/w/"]') ? tag : null),
      });
      expect(ownTag()).toBe(tag);
    }
    vi.stubGlobal('document', { currentScript: { localName: 'script' } });
    expect(ownTag()).toEqual({ localName: 'script' });
  });
});

describe('when the panel is loaded', () => {
  const address = 'https://k.example/w/1/kefu.js';
  const how = (dataset: { load?: string }) =>
    readSettings({ src: address, dataset: { site: 'web', ...dataset } } as unknown as HTMLScriptElement)?.load;
  beforeEach(() => {
    vi.stubGlobal('window', {});
    vi.stubGlobal('location', { href: 'https://shop.example/page', hash: '' });
    vi.stubGlobal('navigator', { languages: ['en'], language: 'en' });
  });
  afterEach(() => vi.unstubAllGlobals());

  it('is what the snippet says, and when the page is idle without that', () => {
    expect([{}, { load: 'intent' }, { load: 'idle' }, { load: 'now' }, { load: 'never' }].map(how)).toEqual([
      'idle',
      'intent',
      'idle',
      'now',
      'idle',
    ]);
  });
});

describe('what the panel leaves for the launcher', () => {
  beforeEach(() => vi.stubGlobal('window', {}));
  afterEach(() => vi.unstubAllGlobals());

  it('is taken once', () => {
    const start: StartPanel = () => ({
      frameOpened: () => undefined,
      asked: () => undefined,
      reset: async () => undefined,
    });
    expect(takePanel()).toBeNull();
    offerPanel(start);
    expect([takePanel(), takePanel()]).toEqual([start, null]);
  });
});

describe('the name in the page', () => {
  const api = { toggle() {} } as KefuApi;
  afterEach(() => vi.unstubAllGlobals());
  const page = (own: object, inherited: object = {}, element: object | null = null): Record<string, unknown> => {
    const window = Object.assign(Object.create(inherited) as object, own);
    vi.stubGlobal('window', window);
    vi.stubGlobal('document', { querySelector: () => element });
    return window as Record<string, unknown>;
  };

  it('is taken if it is free or an element has it', () => {
    for (const window of [page({}), page({}, { kefu: { localName: 'form' } }), page({ kefu: undefined })]) {
      vi.stubGlobal('window', window);
      expect(running()).toBe(false);
      publish(api);
      expect([window.kefu, window.kefuWidget, running()]).toEqual([api, api, true]);
    }
  });

  it('is left to the page that uses it, which is told', () => {
    const warned = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    const theirs = { toggle() {} };
    const window = page({ kefu: theirs });
    expect(running()).toBe(false);
    publish(api);
    expect([window.kefu, window.kefuWidget, running()]).toEqual([theirs, api, true]);
    const fixed = page(Object.defineProperty({}, 'other', { value: 1 }));
    Object.defineProperty(fixed, 'kefu', { value: undefined, writable: false });
    publish(api);
    expect([fixed.kefu, fixed.kefuWidget]).toEqual([undefined, api]);
    expect(warned).toHaveBeenCalledTimes(2);
    warned.mockRestore();
  });

  it('of a widget of 0.1, which made no mark, is known by its element', () => {
    page({ kefu: { toggle() {} } }, {}, {});
    expect(running()).toBe(true);
  });
});

describe('the form', () => {
  const field = (type: FormField['type'], required = false): FormField => ({ id: 'f', label: {}, type, required });

  it('asks for what is required and checks what is given', () => {
    expect(check(field('text', true), '  ')).not.toBe('');
    expect(check(field('text'), '')).toBe('');
    expect(check(field('email'), 'a@b')).not.toBe('');
    expect(check(field('email'), 'a@b.cn')).toBe('');
    expect(check(field('tel'), '+86 138-0000-0000')).toBe('');
    expect(check(field('tel'), 'call me')).not.toBe('');
  });

  it('falls back to the other language', () => {
    expect(localised({ zh: '名' })).toBe('名');
    expect(localised({ zh: '名', en: 'name' })).toBe('name');
    expect(localised(undefined)).toBe('');
  });
});

it('a conversation that nobody answered says so, until it ends in another way', () => {
  const e = (event: Message['event']) => ({ kind: 'event', event }) as Message;
  const unanswered = e({ t: 'closed', by: '@missed' });
  expect(eventText(unanswered)).toBe('Closed: nobody could answer in time');
  expect(missed([e({ t: 'open' }), unanswered])).toBe(true);
  expect(missed([unanswered, e({ t: 'reopened', by: 'visitor' }), e({ t: 'closed', by: 'li' })])).toBe(false);
  expect(missed([])).toBe(false);
  // what a colleague decided about it is inside business
  expect(eventText(e({ t: 'dismissed', by: 'li' }))).toBeNull();
});

describe('events for visitors', () => {
  const e = (event: Message['event']) => ({ kind: 'event', event }) as Message;

  it('tell who came and never what is inside business', () => {
    expect(eventText(e({ t: 'owner', owner: 'agent', user: 'li', name: 'Li', team: 't', why: 'accept' }))).toBe(
      'Li is here for you',
    );
    expect(eventText(e({ t: 'owner', owner: 'queue', team: 't', why: 'open' }))).toBeNull();
    expect(eventText(e({ t: 'owner', owner: 'queue', team: 't', why: 'lost' }))).not.toContain('lost');
    expect(eventText(e({ t: 'epoch', epoch: 0, bot: true }))).toContain('robot');
  });
});

describe('window.kefu', () => {
  function setup() {
    const messages = signal<readonly Message[]>([]);
    const synced = signal(false);
    const thread = signal<Thread | null>({ messages, synced } as unknown as Thread);
    const site = signal<unknown>(null);
    const unread = signal(0);
    let open = false;
    const { kefu: api, tell } = makeApi({
      isOpen: () => open,
      setOpen: (next) => (open = next),
      ask: () => undefined,
      reset: async () => undefined,
    });
    const load = () => announce({ thread, site, unread } as unknown as VisitorClient, tell);
    return { api, messages, synced, site, unread, load, isOpen: () => open };
  }
  const from = (side: Message['side'], seq: number, mine = false) =>
    ({ id: `${seq}`, seq, side, mine, kind: 'text', text: 'secret', at: 1 }) as Message;

  it('opens and closes', () => {
    const { api, isOpen } = setup();
    api.open();
    expect(isOpen()).toBe(true);
    api.toggle();
    expect(isOpen()).toBe(false);
    api.toggle();
    api.close();
    expect(isOpen()).toBe(false);
  });

  it('tells of new messages of the other side, once, and never their text', () => {
    const { api, messages, synced, load } = setup();
    const heard: unknown[] = [];
    api.on('message', (m) => heard.push(m));
    // what was asked for before the panel was there counts
    load();
    messages.value = [from('agent', 3)];
    synced.value = true;
    expect(heard).toEqual([]);
    messages.value = [...messages.value, from('visitor', 4, true)];
    expect(heard).toEqual([]);
    messages.value = [...messages.value, from('agent', 5)];
    messages.value = [...messages.value];
    expect(heard).toEqual([{ side: 'agent', at: 1 }]);
  });

  it('says how many are unread when that changes, not when the panel is loaded', () => {
    const { api, unread, load } = setup();
    const counts: number[] = [];
    api.on('unread', (n) => counts.push(n));
    load();
    unread.value = 1;
    unread.value = 0;
    expect(counts).toEqual([1, 0]);
  });

  it('says ready to those who come late, and lets one listener fail without the others', async () => {
    const { api, site, unread, load } = setup();
    load();
    const said = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const counts: number[] = [];
    api.on('unread', () => {
      throw new Error('page');
    });
    const off = api.on('unread', (n) => counts.push(n));
    site.value = {};
    const ready = vi.fn();
    api.on('ready', ready);
    await Promise.resolve();
    expect(ready).toHaveBeenCalledTimes(1);
    unread.value = 2;
    off();
    unread.value = 3;
    expect(counts).toEqual([2]);
    said.mockRestore();
  });
});

describe('who answers', () => {
  const row = (id: string, over: Partial<Message>) => ({ id, kind: 'event', ...over }) as Message;
  const accepted = row('li', { event: { t: 'owner', owner: 'agent', team: 't', why: 'accept', name: 'Li' } });
  const [opened, form] = [row('open', { event: { t: 'open' } }), row('form', { kind: 'form' })];
  const [first, second] = [row('first', { kind: 'text' }), row('second', { kind: 'text' })];
  const order = (...messages: Message[]) => wordsFirst(messages).map((m) => m.id);

  it('is named after the first words, however early they were found', () => {
    expect(order(opened, accepted, form, first, second)).toEqual(['open', 'form', 'first', 'li', 'second']);
    expect(order(opened, form, first, accepted, second)).toEqual(['open', 'form', 'first', 'li', 'second']);
    expect(order(opened, form, first, second, accepted)).toEqual(['open', 'form', 'first', 'second', 'li']);
  });

  it('is named where nothing was said', () => {
    expect(order(opened, accepted)).toEqual(['open', 'li']);
  });
});
