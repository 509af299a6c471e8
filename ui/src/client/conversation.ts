/** One conversation as a page shows it: ledger and outbox behind the signals of `Thread`. */
import type { Body } from '../crypto/envelope';
import { Refused } from '../link/errors';
import { ClientError, type ErrorKey, type Message, type Thread } from '../model';
import { Code, Envelope, ownerUser, RECALL_MS, type Conv, type ErrorFrame, type Marks, type WireRecord, type WireSide } from '../proto';
import { signal, type Signal } from '../signals';
import { Ledger } from './ledger';
import { Lines } from './lines';
import { Outbox } from './outbox';
import type { Port } from './port';

/** How long "is typing" stays without a word, ms. */
const TYPING_MS = 6_000;
/** Marks of what arrived are told together, ms. */
const SEEN_MS = 250;
/** Longest wait for the record of an envelope that is no message, ms. */
const DELIVER_MS = 15_000;
const MAX_CONFLICTS = 8;

/** Of what a conversation is made: an agent's ledger and outbox can do more than a visitor's. */
export interface Parts {
  Ledger: typeof Ledger;
  Outbox: typeof Outbox;
}

interface ConversationHooks {
  changed?(): void;
  alive?(inst: number): Promise<boolean>;
  me?(): string | null;
  parts?: Parts;
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
  readonly ledger: Ledger;
  readonly outbox: Outbox;
  private readonly lines: Lines;
  private work: Promise<void> = Promise.resolve();
  private queued = 0;
  /** Highest seq received here. */
  have = 0;
  private read = 0;
  private told: Marks = { delivered: 0, read: 0 };
  private typingTimer: ReturnType<typeof setTimeout> | undefined;
  private seenTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly waiters = new Set<() => void>();
  private readonly expected = new Map<string, (error: Error | null) => void>();

  constructor(
    private readonly port: Port,
    readonly id: string,
    conv: Conv | null,
    private readonly hooks: ConversationHooks = {},
  ) {
    this.conv = signal(conv);
    const parts = hooks.parts ?? { Ledger, Outbox };
    this.ledger = new parts.Ledger(port, id);
    this.outbox = new parts.Outbox(
      {
        port,
        ledger: this.ledger,
        team: () => this.conv.value?.team ?? null,
        owner: () => this.conv.value?.owner ?? '',
        ready: () => this.synced.value && port.online(),
        changed: () => this.publish(),
      },
      id,
    );
    this.lines = new Lines(port, this.ledger);
    this.marksFrom(conv);
    this.publish();
  }

  // ---- from the server

  /** Records come in order; the link saw to it. */
  record(r: WireRecord): void {
    const live = this.synced.value;
    this.queued++;
    this.work = this.work.then(async () => {
      await this.ledger.apply(r, live);
      this.have = Math.max(this.have, r.seq);
      const env = Envelope.parse(r.body);
      if (env) {
        this.outbox.record(env);
        this.expected.get(env.msg)?.(null);
      }
      if (env && this.typing.value && env.sender !== this.port.kid) this.setTyping(this.typing.value.side, '', false);
      this.queued--;
      if (this.queued === 0) this.publish();
      if (this.queued === 0) this.tell();
      for (const w of [...this.waiters]) w();
    });
  }

  /** Everything up to here is held. */
  caughtUp(): void {
    this.work = this.work.then(async () => {
      if (!this.port.online()) return;
      this.synced.value = true;
      this.publish();
      await this.outbox.restore(this.hooks.alive ?? (async () => false));
      for (const w of [...this.waiters]) w();
    });
  }

  offline(): void {
    this.synced.value = false;
    this.outbox.offline();
    this.setTyping('agent', '', false);
    for (const w of [...this.waiters]) w();
  }

  update(conv: Conv): void {
    this.conv.value = conv;
    this.marksFrom(conv);
    this.publish();
    // a robot that is not the owner any more leaves at once; records that came before this count first
    this.work = this.work.then(() => this.outbox.pump());
  }

  receipt(side: WireSide, marks: Marks): void {
    const conv = this.conv.value;
    if (!conv) return;
    const later = (a: Marks, b: Marks): Marks => ({ delivered: Math.max(a.delivered, b.delivered), read: Math.max(a.read, b.read) });
    this.update({ ...conv, [side]: later(conv[side], { delivered: marks.delivered, read: marks.read }) });
  }

  refused(f: ErrorFrame): boolean {
    const waiting = f.msg === undefined ? undefined : this.expected.get(f.msg);
    if (waiting) {
      waiting(new Refused(f.code, f.text, f.retry_ms));
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
        if (error instanceof Refused && error.code === Code.conflict && ++conflicts <= MAX_CONFLICTS && this.port.envelope(bytes)) return;
        settle(error);
      });
      if (!this.port.envelope(bytes)) settle(new ClientError('error.network', 'not connected'));
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
      await this.ledger.retryKeys();
      this.publish();
    });
  }

  // ---- from the person

  async send(body: Body, note = false): Promise<void> {
    const broken = this.port.broken();
    if (broken) throw new ClientError(broken);
    if (!this.ledger.current) await this.until(() => this.ledger.current !== null);
    await this.outbox.add(body, note);
  }

  async recall(id: string): Promise<void> {
    await this.port.request({ t: 'recall', conv: this.id, msg: id });
  }

  typingNow(on: boolean): void {
    this.port.frame({ t: 'typing', conv: this.id, on });
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
    clearTimeout(this.typingTimer);
    clearTimeout(this.seenTimer);
    this.outbox.offline();
  }

  // ---- signals

  private marksFrom(conv: Conv | null): void {
    if (!conv) return;
    const own = conv[this.port.role];
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
      if (this.port.frame({ t: 'seen', conv: this.id, ...marks })) this.told = marks;
    }, SEEN_MS);
  }

  publish(): void {
    const conv = this.conv.value;
    const other = conv?.[this.port.role === 'visitor' ? 'agent' : 'visitor'] ?? { delivered: 0, read: 0 };
    const messages = this.lines.render(this.outbox.items, other, (seq, at) => this.port.now() - at < RECALL_MS && seq > 0);
    this.messages.value = messages;
    this.unread.value = messages.filter((m) => !m.mine && m.seq !== null && m.seq > this.read && m.kind === 'text' && (m.side !== 'robot' || this.port.role === 'visitor')).length;
    const epoch = this.ledger.current;
    const team = epoch?.team ?? conv?.team;
    const dir = this.port.directory();
    this.members.value = { people: team ? dir.people(team) : [], bot: epoch?.bot ?? false };
    this.personAsked.value = this.outbox.person;
    const user = conv ? ownerUser(conv.owner) : null;
    this.agentName.value = user ? (dir.nameOf(user) ?? user) : null;
    this.blocked.value = this.whyBlocked(conv);
    this.hooks.changed?.();
  }

  private whyBlocked(conv: Conv | null): ErrorKey | null {
    const broken = this.port.broken();
    if (broken || this.port.role === 'visitor') return broken;
    if (conv?.state === 'closed') return 'error.closed';
    if (this.ledger.current && !this.ledger.current.key) return 'error.no_key';
    const me = this.hooks.me?.();
    return me && conv && conv.owner !== `agent:${me}` ? 'error.not_owner' : null;
  }
}
