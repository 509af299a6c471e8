/** Made-up threads. */
import type { Message, ThreadEvent } from '../src/model';

const NOW = Date.now();
let n = 0;

export function msg(minutesAgo: number, side: Message['side'], text: string, over: Partial<Message> = {}): Message {
  n++;
  return {
    id: `m${n}`,
    seq: n,
    at: NOW - minutesAgo * 60_000,
    side,
    mine: false,
    kind: 'text',
    text,
    missingBefore: false,
    canRecall: () => false,
    ...over,
  };
}
export function event(minutesAgo: number, e: ThreadEvent): Message {
  return msg(minutesAgo, 'system', '', { kind: 'event', event: e });
}

export const LI = { user: 'li', name: '李静', kid: 'aa11' };
const W = { user: 'wang', name: '王建国', kid: 'bb22' };

/** The same conversation seen by either side. */
export function thread(viewer: 'visitor' | 'agent', en: boolean): Message[] {
  const me = (side: 'visitor' | 'agent') => ({ mine: side === viewer });
  const li = { ...LI, name: en ? 'Li Jing' : LI.name };
  const wang = { ...W, name: en ? 'Wang Jianguo' : W.name };
  const tx = (zh: string, e: string) => (en ? e : zh);
  return [
    event(1500, { t: 'open' }),
    msg(1500, 'visitor', '', {
      kind: 'form',
      form: {
        fields: { name: tx('陈思远', 'Chen Siyuan'), email: 'chen@example.com', topic: tx('信用卡', 'Credit card') },
      },
      ...me('visitor'),
      state: 'read',
    }),
    msg(
      1500,
      'visitor',
      tx(
        '你好，我的信用卡昨天在境外有一笔不认识的消费，怎么办？',
        'Hello, there is a payment abroad on my card that I do not recognise. What should I do?',
      ),
      { ...me('visitor'), state: 'read' },
    ),
    event(1499, { t: 'owner', owner: 'agent', user: 'li', name: li.name, team: 'card', why: 'accept' }),
    msg(
      1498,
      'agent',
      tx('陈先生您好，别担心，我先帮您把卡临时锁定。', 'Hello Mr Chen. Don’t worry, I will lock your card first.'),
      { author: li, ...me('agent'), state: 'read' },
    ),
    msg(
      1498,
      'agent',
      tx(
        '锁定后不会再有新的消费。争议流程在这里：https://bank.example/card/dispute ，大约需要五个工作日。',
        'No new payments are possible now. The dispute form is here: https://bank.example/card/dispute — it takes about five working days.',
      ),
      { author: li, ...me('agent'), state: 'read' },
    ),
    msg(1490, 'visitor', tx('好的，谢谢。', 'Good, thank you.'), { ...me('visitor'), state: 'read' }),
    ...(viewer === 'agent'
      ? [
          msg(
            1489,
            'agent',
            tx(
              '客户情绪稳定，已锁卡。争议单号 20261120-77，明天跟进。',
              'Customer is calm, card locked. Dispute 20261120-77, follow up tomorrow.',
            ),
            { kind: 'note', author: wang, state: 'sent' },
          ),
        ]
      : []),
    msg(12, 'visitor', tx('我已经提交了表格，请问进度到哪一步了？', 'I sent the form. How far is it?'), {
      ...me('visitor'),
      state: 'read',
    }),
    msg(
      12,
      'visitor',
      tx(
        '另外\n1. 临时卡什么时候能寄到？\n2. 自动还款会受影响吗？',
        'Also\n1. When does the replacement card arrive?\n2. Is my direct debit affected?',
      ),
      { ...me('visitor'), state: 'read' },
    ),
    msg(
      4,
      'agent',
      tx(
        '已进入调查，预计周三有结果。临时卡今天寄出，后天送达；自动还款照常。',
        'It is being investigated; expect the result on Wednesday. The card is posted today and arrives the day after tomorrow. Direct debit goes on as usual.',
      ),
      { author: li, ...me('agent'), state: 'delivered', canRecall: () => false },
    ),
    msg(1, 'visitor', tx('太好了', 'Great'), {
      ...me('visitor'),
      state: 'delivered',
      canRecall: () => viewer === 'visitor',
    }),
  ];
}

/** The robot's part, with all that it may say. */
export function robotThread(viewer: 'visitor' | 'agent', en: boolean): Message[] {
  const me = (side: 'visitor' | 'agent') => ({ mine: side === viewer });
  const author = { name: en ? 'Robot' : '小智', kid: 'cc33' };
  const tx = (zh: string, e: string) => (en ? e : zh);
  return [
    event(9, { t: 'epoch', epoch: 0, bot: true }),
    msg(
      9,
      'visitor',
      tx('我上周买的鞋子有点小，能换大一码吗', 'The shoes I bought last week are too small. Can I get a larger size?'),
      { ...me('visitor'), state: 'read' },
    ),
    msg(
      9,
      'robot',
      tx(
        '可以换。签收后 15 天内、吊牌完好即可免费换码：在“我的订单”里点“申请换货”，我们上门取件。',
        'Yes. Within 15 days and with tags on, the exchange is free: choose “Exchange” in your orders; we pick it up.',
      ),
      {
        author,
        thought: {
          intent: 'exchange',
          p: 0.93,
          entry: tx('换货-尺码', 'exchange-size'),
          why: tx('知识库命中 0.88', 'knowledge, 0.88'),
        },
      },
    ),
    msg(2, 'visitor', tx('那个运费怎么弄', 'and the shipping?'), { ...me('visitor'), state: 'read' }),
    msg(2, 'robot', tx('您想问的是哪一种？', 'Which one do you mean?'), {
      author,
      buttons: [
        { label: tx('换货的运费', 'Shipping of the exchange'), send: 'x' },
        { label: tx('下单时的运费', 'Shipping when I order'), send: 'y' },
        { label: tx('退回运费险', 'Return insurance'), send: 'z' },
      ],
      thought: { intent: 'shipping_terms', p: 0.48, why: tx('把握不足 0.60，反问', 'below 0.60: asks back') },
    }),
    ...(viewer === 'agent'
      ? [
          msg(1, 'visitor', tx('算了转人工', 'a person please'), {}),
          msg(1, 'robot', '', {
            kind: 'event',
            author,
            event: { t: 'handoff', why: 'asked' },
            thought: { intent: 'ask_person', p: 0.99, why: tx('访客要找人工', 'asks for a person') },
          }),
          event(1, { t: 'owner', owner: 'queue', team: 'card', why: 'handoff' }),
          event(1, { t: 'owner', owner: 'agent', user: 'li', name: LI.name, team: 'card', why: 'accept' }),
          event(1, { t: 'epoch', epoch: 1, bot: false }),
        ]
      : []),
  ];
}

export const queued = (text: string): Message => msg(0, 'visitor', text, { mine: true, seq: null, state: 'queued' });
export const failed = (text: string): Message =>
  msg(0, 'visitor', text, { mine: true, seq: null, state: 'failed', error: 'error.too_large' });
