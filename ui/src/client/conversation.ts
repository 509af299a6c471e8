/** One conversation as a page shows it: log and outbox behind the signals of `Thread`. */
import type { Directory } from '../crypto/directory';
import type { Body } from '../crypto/envelope';
import { Rejected } from '../crypto/error';
import { targetOf } from '../crypto/recall';
import { Refused } from '../link/errors';
import { ClientError, type ErrorKey, type Message, type Thread, type Wait } from '../model';
import {
  Code,
  Envelope,
  Kind,
  ownerUser,
  RECALL_MS,
  type Conv,
  type ErrorFrame,
  type Marks,
  type Resume,
  type WireRecord,
  type WireSide,
} from '../proto';
import { signal, type Signal } from '../signals';
import { EpochRotation } from './epoch-rotation';
import { handBack } from './hand-back';
import { ConversationLog, type LogExtension, type LogParts } from './conversation-log';
import { Timeline } from './timeline';
import { BATCH, type ConversationContext } from './context';
import { RobotMembership } from './robot-membership';
import type { NoteCodec } from './sealer';
import { SendQueue } from './send-queue';

/** How long "is typing" stays without a word, ms. */
const TYPING_MS = 6_000;
/** Marks of what arrived are told together, ms. */
const SEEN_MS = 250;
/** Changes that others make are shown at once, and then at most once in this time, however many there are; ms. */
const SHOW_MS = 50;
/** Own envelopes of these kinds are kept, for a server that loses them. */
const HANDED_BACK: readonly number[] = [Kind.message, Kind.note, Kind.recall, Kind.noteRecall];
/** Longest wait for the record of an envelope that is no message, ms. */
const DELIVER_MS = 15_000;
const MAX_CONFLICTS = 8;
/** Refusals after which lost records are handed back once more. */
const RETRIED: readonly number[] = [Code.rate_limited, Code.storage, Code.conflict];
/** Before lost records are handed back once more to a server that could not take them, ms. */
const RETRY_MS = 2_000;

/** What an agent's conversation can do beyond a visitor's. The widget carries none of it. */
export interface AgentParts {
  log(parts: LogParts): LogExtension;
  notes: NoteCodec;
}

interface ConversationHooks {
  changed?(): void;
  alive?(inst: number): Promise<boolean>;
  me?(): string | null;
  /** A line that says that the conversation was given to this agent. */
  given?(m: Message): boolean;
  agent?: AgentParts;
}

/** Said to people: escapes make a short text a long one. */
function tooLarge(e: unknown): never {
  throw e instanceof Rejected && e.reason === 'too_large' ? new ClientError('error.too_large') : e;
}

export class Conversation implements Thread {
  readonly conv: Signal<Conv | null>;
  readonly messages = signal<readonly Message[]>([]);
  readonly synced = signal(false);
  readonly typing = signal<{ side: WireSide; name: string } | null>(null);
  readonly unread = signal(0);
  readonly members = signal<{ people: readonly string[]; bot: boolean }>({ people: [], bot: false });
  readonly personAsked = signal(false);
  readonly agentName = signal<string | null>(null);
  readonly blocked = signal<ErrorKey | null>(null);
  readonly wait = signal<Wait | null>(null);
  /** The server shows no more of it for the moment. */
  private reading: Wait | null = null;
  /** Why this conversation cannot go on: the log is not what it was, or is gone. */
  ended: ErrorKey | null = null;
  readonly log: ConversationLog;
  readonly outbox: SendQueue;
  private readonly robot: RobotMembership;
  private readonly lines: Timeline;
  private work: Promise<void> = Promise.resolve();
  private queued = 0;
  /** The page is done with it: nothing more is judged, with keys that may be gone, or remembered. */
  private disposed = false;
  /** The server's log went back: it is read again, and what was lost is handed back. */
  private rewinding = false;
  private bringing = false;
  /** The server said that everything is here while something was handed back. */
  private missed = false;
  /** The opening of the server's database under which this page read, and the one that it named when it asked. */
  private gen = '';
  private asked = '';
  /** Up to here it is remembered, and may be shown. */
  private kept = 0;
  /** Highest seq received here. */
  have = 0;
  private read = 0;
  private told: Marks = { delivered: 0, read: 0 };
  private typingTimer: ReturnType<typeof setTimeout> | undefined;
  private seenTimer: ReturnType<typeof setTimeout> | undefined;
  private showTimer: ReturnType<typeof setTimeout> | undefined;
  /** What is there is not what is shown. */
  private stale = false;
  private sinceTurn = 0;
  private membersOf: { dir: Directory; team: string | undefined; bot: boolean } | null = null;
  private readonly waiters = new Set<() => void>();
  private readonly expected = new Map<string, (error: Error | null) => void>();

  constructor(
    private readonly context: ConversationContext,
    readonly id: string,
    conv: Conv | null,
    private readonly hooks: ConversationHooks = {},
  ) {
    this.conv = signal(conv);
    const log = (this.log = new ConversationLog(context, id, hooks.agent?.log));
    this.robot = new RobotMembership(context, log.epochs, id, () => this.conv.value?.owner ?? '');
    this.outbox = new SendQueue(
      context,
      log,
      new EpochRotation(context, log.epochs, log.memory, this.robot, id),
      this.robot,
      {
        ready: () => this.synced.value && !this.ended && context.online(),
        behind: () => this.behind(),
        changed: () => this.publish(),
      },
      hooks.agent?.notes,
    );
    this.lines = new Timeline(context, log);
    this.keepRobotOut(conv);
    this.marksFrom(conv);
    this.publish();
  }

  // ---- from the server

  /** Reads what earlier visits remember. Before records are asked for: they must show all of it. */
  async prepare(): Promise<void> {
    await this.log.memory.load();
    this.log.history.expect();
    this.publish();
  }

  /** What the server compares with its log. */
  known(): Omit<Resume, 'id' | 'have'> {
    const { memory } = this.log;
    const { end } = this.log.history;
    // another tab may have come back from a backup: what this page read is older then
    const { gen, seq, mark } = end && this.gen && this.gen !== memory.now.gen ? { gen: this.gen, ...end } : memory.now;
    const known = !this.rewinding && seq > 0 && gen !== '';
    this.asked = known ? gen : '';
    return known ? { gen, seq, mark } : {};
  }

  /** Records come in order; the link saw to it. */
  record(r: WireRecord): void {
    const live = this.synced.value;
    // of the connection it came by; the next one may be on when it is read
    const gen = this.context.gen();
    this.queued++;
    this.work = this.work.then(async () => {
      if (this.disposed) return;
      const before = this.log.memory.now.seq;
      const entry = await this.log.apply(r, live);
      this.have = Math.max(this.have, r.seq);
      const env = Envelope.parse(r.body);
      if (env && env.sender === this.context.kid && r.seq > before && HANDED_BACK.includes(env.kind))
        this.log.memory.acknowledged(r.seq, env);
      this.queued--;
      // before anything is sealed in a new epoch or shown
      if (entry?.epoch || this.queued === 0) {
        await this.remember(gen);
        this.kept = r.seq;
      }
      if (this.log.history.contradicts && !this.ended) this.end('error.history');
      if (env) {
        this.outbox.record(env);
        this.expected.get(env.msg)?.(null);
      }
      if (env && this.typing.value && env.sender !== this.context.kid)
        this.setTyping(this.typing.value.side, '', false);
      if (this.queued === 0) this.publishSoon();
      if (this.queued === 0) this.tell();
      for (const w of [...this.waiters]) w();
      if (this.queued === 0) this.sinceTurn = 0;
      else if (++this.sinceTurn % BATCH === 0) await this.context.turn();
    });
  }

  private remember(gen: string): Promise<void> {
    const { left, ...place } = this.log.place();
    return this.log.memory.save(this.rewinding ? { left } : { ...place, left, ...(gen && { gen }) });
  }

  /** The server asks for patience before it shows more; null: no more. */
  held(wait: Wait | null): void {
    if (wait === this.reading) return;
    this.reading = wait;
    this.publish();
  }

  /** Everything up to here is held. */
  caughtUp(): void {
    const gen = this.context.gen();
    this.work = this.work.then(async () => {
      if (!this.context.online() || gen !== this.context.gen() || this.ended) return;
      if (this.rewinding) {
        // not in this chain: it waits for records
        if (this.bringing) this.missed = true;
        else void this.bringBack();
        return;
      }
      if (!this.log.history.holds()) return this.end('error.history');
      await this.go(gen);
    });
  }

  private async go(gen: string): Promise<void> {
    this.gen = this.asked = gen;
    await this.remember(gen);
    this.synced.value = true;
    this.reading = null;
    this.publish();
    await this.outbox.restore(this.hooks.alive ?? (async () => false));
    for (const w of [...this.waiters]) w();
  }

  /** The memory knows more than the log showed: it must show it now. */
  private behind(): void {
    if (!this.synced.value) return;
    this.synced.value = false;
    this.log.history.expect();
    this.context.again(this.id);
  }

  /** The server says that its log went back. True only of a database that was opened again. */
  rewound(gen: string): void {
    this.synced.value = false;
    this.work = this.work.then(() => {
      if (!gen || gen !== this.context.gen() || gen === this.asked) return this.end('error.history');
      this.rewinding = true;
      this.have = this.kept = 0;
      this.log.reset();
      this.context.again(this.id, true);
    });
  }

  private async bringBack(): Promise<void> {
    const [after, gen] = [this.have, this.context.gen()];
    this.bringing = true;
    try {
      const rest = await handBack(this.context, this);
      // opened once more: what was read is not what is there
      if (gen !== this.context.gen()) return;
      const { memory } = this.log;
      if (this.log.epochs.hashOf(memory.now.epoch) !== memory.now.hash && memory.now.epoch >= 0)
        return this.end('error.conversation_lost');
      this.rewinding = false;
      await memory.replace({ ...this.log.place(), ...(gen && { gen }) }, { after, at: this.context.now() });
      this.log.history.expect();
      await this.go(gen);
      const mine = this.context.role === 'visitor' || this.conv.value?.owner === `agent:${this.hooks.me?.()}`;
      await this.outbox.requeue(rest, mine ? null : 'error.not_owner');
    } catch (e) {
      // the connection went: the next catch-up tries again
      if (!this.context.online()) return;
      const refused = e instanceof Refused ? e : null;
      const later = refused ? RETRIED.includes(refused.code) : e instanceof ClientError && e.key === 'error.network';
      if (later) setTimeout(() => this.caughtUp(), refused?.retryMs ?? RETRY_MS);
      else this.end('error.conversation_lost');
    } finally {
      this.bringing = false;
      if (this.missed) this.caughtUp();
      this.missed = false;
    }
  }

  /** Nothing is written here any more. A log that is not what it was is an alarm. */
  end(why: ErrorKey): void {
    this.ended = why;
    if (why === 'error.history') this.context.alarm(why);
    this.publish();
  }

  offline(): void {
    this.synced.value = false;
    this.outbox.offline();
    this.work = this.work.then(async () => {
      await this.log.memory.refresh();
      if (!this.rewinding) this.log.history.expect();
    });
    this.setTyping('agent', '', false);
    for (const w of [...this.waiters]) w();
  }

  update(conv: Conv): void {
    this.keepRobotOut(conv);
    this.conv.value = conv;
    this.marksFrom(conv);
    this.publishSoon();
    // a robot that is not the owner any more leaves at once; records that came before this count first
    this.work = this.work.then(() => this.outbox.pump());
  }

  /** The server's word can take a robot out, and then for good: what is written from here on is not for it, also after a reload. */
  private keepRobotOut(conv: Conv | null): void {
    if (
      !conv ||
      this.context.role !== 'visitor' ||
      this.log.epochs.robotLeft ||
      conv.owner === 'robot' ||
      conv.owner === 'none'
    )
      return;
    this.log.epochs.robotLeft = true;
    const { memory } = this.log;
    void memory.load().then(() => memory.save({ left: true }));
  }

  receipt(side: WireSide, marks: Marks): void {
    const conv = this.conv.value;
    if (!conv) return;
    const later = (a: Marks, b: Marks): Marks => ({
      delivered: Math.max(a.delivered, b.delivered),
      read: Math.max(a.read, b.read),
    });
    this.update({ ...conv, [side]: later(conv[side], { delivered: marks.delivered, read: marks.read }) });
  }

  refused(f: ErrorFrame): boolean {
    const waiting = f.msg === undefined ? undefined : this.expected.get(f.msg);
    if (waiting) {
      waiting(new Refused(f));
      return true;
    }
    return this.outbox.refused(f);
  }

  /** Sends an envelope that is no message (an announcement, a grant) and waits for its record. Rejects as the server does. */
  deliver(bytes: Uint8Array): Promise<void> {
    const { msg } = Envelope.parse(bytes)!;
    return new Promise((done, fail) => {
      const timer = setTimeout(() => settle(new ClientError('error.network', 'no record came back')), DELIVER_MS);
      const settle = (error: Error | null): void => {
        clearTimeout(timer);
        this.expected.delete(msg);
        if (error) fail(error);
        else done();
      };
      let conflicts = 0;
      this.expected.set(msg, (error) => {
        // somebody changed the conversation in the same instant: the same bytes again, at once
        if (
          error instanceof Refused &&
          error.code === Code.conflict &&
          ++conflicts <= MAX_CONFLICTS &&
          this.context.envelope(bytes)
        )
          return;
        settle(error);
      });
      if (!this.context.envelope(bytes)) settle(new ClientError('error.network', 'not connected'));
    });
  }

  setTyping(side: WireSide, name: string, on: boolean): void {
    clearTimeout(this.typingTimer);
    const value = on ? { side, name } : null;
    if (value || this.typing.value) this.typing.value = value;
    if (on) this.typingTimer = setTimeout(() => this.setTyping(side, name, false), TYPING_MS);
  }

  /** Keys came: what could not be opened may open now. */
  retryKeys(): void {
    this.work = this.work.then(async () => {
      await this.log.retryKeys();
      this.publish();
    });
  }

  // ---- from the person

  async send(body: Body, note = false): Promise<void> {
    const broken = this.context.broken() ?? this.ended ?? (this.outbox.full ? 'error.full' : null);
    if (broken) throw new ClientError(broken);
    if (!this.log.epochs.current) await this.until(() => this.log.epochs.current !== null);
    await this.outbox.add(body, note).catch(tooLarge);
  }

  async recall(id: string): Promise<void> {
    const env = this.log.find(id)?.env;
    if (env) await this.outbox.recall(targetOf(env));
  }

  /** Whoever reads the next epoch is a person; announced at once, or when the server is there again. */
  requestPerson(): void {
    this.robot.requestPerson();
    this.publish();
    this.outbox.pump();
  }

  typingNow(on: boolean): void {
    this.context.frame({ t: 'typing', conv: this.id, on });
  }

  markRead(): void {
    this.read = this.have;
    this.tell();
    this.publish();
  }

  /** Resolves when `ok` holds; looked at after every record and connection. Rejects after `ms`. */
  until(ok: () => boolean, ms = 30_000): Promise<void> {
    if (ok()) return Promise.resolve();
    return new Promise((done, fail) => {
      const end = (): void => {
        clearTimeout(timer);
        this.waiters.delete(look);
      };
      const look = (): void => {
        if (!ok()) return;
        end();
        done();
      };
      const timer = setTimeout(() => {
        end();
        fail(new ClientError('error.network', 'the conversation did not catch up'));
      }, ms);
      this.waiters.add(look);
    });
  }

  dispose(): void {
    this.disposed = true;
    clearTimeout(this.typingTimer);
    clearTimeout(this.seenTimer);
    clearTimeout(this.showTimer);
    this.outbox.offline();
  }

  // ---- signals

  private marksFrom(conv: Conv | null): void {
    if (!conv) return;
    const own = conv[this.context.role];
    this.read = Math.max(this.read, own.read);
    this.told = { delivered: Math.max(this.told.delivered, own.delivered), read: Math.max(this.told.read, own.read) };
  }

  /** Tells the server how far this side is. */
  private tell(): void {
    if (this.seenTimer !== undefined) return;
    this.seenTimer = setTimeout(() => {
      this.seenTimer = undefined;
      if (this.have <= this.told.delivered && this.read <= this.told.read) return;
      const marks = { delivered: Math.max(this.have, this.told.delivered), read: Math.max(this.read, this.told.read) };
      if (this.context.frame({ t: 'seen', conv: this.id, ...marks })) this.told = marks;
    }, SEEN_MS);
  }

  /** For what others do, who may do much at once. */
  private publishSoon(): void {
    this.stale = true;
    if (this.showTimer !== undefined) return;
    this.publish();
    this.showTimer = setTimeout(() => {
      this.showTimer = undefined;
      if (this.stale) this.publishSoon();
    }, SHOW_MS);
  }

  publish(): void {
    if (this.disposed) return;
    this.stale = false;
    const conv = this.conv.value;
    const other = conv?.[this.context.role === 'visitor' ? 'agent' : 'visitor'] ?? { delivered: 0, read: 0 };
    const messages = this.lines.render(
      this.outbox.items,
      this.kept,
      other,
      (seq, at) => this.context.now() - at < RECALL_MS && seq > 0,
      this.context.broken() ?? this.ended,
    );
    this.messages.value = messages;
    this.unread.value = this.unreadOf(messages);
    const epoch = this.log.epochs.current;
    const team = epoch?.team ?? conv?.team;
    const dir = this.context.directory();
    this.membersFrom(dir, team, epoch?.bot ?? false);
    this.personAsked.value = this.robot.personRequested;
    const user = conv ? ownerUser(conv.owner) : null;
    this.agentName.value = user ? (dir.nameOf(user) ?? user) : null;
    this.blocked.value = this.whyBlocked(conv);
    this.wait.value = this.outbox.wait ?? this.reading;
    this.hooks.changed?.();
  }

  /** The people of a team are looked for again only when one of these is another. */
  private membersFrom(dir: Directory, team: string | undefined, bot: boolean): void {
    const was = this.membersOf;
    if (was && was.dir === dir && was.team === team && was.bot === bot) return;
    this.membersOf = { dir, team, bot };
    this.members.value = { people: team ? dir.people(team) : [], bot };
  }

  /** From the end: what was read is not counted again at every change. */
  private unreadOf(messages: readonly Message[]): number {
    let n = 0;
    let given = false;
    for (let i = messages.length - 1; i >= 0; i--) {
      const m = messages[i]!;
      if (m.seq !== null && m.seq <= this.read) break;
      if (!m.mine && m.seq !== null && m.kind === 'text' && (m.side !== 'robot' || this.context.role === 'visitor'))
        n++;
      given ||= this.hooks.given?.(m) === true;
    }
    return n || (given ? 1 : 0);
  }

  private whyBlocked(conv: Conv | null): ErrorKey | null {
    const broken = this.context.broken() ?? this.ended ?? (this.outbox.full ? 'error.full' : null);
    if (broken || this.context.role === 'visitor') return broken;
    if (conv?.state === 'closed') return 'error.closed';
    if (this.log.epochs.current && !this.log.epochs.current.key) return 'error.no_key';
    const me = this.hooks.me?.();
    return me && conv && conv.owner !== `agent:${me}` ? 'error.not_owner' : null;
  }
}
