/** A console without a server. */
import {
  ClientError,
  type AgentClient,
  type AgentInfo,
  type Connection,
  type Conv,
  type ConvItem,
  type Me,
  type Message,
  type Notice,
  type Offer,
  type SiteKnowledge,
  type Thread,
  type Trust,
  type Wait,
  type WaitingPerson,
} from '../src/model';
import { Search } from '../src/knowledge/search';
import { computed, signal } from '../src/signals';
import { CONV } from './fake-visitor';
import { event, msg, robotThread, thread as sample } from './messages';

const id = (head: string) => head.padEnd(32, '0');
const NOW = Date.now();
const MIN = 60_000;
const KNOWLEDGE = (en: boolean) =>
  en
    ? [
        {
          id: 'k1',
          question: 'How far is my dispute?',
          answer:
            'A dispute takes **five working days**. You see how far it is under [My disputes](https://bank.example/disputes).',
        },
        { id: 'k2', question: 'Where do I send the form?', answer: 'Send the form in the app.' },
      ]
    : [
        {
          id: 'k1',
          question: '争议申请的进度在哪里看',
          answer: '争议处理约需**五个工作日**，可在[我的争议](https://bank.example/disputes)查看进度。',
        },
        { id: 'k2', question: '表格提交后多久有结果', answer: '提交表格后五个工作日内答复。' },
      ];

export function fakeAgent(scene: string, en: boolean): AgentClient {
  const tx = (zh: string, e: string) => (en ? e : zh);
  const conv = (head: string, owner: string, over: Partial<Conv> = {}): Conv => ({
    ...CONV,
    id: id(head),
    owner,
    ...over,
  });
  const item = (
    head: string,
    name: string,
    owner: string,
    last: string | null,
    minutes: number,
    over: Partial<ConvItem> = {},
  ): ConvItem => {
    const c = conv(head, owner, { last_at: NOW - minutes * MIN, state: owner === 'none' ? 'closed' : 'open' });
    const mine = owner === 'agent:li';
    return {
      id: c.id,
      conv: c,
      tabs: { mine, queue: owner === 'queue', missed: over.tabs?.missed === true, all: true },
      name,
      last: last === null ? null : msg(minutes, head === 'b7d3' ? 'agent' : 'visitor', last),
      unread: 0,
      waitingSince: owner === 'queue' ? NOW - minutes * MIN : null,
      lastAt: c.last_at,
      ...over,
    };
  };
  /** Nobody answered them; only one was opened here, so only its name is known. */
  const missedOnes = (): ConvItem[] =>
    [
      item(
        'ab10',
        tx('林晓', 'Lin Xiao'),
        'none',
        tx('周末能退款吗？', 'Can I get a refund at the weekend?'),
        8 * 24 * 60,
      ),
      item('bc21', '', 'none', null, 9 * 24 * 60),
      item('cd32', '', 'none', null, 12 * 24 * 60),
    ].map((one, i) => ({
      ...one,
      tabs: { ...one.tabs, missed: true },
      conv: { ...one.conv, missed: NOW - (1 + i * i) * 24 * 60 * MIN },
    }));
  const conversations = signal<readonly ConvItem[]>(
    scene === 'empty'
      ? []
      : [
          item('3f2a', tx('陈思远', 'Chen Siyuan'), 'agent:li', tx('太好了', 'Great'), 1, { unread: 2 }),
          item('77be', tx('欧阳晓雯', 'Olivia Ouyang'), 'agent:li', tx('请问手续费怎么算？', 'What is the fee?'), 9),
          item('a90c', '', 'agent:li', tx('好的，我等您消息', 'OK, I wait for your answer'), 26, { unread: 14 }),
          item(
            'b7d3',
            tx('刘洋', 'Liu Yang'),
            'agent:li',
            tx('已为您提交申请，请留意短信', 'I submitted it, you will get a message'),
            200,
          ),
          item(
            'c8d1',
            tx('周子涵', 'Zoe Zhou'),
            'queue',
            tx('我的转账一直显示处理中，已经两个小时了', 'My transfer has been pending for two hours'),
            3,
          ),
          item('d411', '', 'queue', tx('在吗', 'Anybody there?'), 1),
          item('9c1e', '', 'robot', tx('发票怎么开', 'How do I get an invoice?'), 6),
          item('e5aa', tx('吴磊', 'Wu Lei'), 'agent:wang', null, 40),
          ...(scene === 'missed' || scene === 'missed-list' || scene === 'dismissed' ? missedOnes() : []),
          item('f6bb', tx('孙悦', 'Sun Yue'), 'none', tx('谢谢，再见', 'Thanks, bye'), 3000),
        ],
  );
  const agents = signal<readonly AgentInfo[]>([
    { user: 'li', name: tx('李静', 'Li Jing'), state: 'online', load: 4, capacity: 8, teams: ['card'] },
    {
      user: 'wang',
      name: tx('王建国', 'Wang Jianguo'),
      state: 'online',
      load: 2,
      capacity: 8,
      teams: ['card', 'loan'],
    },
    { user: 'zhao', name: tx('赵敏', 'Zhao Min'), state: 'busy', load: 7, capacity: 8, teams: ['loan'] },
    { user: 'he', name: tx('何平', 'He Ping'), state: 'offline', load: 0, capacity: 8, teams: ['loan'] },
  ]);
  const me = signal<Me | null>({
    user: 'li',
    name: tx('李静', 'Li Jing'),
    role: 'agent',
    teams: ['card'],
    state: scene === 'empty' ? 'offline' : 'online',
  });
  const session = signal<'loading' | 'signed-out' | 'locked' | 'signed-in'>(
    scene === 'login' || scene === 'insecure' ? 'signed-out' : scene === 'locked' ? 'locked' : 'signed-in',
  );
  const connection = signal<Connection>(scene === 'offline' ? { state: 'waiting' } : { state: 'online' });
  const trust = signal<Trust>({ mode: 'pinned', secure: scene !== 'insecure', storage: 'kept' });
  const offers = signal<readonly Offer[]>(scene === 'offer' ? [{ conv: id('c8d1'), until: NOW + 26_000 }] : []);
  const notices = signal<readonly Notice[]>(
    scene === 'toast'
      ? [
          { id: 3, kind: 'error', key: 'notice.missed', params: { n: 3 } },
          { id: 1, kind: 'error', key: 'error.conflict' },
          { id: 2, kind: 'info', key: 'notice.offer_missed' },
        ]
      : [],
  );
  const waiting = signal<readonly WaitingPerson[]>(
    scene === 'waiting'
      ? [
          {
            user: 'he',
            name: tx('何平', 'He Ping'),
            teams: ['loan'],
            at: NOW - 9 * 24 * 60 * MIN,
            until: NOW - 6 * 24 * 60 * MIN,
            invitedBy: tx('赵敏', 'Zhao Min'),
          },
          {
            user: 'sun',
            name: tx('孙悦', 'Sun Yue'),
            teams: ['card'],
            at: NOW - 5 * 24 * 60 * MIN,
            until: NOW - 2 * 24 * 60 * MIN,
            invitedBy: null,
          },
        ]
      : [],
  );
  if (scene === 'waiting') me.value = { ...me.value!, role: 'admin' };
  if (scene === 'stress') {
    const long = 'Wolfeschlegelsteinhausenbergerdorff Hubert Blaine von und zu Beispiel';
    conversations.value = conversations.value.map((c, i) => ({
      ...c,
      name: i % 2 ? long : 'ا'.repeat(80),
      last: msg(1, 'visitor', 'y'.repeat(300)),
      unread: 120,
    }));
    offers.value = [
      { conv: id('c8d1'), until: NOW + 26_000 },
      { conv: id('d411'), until: NOW + 60_000 },
    ];
    connection.value = { state: 'waiting' };
  }
  const threads = new Map<string, Thread & { add(m: Message): void }>();

  const open = (key: string) => {
    let one = threads.get(key);
    if (one) return one;
    const first = key === id('3f2a');
    const page = {
      url: 'https://bank.example/card/help?from=home',
      title: tx('信用卡帮助 - 云杉银行', 'Card help - Spruce Bank'),
      referrer: 'https://search.example/',
    };
    const list =
      first && scene === 'robot'
        ? robotThread('agent', en)
        : first
          ? sample('agent', en).map((m) =>
              m.form ? { ...m, form: { ...m.form, page, lang: 'zh-CN', mode: 'unpinned' as const } } : m,
            )
          : key === id('ab10')
            ? [
                event(16 * 24 * 60, { t: 'open' }),
                event(16 * 24 * 60 - 1, { t: 'owner', owner: 'queue', team: 'card', why: 'open' }),
                msg(16 * 24 * 60 - 2, 'visitor', conversations.peek().find((c) => c.id === key)?.last?.text ?? '…'),
                event(8 * 24 * 60, { t: 'closed', by: '@missed' }),
              ]
            : [
                event(5, { t: 'open' }),
                event(4, { t: 'owner', owner: 'queue', team: 'card', why: 'open' }),
                msg(3, 'visitor', conversations.peek().find((c) => c.id === key)?.last?.text ?? '…'),
              ];
    const messages = signal<readonly Message[]>(list);
    one = {
      id: key,
      conv: computed(() => conversations.value.find((c) => c.id === key)?.conv ?? null),
      messages,
      synced: signal(true),
      typing: signal(key === id('b7d3') || first ? { side: 'visitor' as const, name: '' } : null),
      unread: signal(first ? 2 : 0),
      members: signal({
        people: agents
          .peek()
          .slice(0, 3)
          .map((a) => a.name),
        bot: false,
      }),
      agentName: signal(agents.peek()[0]!.name),
      personAsked: signal(false),
      blocked: signal(null),
      wait: signal<Wait | null>(scene === 'wait' ? { why: 'storage', until: NOW + 42_000 } : null),
      add: (m) => (messages.value = [...messages.value, m]),
    };
    threads.set(key, one);
    return one;
  };
  const mine = (text: string, over: Partial<Message> = {}) =>
    msg(0, 'agent', text, {
      mine: true,
      author: { user: 'li', name: 'Li', kid: '1' },
      state: 'sent',
      canRecall: () => true,
      ...over,
    });
  const knowledge = signal<SiteKnowledge>(
    scene === 'large' ? { state: 'too-large' } : { state: 'here', search: new Search(KNOWLEDGE(en)) },
  );
  const refuse = async () => {
    throw new ClientError('error.conflict');
  };
  return {
    session,
    lastUser: signal(scene === 'locked' ? 'li' : ''),
    me,
    connection,
    trust,
    conversations,
    more: signal({ mine: false, queue: false, missed: false, all: true }),
    missed: computed(() => ({ count: conversations.value.filter((c) => c.tabs.missed).length, more: false })),
    offers,
    agents,
    teams: signal([
      { id: 'card', name: tx('信用卡组', 'Cards') },
      { id: 'loan', name: tx('贷款组', 'Loans') },
    ]),
    sites: signal({ s1: tx('云杉银行官网', 'Spruce Bank site') }),
    notices,
    storage: signal(scene === 'low' ? 'low' : scene === 'full' ? 'full' : 'ok'),
    waiting,
    confirm: async (user) => {
      waiting.value = waiting.value.filter((w) => w.user !== user);
    },
    dismiss: (n) => (notices.value = notices.value.filter((x) => x.id !== n)),
    open,
    leave: () => {},
    send: async (c, text) => open(c).add(mine(text)),
    note: async (c, text, fix) => open(c).add(mine(text, { kind: 'note', fix })),
    intentFeedback: async () => [],
    knowledge: () => knowledge,
    retry: () => {},
    recall: refuse,
    typing: () => {},
    markRead: () => {},
    accept: async (c) => {
      offers.value = offers.value.filter((o) => o.conv !== c);
    },
    decline: async (c) => {
      offers.value = offers.value.filter((o) => o.conv !== c);
    },
    take: refuse,
    transfer: refuse,
    close: async () => {},
    reopen: async () => {},
    dismissMissed: async (c) => {
      conversations.value = conversations.value.map((i) =>
        i.id === c ? { ...i, tabs: { ...i.tabs, missed: false }, conv: { ...i.conv, missed: undefined } } : i,
      );
    },
    status: async (state) => {
      me.value = { ...me.value!, state };
    },
    loadMore: async () => {},
    login: async () => {
      await new Promise((r) => setTimeout(r, 1500));
      throw new ClientError('error.login');
    },
    firstLogin: async () => {},
    readCode: (code) => (code.length > 60 ? { org: 'k1-5b8c21f09e4d7a36c2e18f5470b9d3aa' } : null),
    changePassword: refuse,
    lock: () => {
      session.value = 'locked';
    },
    logout: async () => {
      session.value = 'signed-out';
    },
    reconnect: () => {},
    dispose: () => {},
  };
}
