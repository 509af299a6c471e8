/** A thread on screen: each text is parsed once, a change touches what changed, and a part of a long thread is in the page. */
import { options, render } from 'preact';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AgentClient, Conv, ConvItem, Message } from '../../src/model';
import { BotLine } from '../../src/console/BotLine';
import { FirstSteps } from '../../src/console/FirstSteps';
import { ListItem } from '../../src/console/ListItem';
import { createConsoleState } from '../../src/console/state';
import { ConsoleContext } from '../../src/console/useConsole';
import { lang } from '../../src/i18n/core';
import { computed, signal } from '../../src/signals';
import '../../src/ui/signals';
import { Composer } from '../../src/ui/Composer';
import { AT_END, AT_MOST, held, MAX_GROUP, moved, newest } from '../../src/ui/group';
import { linkify } from '../../src/ui/linkify';
import { markdown } from '../../src/ui/markdown';
import { MessageList } from '../../src/ui/MessageList';
import { now } from '../../src/ui/time';
import { changes, fakeDocument, type FakeNode } from '../support/dom';

const inConsole = (what: preact.ComponentChild) => (
  <ConsoleContext.Provider value={createConsoleState()}>{what}</ConsoleContext.Provider>
);

vi.mock('../../src/ui/linkify', async (real) => {
  const there = await real<typeof import('../../src/ui/linkify')>();
  return { ...there, linkify: vi.fn(there.linkify) };
});
vi.mock('../../src/ui/markdown', async (real) => {
  const there = await real<typeof import('../../src/ui/markdown')>();
  return { ...there, markdown: vi.fn(there.markdown) };
});

const T = new Date(2026, 10, 20, 10, 0).getTime();
const message = (n: number, over: Partial<Message> = {}): Message => ({
  id: `m${n}`,
  seq: n,
  at: T + n * 1_000,
  side: n % 5 ? 'visitor' : 'robot',
  mine: false,
  kind: 'text',
  text: `text ${n} http://a.b`,
  missingBefore: false,
  unordered: false,
  canRecall: () => false,
  ...over,
});
const many = (n: number): Message[] => Array.from({ length: n }, (_, i) => message(i + 1));

/** How often each text was parsed. */
function parses(): Map<string, number> {
  const out = new Map<string, number>();
  for (const [text] of [
    ...vi.mocked(markdown).mock.calls,
    ...vi.mocked(linkify).mock.calls.filter(([, budget]) => !budget),
  ])
    out.set(text, (out.get(text) ?? 0) + 1);
  return out;
}

let body: FakeNode;
beforeEach(() => {
  vi.useFakeTimers({ now: T + 3_600_000 });
  vi.stubGlobal('requestAnimationFrame', (fn: () => void) => setTimeout(fn, 16));
  vi.stubGlobal('cancelAnimationFrame', clearTimeout);
  body = fakeDocument((name, value) => vi.stubGlobal(name, value));
  options.debounceRendering = (fn) => setTimeout(fn, 0);
});
afterEach(() => {
  render(null, body as unknown as Element);
  vi.unstubAllGlobals();
  vi.useRealTimers();
  vi.clearAllMocks();
});
const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(100);

/** The list as a page holds it: every change makes new functions. */
function show(start: readonly Message[]) {
  const messages = signal(start);
  const again = signal(0);
  function Page() {
    void again.value;
    return (
      <MessageList
        messages={messages.value}
        viewer="agent"
        fieldLabel={(id) => id}
        eventText={() => 'event'}
        errorText={() => 'error'}
        typing={null}
        onSeen={() => undefined}
        retry={() => undefined}
        recall={() => undefined}
        below={() => null}
      />
    );
  }
  render(<Page />, body as unknown as Element);
  return { messages, again };
}

describe('a thread', () => {
  it('parses each text once, however often it is rendered', async () => {
    const { messages, again } = show(many(90));
    await settle();
    expect(parses().size).toBe(90);
    for (let i = 1; i <= 50; i++) {
      again.value = i;
      now.value += 30_000;
      await settle();
    }
    messages.value = [...messages.value, message(91)];
    await settle();
    // the other side received and read them
    for (const state of ['sent', 'delivered', 'read'] as const) {
      messages.value = messages.value.map((m) => ({ ...m, mine: m.side === 'visitor', state }));
      await settle();
    }
    const counts = parses();
    expect(counts.size).toBe(91);
    expect(Math.max(...counts.values())).toBe(1);
  });

  it('a new message, a tick and a new render of the page touch what changed and nothing else', async () => {
    const { messages, again } = show(many(90));
    await settle();
    expect(changes()).toBeGreaterThan(900);
    again.value++;
    now.value += 30_000;
    await settle();
    expect(changes()).toBe(0);
    messages.value = [...messages.value, message(91)];
    await settle();
    expect(changes()).toBeLessThan(60);
  });

  it('of ten thousand messages has the newest in the page, and a burst changes by groups', async () => {
    const { messages } = show(many(10_000));
    await settle();
    const bubbles = (): number => body.all('k-bubble').length;
    expect(bubbles()).toBeGreaterThanOrEqual(AT_END);
    expect(bubbles()).toBeLessThan(AT_END + MAX_GROUP);
    expect(parses().size).toBe(bubbles());
    for (let i = 1; i <= 50; i++) {
      messages.value = [
        ...messages.value,
        ...Array.from({ length: 10 }, (_, k) => message(10_000 + (i - 1) * 10 + k + 1)),
      ];
      await settle();
    }
    expect(bubbles()).toBeLessThan(AT_END + MAX_GROUP);
    // but for the group in which the part begins: it is another one when some of it goes
    const counts = [...parses().values()];
    expect(counts.filter((n) => n > 1).length).toBeLessThan(counts.length / 10);
    expect(Math.max(...counts)).toBeLessThanOrEqual(2);
    expect(body.textContent).toContain('text 10500');
  });

  it('a long text is folded and parsed as far as it is shown', async () => {
    show([message(1, { text: `http://a.b ${'x'.repeat(30_000)}` })]);
    await settle();
    expect([...parses().keys()][0]!.length).toBeLessThanOrEqual(2_000);
    const button = body.all('k-fold')[0]!;
    expect(button.textContent).toContain('30011');
    (button.listeners.Click as (e: object) => void).call(button, { type: 'Click' });
    await settle();
    expect(body.textContent.length).toBeGreaterThan(29_000);
  });
});

describe('the part of a thread in the page', () => {
  it('is bounded, moves by whole groups, and reaches every message', () => {
    for (const length of [0, 1, 95, 96, 97, 200, 1_000, 10_007]) {
      let view = newest(length);
      expect(view.to).toBe(length);
      const seen = new Set<number>();
      for (let i = 0; i < 1_000 && view.from > 0; i++) {
        expect(view.from % MAX_GROUP).toBe(0);
        expect(view.to - view.from).toBeLessThanOrEqual(AT_MOST + MAX_GROUP);
        for (let n = view.from; n < view.to; n++) seen.add(n);
        view = moved(view, -1, length);
      }
      for (let n = view.from; n < view.to; n++) seen.add(n);
      expect(seen.size).toBe(length);
      for (let i = 0; i < 1_000 && view.to < length; i++) {
        const next = moved(view, 1, length);
        // what is read stays
        expect(next.from).toBeLessThan(view.to);
        view = next;
      }
      expect(view.to).toBe(length);
    }
  });

  it('stays where it is read while others write', () => {
    expect(held({ from: 32, to: 128 }, 500)).toEqual({ from: 32, to: 128 });
    expect(held({ from: 32, to: 128 }, 10)).toEqual(newest(10));
  });
});

it('a list of conversations parses no preview twice', async () => {
  const items = Array.from(
    { length: 30 },
    (_, i): ConvItem => ({
      id: `c${i}`,
      conv: { id: `c${i}`, site: 's', owner: 'agent:li', state: 'open' } as Conv,
      tabs: { mine: false, queue: false, all: true, missed: false },
      name: 'n',
      last: message(5 * i, { text: `**last** ${i} ${'x'.repeat(30_000)}` }),
      unread: 0,
      waitingSince: null,
      ownerName: '',
      handed: null,
      lastAt: T,
    }),
  );
  const again = signal(0);
  const client = {
    conversations: computed(() => items),
    me: signal(null),
    watch: () => undefined,
    unwatch: () => undefined,
  } as unknown as AgentClient;
  function Page() {
    void again.value;
    return (
      <div>
        {items.map((item) => (
          <ListItem key={item.id} client={client} item={item} on={false} onSelect={() => undefined} />
        ))}
      </div>
    );
  }
  render(inConsole(<Page />), body as unknown as Element);
  await settle();
  for (let i = 1; i < 20; i++) {
    again.value = i;
    now.value += 30_000;
    await settle();
  }
  const counts = parses();
  expect(counts.size).toBe(30);
  expect(Math.max(...counts.values())).toBe(1);
  for (const text of counts.keys()) expect(text.length).toBeLessThan(1_000);
  expect(Math.max(...body.all('c-preview').map((n) => n.textContent.length))).toBeLessThanOrEqual(165);
});

describe('in Chinese', () => {
  beforeEach(() => {
    lang.value = 'zh-CN';
  });
  const show = async (what: preact.ComponentChild): Promise<FakeNode> => {
    render(inConsole(what), body as unknown as Element);
    await settle();
    return body;
  };

  it('a line of the list says whose its last words are, and that there are none', async () => {
    const li = { user: 'li', name: '李娜', kid: 'k' };
    const preview = async (over: Partial<ConvItem>): Promise<string> => {
      const item: ConvItem = {
        id: 'c',
        conv: { id: 'c', site: 's', owner: 'agent:li', state: 'open' } as Conv,
        tabs: { mine: false, queue: false, all: true, missed: false },
        name: '王',
        last: null,
        unread: 0,
        waitingSince: null,
        ownerName: '',
        handed: null,
        lastAt: T,
        ...over,
      };
      const client = {
        conversations: signal([item]),
        me: signal(null),
        watch: () => undefined,
        unwatch: () => undefined,
      } as unknown as AgentClient;
      await show(
        <ListItem key={JSON.stringify(over)} client={client} item={item} on={false} onSelect={() => undefined} />,
      );
      return body.all('c-preview')[0]!.textContent;
    };
    expect(await preview({ last: message(1, { text: '在吗' }) })).toBe('在吗');
    expect(await preview({ last: message(2, { text: '稍等', side: 'agent', mine: true, author: li }) })).toBe(
      '我：稍等',
    );
    expect(await preview({ last: message(3, { text: '稍等', side: 'agent', author: li }) })).toBe('李娜：稍等');
    expect(await preview({ empty: true })).toBe('（没有消息）');
    expect(await preview({ empty: true, name: '' })).toBe('（没有消息）');
    // not read yet
    expect(await preview({})).toBe('还没有消息');
    expect((await preview({ name: '' })).trim()).toBe('加密内容，打开后可见');
  });

  it('a desk without a conversation lists the steps to the first one, and marks those that are done', async () => {
    const desk = (role: string, state: string, teams: string[], sites: Record<string, string>) =>
      ({
        me: signal({ user: 'boss', name: 'Boss', role, teams, state }),
        sites: signal(sites),
      }) as unknown as AgentClient;
    const shown = (): unknown => {
      const steps = body.all('c-steps')[0]!.children;
      return [
        steps.length,
        steps.flatMap((step, i) => (step.attributes.class === 'c-done' ? [i] : [])),
        steps.map((step) => step.children.find((e) => e.localName === 'code')?.textContent).join(''),
      ];
    };
    await show(<FirstSteps client={desk('admin', 'offline', [], {})} />);
    expect(shown()).toEqual([5, [], '']);
    await show(<FirstSteps client={desk('admin', 'online', ['svc'], { web: '官网' })} />);
    expect(shown()).toEqual([5, [0, 1, 2], 'kefu site snippet web']);
    expect(body.textContent).toMatch(/加入一个技能组（已完成）|加入一个技能组 （已完成）/);
    // nobody else can run it
    await show(<FirstSteps client={desk('agent', 'busy', ['svc'], { web: '官网' })} />);
    expect(shown()).toEqual([5, [0, 2], '']);
  });

  it('what the robot made nothing of is "not recognised", not 0 %', async () => {
    const line = async (intent: string | null, p: number): Promise<string> => {
      const m = message(5, { thought: { intent, p, why: '', re: 'm4' } });
      await show(<BotLine key={`${intent} ${p}`} client={{} as AgentClient} conv="c" message={m} />);
      const [summary] = body.all('c-bot')[0]!.children;
      return summary!.textContent;
    };
    expect(await line('return', 0.934)).toBe('机器人的理解: 退货 · 93%');
    expect(await line('thanks', 0.004)).toBe('机器人的理解: 未识别');
    expect(await line('thanks', 0)).toBe('机器人的理解: 未识别');
    expect(await line(null, 0.9)).toBe('机器人的理解: 未识别');
  });

  it('what is sent keeps the indentation of its first line, and nothing empty around it', async () => {
    const sent: string[] = [];
    const write = async (value: string): Promise<void> => {
      await show(
        <Composer value={value} onValue={() => undefined} onSend={(text) => sent.push(text)} placeholder="" />,
      );
      const [form] = body.children;
      (form!.listeners.Submit as (e: object) => void).call(form, { type: 'Submit', preventDefault: () => undefined });
    };
    await write('\n    if (x) {\n        y();\n    }\n\n');
    await write('  好的 ');
    await write(' \n ');
    expect(sent).toEqual(['    if (x) {\n        y();\n    }', '好的']);
  });
});
