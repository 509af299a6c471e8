/**
 * What the records of one conversation add up to: epochs and lines to show. Everything from the server is checked here, by
 * what the record and its neighbours say (protocol §2); what does not pass becomes a `broken` line and changes nothing. Rights are
 * in `rights.ts`, counters and order in `order.ts`, what earlier visits accepted in `memory.ts`; what only agents read (notes,
 * grants) is in `agent-ledger.ts`, which the widget does not carry.
 */
import type { EpochKey } from '../crypto/backend';
import { cat, equal, hex, sized, unb64u, unhex } from '../crypto/bytes';
import { isForkAlarm } from '../crypto/directory';
import { isGoodKey } from '../crypto/ed25519';
import { decodeBody, openMessage, type Body } from '../crypto/envelope';
import {
  acceptAnnouncement,
  emptyChain,
  openBox,
  type AcceptedEpoch,
  type Chain,
  type Transfer,
} from '../crypto/epoch';
import { reject, Rejected } from '../crypto/error';
import { announcementHash, conversationId, envelopeHash, kidOf, recordMark } from '../crypto/hash';
import { sha256 } from '../crypto/sha2';
import type { ErrorKey } from '../model';
import { Envelope, Kind, ownerUser, parseEvent, type RecordEvent, type WireRecord } from '../proto';
import { CatchUp } from './catch-up';
import { Memory, type Remembered, type RememberedEpoch } from './memory';
import { Order } from './order';
import type { Port } from './port';
import { isStrict, senderBeside, senderOfMessage } from './rights';

export interface Epoch extends AcceptedEpoch {
  env: Envelope;
  /** From a grant, when no box was for this reader. */
  granted?: Uint8Array;
}

/** One record, understood. */
export interface Entry {
  seq: number;
  at: number;
  kind: 'message' | 'note' | 'recalled' | 'removed' | 'broken' | 'unsupported' | 'event' | 'epoch';
  /** Message id, hex; '' for events. */
  msg: string;
  /** Kid of the sender; '' for the server. */
  sender: string;
  /** User id of an agent who sent it. */
  user?: string;
  /** Name of the robot that sent it. */
  robot?: string;
  body?: Body;
  event?: RecordEvent;
  epoch?: Epoch;
  /** The team before, if this epoch moved the conversation. */
  movedFrom?: string;
  missingBefore: boolean;
  /** It names something before it that is not there: the order was changed, or something is missing. */
  unordered: boolean;
  error?: ErrorKey;
  /** What was sent, of messages and notes: for a recall. */
  env?: Envelope;
  /** Kept while the key of its epoch is not known, with the key of who signed it. */
  sealed?: Envelope;
  signer?: Uint8Array;
}

const OF_MESSAGES: readonly number[] = [Kind.message, Kind.recall, Kind.tombstone];
const OF_NOTES: readonly number[] = [Kind.note, Kind.noteRecall, Kind.noteTombstone];

export class Ledger {
  /** The visitor's keys, once the first record proved them. */
  visitor: { ed: Uint8Array; x: Uint8Array; kid: string; site: string } | null = null;
  chain: Chain = emptyChain();
  readonly epochs = new Map<number, Epoch>();
  entries: Entry[] = [];
  /** No robot is let in from here on: there is an epoch without one, it said goodbye, or it is not the owner any more. */
  left = false;
  /** Lines that wait for the key of an epoch. */
  protected readonly sealed = new Map<number, Entry[]>();
  protected order = new Order();
  private readonly bySeq = new Map<number, Entry>();
  private readonly byMsg = new Map<string, Entry>();
  private readonly seen = new Set<string>();
  protected readonly conv: Uint8Array;
  /** The agent who moved the conversation to another team, until that team takes it up. */
  private transfer: Transfer | null = null;
  protected readonly directory: CatchUp;
  private adopted: Epoch | null = null;
  private newest: WireRecord | null = null;
  /** Over the marks of all records so far. */
  private digest: Uint8Array = new Uint8Array(0);
  /** What was remembered when reading began, and the digest found at its place. */
  private before: Remembered | null = null;
  private found: string | null = null;
  /** The log has other records than remembered. Nothing of it is remembered then. */
  contradicts = false;

  constructor(
    protected readonly port: Port,
    readonly id: string,
    readonly memory: Memory = new Memory(port, id),
  ) {
    this.conv = unhex(id);
    this.directory = new CatchUp(port);
  }

  get current(): Epoch | null {
    return this.epochs.get(this.chain.epoch) ?? null;
  }

  /** Next counter of a sender's run, as seen here. */
  nextCounter(sender: string, inst: number): number {
    return this.order.next(sender, inst);
  }

  /** What `prev` names: the last message, announcement or recall accepted; after a page load the one remembered. */
  get last(): Uint8Array {
    const { prev } = this.memory.now;
    return this.newest || !prev ? this.order.last : unhex(prev);
  }

  /** Whether the log showed an own envelope with this id, whatever became of it. */
  has(msg: string): boolean {
    return this.seen.has(msg);
  }

  /**
   * Whether this is the place of something that this person sent. What bears its id and leaves no line (a note or a grant, to a
   * visitor) is no acknowledgement: the server could make a message vanish by it.
   */
  isShown(env: Envelope): boolean {
    const kinds = this.port.role === 'agent' ? [...OF_MESSAGES, ...OF_NOTES] : OF_MESSAGES;
    return env.sender === this.port.kid && env.conv === this.id && kinds.includes(env.kind);
  }

  /** The line of a message id. */
  find(msg: string): Entry | undefined {
    return this.byMsg.get(msg);
  }

  /** Where the log stands, for the memory. */
  place(): Partial<Remembered> {
    if (this.contradicts) return { left: this.left };
    const { epoch, hash } = this.chain;
    const log = this.newest && { ...this.end!, digest: hex(this.digest), prev: hex(this.order.last) };
    return { ...(epoch >= 0 && { epoch, hash: hex(hash) }), ...log, left: this.left };
  }

  /** Number and mark of the newest record here. */
  get end(): { seq: number; mark: string } | null {
    return this.newest && { seq: this.newest.seq, mark: hex(markOf(this.newest)) };
  }

  /** From here on the log must show what is remembered now, by whatever tab. Call it before records are asked for. */
  expect(): void {
    this.before = this.memory.now;
    const have = this.newest?.seq ?? 0;
    // what this page holds already was compared when it came
    this.found = this.before.seq < have ? this.before.digest : null;
    if (this.newest && this.before.seq === have) this.compare();
  }

  /** This is the place that is remembered: all records up to here must be the same. */
  private compare(): void {
    this.found = hex(this.digest);
    this.contradicts ||= this.found !== this.before!.digest;
  }

  /** Whether the log showed all that was remembered: the epoch and the record at its place. */
  holds(): boolean {
    const { epoch, hash, seq, digest } = this.before ?? this.memory.now;
    return !this.contradicts && (epoch < 0 || this.hashOf(epoch) === hash) && (seq === 0 || this.found === digest);
  }

  /** Everything is read again, and until `expect` nothing is compared. What was remembered stays. */
  reset(): void {
    this.visitor = null;
    this.chain = emptyChain();
    this.epochs.clear();
    this.entries = [];
    this.order = new Order();
    this.bySeq.clear();
    this.byMsg.clear();
    this.sealed.clear();
    this.seen.clear();
    this.transfer = this.adopted = this.newest = this.found = null;
    this.digest = new Uint8Array(0);
    this.before = { ...this.memory.now, epoch: -1, seq: 0 };
    this.contradicts = false;
  }

  /** Hash of an epoch's announcement, hex; '' if it is not here. */
  hashOf(epoch: number): string {
    const e = this.epochs.get(epoch);
    return e ? hex(e.hash) : '';
  }

  /**
   * What this page made itself counts before the server has it: the visitor's keys and first epoch. When the records
   * come back they must be the same.
   */
  adopt(visitor: { ed: Uint8Array; x: Uint8Array; site: string }, accepted: AcceptedEpoch, env: Envelope): void {
    // the server was faster: its records count
    if (this.entries.length) return;
    this.visitor = { ...visitor, kid: hex(kidOf(visitor.ed)) };
    this.adopted = this.take(accepted, env);
    this.order.accept(env, false);
  }

  private take(a: AcceptedEpoch, env: Envelope): Epoch {
    const epoch: Epoch = { ...a, env };
    this.left ||= !a.bot;
    this.epochs.set(epoch.epoch, epoch);
    this.chain = { epoch: epoch.epoch, hash: epoch.hash };
    return epoch;
  }

  /** In order, one at a time. Never rejects. `live`: it was written while we listened. */
  async apply(r: WireRecord, live: boolean): Promise<Entry | null> {
    await this.memory.load();
    this.before ??= this.memory.now;
    this.newest = r;
    this.digest = sha256(cat(this.digest, markOf(r)));
    if (r.seq === this.before.seq) this.compare();
    const event = parseEvent(r.body);
    let entry: Entry | null;
    const owner = event?.t === 'owner' ? ownerUser(event.owner) : null;
    if (owner) await this.directory.acquaint(owner, this.port.directory().nameOf(owner) !== null);
    try {
      entry = event ? this.event(r, event) : await this.envelope(r, live);
    } catch (e) {
      if (isForkAlarm(e) || errorOf(e) === 'error.history') this.port.alarm(errorOf(e));
      entry = { ...this.blank(r), kind: 'broken', error: errorOf(e) };
    }
    if (entry) {
      this.entries.push(entry);
      this.bySeq.set(entry.seq, entry);
      if (entry.env) this.byMsg.set(entry.msg, entry);
      if (entry.sealed) this.wait(entry.sealed.epoch, entry);
    }
    return entry;
  }

  private wait(epoch: number, entry: Entry): void {
    const lines = this.sealed.get(epoch);
    if (lines) lines.push(entry);
    else this.sealed.set(epoch, [entry]);
  }

  protected blank(r: WireRecord): Entry {
    return { seq: r.seq, at: r.at, kind: 'event', msg: '', sender: '', missingBefore: false, unordered: false };
  }

  private event(r: WireRecord, event: RecordEvent): Entry | null {
    if (event.t === 'open') {
      const [ed, x] = [sized(event.ed, 32), sized(event.x, 32)];
      const id = conversationId(unb64u(event.nonce), this.port.fp, event.site, ed, x);
      if (r.seq !== 1 || !equal(id, this.conv)) reject('visitor_keys');
      if (!isGoodKey(ed)) reject('bad_key');
      if (this.port.role === 'visitor' && !equal(ed, this.port.me.pk))
        reject('visitor_keys', 'the conversation of somebody else');
      this.visitor = { ed, x, kid: hex(kidOf(ed)), site: event.site };
    } else if (event.t === 'recalled') {
      const e = this.bySeq.get(event.seq);
      // nobody signed this: since revision 2 it is the server's doing
      if (e && e.msg === event.msg && (e.kind === 'message' || e.kind === 'note')) {
        Object.assign(e, { kind: this.isStrict() ? 'removed' : 'recalled', body: undefined, sealed: undefined });
      }
      return null;
    } else if (event.t === 'hidden') return null;
    if (event.t === 'owner' && event.owner !== 'robot' && event.owner !== 'none') this.left = true;
    return { ...this.blank(r), event };
  }

  private async envelope(r: WireRecord, live: boolean): Promise<Entry | null> {
    const env = Envelope.parse(r.body) ?? reject('unsupported');
    if (env.conv !== this.id) reject('conversation');
    if (this.isShown(env)) this.seen.add(env.msg);
    if (!this.visitor) reject('visitor_keys');
    const dir = this.port.directory();
    await this.directory.acquaint(
      env.sender,
      env.sender === this.visitor.kid || !!dir.keyOf(env.sender) || !!dir.botByKid(env.sender),
    );
    switch (env.kind) {
      case Kind.announcement:
        return this.announcement(r, env, live);
      case Kind.grant:
        await this.grant(env);
        return null;
      case Kind.tombstone:
      case Kind.noteTombstone:
        return this.tombstone(r, env);
      case Kind.recall:
      case Kind.noteRecall:
        return this.recall(r, env, live);
      case Kind.note:
        return this.note(r, env, live);
      case Kind.message:
        return this.message(r, env, live);
    }
  }

  private async announcement(r: WireRecord, env: Envelope, live: boolean): Promise<Entry> {
    const before = this.current;
    const base = { ...this.blank(r), kind: 'epoch' as const, msg: env.msg, sender: env.sender };
    if (this.adopted && env.epoch === 0) {
      const own = this.adopted;
      this.adopted = null;
      if (equal(own.hash, announcementHash(env.bytes))) {
        this.memory.accepted(own);
        return { ...base, epoch: own };
      }
      // the server has another first epoch of ours: it is checked like any
      this.epochs.clear();
      this.chain = emptyChain();
    }
    const remembered = env.epoch === this.chain.epoch + 1 ? this.memory.epochs.get(env.epoch) : undefined;
    if (remembered && hex(announcementHash(env.bytes)) !== remembered.hash)
      reject('history', 'another announcement than before');
    const accepted = remembered ? await this.restored(env, remembered) : await this.judge(env, before, live);
    const epoch = this.take(accepted, env);
    this.memory.accepted(epoch);
    this.order.accept(env, false);
    const movedFrom = before && before.team !== null && epoch.team !== before.team ? before.team : undefined;
    this.follow(env.sender, epoch.team, movedFrom);
    return { ...base, epoch, movedFrom };
  }

  /** Accepted once by all rules; it is the same one. */
  private async restored(env: Envelope, known: RememberedEpoch): Promise<AcceptedEpoch> {
    const { team, bot, by, dirSeq } = known;
    let key = known.key ? await this.port.backend.restoreEpochKey(known.key).catch(() => null) : null;
    if (!key) {
      const ek = await openBox(env, this.conv, this.port.boxes()).catch(() => null);
      key = ek && (await this.port.backend.epochKey(ek));
    }
    return {
      epoch: env.epoch,
      hash: announcementHash(env.bytes),
      commitment: env.commitment.slice(),
      team,
      bot,
      by,
      dirSeq,
      key,
    };
  }

  private async judge(env: Envelope, before: Epoch | null, live: boolean): Promise<AcceptedEpoch> {
    if (env.dirSeq > this.port.directory().seq) await this.directory.to(env.dirSeq);
    return acceptAnnouncement(this.port.backend, env, {
      conv: this.conv,
      last: this.chain,
      before,
      transfer: this.transfer,
      visitorEd: this.visitor!.ed,
      visitorX: this.visitor!.x,
      directory: this.port.directory(),
      mine: this.port.boxes(),
      live,
    });
  }

  /** A transfer may be taken back by its maker until somebody of the new team writes or announces. */
  private follow(sender: string, team: string | null, movedFrom?: string): void {
    if (movedFrom !== undefined && team !== null)
      this.transfer = sender === this.visitor!.kid ? null : { by: sender, from: movedFrom, to: team };
    else if (this.transfer && sender !== this.transfer.by && sender !== this.visitor!.kid) this.transfer = null;
  }

  /** The rules of revision 2 hold here. */
  protected isStrict(): boolean {
    const epoch = this.current;
    return epoch !== null && isStrict(this.port, epoch);
  }

  /** The epoch that is current at this place; the genuine server stores nothing else. */
  protected epochHere(env: Envelope): Epoch {
    const epoch = this.current ?? reject('epoch', 'before the first epoch');
    if (env.epoch !== epoch.epoch) reject('epoch', `epoch ${env.epoch} in ${epoch.epoch}`);
    return epoch;
  }

  private async message(r: WireRecord, env: Envelope, live: boolean): Promise<Entry> {
    const epoch = this.epochHere(env);
    const visitor = this.visitor!;
    const from = await this.directory.retry(env.sender, () =>
      senderOfMessage(this.port, env, { epoch, visitor, live }),
    );
    if (epoch.bot && from.user !== undefined) reject('bot_epoch');
    this.checkCounter(env);
    const entry: Entry = {
      ...this.blank(r),
      kind: 'message',
      msg: env.msg,
      sender: env.sender,
      user: from.user,
      robot: from.robot,
      env,
    };
    if (epoch.key) Object.assign(entry, await this.open(env, epoch.key, from.ed));
    else {
      if (!(await this.port.backend.verify('sig', from.ed, env.signed, env.signature))) reject('signature');
      Object.assign(entry, { kind: 'broken', error: 'error.no_key', sealed: env, signer: from.ed });
    }
    if (isStrict(this.port, epoch)) this.order.checkPrev(env, entry);
    this.order.count(env, entry);
    this.order.accept(env);
    this.follow(env.sender, epoch.team);
    if (entry.body?.t === 'ctl') this.left = true;
    return entry;
  }

  /** The header of what stood here. By itself it is the server's word. */
  private tombstone(r: WireRecord, env: Envelope): Entry {
    // what it was stood in the epoch that is current here; before the first one nothing did
    if (env.kind === Kind.tombstone || !this.current) this.epochHere(env);
    const user = this.port.directory().keyOf(env.sender)?.user;
    const entry: Entry = { ...this.blank(r), kind: 'recalled', msg: env.msg, sender: env.sender, user, env };
    this.order.tombstone(env);
    if (this.isStrict()) entry.kind = 'removed';
    else this.order.believeTombstone(env, entry);
    return entry;
  }

  /** The sender of a message or note took it back. Shown at its place; a recall of something that was never shown is marked. */
  private async recall(r: WireRecord, env: Envelope, live: boolean): Promise<Entry | null> {
    const note = env.kind === Kind.noteRecall;
    const epoch = this.epochHere(env);
    const visitor = this.visitor!;
    const from = await this.directory.retry(env.sender, () =>
      senderBeside(this.port, env, { epoch, visitor, live }, note),
    );
    if (!(await this.port.backend.verify('sig', from.ed, env.signed, env.signature))) reject('signature');
    this.checkCounter(env);
    const what = env.recalled;
    const target = this.byMsg.get(what.msg);
    if (target && !recalls(env, target)) reject('recall', 'it names another envelope');
    const entry: Entry = { ...this.blank(r), kind: 'recalled', msg: env.msg, sender: env.sender, user: from.user, env };
    if (!note && isStrict(this.port, epoch)) this.order.checkPrev(env, entry);
    this.order.count(env, entry);
    if (!note) this.order.accept(env);
    if (!target) return { ...entry, missingBefore: true };
    Object.assign(target, { kind: 'recalled', body: undefined, sealed: undefined, error: undefined });
    if (target.env?.kind === Kind.tombstone || target.env?.kind === Kind.noteTombstone)
      this.order.proved(env.sender, what, target.seq);
    await this.memory.forget(what.msg);
    // a gap before the recall itself must be seen
    return entry.missingBefore || entry.unordered ? entry : null;
  }

  protected async open(env: Envelope, key: EpochKey, ed: Uint8Array): Promise<Pick<Entry, 'kind' | 'body'>> {
    const body = decodeBody(await openMessage(this.port.backend, env, key, ed));
    const odd = !body || body.t === 'note' || (body.t === 'ctl' && !this.port.directory().botByKid(env.sender));
    return odd ? { kind: 'unsupported' } : { kind: 'message', body };
  }

  /** Visitors can't read notes; the server shows them none. */
  protected note(_r: WireRecord, _env: Envelope, _live: boolean): Promise<Entry | null> {
    return Promise.resolve(null);
  }

  /** Visitors have a box in every epoch; the server shows them no grants. */
  protected grant(_env: Envelope): Promise<void> {
    return Promise.resolve();
  }

  /** Keys of boxes came late: what they open is opened now. A visitor has theirs from the start. */
  retryKeys(): Promise<void> {
    return Promise.resolve();
  }

  protected checkCounter(env: Envelope): void {
    if (env.ctr < this.nextCounter(env.sender, env.inst)) reject('replay');
    const there = this.byMsg.get(env.msg)?.env;
    // two lines with one id: a recall would take away the wrong one
    if (there && there.kind !== Kind.tombstone && there.kind !== Kind.noteTombstone) reject('replay');
  }
}

const markOf = (r: WireRecord): Uint8Array => recordMark(r.seq, r.at, r.body);

/** Whether a recall names what stands at this line: the same sender, its number, and its hash where the whole envelope is here. */
function recalls(env: Envelope, target: Entry): boolean {
  const known = target.env;
  const what = env.recalled;
  if (!known || known.sender !== env.sender || known.inst !== what.inst || known.ctr !== what.ctr) return false;
  const note = known.kind === Kind.note || known.kind === Kind.noteTombstone;
  if (note !== (env.kind === Kind.noteRecall)) return false;
  const whole = known.kind === Kind.message || known.kind === Kind.note;
  return !whole || equal(envelopeHash(known.bytes), what.hash);
}

export function errorOf(e: unknown): ErrorKey {
  if (isForkAlarm(e)) return 'error.directory_fork';
  if (e instanceof Rejected && e.reason === 'history') return 'error.history';
  return e instanceof Rejected && e.reason === 'box' ? 'error.no_key' : 'error.refused';
}
