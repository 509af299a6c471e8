/** One conversation written by hand, record by record, for logs to read: a company of revision 2, a visitor, two agents. */
import { agentLog } from '../../src/client/agent-log';
import type { ConversationContext } from '../../src/client/context';
import { ConversationLog } from '../../src/client/conversation-log';
import type { Backend, BoxKey, SigningKey } from '../../src/crypto/backend';
import { b64u, cat, hex, random, u32, utf8 } from '../../src/crypto/bytes';
import type { Directory } from '../../src/crypto/directory';
import { encodeBody, sealMessage, sealNote, type Body } from '../../src/crypto/envelope';
import { announce, emptyChain, type Chain } from '../../src/crypto/epoch';
import { announcementHash, BoxKind, boxKid, conversationId, envelopeHash, kidOf } from '../../src/crypto/hash';
import { signRecall, targetOf } from '../../src/crypto/recall';
import { nativeBackend } from '../../src/crypto/native';
import { Envelope, Kind, parseRecord, type WireRecord } from '../../src/proto';
import { memoryStore, type Store } from '../../src/storage/store';
import { Company, NOW, SITE, type Person } from './company';
import { noFiles } from './files';

export const ZERO = new Uint8Array(16);

export class Talk {
  readonly b: Backend = nativeBackend();
  co!: Company;
  dir!: Directory;
  li!: Person;
  wu!: Person;
  visitor!: { ed: SigningKey; x: BoxKey };
  conv!: Uint8Array;
  alarms: string[] = [];
  /** Epoch keys by number, and the hash of the newest announcement. */
  readonly eks: Uint8Array[] = [];
  chain: Chain = emptyChain();
  seq = 0;
  /** Hash of what was written last. */
  last: Uint8Array = ZERO;
  private nonce!: Uint8Array;
  private readonly counters = new Map<SigningKey, number>();

  /** `li` is in svc, `wu` in vip; both confirmed. */
  static async create(rev: 1 | 2 = 2): Promise<Talk> {
    const t = new Talk();
    t.co = await Company.create(t.b, undefined, rev);
    t.li = await t.co.enrol('li', 'agent', ['svc']);
    t.wu = await t.co.enrol('wu', 'agent', ['vip']);
    if (rev === 2) await t.co.confirm(t.li);
    if (rev === 2) await t.co.confirm(t.wu);
    t.dir = await t.co.directory();
    t.visitor = { ed: await t.b.newSigningKey(), x: await t.b.newBoxKey() };
    t.nonce = random(16);
    t.conv = conversationId(t.nonce, t.co.fp, SITE, t.visitor.ed.pk, t.visitor.x.pk);
    return t;
  }

  async grown(): Promise<void> {
    this.dir = await this.co.directory();
  }

  private async boxesOf(teams: string[]): Promise<Map<string, BoxKey>> {
    const out = new Map<string, BoxKey>();
    for (const team of teams) {
      for (const k of this.co.teamSecrets.get(team)!) {
        const key = await this.b.boxKey(k.secret);
        out.set(hex(boxKid(BoxKind.team, key.pk)), key);
      }
    }
    return out;
  }

  /** A reader's log; with the store of an earlier visit it remembers. */
  async reader(who: 'visitor' | Person, o: { store?: Store; teams?: string[] } = {}): Promise<ConversationLog> {
    const visitor = who === 'visitor';
    const me = visitor ? this.visitor.ed : who.ed;
    const mine = visitor
      ? new Map([[hex(boxKid(BoxKind.visitor, this.visitor.x.pk)), this.visitor.x]])
      : await this.boxesOf(o.teams ?? ['svc', 'vip']);
    const context: ConversationContext = {
      backend: this.b,
      role: visitor ? 'visitor' : 'agent',
      me,
      kid: hex(kidOf(me.pk)),
      fp: this.co.fp,
      store: o.store ?? memoryStore(),
      storagePrefix: 't/',
      counterRun: 1,
      noteCounterRun: 2,
      directory: () => this.dir,
      refreshDirectory: () => this.grown(),
      boxes: () => mine,
      now: () => NOW,
      online: () => true,
      envelope: () => true,
      frame: () => true,
      request: async () => undefined,
      broken: () => null,
      alarm: (e) => void this.alarms.push(e),
      notKept: () => undefined,
      gen: () => 'g1',
      again: () => undefined,
      fresh: async () => true,
      turn: async () => undefined,
      ...noFiles,
    };
    return new ConversationLog(context, hex(this.conv), visitor ? undefined : agentLog);
  }

  record(body: Uint8Array, seq = ++this.seq): WireRecord {
    return parseRecord(cat(u32(0), u32(seq), u32(0), u32(seq), body))!;
  }

  event(json: unknown): WireRecord {
    return this.record(cat(utf8('K0'), new Uint8Array(2), this.conv, utf8(JSON.stringify(json))));
  }

  opening(): WireRecord {
    return this.event({
      t: 'open',
      site: SITE,
      team: 'svc',
      nonce: b64u(this.nonce),
      ed: b64u(this.visitor.ed.pk),
      x: b64u(this.visitor.x.pk),
    });
  }

  /** The next epoch; `at`: the directory that its maker claims to have seen. */
  async epoch(
    by: SigningKey,
    o: { team?: string; bot?: BoxKey; at?: number; keep?: boolean } = {},
  ): Promise<WireRecord> {
    const dirSeq = o.at ?? this.dir.seq;
    const ek = random(32);
    const pk = this.dir.teamPk(o.team ?? 'svc');
    const made = {
      conv: this.conv,
      last: this.chain,
      dirSeq,
      dirHead: this.dir.headAt(dirSeq)!,
      teamPk: pk,
      visitorX: this.visitor.x.pk,
      botX: o.bot?.pk,
    };
    const bytes = await announce(this.b, made, by, ek);
    if (o.keep !== false) {
      this.eks.push(ek);
      this.chain = { epoch: this.chain.epoch + 1, hash: announcementHash(bytes) };
      this.last = envelopeHash(bytes);
    }
    return this.record(bytes);
  }

  private counter(by: SigningKey): number {
    const n = this.counters.get(by) ?? 0;
    this.counters.set(by, n + 1);
    return n;
  }

  private head(by: SigningKey, o: { epoch?: number; prev?: Uint8Array; ctr?: number; inst?: number }) {
    const epoch = o.epoch ?? this.chain.epoch;
    return {
      conv: this.conv,
      epoch,
      msg: random(16),
      inst: o.inst ?? 7,
      ctr: o.ctr ?? this.counter(by),
      prev: o.prev ?? this.last,
    };
  }

  async say(
    text: string,
    by: SigningKey = this.visitor.ed,
    o: { epoch?: number; prev?: Uint8Array; ctr?: number; body?: Body; inst?: number } = {},
  ): Promise<WireRecord> {
    const head = this.head(by, o);
    const bytes = await sealMessage(
      head,
      await this.b.epochKey(this.eks[head.epoch]!),
      encodeBody(o.body ?? { t: 'text', ts: 0, text }),
      by,
    );
    this.last = envelopeHash(bytes);
    return this.record(bytes);
  }

  async note(text: string, by: SigningKey, o: { epoch?: number; team?: string } = {}): Promise<WireRecord> {
    const bytes = await sealNote(
      this.b,
      { ...this.head(by, o), inst: 8 },
      this.dir.teamPk(o.team ?? 'svc'),
      encodeBody({ t: 'note', ts: 0, text }),
      by,
    );
    return this.record(bytes);
  }

  async recall(
    of: WireRecord,
    by: SigningKey,
    o: { hash?: Uint8Array; ctr?: number; prev?: Uint8Array } = {},
  ): Promise<WireRecord> {
    const env = Envelope.parse(of.body)!;
    const target = { ...targetOf(env), ...(o.hash && { hash: o.hash }) };
    const bytes = await signRecall(this.head(by, o), target, by);
    this.last = envelopeHash(bytes);
    return this.record(bytes);
  }

  /** What the server leaves of a recalled record. */
  left(of: WireRecord): WireRecord {
    const body = of.body.slice(0, 80);
    body[2] = body[2] === Kind.note ? Kind.noteTombstone : Kind.tombstone;
    return { ...of, body };
  }
}

/** Lines of a log, short: kind, text, marks. */
export const shown = (l: ConversationLog): string[] =>
  l.lines.entries
    .filter((e) => e.kind !== 'event' && e.kind !== 'epoch')
    .map(
      (e) =>
        `${e.kind}${e.body && 'text' in e.body ? `:${e.body.text}` : ''}${e.missingBefore ? ' missing' : ''}${e.unordered ? ' unordered' : ''}`,
    );

export async function read(l: ConversationLog, records: readonly WireRecord[], live = false): Promise<string[]> {
  for (const r of records) await l.apply(r, live);
  return shown(l);
}
