/** One conversation as a page shows it: its log, and what waits to be sent, behind the signals of `Thread`. */
import type { Directory } from '../crypto/directory';
import type { Body } from '../crypto/envelope';
import { Rejected } from '../crypto/error';
import { targetOf } from '../crypto/recall';
import { hex, random } from '../crypto/bytes';
import {
  ClientError,
  type ErrorKey,
  type Message,
  type Picked,
  type Thread,
  type ThreadFiles,
  type Wait,
} from '../model';
import {
  Envelope,
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
import { BATCH, type ConversationContext } from './context';
import { ConversationLog, type LogExtension, type LogParts } from './conversation-log';
import { Deliveries } from './deliveries';
import { EpochRotation } from './epoch-rotation';
import type { Epoch } from './log-entry';
import { COUNTED } from './outgoing';
import { furthest, Receipts } from './receipts';
import { Restoration } from './restoration';
import { RobotMembership } from './robot-membership';
import type { NoteCodec } from './sealer';
import { SendQueue } from './send-queue';
import { threadFiles } from './thread-files';
import { Throttle } from './throttle';
import { Timeline, type OfEvent } from './timeline';
import { countUnread } from './unread';
import { Uploads } from './uploads';
import { Waiters } from './waiters';

/** How long "is typing" stays without a word, ms. */
const TYPING_MS = 6_000;
/** While a log is read, its place is kept at most once in this time, ms. */
const KEEP_MS = 250;
/** Changes that others make are shown at once, and then at most once in this time, however many there are; ms. */
const SHOW_MS = 50;

/** What an agent's conversation can do beyond a visitor's. The widget carries none of it. */
export interface AgentParts {
  log(parts: LogParts): LogExtension;
  notes: NoteCodec;
  /** Fields of a note other than its text. */
  ofNote(body: Body | undefined): Partial<Message>;
  /** Events that only agents are shown. */
  ofEvent: OfEvent;
  /** Why this agent (`me`) can write nothing here. */
  whyBlocked(conv: Conv | null, epoch: Epoch | null, me: string | null | undefined): ErrorKey | null;
}

interface ConversationHooks {
  changed?(): void;
  alive?(inst: number): Promise<boolean>;
  me?(): string | null;
  /** A line that shows that the conversation was given to this agent. */
  given?(m: Message): boolean;
  agent?: AgentParts;
}

/** Shown to people: escapes make a short text a long one. */
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
  /** Why this conversation cannot continue: the log is not what it was, or is gone. */
  ended: ErrorKey | null = null;
  readonly log: ConversationLog;
  readonly outbox: SendQueue;
  readonly uploads: Uploads;
  readonly files: ThreadFiles;
  private readonly robot: RobotMembership;
  private readonly timeline: Timeline;
  private work: Promise<void> = Promise.resolve();
  private queued = 0;
  /** The page is done with it: nothing more is judged, with keys that may be gone, or remembered. */
  private disposed = false;
  /** The opening of the server's database under which this page read, and the one that it named when it asked. */
  private gen = '';
  private asked = '';
  /** Up to here it is remembered, and may be shown. */
  private kept = 0;
  private keptAt = 0;
  private typingTimer: ReturnType<typeof setTimeout> | undefined;
  /** For changes that others cause, who may cause many at once. */
  private readonly shown = new Throttle(SHOW_MS, () => this.publish());
  private sinceTurn = 0;
  private membersOf: { dir: Directory; team: string | undefined; bot: boolean } | null = null;
  private readonly waiters = new Waiters();
  private readonly deliveries: Deliveries;
  private readonly receipts: Receipts;
  private readonly restoration: Restoration;

  constructor(
    private readonly context: ConversationContext,
    readonly id: string,
    conv: Conv | null,
    private readonly hooks: ConversationHooks = {},
  ) {
    this.conv = signal(conv);
    const log = (this.log = new ConversationLog(context, id, hooks.agent?.log));
    this.robot = new RobotMembership(context, log.epochs, id, () => this.conv.value?.owner ?? '');
    const ready = (): boolean => this.synced.value && !this.ended && context.online();
    this.uploads = new Uploads(context, id, {
      ready: () => ready() && !context.broken(),
      complete: () => this.outbox.pump(),
      failed: (msg, why) => this.outbox.uploadFailed(msg, why),
    });
    this.outbox = new SendQueue(
      context,
      log,
      new EpochRotation(context, log.epochs, log.memory, this.robot, id),
      this.robot,
      this.uploads,
      {
        ready,
        behind: () => this.behind(),
        changed: () => this.publish(),
      },
      hooks.agent?.notes,
    );
    this.files = threadFiles(context, this);
    this.timeline = new Timeline(context, log, hooks.agent?.ofNote, hooks.agent?.ofEvent);
    this.deliveries = new Deliveries(context);
    this.receipts = new Receipts(context, id);
    this.restoration = new Restoration(context, this, async (gen, rest) => {
      await this.go(gen);
      const mine = context.role === 'visitor' || this.conv.value?.owner === `agent:${hooks.me?.()}`;
      await this.outbox.requeue(rest, mine ? null : 'error.not_owner');
    });
    this.keepRobotOut(conv);
    if (conv) this.receipts.update(conv);
    this.publish();
  }

  /** Highest seq received here. */
  get have(): number {
    return this.receipts.have;
  }

  // ---- from the server

  /** Reads what earlier visits remember. Before records are asked for: they must show all of it. */
  async prepare(): Promise<void> {
    await this.log.memory.load();
    this.log.history.expect();
    this.keptAt = Date.now();
    this.publish();
  }

  /** What the server compares with its log. */
  known(): Omit<Resume, 'id' | 'have'> {
    const { memory } = this.log;
    const { end } = this.log.history;
    // another tab may have come back from a backup: what this page read is older then
    const { gen, seq, mark } = end && this.gen && this.gen !== memory.now.gen ? { gen: this.gen, ...end } : memory.now;
    const known = !this.restoration.active && seq > 0 && gen !== '';
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
      this.receipts.have = Math.max(this.have, r.seq);
      const env = Envelope.parse(r.body);
      if (env && env.sender === this.context.kid && r.seq > before && COUNTED.includes(env.kind))
        this.log.memory.acknowledged(r.seq, env);
      this.queued--;
      // before anything is sealed in a new epoch or shown; nothing is sealed before all of it is read
      const { contradicts } = this.log.history;
      // it may have come before the end of the history was known, and be read after it
      const { value: read } = this.synced;
      const due = this.queued === 0 && (read || Date.now() - this.keptAt > KEEP_MS);
      // what contradicts an earlier history is seen as well, with its marks
      if (due || contradicts || (read && entry?.epoch)) {
        await this.remember(gen);
        this.kept = r.seq;
        this.keptAt = Date.now();
      }
      if (contradicts && !this.ended) this.end('error.history');
      if (env) {
        this.outbox.record(env);
        this.deliveries.record(env);
      }
      if (env && this.typing.value && env.sender !== this.context.kid)
        this.setTyping(this.typing.value.side, '', false);
      if (this.queued === 0) this.shown.request();
      if (this.queued === 0) this.receipts.tell();
      this.waiters.look();
      if (this.queued === 0) this.sinceTurn = 0;
      else if (++this.sinceTurn % BATCH === 0) await this.context.turn();
    });
  }

  private remember(gen: string): Promise<void> {
    const { left, ...place } = this.log.place();
    return this.log.memory.save(this.restoration.active ? { left } : { ...place, left, ...(gen && { gen }) });
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
      if (this.restoration.active) return this.restoration.caughtUp();
      if (!this.log.history.holds()) return this.end('error.history');
      await this.go(gen);
    });
  }

  private async go(gen: string): Promise<void> {
    this.gen = this.asked = gen;
    await this.remember(gen);
    this.kept = this.have;
    this.synced.value = true;
    this.reading = null;
    this.publish();
    await this.outbox.restore(this.hooks.alive ?? (async () => false));
    this.waiters.look();
  }

  /** The memory knows more than the log showed: it must show it now. */
  private behind(): void {
    if (!this.synced.value) return;
    this.synced.value = false;
    this.log.history.expect();
    this.context.again(this.id);
  }

  /** The server reports that its log went back. Possible only for a reopened database. */
  rewound(gen: string): void {
    this.synced.value = false;
    this.work = this.work.then(() => this.restoration.begin(gen, this.asked));
  }

  /** Forgets what was read. */
  startAgain(): void {
    this.receipts.have = this.kept = 0;
    this.log.reset();
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
    this.uploads.offline();
    this.work = this.work.then(async () => {
      await this.log.memory.refresh();
      if (!this.restoration.active) this.log.history.expect();
    });
    this.setTyping('agent', '', false);
    this.waiters.look();
  }

  update(conv: Conv): void {
    this.keepRobotOut(conv);
    this.conv.value = conv;
    this.receipts.update(conv);
    this.shown.request();
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
    this.update({ ...conv, [side]: furthest(conv[side], marks) });
  }

  refused(f: ErrorFrame): boolean {
    return this.deliveries.refused(f) || this.outbox.refused(f);
  }

  /** Sends an envelope that is no message (an announcement, a grant) and waits for its record. Rejects as the server does. */
  deliver(bytes: Uint8Array): Promise<void> {
    return this.deliveries.send(bytes);
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
    const { broken } = this;
    if (broken) throw new ClientError(broken);
    if (!this.log.epochs.current) await this.until(() => this.log.epochs.current !== null);
    await this.outbox.add(body, note).catch(tooLarge);
  }

  /** Resolves when it is sealed and kept: it is in the thread then, and goes out as fast as the line takes it. */
  async sendFile(file: Picked, progress: (share: number) => void, signal?: AbortSignal): Promise<void> {
    const { broken } = this;
    if (broken) throw new ClientError(broken);
    if (!this.log.epochs.current) await this.until(() => this.log.epochs.current !== null);
    const msg = hex(random(16));
    const body = await this.uploads.seal(msg, file, progress, signal);
    this.context.opened.keep(this.id, msg, file.blob);
    await this.outbox.addFile(msg, body).catch(tooLarge);
  }

  async recall(id: string): Promise<void> {
    const env = this.log.lines.find(id)?.env;
    if (env) await this.outbox.recall(targetOf(env));
  }

  /** No robot reads the next epoch; announced at once, or when the server is there again. */
  requestPerson(): void {
    this.robot.requestPerson();
    this.publish();
    this.outbox.pump();
  }

  typingNow(on: boolean): void {
    this.context.frame({ t: 'typing', conv: this.id, on });
  }

  markRead(): void {
    this.receipts.markRead();
    // a page calls this for everything of others that it shows
    this.shown.request();
  }

  /** Resolves when `ok` holds; looked at after every record and connection. Rejects after `ms`. */
  until(ok: () => boolean, ms = 30_000): Promise<void> {
    return this.waiters.until(ok, ms);
  }

  dispose(): void {
    this.disposed = true;
    clearTimeout(this.typingTimer);
    this.receipts.dispose();
    this.shown.dispose();
    this.outbox.offline();
    this.uploads.dispose();
  }

  // ---- signals

  publish(): void {
    if (this.disposed) return;
    this.shown.done();
    const conv = this.conv.value;
    const other = conv?.[this.context.role === 'visitor' ? 'agent' : 'visitor'] ?? { delivered: 0, read: 0 };
    const messages = this.timeline.render(
      this.outbox.items,
      this.kept,
      other,
      (seq, at) => this.context.now() - at < RECALL_MS && seq > 0,
      this.context.broken() ?? this.ended,
    );
    this.messages.value = messages;
    this.unread.value = countUnread(messages, this.receipts.read, this.context.role, this.hooks.given);
    const epoch = this.log.epochs.current;
    const team = epoch?.team ?? conv?.team;
    const dir = this.context.directory();
    this.membersFrom(dir, team, epoch?.bot ?? false);
    this.personAsked.value = this.robot.personRequested;
    const user = conv ? ownerUser(conv.owner) : null;
    this.agentName.value = user ? (dir.nameOf(user) ?? user) : null;
    this.blocked.value = this.broken ?? this.hooks.agent?.whyBlocked(conv, epoch, this.hooks.me?.()) ?? null;
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

  /** Why nothing more is sent here at all. */
  private get broken(): ErrorKey | null {
    return this.context.broken() ?? this.ended ?? (this.outbox.full ? 'error.full' : null);
  }
}
