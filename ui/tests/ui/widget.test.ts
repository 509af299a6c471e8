import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { lang } from '../../src/i18n/core';
import type { FormField, Message, Thread, VisitorClient } from '../../src/model';
import { signal } from '../../src/signals';
import { makeApi } from '../../src/widget/api';
import { missed } from '../../src/widget/Chat';
import { eventText } from '../../src/widget/events';
import { readSettings } from '../../src/widget/settings';
import { check, localised } from '../../src/widget/StartForm';

beforeEach(() => {
  lang.value = 'en';
});

describe('the script tag', () => {
  const script = (src: string, dataset: Record<string, string>) => ({ src, dataset }) as unknown as HTMLScriptElement;
  beforeEach(() => {
    vi.stubGlobal('location', { href: 'https://shop.example/page' });
    vi.stubGlobal('navigator', { languages: ['fr', 'zh-TW'], language: 'fr' });
  });
  afterEach(() => vi.unstubAllGlobals());

  it('names the server by its own address', () => {
    const read = readSettings(script('https://kefu.bank.cn/w/1.0.0/kefu.js', { site: 's1', org: 'k1-ab' }));
    expect(read).toMatchObject({ server: 'https://kefu.bank.cn', widget: '1.0.0', site: 's1', org: 'k1-ab', lang: 'zh-CN', position: 'right' });
  });

  it('prefers its own language and refuses to run without a site', () => {
    expect(readSettings(script('https://k.example/w.js', { site: 's', lang: 'en' }))?.lang).toBe('en');
    const said = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    expect(readSettings(script('https://k.example/w.js', {}))).toBeNull();
    expect(readSettings(null)).toBeNull();
    expect(said).toHaveBeenCalledTimes(2);
    said.mockRestore();
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
    expect(eventText(e({ t: 'owner', owner: 'agent', user: 'li', name: 'Li', team: 't', why: 'accept' }))).toBe('Li is here for you');
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
    const open = signal(false);
    const api = makeApi(open, { thread, site, unread } as unknown as VisitorClient);
    return { api, messages, synced, site, unread, open };
  }
  const from = (side: Message['side'], seq: number, mine = false) => ({ id: `${seq}`, seq, side, mine, kind: 'text', text: 'secret', at: 1 }) as Message;

  it('opens and closes', () => {
    const { api, open } = setup();
    api.open();
    expect(open.value).toBe(true);
    api.toggle();
    expect(open.value).toBe(false);
  });

  it('tells of new messages of the other side, once, and never their text', () => {
    const { api, messages, synced } = setup();
    const heard: unknown[] = [];
    api.on('message', (m) => heard.push(m));
    messages.value = [from('agent', 3)];
    synced.value = true;
    expect(heard).toEqual([]);
    messages.value = [...messages.value, from('visitor', 4, true)];
    expect(heard).toEqual([]);
    messages.value = [...messages.value, from('agent', 5)];
    messages.value = [...messages.value];
    expect(heard).toEqual([{ side: 'agent', at: 1 }]);
  });

  it('says ready to those who come late, and lets one listener fail without the others', async () => {
    const { api, site, unread } = setup();
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
