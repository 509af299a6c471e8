/** Turns what a log and an outbox hold into the messages a page shows. The same line is the same object until it changes. */
import { unb64u } from '../crypto/bytes';
import type { Body, FileBody } from '../crypto/envelope';
import type { ErrorKey, FileInfo, Form, Message, Side, ThreadEvent } from '../model';
import { Kind, ownerUser, type Marks, type RecordEvent } from '../proto';
import type { ConversationLog } from './conversation-log';
import { textsOf, type Entry } from './log-entry';
import type { Rewind } from './memory';
import type { Outgoing } from './outgoing';
import type { DirectoryAccess, Participant } from './context';

const formOf = (
  { fields, page, lang, mode, after, attributes, update }: Extract<Body, { t: 'form' }>,
  judged?: Entry['judged'],
): Form => ({
  fields,
  page,
  lang,
  mode,
  after,
  attributes,
  update,
  judged,
});

const fileOf = ({ name, size, w, h, thumb, secs }: FileBody): FileInfo => ({
  name,
  size,
  w,
  h,
  thumb: thumb === undefined ? undefined : unb64u(thumb),
  secs,
});

/** Quick replies of one message, and characters of its explanation. */
const MAX_BUTTONS = 20;
export const MAX_WORDS = 200;

export const isText = (v: unknown): v is string => typeof v === 'string';

/** Fields that only a robot sends. Its key was checked; their content may still be malformed. */
function robotSaid(body: Body | undefined): Pick<Message, 'buttons' | 'thought'> {
  if (body?.t !== 'text' && body?.t !== 'ctl') return {};
  const { bot, re } = body;
  const buttons =
    body.t === 'text' && Array.isArray(body.buttons)
      ? body.buttons.filter((b) => b && isText(b.label) && isText(b.send)).slice(0, MAX_BUTTONS)
      : undefined;
  const thought = bot && {
    intent: isText(bot.intent) ? bot.intent.slice(0, MAX_WORDS) : null,
    p: Number(bot.p) || 0,
    entry: isText(bot.entry) ? bot.entry.slice(0, MAX_WORDS) : undefined,
    why: bot.why,
    re,
  };
  return { buttons, thought };
}

/** A recall that had a gap before it when it came; a later one explained it. */
const isFilled = ({ env, missingBefore, unordered }: Entry): boolean =>
  (env?.kind === Kind.recall || env?.kind === Kind.noteRecall) && !missingBefore && !unordered;

export type OfEvent = (
  event: RecordEvent | undefined,
  nameOf: (user: string) => string | undefined,
) => ThreadEvent | undefined;

export class Timeline {
  /** The line of each entry as it was when it was made. */
  private readonly lines = new WeakMap<
    Entry,
    {
      state: Message['state'];
      kind: Entry['kind'];
      error: Entry['error'];
      missing: boolean;
      unordered: boolean;
      /** How often it was changed, and what it quotes. */
      words: string;
      message: Message;
    }
  >();
  private readonly cache = new Map<string, { key: string; message: Message }>();

  constructor(
    private readonly context: Participant & DirectoryAccess,
    private readonly log: ConversationLog,
    /** Fields of a note other than its text. */
    private readonly ofNote?: (body: Body | undefined) => Partial<Message>,
    /** Events that only agents are shown. */
    private readonly ofEvent?: OfEvent,
  ) {}

  /** `stuck`: why nothing of what waits will be sent. `kept`: the last record that may be shown. `recallable`: whether a record of that seq and time may still be taken back. */
  render(
    items: readonly Outgoing[],
    kept: number,
    other: Marks,
    recallable: (seq: number, at: number) => boolean,
    stuck: ErrorKey | null = null,
  ): Message[] {
    const out: Message[] = [];
    const rewinds = [...this.log.memory.now.rewinds];
    const { lines } = this.log;
    const shown = lines.entries.filter((e) => e.seq <= kept && !lines.isEdit(e) && !isFilled(e));
    for (const e of shown) {
      while (rewinds[0] && rewinds[0].after < e.seq) out.push(this.rewound(rewinds.shift()!));
      out.push(this.lineOf(e, this.stateOf(e, other), recallable));
    }
    for (const rewind of rewinds) out.push(this.rewound(rewind));
    for (const o of items) {
      const error = o.error ?? stuck ?? undefined;
      // what replaces a text has no line, unless it comes to nothing
      if (o.body && (error || o.body.t !== 'text' || !o.body.edit))
        out.push(this.cached(o.msg, `out/${o.error}/${error}`, () => this.waiting(o, o.body!, error)));
    }
    return out;
  }

  private quoteOf({ body, robot }: Entry): Message['quote'] {
    if (body?.t !== 'text' || robot !== undefined || !isText(body.re)) return undefined;
    const of = this.log.lines.find(body.re);
    return { id: body.re, text: (of?.kind === 'message' && textsOf(of).pop()) || '' };
  }

  /** Called for every line at every change: nothing is made but what changed. */
  private lineOf(e: Entry, state: Message['state'], recallable: (seq: number, at: number) => boolean): Message {
    const known = this.lines.get(e);
    const quote = this.quoteOf(e);
    const words = e.edits || quote ? `${textsOf(e).length} ${quote?.text}` : '';
    const same =
      known &&
      known.words === words &&
      known.state === state &&
      known.kind === e.kind &&
      known.error === e.error &&
      known.missing === e.missingBefore &&
      known.unordered === e.unordered;
    if (same) return known.message;
    const id = e.kind === 'broken' ? `b${e.seq}` : e.msg && e.kind !== 'epoch' ? e.msg : `e${e.seq}`;
    const message = this.line(id, e, state, recallable, quote);
    this.lines.set(e, {
      words,
      state,
      kind: e.kind,
      error: e.error,
      missing: e.missingBefore,
      unordered: e.unordered,
      message,
    });
    return message;
  }

  private cached(id: string, key: string, make: () => Message): Message {
    const known = this.cache.get(id);
    if (known?.key === key) return known.message;
    const message = make();
    this.cache.set(id, { key, message });
    return message;
  }

  private rewound({ after, at }: Rewind): Message {
    const make = (): Message => ({
      id: `w${at}`,
      seq: after,
      at,
      side: 'system',
      mine: false,
      kind: 'event',
      text: '',
      event: { t: 'rewound' },
      missingBefore: false,
      unordered: false,
      canRecall: () => false,
    });
    return this.cached(`w${at}`, '', make);
  }

  private stateOf(e: Entry, other: Marks): Message['state'] {
    if (e.sender !== this.context.kid || (e.kind !== 'message' && e.kind !== 'note')) return undefined;
    if (e.kind === 'note') return 'sent';
    return other.read >= e.seq ? 'read' : other.delivered >= e.seq ? 'delivered' : 'sent';
  }

  private line(
    id: string,
    e: Entry,
    state: Message['state'],
    recallable: (seq: number, at: number) => boolean,
    quote: Message['quote'],
  ): Message {
    const mine = e.sender === this.context.kid;
    const side: Side = !e.sender
      ? 'system'
      : e.sender === this.log.epochs.visitor?.kid
        ? 'visitor'
        : e.robot !== undefined
          ? 'robot'
          : 'agent';
    const base = {
      id,
      seq: e.seq,
      at: e.at,
      side,
      mine,
      text: '',
      state,
      error: e.error,
      missingBefore: e.missingBefore,
      unordered: e.unordered,
    };
    const author =
      e.robot !== undefined
        ? { name: e.robot, kid: e.sender }
        : side === 'agent'
          ? { user: e.user, name: this.nameOf(e), kid: e.sender }
          : undefined;
    const no = (): boolean => false;
    switch (e.kind) {
      case 'event':
      case 'epoch':
        return { ...base, side: 'system', mine: false, kind: 'event', event: this.eventOf(e), canRecall: no };
      case 'message':
      case 'note': {
        const body = e.body;
        if (body?.t === 'form') {
          return { ...base, author, kind: 'form', form: formOf(body, e.judged), canRecall: no };
        }
        const before = textsOf(e);
        const text = before.pop() ?? body?.text ?? '';
        const said = e.robot === undefined ? undefined : robotSaid(body);
        if (body?.t === 'ctl')
          return {
            ...base,
            ...said,
            author,
            kind: 'event',
            event: { t: 'handoff', why: body.why, team: body.team },
            canRecall: no,
          };
        return {
          ...base,
          ...said,
          ...this.ofNote?.(body),
          author,
          kind: e.kind === 'note' ? 'note' : 'text',
          text,
          ...(before.length && { edited: before }),
          quote,
          ...(body?.t === 'file' && { file: fileOf(body) }),
          canRecall: () => mine && e.kind === 'message' && recallable(e.seq, e.at),
        };
      }
      case 'recalled':
      case 'removed':
      case 'broken':
      case 'unsupported':
        return { ...base, author, kind: e.kind, canRecall: no };
    }
  }

  private nameOf(e: Entry): string {
    return this.context.directory().keyOf(e.sender)?.name ?? e.user ?? '';
  }

  private userName(user: string | undefined): string | undefined {
    return user === undefined ? undefined : (this.context.directory().nameOf(user) ?? undefined);
  }

  private eventOf(e: Entry): ThreadEvent | undefined {
    if (e.epoch && e.movedFrom !== undefined && e.epoch.team !== null)
      return { t: 'moved', team: e.epoch.team, name: this.userName(e.epoch.by ?? undefined) };
    if (e.epoch)
      return {
        t: 'epoch',
        epoch: e.epoch.epoch,
        bot: e.epoch.bot,
        botBefore: this.log.epochs.get(e.epoch.epoch - 1)?.bot,
      };
    const v = e.event;
    switch (v?.t) {
      case 'open':
        return { t: 'open' };
      case 'owner': {
        const user = ownerUser(v.owner) ?? undefined;
        const owner = user !== undefined ? 'agent' : v.owner === 'queue' || v.owner === 'robot' ? v.owner : 'none';
        return {
          t: 'owner',
          owner,
          user,
          name: this.userName(user),
          team: v.team,
          why: v.why,
          by: v.by,
          byName: this.userName(v.by),
        };
      }
      case 'closed':
      case 'reopened':
      case 'dismissed':
        return { t: v.t, by: v.by, name: this.userName(v.by) };
      case 'rated':
        return { t: 'rated', stars: starsOf(v.stars) };
      default:
        return this.ofEvent?.(v, (user) => this.userName(user));
    }
  }

  private waiting(o: Outgoing, body: Body, error?: ErrorKey): Message {
    const mine = {
      id: o.msg,
      seq: null,
      at: o.at,
      side: this.context.role,
      mine: true,
      missingBefore: false,
      unordered: false,
    } as const;
    const rest = {
      state: error ? 'failed' : 'queued',
      error,
      over: !o.error && !!error,
      canRecall: () => false,
    } as const;
    const author =
      this.context.role === 'agent'
        ? { name: this.context.directory().keyOf(this.context.kid)?.name ?? '', kid: this.context.kid }
        : undefined;
    if (body.t === 'form') {
      return { ...mine, ...rest, author, kind: 'form', text: '', form: formOf(body) };
    }
    const file = body.t === 'file' ? fileOf(body) : undefined;
    return { ...mine, ...rest, author, kind: o.note ? 'note' : 'text', text: body.text ?? '', file };
  }
}

/** The server's word. */
const starsOf = (n: unknown): number => Math.min(5, Math.max(1, Math.round(Number(n)) || 1));
