/** The conversations an agent sees, as lists show them. */
import type { Person } from '../crypto/identity';
import type { ConvItem, Handed, Message } from '../model';
import { ownerUser, type Conv } from '../proto';
import { signal } from '../signals';
import type { Conversation } from './conversation';

/** Keys of a form that name a person, best first. */
const NAME_FIELDS = ['name', 'nickname', 'nick', 'username'];

/** Characters of a name that are worth keeping. */
const MAX_NAME = 100;

interface Said {
  name: string;
  last: Message | null;
  /** The visitor's own last words: who waits in a queue is asked about these. */
  asked: Message | null;
  handed: Handed | null;
  unanswered: number | null;
  unmet: boolean;
  person: Person | null;
}
const NOTHING: Said = { person: null, name: '', last: null, asked: null, handed: null, unanswered: null, unmet: true };

export class ConvList {
  readonly items = signal<readonly ConvItem[]>([]);
  private readonly convs = new Map<string, Conv>();
  private dirty = false;
  /** What has not changed is the same object, so that it is not rendered again. */
  private readonly made = new Map<string, ConvItem>();
  private readonly known = new WeakMap<readonly Message[], Said>();
  /** What was read of conversations that are followed no more: their lines stay as they were. In memory only. */
  private readonly kept = new Map<string, Said>();

  constructor(
    private readonly me: () => { user: string; teams: readonly string[] } | null,
    private readonly thread: (id: string) => Conversation | undefined,
    private readonly nameOf: (user: string) => string,
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
    this.kept.delete(id);
    this.changed();
  }

  clear(): void {
    this.convs.clear();
    this.made.clear();
    this.kept.clear();
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
      this.items.value = [...this.convs.values()]
        .map((c) => this.item(c))
        .sort((a, b) => b.lastAt - a.lastAt || (a.id < b.id ? 1 : -1));
    });
  }

  /** Looked for once in what a conversation shows; the others of the list have not changed. */
  private said(messages: readonly Message[]): Said {
    let said = this.known.get(messages);
    if (!said) {
      const last = lastOf(messages, isSaid) ?? null;
      const asked = lastOf(messages, (m) => m.side === 'visitor' && m.kind === 'text') ?? last;
      this.known.set(
        messages,
        (said = {
          person: personIn(messages),
          name: personIn(messages)?.name ?? nameIn(messages),
          last,
          asked,
          handed: handedIn(messages, this.me()?.user),
          unanswered: unansweredSince(messages),
          unmet: !messages.some(isAnswer),
        }),
      );
    }
    return said;
  }

  private item(c: Conv): ConvItem {
    const t = this.thread(c.id);
    const conv = t?.conv.value ?? c;
    let said = t ? this.said(t.messages.value) : NOTHING;
    // a thread that was just opened again shows nothing for a moment
    if (said.name || said.last) this.kept.set(c.id, said);
    else if (!t?.synced.value) said = this.kept.get(c.id) ?? said;
    const tabs = this.tabsOf(conv);
    const last = tabs.queue ? said.asked : said.last;
    const owner = ownerUser(conv.owner);
    const item: ConvItem = {
      id: c.id,
      conv,
      tabs,
      name: said.name,
      person: said.person,
      last,
      empty: !last && (t?.synced.value ?? false),
      unread: t?.unread.value ?? 0,
      waitingSince: conv.waiting_since ?? null,
      unanswered: conv.state === 'open' && (owner !== null || conv.owner === 'queue') ? said.unanswered : null,
      unmet: said.unmet,
      lastAt: Math.max(conv.last_at, said.last?.at ?? 0),
      ownerName: owner === null ? '' : this.nameOf(owner),
      handed: said.handed,
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

function lastOf<M>(messages: readonly M[], is: (m: M) => boolean): M | undefined {
  for (let i = messages.length - 1; i >= 0; i--) if (is(messages[i]!)) return messages[i];
  return undefined;
}

/** The conversation was given to this agent, by a colleague or by the desk (which accepts for them); what they took themselves they know of. */
export const isGiven = ({ event: e }: Message, me: string | undefined): boolean =>
  e?.t === 'owner' &&
  e.user !== undefined &&
  e.user === me &&
  (e.why === 'accept' || (e.why === 'transfer' && e.by !== me));

const isSaid = (m: Message): boolean => m.kind === 'text' || m.kind === 'recalled' || m.kind === 'broken';

const isAnswer = (m: Message): boolean => m.side === 'agent' && m.kind === 'text';

/** When the visitor wrote first after a person's last answer; at the earliest when they came into the queue. */
export function unansweredSince(messages: readonly Message[]): number | null {
  let since: number | null = null;
  for (let i = messages.length - 1; i >= 0; i--) {
    const m = messages[i]!;
    if (isAnswer(m) || m.event?.t === 'closed') return since;
    if (m.event?.t === 'owner' && (m.event.why === 'person' || m.event.why === 'handoff')) return m.at;
    if (m.side === 'visitor' && m.kind === 'text') since = m.at;
  }
  return since;
}

/** Timeline between a reason and the transfer: an epoch, and grants that leave none. */
const REASON_BEFORE = 8;

/** Who handed it on to where it is: the newest change of owner, or the one before if it waited in a queue since. */
function handedIn(messages: readonly Message[], me: string | undefined): Handed | null {
  let accepted = false;
  for (let i = messages.length - 1; i >= 0; i--) {
    const e = messages[i]!.event;
    if (e?.t !== 'owner') continue;
    if (e.why === 'transfer')
      return !e.by || e.by === me ? null : { by: e.byName ?? e.by, reason: reasonOf(messages, i, e.by) };
    if (accepted || e.why !== 'accept') return null;
    accepted = true;
  }
  return null;
}

function reasonOf(messages: readonly Message[], at: number, by: string): string {
  for (let i = at - 1; i >= Math.max(0, at - REASON_BEFORE); i--) {
    const m = messages[i]!;
    if (m.handsOn && m.author?.user === by) return m.text;
    if (m.event?.t === 'owner') return '';
  }
  return '';
}

/** Whom the site's backend vouched for last; what proves nothing changes nothing. */
export const personIn = (messages: readonly Pick<Message, 'form'>[]): Person | null =>
  lastOf(messages, (m) => !!m.form?.judged?.person)?.form?.judged?.person ?? null;

/** What the visitor called themselves in the newest form, or ''. */
export function nameIn(messages: readonly Pick<Message, 'kind' | 'form'>[]): string {
  const fields = lastOf(messages, (m) => m.kind === 'form' && !m.form?.update)?.form?.fields ?? {};
  for (const k of NAME_FIELDS) if (fields[k]?.trim()) return fields[k].trim().slice(0, MAX_NAME);
  return '';
}
