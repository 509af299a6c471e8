/**
 * What the records of one conversation add up to: epochs, counters, and lines to show. Everything from the server is
 * checked here and nowhere else; what does not pass becomes a `broken` line and changes nothing. What only agents read
 * (notes, grants) is in `agent-ledger.ts`, which the widget does not carry.
 */
import type { EpochKey, KeptKey } from '../crypto/backend';
import { equal, hex, sized, unb64u, unhex } from '../crypto/bytes';
import { isForkAlarm } from '../crypto/directory';
import { isGoodKey } from '../crypto/ed25519';
import { decodeBody, openMessage, type Body } from '../crypto/envelope';
import { acceptAnnouncement, emptyChain, type AcceptedEpoch, type Chain } from '../crypto/epoch';
import { reject, Rejected } from '../crypto/error';
import { announcementHash, conversationId, envelopeHash, kidOf } from '../crypto/hash';
import { ClientError, type ErrorKey } from '../model';
import { Envelope, Kind, ownerUser, parseEvent, type RecordEvent, type WireRecord } from '../proto';
import type { Port } from './port';

/** How long a live message may still come in the epoch before the current one, ms. */
const OLD_EPOCH_MS = 60_000;
/** Pauses between tries to fetch the directory, ms. */
const CATCH_UP_MS = [500, 1_000, 2_000, 5_000, 10_000, 15_000, 15_000, 15_000];

export interface Epoch extends AcceptedEpoch {
  /** Local time of acceptance, ms. */
  since: number;
  env: Envelope;
  /** From a grant, when no box was for this reader. */
  granted?: Uint8Array;
}

/** One record, understood. */
export interface Entry {
  seq: number;
  at: number;
  kind: 'message' | 'note' | 'recalled' | 'broken' | 'unsupported' | 'event' | 'epoch';
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
  missingBefore: boolean;
  error?: ErrorKey;
  /** Kept while the key of its epoch is not known. */
  sealed?: Envelope;
}

interface RememberedEpoch {
  hash: string;
  key: KeptKey | null;
  team: string | null;
  bot: boolean;
  by: string | null;
  dirSeq: number;
}

export class Ledger {
  /** The visitor's keys, once the first record proved them. */
  visitor: { ed: Uint8Array; x: Uint8Array; kid: string; site: string } | null = null;
  chain: Chain = emptyChain();
  readonly epochs = new Map<number, Epoch>();
  readonly entries: Entry[] = [];
  /** Hash of the last envelope accepted. */
  last: Uint8Array = new Uint8Array(16);
  private readonly bySeq = new Map<number, Entry>();
  private readonly counters = new Map<string, number>();
  protected readonly conv: Uint8Array;
  private replacedAt = 0;
  /** Users and kids that were asked for. */
  private readonly asked = new Set<string>();
  private adopted: Epoch | null = null;

  constructor(
    protected readonly port: Port,
    readonly id: string,
  ) {
    this.conv = unhex(id);
  }

  get current(): Epoch | null {
    return this.epochs.get(this.chain.epoch) ?? null;
  }

  /** Next counter of a sender's run, as seen here. */
  nextCounter(sender: string, inst: number): number {
    return this.counters.get(`${sender}/${inst}`) ?? 0;
  }

  /**
   * What this page made itself counts before the server has it: the visitor's keys and his first epoch. When the records
   * come back they must be the same.
   */
  adopt(visitor: { ed: Uint8Array; x: Uint8Array; site: string }, accepted: AcceptedEpoch, env: Envelope): void {
    // the server was faster: its records count
    if (this.entries.length) return;
    this.visitor = { ...visitor, kid: hex(kidOf(visitor.ed)) };
    this.adopted = this.take(accepted, env);
  }

  private take(a: AcceptedEpoch, env: Envelope): Epoch {
    const epoch: Epoch = { ...a, since: this.port.now(), env };
    this.epochs.set(epoch.epoch, epoch);
    this.chain = { epoch: epoch.epoch, hash: epoch.hash };
    return epoch;
  }

  /** In order, one at a time. Never rejects. `live`: it was written while we listened. */
  async apply(r: WireRecord, live: boolean): Promise<Entry | null> {
    const event = parseEvent(r.body);
    let entry: Entry | null;
    const owner = event?.t === 'owner' ? ownerUser(event.owner) : null;
    if (owner) await this.acquaint(owner, this.port.directory().nameOf(owner) !== null);
    try {
      entry = event ? this.event(r, event) : await this.envelope(r, live);
    } catch (e) {
      if (isForkAlarm(e)) this.port.alarm(e);
      entry = { ...this.blank(r), kind: 'broken', error: errorOf(e) };
    }
    if (entry) {
      this.entries.push(entry);
      this.bySeq.set(entry.seq, entry);
    }
    return entry;
  }

  protected blank(r: WireRecord): Entry {
    return { seq: r.seq, at: r.at, kind: 'event', msg: '', sender: '', missingBefore: false };
  }

  private event(r: WireRecord, event: RecordEvent): Entry | null {
    if (event.t === 'open') {
      const [ed, x] = [sized(event.ed, 32), sized(event.x, 32)];
      const id = conversationId(unb64u(event.nonce), this.port.fp, event.site, ed, x);
      if (r.seq !== 1 || !equal(id, this.conv)) reject('visitor_keys');
      if (!isGoodKey(ed)) reject('bad_key');
      this.visitor = { ed, x, kid: hex(kidOf(ed)), site: event.site };
    } else if (event.t === 'recalled') {
      const e = this.bySeq.get(event.seq);
      if (e && e.msg === event.msg) Object.assign(e, { kind: 'recalled', body: undefined, sealed: undefined });
      return null;
    } else if (event.t === 'hidden') return null;
    return { ...this.blank(r), event };
  }

  /** Somebody joined after this page fetched the directory: asks for what is new, once a name. */
  private async acquaint(name: string, known: boolean): Promise<void> {
    if (known || this.asked.has(name)) return;
    this.asked.add(name);
    await this.port.refreshDirectory().catch(() => undefined);
  }

  private async envelope(r: WireRecord, live: boolean): Promise<Entry | null> {
    const env = Envelope.parse(r.body) ?? reject('unsupported');
    if (env.conv !== this.id) reject('conversation');
    if (!this.visitor) reject('visitor_keys');
    const dir = this.port.directory();
    await this.acquaint(env.sender, env.sender === this.visitor.kid || !!dir.keyOf(env.sender) || !!dir.botByKid(env.sender));
    switch (env.kind) {
      case Kind.announcement:
        return this.announcement(r, env, live);
      case Kind.grant:
        await this.grant(env);
        return null;
      case Kind.tombstone:
      case Kind.noteTombstone:
        this.count(env);
        return { ...this.blank(r), kind: 'recalled', msg: env.msg, sender: env.sender, user: this.port.directory().keyOf(env.sender)?.user };
      case Kind.note:
        return this.note(r, env);
      case Kind.message:
        return this.message(r, env, live);
    }
  }

  private async announcement(r: WireRecord, env: Envelope, live: boolean): Promise<Entry> {
    const visitor = this.visitor!;
    if (this.adopted && env.epoch === 0) {
      const own = this.adopted;
      this.adopted = null;
      if (equal(own.hash, announcementHash(env.bytes))) {
        this.last = envelopeHash(env.bytes);
        return { ...this.blank(r), kind: 'epoch', msg: env.msg, sender: env.sender, epoch: own };
      }
      // the server has another first epoch of ours: it is checked like any
      this.epochs.clear();
      this.chain = emptyChain();
    }
    const name = `${this.port.space}epoch/${this.id}/${String(env.epoch).padStart(6, '0')}`;
    const remembered = this.port.role === 'visitor' ? await this.port.store.get<RememberedEpoch>(name).catch(() => undefined) : undefined;
    let accepted: AcceptedEpoch;
    if (remembered && env.epoch === this.chain.epoch + 1) {
      // accepted once by all rules; now it must be the same one
      if (hex(announcementHash(env.bytes)) !== remembered.hash) reject('directory_fork', 'another announcement than before');
      accepted = {
        ...remembered,
        epoch: env.epoch,
        hash: unhex(remembered.hash),
        commitment: env.commitment.slice(),
        key: remembered.key ? await this.port.backend.restoreEpochKey(remembered.key) : null,
      };
    } else {
      if (env.dirSeq > this.port.directory().seq) await this.catchUp(env.dirSeq);
      accepted = await acceptAnnouncement(this.port.backend, env, {
        conv: this.conv,
        last: this.chain,
        visitorEd: visitor.ed,
        visitorX: visitor.x,
        directory: this.port.directory(),
        mine: this.port.boxes(),
        live,
      });
      if (this.port.role === 'visitor') await this.remember(name, accepted);
    }
    const epoch = this.take(accepted, env);
    this.replacedAt = live ? this.port.now() : 0;
    this.last = envelopeHash(env.bytes);
    return { ...this.blank(r), kind: 'epoch', msg: env.msg, sender: env.sender, epoch };
  }

  /**
   * The directory that a record relies on must be known before it is judged. A network that fails for a moment is waited for:
   * an honest epoch that is refused here would take all that follows with it.
   */
  private async catchUp(dirSeq: number): Promise<void> {
    for (const pause of CATCH_UP_MS) {
      try {
        return await this.port.refreshDirectory();
      } catch (e) {
        if (!(e instanceof ClientError) || (e.key !== 'error.network' && e.key !== 'error.rate_limited')) throw e;
      }
      await new Promise((done) => setTimeout(done, pause));
      if (this.port.directory().seq >= dirSeq) return;
    }
  }

  private async remember(name: string, a: AcceptedEpoch): Promise<void> {
    const { team, bot, by, dirSeq } = a;
    const value: RememberedEpoch = { hash: hex(a.hash), key: a.key ? await a.key.keep() : null, team, bot, by, dirSeq };
    await this.port.store.set(name, value).catch(() => undefined);
  }

  /** Who may have signed this: the visitor, an agent certified when the epoch began or later, the robot in an epoch it is a member of. */
  protected async senderOf(env: Envelope, epoch: Epoch, live = false): Promise<{ ed: Uint8Array; user?: string; robot?: string }> {
    if (env.sender === this.visitor!.kid) return { ed: this.visitor!.ed };
    const dir = this.port.directory();
    const robot = epoch.bot && dir.botByKid(env.sender);
    if (robot) {
      if (live && dir.botOf(this.visitor!.site)?.ed !== robot.ed) reject('sender');
      return { ed: sized(robot.ed, 32), robot: robot.name };
    }
    const find = () => this.port.directory().keySince(env.sender, epoch.dirSeq);
    // a colleague who joined while this page slept: nobody told it that the directory grew
    if (!find()) await this.catchUp(Infinity);
    const key = find() ?? reject('sender');
    return { ed: key.ed, user: key.user };
  }

  private epochOf(env: Envelope, live: boolean): Epoch {
    const epoch = this.epochs.get(env.epoch) ?? reject('epoch', `no epoch ${env.epoch}`);
    const late = env.epoch === this.chain.epoch - 1 && this.port.now() - this.replacedAt < OLD_EPOCH_MS;
    if (live && env.epoch !== this.chain.epoch && !late) reject('epoch', 'a live message in a closed epoch');
    return epoch;
  }

  private async message(r: WireRecord, env: Envelope, live: boolean): Promise<Entry> {
    const epoch = this.epochOf(env, live);
    const sender = await this.senderOf(env, epoch, live);
    if (epoch.bot && sender.user !== undefined) reject('bot_epoch');
    this.checkCounter(env);
    const base = { ...this.blank(r), msg: env.msg, sender: env.sender, user: sender.user, robot: sender.robot };
    if (!epoch.key) {
      if (!(await this.port.backend.verify('sig', sender.ed, env.signed, env.signature))) reject('signature');
      return { ...base, kind: 'broken', error: 'error.no_key', missingBefore: this.count(env), sealed: env };
    }
    return { ...base, ...(await this.open(env, epoch.key, sender.ed)), missingBefore: this.count(env) };
  }

  protected async open(env: Envelope, key: EpochKey, ed: Uint8Array): Promise<Pick<Entry, 'kind' | 'body'>> {
    const body = decodeBody(await openMessage(this.port.backend, env, key, ed));
    const odd = !body || body.t === 'note' || (body.t === 'ctl' && !this.port.directory().botByKid(env.sender));
    return odd ? { kind: 'unsupported' } : { kind: 'message', body };
  }

  /** Visitors can't read notes; the server shows them none. */
  protected note(_r: WireRecord, _env: Envelope): Promise<Entry | null> {
    return Promise.resolve(null);
  }

  /** Visitors have a box in every epoch; the server shows them no grants. */
  protected grant(_env: Envelope): Promise<void> {
    return Promise.resolve();
  }

  /** Keys of boxes came late: what they open is opened now. A visitor has his from the start. */
  retryKeys(): Promise<void> {
    return Promise.resolve();
  }

  protected checkCounter(env: Envelope): void {
    if (env.ctr < this.nextCounter(env.sender, env.inst)) reject('replay');
  }

  /** Counts an envelope that was believed. True if one before it is missing. */
  protected count(env: Envelope): boolean {
    const next = this.nextCounter(env.sender, env.inst);
    if (env.ctr >= next) this.counters.set(`${env.sender}/${env.inst}`, env.ctr + 1);
    this.last = envelopeHash(env.bytes);
    return env.ctr > next;
  }

}

export function errorOf(e: unknown): ErrorKey {
  if (isForkAlarm(e)) return 'error.directory_fork';
  return e instanceof Rejected && e.reason === 'box' ? 'error.no_key' : 'error.refused';
}
