/** A client without a server: signals filled by a scene. */
import type { Connection, Conv, Message, SiteInfo, Thread, Trust, VisitorClient, Wait } from '../src/model';
import { signal } from '../src/signals';
import { event, failed, msg, queued, robotThread, thread } from './messages';

const marks = { delivered: 0, read: 0 };
export const CONV: Conv = {
  id: '3f2a'.padEnd(32, '0'),
  site: 's1',
  team: 'card',
  owner: 'agent:li',
  state: 'open',
  ed: 'Zm9v',
  x: 'YmFy',
  last: 9,
  epoch: 0,
  created: Date.now() - 9e7,
  last_at: Date.now(),
  visitor: marks,
  agent: marks,
};

export const SITE: SiteInfo = {
  id: 's1',
  name: '云杉银行',
  org: 'k1-5b8c21f09e4d7a36c2e18f5470b9d3aa',
  orgName: '云杉银行',
  greeting: {
    zh: '您好，这里是云杉银行在线客服。\n请告诉我们需要什么帮助。',
    en: 'Hello, this is Spruce Bank.\nHow can we help?',
  },
  form: [
    { id: 'name', label: { zh: '您的称呼', en: 'Your name' }, type: 'text', required: true },
    { id: 'email', label: { zh: '邮箱', en: 'E-mail' }, type: 'email', required: false },
    {
      id: 'topic',
      label: { zh: '咨询类型', en: 'Topic' },
      type: 'select',
      required: true,
      options: [
        { value: 'card', label: { zh: '信用卡', en: 'Card' } },
        { value: 'loan', label: { zh: '贷款', en: 'Loan' } },
      ],
    },
  ],
};

export function fakeVisitor(scene: string, en: boolean): VisitorClient {
  const connection = signal<Connection>({ state: 'online' });
  const trust = signal<Trust>({ mode: 'pinned', secure: true, storage: 'kept' });
  const site = signal<SiteInfo | null>(en ? { ...SITE, name: 'Spruce Bank', orgName: 'Spruce Bank' } : SITE);
  const presence = signal<'open' | 'busy' | 'away' | 'unknown'>('open');
  const queue = signal<number | null>(null);
  const unread = signal(0);
  const needsForm = signal(false);
  const messages = signal<readonly Message[]>(thread('visitor', en));
  const conv = signal<Conv | null>(CONV);
  const agentName = signal<string | null>(en ? 'Li Jing' : '李静');
  const typing = signal<{ side: 'agent'; name: string } | null>(null);
  const members = signal({
    people: en ? ['Li Jing', 'Wang Jianguo', 'Zhao Min'] : ['李静', '王建国', '赵敏'],
    bot: false,
  });
  const one: Thread = {
    id: CONV.id,
    conv,
    messages,
    synced: signal(true),
    typing,
    unread,
    members,
    agentName,
    personAsked: signal(false),
    blocked: signal(scene === 'fullconv' ? 'error.full' : null),
    wait: signal(null),
  };
  const robot = signal(false);
  const robotRefused = signal(false);
  const personAsked = signal(false);
  const current = signal<Thread | null>(one);
  const other = signal<Thread | null>(null);
  const hasRobot = signal(false);
  const ahead = signal(3);

  if (scene === 'closed') unread.value = 3;
  if (scene === 'form' || scene === 'awayform') {
    current.value = null;
    needsForm.value = true;
  }
  if (scene === 'away' || scene === 'awayform') {
    presence.value = 'away';
  }
  if (scene === 'away') {
    current.value = null;
  }
  if (scene === 'queue') {
    queue.value = 3;
    agentName.value = null;
    conv.value = { ...CONV, owner: 'queue' };
    messages.value = thread('visitor', en).slice(0, 3);
  }
  if (scene === 'chat') typing.value = { side: 'agent', name: agentName.value! };
  if (scene === 'offline') {
    connection.value = { state: 'waiting', retryAt: Date.now() + 9000 };
    messages.value = [
      ...messages.value,
      queued(en ? 'And the fee?' : '手续费怎么算？'),
      failed(en ? 'A very long text' : '一段特别长的文字'),
    ];
  }
  if (scene === 'ended') {
    connection.value = { state: 'ended', reason: 'error.site_unknown' };
    site.value = null;
    current.value = null;
  }
  if (scene === 'broken') trust.value = { ...trust.value, mode: 'broken', reason: 'error.pin' };
  if (scene === 'unpinned') {
    trust.value = { ...trust.value, mode: 'unpinned', storage: 'memory' };
    members.value = { ...members.value, bot: true };
  }
  if (scene === 'insecure') trust.value = { mode: 'pinned', secure: false, storage: 'kept' };
  if (scene === 'closedconv') conv.value = { ...CONV, state: 'closed', owner: 'none' };
  if (scene === 'missed') {
    conv.value = { ...CONV, state: 'closed', owner: 'none' };
    messages.value = [...thread('visitor', en).slice(0, 3), event(8 * 24 * 60, { t: 'closed', by: '@missed' })];
  }
  if (scene === 'odd')
    messages.value = [
      ...messages.value,
      msg(0, 'agent', '', { kind: 'recalled', author: { name: 'x', kid: '1' } }),
      msg(0, 'agent', '', { kind: 'broken' }),
      msg(0, 'robot', '<script>alert(1)</script><svg onload=alert(1)> javascript:alert(1) https://ok.example', {
        missingBefore: true,
      }),
    ];

  if (scene === 'robot') {
    robot.value = true;
    agentName.value = null;
    conv.value = { ...CONV, owner: 'robot' };
    members.value = { ...members.value, bot: true };
    messages.value = robotThread('visitor', en);
  }
  if (scene === 'busy') {
    presence.value = 'busy';
    current.value = null;
  }
  if (scene === 'left') {
    presence.value = 'away';
    hasRobot.value = true;
    agentName.value = null;
    conv.value = { ...CONV, owner: 'queue' };
    messages.value = thread('visitor', en).slice(0, 3);
  }
  if (scene === 'beside') {
    const waits: Thread = {
      ...one,
      id: 'left',
      conv: signal<Conv | null>({ ...CONV, id: 'left', owner: 'queue' }),
      unread: signal(unread.value > 0 ? 1 : 0),
    };
    other.value = waits;
    robot.value = true;
    presence.value = 'away';
    agentName.value = null;
    conv.value = { ...CONV, owner: 'robot' };
    messages.value = robotThread('visitor', en);
  }
  if (scene === 'refused') robotRefused.value = true;

  if (['wait', 'day', 'storage'].includes(scene))
    messages.value = [...messages.value, queued(en ? 'And the fee?' : '手续费怎么算？')];
  if (scene === 'fullconv')
    messages.value = [...messages.value, { ...failed(en ? 'One more question' : '还有一个问题'), error: 'error.full' }];

  if (scene === 'stress') {
    agentName.value = 'Wolfeschlegelsteinhausenbergerdorff Hubert Blaine von und zu Beispiel';
    messages.value = [
      ...messages.value,
      msg(0, 'agent', `${'x'.repeat(300)} https://bank.example/${'a'.repeat(200)}`, {
        author: { name: agentName.value, kid: '9' },
      }),
      msg(0, 'visitor', `مرحبا، كيف يمكنني استعادة بطاقتي؟ ${'汉'.repeat(200)}`, { mine: true, state: 'sent' }),
      msg(0, 'visitor', '👍', { mine: true, state: 'queued', seq: null }),
    ];
  }
  const push = (text: string) =>
    (messages.value = [...messages.value, { ...queued(text), id: Math.random().toString(36) }]);
  return {
    connection,
    trust,
    site,
    presence,
    ahead,
    thread: current,
    other,
    hasRobot,
    queue,
    unread,
    needsForm,
    robot,
    robotRefused,
    personAsked,
    wait: signal<Wait | null>(
      scene === 'wait'
        ? { why: 'messages', until: Date.now() + 42_000 }
        : scene === 'day'
          ? { why: 'bytes', until: Date.now() + 26 * 3_600_000 }
          : scene === 'storage'
            ? { why: 'storage', until: Date.now() + 300_000 }
            : null,
    ),
    requestPerson: () => {
      robot.value = false;
      personAsked.value = true;
    },
    start: () => {
      needsForm.value = false;
    },
    send: async (text) => {
      current.value = one;
      push(text);
    },
    watch: () => () => {},
    askRobot: () => {
      current.value = null;
      robot.value = true;
    },
    swap: () => {},
    drop: (id) => {
      messages.value = messages.value.filter((m) => m.id !== id);
    },
    retry: () => {},
    recall: async () => {},
    typing: () => {},
    markRead: () => {
      unread.value = 0;
    },
    close: async () => {
      conv.value = { ...CONV, state: 'closed' };
    },
    startOver: () => {
      current.value = null;
    },
    reconnect: () => {
      connection.value = { state: 'online' };
    },
    earlier: signal([]),
    setUser: () => {},
    setAttributes: () => {},
    forget: async () => {},
    handOver: async () => 'A'.repeat(43),
    takeOver: async () => {},
    dispose: () => {},
  };
}
