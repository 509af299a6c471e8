/** The conversations an agent sees, as lists show them. */
import type { ConvItem, Message } from '../model';
import type { Conv } from '../proto';
import { signal } from '../signals';
import type { Conversation } from './conversation';

/** Keys of a form that name a person, best first. */
const NAME_FIELDS = ['name', 'nickname', 'nick', 'username'];

/** Characters of a name that are worth keeping. */
const MAX_NAME = 100;

interface Said {
  name: string;
  last: Message | null;
}
const NONE: readonly Message[] = [];

export class ConvList {
  readonly items = signal<readonly ConvItem[]>([]);
  private readonly convs = new Map<string, Conv>();
  private dirty = false;
  /** What has not changed is the same object, so that it is not rendered again. */
  private readonly made = new Map<string, ConvItem>();
  private readonly known = new WeakMap<readonly Message[], Said>();

  constructor(
    private readonly me: () => { user: string; teams: readonly string[] } | null,
    private readonly thread: (id: string) => Conversation | undefined,
  ) {}

  get(id: string): Conv | undefined {
    return this.convs.get(id);
  }

  put(c: Conv): void {
    this.convs.set(c.id, c);
    this.changed();
  }

  remove(id: string): void {
    this.convs.delete(id);
    this.made.delete(id);
    this.changed();
  }

  clear(): void {
    this.convs.clear();
    this.made.clear();
    this.changed();
  }

  tabsOf(c: Conv): ConvItem['tabs'] {
    const me = this.me();
    const queue = c.state === 'open' && c.owner === 'queue' && (me?.teams.includes(c.team) ?? false);
    const missed = c.missed !== undefined && (me?.teams.includes(c.team) ?? false);
    return { mine: me !== null && c.owner === `agent:${me.user}`, queue, missed, all: true };
  }

  /** Many records in a row make one new list. */
  changed(): void {
    if (this.dirty) return;
    this.dirty = true;
    queueMicrotask(() => {
      this.dirty = false;
      this.items.value = [...this.convs.values()].map((c) => this.item(c)).sort((a, b) => b.lastAt - a.lastAt || (a.id < b.id ? 1 : -1));
    });
  }

  /** Looked for once in what a conversation shows; the others of the list have not changed. */
  private said(messages: readonly Message[]): Said {
    let said = this.known.get(messages);
    if (!said) this.known.set(messages, (said = { name: nameIn(messages), last: lastOf(messages, (m) => m.kind === 'text' || m.kind === 'recalled' || m.kind === 'broken') ?? null }));
    return said;
  }

  private item(c: Conv): ConvItem {
    const t = this.thread(c.id);
    const conv = t?.conv.value ?? c;
    const { name, last } = this.said(t?.messages.value ?? NONE);
    const item: ConvItem = {
      id: c.id,
      conv,
      tabs: this.tabsOf(conv),
      name,
      last,
      empty: !last && (t?.synced.value ?? false),
      unread: t?.unread.value ?? 0,
      waitingSince: conv.waiting_since ?? null,
      lastAt: Math.max(conv.last_at, last?.at ?? 0),
    };
    const before = this.made.get(c.id);
    if (before && same(before, item)) return before;
    this.made.set(c.id, item);
    return item;
  }
}

function same({ tabs, ...a }: ConvItem, { tabs: others, ...b }: ConvItem): boolean {
  const equal = <T extends object>(x: T, y: T): boolean => (Object.keys(x) as (keyof T)[]).every((k) => x[k] === y[k]);
  return equal(tabs, others) && equal(a, b);
}

function lastOf(messages: readonly Message[], is: (m: Message) => boolean): Message | undefined {
  for (let i = messages.length - 1; i >= 0; i--) if (is(messages[i]!)) return messages[i];
  return undefined;
}

function nameIn(messages: readonly Message[]): string {
  const fields = lastOf(messages, (m) => m.kind === 'form')?.form?.fields ?? {};
  for (const k of NAME_FIELDS) if (fields[k]?.trim()) return fields[k].trim().slice(0, MAX_NAME);
  return '';
}
