/**
 * What the records of one conversation add up to: epochs and lines to show. Everything from the server is checked here, by
 * what the record and its neighbours prove (protocol §2); a record that fails becomes a `broken` line and changes nothing. Epochs are
 * in `epoch-chain.ts`, rights in `rights.ts`, counters and order in `order.ts`, the comparison with earlier visits in
 * `history-check.ts`; what only agents read (notes, grants) is in `agent-log.ts`, which the widget does not carry.
 */
import { equal, hex, sized, unb64u, unhex } from '../crypto/bytes';
import { isForkAlarm } from '../crypto/directory';
import { isGoodKey } from '../crypto/ed25519';
import type { AcceptedEpoch } from '../crypto/epoch';
import { reject } from '../crypto/error';
import { conversationId, kidOf } from '../crypto/hash';
import { Envelope, Kind, ownerUser, parseEvent, type RecordEvent, type WireRecord } from '../proto';
import { CatchUp } from './catch-up';
import type { ConversationContext } from './context';
import { EpochChain } from './epoch-chain';
import { HistoryCheck } from './history-check';
import { blank, errorOf, openLine, recalls, type Entry, type VisitorKeys } from './log-entry';
import { LogLines } from './log-lines';
import { Memory, type Remembered } from './memory';
import { isStrict, senderOfNoteOrRecall, senderOfMessage } from './rights';

const OF_MESSAGES: readonly number[] = [Kind.message, Kind.recall, Kind.tombstone];
const OF_NOTES: readonly number[] = [Kind.note, Kind.noteRecall, Kind.noteTombstone];

/** What some readers read beyond this. */
export interface LogExtension {
  note(r: WireRecord, env: Envelope, live: boolean): Promise<Entry>;
  grant(env: Envelope): Promise<void>;
  /** A line was opened. */
  opened(entry: Entry): Promise<void>;
  /** A line came whose key is not known yet. */
  locked(entry: Entry): void;
  /** Keys of boxes came late: what they open is opened now. */
  retryKeys(): Promise<void>;
  /** Everything is read again. */
  reset(): void;
}

/** Of what a log consists, for its extension. */
export interface LogParts {
  readonly context: ConversationContext;
  /** Id of the conversation. */
  readonly conv: Uint8Array;
  readonly epochs: EpochChain;
  readonly lines: LogLines;
  readonly directory: CatchUp;
}

export class ConversationLog {
  readonly memory: Memory;
  readonly epochs: EpochChain;
  readonly lines = new LogLines();
  /** What earlier visits remember of it. */
  readonly history: HistoryCheck;
  private readonly conv: Uint8Array;
  private readonly directory: CatchUp;
  private readonly seen = new Set<string>();
  private readonly extension: LogExtension | undefined;

  constructor(
    private readonly context: ConversationContext,
    readonly id: string,
    extend?: (parts: LogParts) => LogExtension,
  ) {
    this.conv = unhex(id);
    this.memory = new Memory(context, id);
    this.directory = new CatchUp(context);
    this.epochs = new EpochChain(context, this.conv, this.memory, this.directory);
    this.history = new HistoryCheck(this.memory, this.epochs);
    const { conv, epochs, lines, directory } = this;
    this.extension = extend?.({ context, conv, epochs, lines, directory });
  }

  /** What `prev` names: the last message, announcement or recall accepted; after a page load the one remembered. */
  get last(): Uint8Array {
    const { prev } = this.memory.now;
    return this.history.hasRecords || !prev ? this.lines.order.last : unhex(prev);
  }

  /** Whether the log showed an own envelope with this id, whatever became of it. */
  has(msg: string): boolean {
    return this.seen.has(msg);
  }

  /**
   * Whether this is the place of something that this person sent. A record that has its id and leaves no line (a note or a grant, to a
   * visitor) is no acknowledgement: the server could make a message vanish by it.
   */
  isShown(env: Envelope): boolean {
    const kinds = this.context.role === 'agent' ? [...OF_MESSAGES, ...OF_NOTES] : OF_MESSAGES;
    return env.sender === this.context.kid && env.conv === this.id && kinds.includes(env.kind);
  }

  /** Where the log is, for the memory. */
  place(): Partial<Remembered> {
    const { history, epochs } = this;
    const left = epochs.robotLeft;
    if (history.contradicts) return { left };
    const { epoch, hash } = epochs.chain;
    const log = history.end && { ...history.end, digest: history.digest, prev: hex(this.lines.order.last) };
    return { ...(epoch >= 0 && { epoch, hash: hex(hash) }), ...log, left };
  }

  /** Everything is read again, and until `history.expect` nothing is compared. What was remembered stays. */
  reset(): void {
    this.epochs.reset();
    this.lines.reset();
    this.history.reset();
    this.seen.clear();
    this.extension?.reset();
  }

  /**
   * What this page made itself counts before the server has it: the visitor's keys and first epoch. When the records
   * come back they must be the same.
   */
  applyLocal(visitor: Omit<VisitorKeys, 'kid'>, accepted: AcceptedEpoch, env: Envelope): void {
    // the server was faster: its records count
    if (this.lines.entries.length) return;
    this.epochs.visitor = { ...visitor, kid: hex(kidOf(visitor.ed)) };
    this.epochs.applyLocal(accepted, env);
    this.lines.order.accept(env, false);
  }

  /** Keys of boxes came late: what they open is opened now. A visitor has theirs from the start. */
  async retryKeys(): Promise<void> {
    await this.extension?.retryKeys();
  }

  // ---- reading

  /** In order, one at a time. Never rejects. `live`: it was written while we listened. */
  async apply(r: WireRecord, live: boolean): Promise<Entry | null> {
    await this.memory.load();
    this.history.record(r);
    const event = parseEvent(r.body);
    let entry: Entry | null;
    const owner = event?.t === 'owner' ? ownerUser(event.owner) : null;
    if (owner) await this.directory.ensureKnown(owner, this.context.directory().nameOf(owner) !== null);
    try {
      entry = event ? this.event(r, event) : await this.envelope(r, live);
    } catch (e) {
      if (isForkAlarm(e) || errorOf(e) === 'error.history') this.context.alarm(errorOf(e));
      entry = { ...blank(r), kind: 'broken', error: errorOf(e) };
    }
    if (entry) {
      this.lines.add(entry);
      if (entry.sealed) this.extension?.locked(entry);
    }
    return entry;
  }

  private event(r: WireRecord, event: RecordEvent): Entry | null {
    const { context, epochs } = this;
    if (event.t === 'open') {
      const [ed, x] = [sized(event.ed, 32), sized(event.x, 32)];
      const id = conversationId(unb64u(event.nonce), context.fp, event.site, ed, x);
      if (r.seq !== 1 || !equal(id, this.conv)) reject('visitor_keys');
      if (!isGoodKey(ed)) reject('bad_key');
      if (context.role === 'visitor' && !equal(ed, context.me.pk))
        reject('visitor_keys', 'the conversation of somebody else');
      epochs.visitor = { ed, x, kid: hex(kidOf(ed)), site: event.site };
    } else if (event.t === 'recalled') {
      const e = this.lines.at(event.seq);
      // nobody signed this: since revision 2 it is the server's doing
      if (e && e.msg === event.msg && (e.kind === 'message' || e.kind === 'note')) {
        Object.assign(e, { kind: epochs.isStrict() ? 'removed' : 'recalled', body: undefined, sealed: undefined });
      }
      return null;
    } else if (event.t === 'hidden') return null;
    if (event.t === 'owner' && event.owner !== 'robot' && event.owner !== 'none') epochs.robotLeft = true;
    return { ...blank(r), event };
  }

  private async envelope(r: WireRecord, live: boolean): Promise<Entry | null> {
    const env = Envelope.parse(r.body) ?? reject('unsupported');
    if (env.conv !== this.id) reject('conversation');
    if (this.isShown(env)) this.seen.add(env.msg);
    const { visitor } = this.epochs;
    if (!visitor) reject('visitor_keys');
    const dir = this.context.directory();
    await this.directory.ensureKnown(
      env.sender,
      env.sender === visitor.kid || !!dir.keyOf(env.sender) || !!dir.botByKid(env.sender),
    );
    switch (env.kind) {
      case Kind.announcement:
        return this.announcement(r, env, live);
      case Kind.grant:
        await this.extension?.grant(env);
        return null;
      case Kind.tombstone:
      case Kind.noteTombstone:
        return this.tombstone(r, env);
      case Kind.recall:
      case Kind.noteRecall:
        return this.recall(r, env, live);
      case Kind.note:
        // visitors can't read notes; the server shows them none
        return this.extension?.note(r, env, live) ?? null;
      case Kind.message:
        return this.message(r, env, live);
    }
  }

  private async announcement(r: WireRecord, env: Envelope, live: boolean): Promise<Entry> {
    const { epoch, movedFrom, isLocal } = await this.epochs.accept(env, live);
    if (!isLocal) this.lines.order.accept(env, false);
    return { ...blank(r), kind: 'epoch', msg: env.msg, sender: env.sender, epoch, movedFrom };
  }

  private async message(r: WireRecord, env: Envelope, live: boolean): Promise<Entry> {
    const { context, lines, epochs } = this;
    const { order } = lines;
    const epoch = epochs.here(env);
    const visitor = epochs.visitor!;
    const from = await this.directory.retry(env.sender, () => senderOfMessage(context, env, { epoch, visitor, live }));
    if (epoch.bot && from.user !== undefined) reject('bot_epoch');
    lines.checkCounter(env);
    const entry: Entry = {
      ...blank(r),
      kind: 'message',
      msg: env.msg,
      sender: env.sender,
      user: from.user,
      robot: from.robot,
      env,
    };
    if (epoch.key) {
      Object.assign(entry, await openLine(context, env, epoch.key, from.ed));
      await this.extension?.opened(entry);
    } else {
      if (!(await context.backend.verify('sig', from.ed, env.signed, env.signature))) reject('signature');
      Object.assign(entry, { kind: 'broken', error: 'error.no_key', sealed: env, signer: from.ed });
    }
    if (isStrict(context, epoch)) order.checkPrev(env, entry);
    order.count(env, entry);
    order.accept(env);
    epochs.follow(env.sender, epoch.team);
    if (entry.body?.t === 'ctl') epochs.robotLeft = true;
    return entry;
  }

  /** The header of what was here. By itself it is the server's word. */
  private tombstone(r: WireRecord, env: Envelope): Entry {
    const { epochs } = this;
    const { order } = this.lines;
    // what it was belonged to the epoch that is current here; before the first one there was nothing
    if (env.kind === Kind.tombstone || !epochs.current) epochs.here(env);
    const user = this.context.directory().keyOf(env.sender)?.user;
    const entry: Entry = { ...blank(r), kind: 'recalled', msg: env.msg, sender: env.sender, user, env };
    order.tombstone(env);
    if (epochs.isStrict()) entry.kind = 'removed';
    else order.believeTombstone(env, entry);
    return entry;
  }

  /** The sender of a message or note took it back. Shown at its place; a recall of something that was never shown is marked. */
  private async recall(r: WireRecord, env: Envelope, live: boolean): Promise<Entry | null> {
    const { context, lines, epochs } = this;
    const { order } = lines;
    const note = env.kind === Kind.noteRecall;
    const epoch = epochs.here(env);
    const visitor = epochs.visitor!;
    const from = await this.directory.retry(env.sender, () =>
      senderOfNoteOrRecall(context, env, { epoch, visitor, live }, note),
    );
    if (!(await context.backend.verify('sig', from.ed, env.signed, env.signature))) reject('signature');
    lines.checkCounter(env);
    const what = env.recalled;
    const target = lines.find(what.msg);
    if (target && !recalls(env, target)) reject('recall', 'it names another envelope');
    const entry: Entry = { ...blank(r), kind: 'recalled', msg: env.msg, sender: env.sender, user: from.user, env };
    if (!note && isStrict(context, epoch)) order.checkPrev(env, entry);
    order.count(env, entry);
    if (!note) order.accept(env);
    if (!target) return { ...entry, missingBefore: true };
    Object.assign(target, { kind: 'recalled', body: undefined, sealed: undefined, error: undefined });
    if (target.env?.kind === Kind.tombstone || target.env?.kind === Kind.noteTombstone)
      order.proved(env.sender, what, target.seq);
    await this.memory.forget(what.msg);
    // a gap before the recall itself must be seen
    return entry.missingBefore || entry.unordered ? entry : null;
  }
}
