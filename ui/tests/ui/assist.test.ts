/** What is suggested to an agent, and what becomes of it. */
import { beforeEach, describe, expect, it } from 'vitest';
import { suggestionsFor, takeSuggestion, unanswered } from '../../src/console/assist';
import { handleKey } from '../../src/console/hotkeys';
import { createConsoleState, type ConsoleState } from '../../src/console/state';
import { Search } from '../../src/knowledge/search';
import type { AgentClient, ConvItem, Message, SiteKnowledge } from '../../src/model';
import { signal } from '../../src/signals';

let seq = 0;
const said = (side: Message['side'], text: string, over: Partial<Message> = {}): Message => {
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
const item = { id: 'c', conv: { id: 'c', site: 'web', owner: 'agent:li', state: 'open' } } as ConvItem;
const knowledge: SiteKnowledge = {
  state: 'here',
  search: new Search([
    {
      id: 'return',
      question: '怎么退货',
      answer: '签收后**七天**内，在[我的订单](https://shop.example/orders)申请：\n\n1. 选商品\n2. 提交',
    },
    { id: 'ship', question: '运费怎么算', answer: '满 99 元包邮' },
  ]),
};

function client(messages: Message[], over: Partial<ConvItem['conv']> = {}, known: SiteKnowledge = knowledge) {
  const asked: string[] = [];
  const one = { ...item, conv: { ...item.conv, ...over } };
  const agent = {
    me: signal({ user: 'li', role: 'agent' }),
    offers: signal([]),
    conversations: signal([one]),
    open: () => ({ messages: signal(messages) }),
    knowledge: (site: string) => {
      asked.push(site);
      return signal(known);
    },
  } as unknown as AgentClient;
  return {
    agent,
    asked,
    found: suggestionsFor(state, agent, one, messages).map((s) => s.entry.id),
    all: suggestionsFor(state, agent, one, messages),
  };
}

let state: ConsoleState;
beforeEach(() => {
  state = createConsoleState();
  state.select('c');
});

describe('what is looked up', () => {
  it('is what the visitor wrote since the last word of a person', () => {
    const all = [
      said('visitor', 'a'),
      said('agent', 'b'),
      said('visitor', 'c'),
      said('robot', 'd'),
      said('agent', 'n', { kind: 'note' }),
      said('visitor', '', { kind: 'recalled' }),
      said('visitor', 'e'),
    ];
    expect(unanswered(all)).toEqual(['c', 'e']);
    expect(unanswered([...all, said('agent', 'f')])).toEqual([]);
  });

  it('is nothing where this agent does not answer, and then no knowledge is fetched', () => {
    const asks = [said('visitor', '怎么退货')];
    expect(client(asks)).toMatchObject({ found: ['return'], asked: ['web', 'web'] });
    for (const over of [
      { owner: 'queue' },
      { owner: 'robot' },
      { owner: 'agent:wang' },
      { owner: 'none', state: 'closed' as const },
    ]) {
      expect(client(asks, over), JSON.stringify(over)).toMatchObject({ found: [], asked: [] });
    }
    expect(client([...asks, said('agent', '在')])).toMatchObject({ found: [], asked: [] });
    state.assist.value = false;
    expect(client(asks)).toMatchObject({ found: [], asked: [] });
  });

  it('is the newest question, not what the robot answered before', () => {
    const robot = said('robot', '签收后七天内', { thought: { entry: 'return' } as Message['thought'] });
    const all = [said('visitor', '怎么退货'), robot, said('visitor', '运费怎么算？')];
    expect(client(all).found).toEqual(['ship']);
    expect(client([all[0]!, all[2]!]).found).toEqual(['ship', 'return']);
  });

  it('finds nothing in what is not there', () => {
    for (const state of ['loading', 'none', 'too-large', 'failed'] as const)
      expect(client([said('visitor', '怎么退货')], {}, { state }).found).toEqual([]);
  });
});

describe('a suggestion', () => {
  it('goes into the reply as plain text, after what stands there, and is not sent', () => {
    const [first] = client([said('visitor', '怎么退货')]).all;
    const focus = state.focusField.value;
    state.mode.value = 'note';
    takeSuggestion(state, 'c', first!);
    const answer = '签收后七天内，在我的订单 https://shop.example/orders 申请：\n1. 选商品\n2. 提交';
    expect([state.draftOf('c', 'reply'), state.mode.value, state.focusField.value]).toEqual([
      answer,
      'reply',
      focus + 1,
    ]);
    state.setDraft('c', 'reply', '您好 ');
    takeSuggestion(state, 'c', first!);
    expect(state.draftOf('c', 'reply')).toBe(`您好\n${answer}`);
  });

  it('is taken by its key, and a key without one is left alone', () => {
    const { agent } = client([said('visitor', '运费怎么算')]);
    (globalThis as { Element?: unknown }).Element = class {};
    const press = (code: string) =>
      handleKey(state, agent, { key: '', code, keyCode: 0, altKey: true, target: null } as KeyboardEvent);
    expect(press('Digit2')).toBe(false);
    expect(state.draftOf('c', 'reply')).toBe('');
    expect(press('Digit1')).toBe(true);
    expect(state.draftOf('c', 'reply')).toBe('满 99 元包邮');
  });
});
