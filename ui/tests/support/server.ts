/**
 * A small kefu server for tests: sockets, records, the refusals a client must live with. It keeps everything in memory
 * and can be made to lose, refuse, reorder and lie.
 */
import { b64u, cat, hex, random, u32, unb64u, unhex, utf8 } from '../../src/crypto/bytes';
import { BoxKind, boxKid, kidOf, recordMark } from '../../src/crypto/hash';
import { Code, Envelope, Kind, parseEvent, type Conv, type MissedCount, type Resume } from '../../src/proto';
import type { Refusal } from '../../src/link/errors';
import { SITE, type Company } from './company';
import { FakeFiles } from './files';
import { fakeEnv, type FakeEnv, type FakeSocket } from './socket';

export interface Peer {
  s: FakeSocket;
  role: 'visitor' | 'agent';
  kid: string;
  ed: string;
  user?: string;
  follows: Set<string>;
}
interface Stored {
  conv: Conv;
  records: Uint8Array[];
  msgs: Map<string, number>;
}
const atOf = (r: Uint8Array): number =>
  new DataView(r.buffer, r.byteOffset).getUint32(8) * 2 ** 32 + new DataView(r.buffer, r.byteOffset).getUint32(12);

/** What becomes of an envelope: stored as usual, lost on the way, stored without an echo, refused with a code. */
export type Fate = 'store' | 'lose' | 'mute' | number | Refusal;

export class FakeServer {
  readonly peers: Peer[] = [];
  readonly convs = new Map<string, Stored>();
  /** Every envelope as it came in, in order. */
  readonly received: Uint8Array[] = [];
  readonly requests: Record<string, unknown>[] = [];
  fate: (env: Envelope) => Fate = () => 'store';
  refuseOpen: number | null = null;
  /** Requests that are refused, by their name. */
  refuses = new Map<string, Refusal>();
  /** To agents: free space of the disk. */
  storage: 'low' | 'full' | undefined;
  /** HTTP requests that are refused with 429. */
  busy: (path: string) => Refusal | null = () => null;
  /** How many records are sent over a socket; more are paged. */
  most = Infinity;
  /** What a reader who resumes is shown. */
  show: (records: readonly Uint8Array[], p: Peer) => readonly Uint8Array[] = (records) => records;
  /** Summary of a conversation in `welcome`; null: nothing. */
  name: (c: Conv) => Conv | null = (c) => c;
  entries: (after: number) => Company['log'];
  /** What the welcome of an agent counts. */
  missed: MissedCount[] = [];
  /** What agents chose last; null: a server that does not send it. */
  status: string | null = null;
  /** Other settings sent to agents. */
  config: Record<string, unknown> = {};
  /** Never reports that a reader has everything. */
  mute = false;
  readonly files = new FakeFiles();
  /** Largest file that the site takes; 0: none. */
  maxFile = 20 * 2 ** 20;
  routes = new Map<string, (body: Record<string, unknown>) => unknown>();
  /** Which opening of the database this is. */
  gen = 'aaaaaaaaaaaaaaaa';
  private at = Date.now();
  /** The time it reports. */
  clock = (): number => Date.now();

  constructor(readonly co: Company) {
    this.entries = (after) => co.log.slice(after + 1);
  }

  /** One browser's way to this server. */
  env(): FakeEnv {
    const env = fakeEnv((s) => this.accept(s));
    env.http = (url, init) => this.http(url, init);
    return env;
  }

  private accept(s: FakeSocket): void {
    const peer: Peer = {
      s,
      role: s.url.includes('/ws/agent') ? 'agent' : 'visitor',
      kid: '',
      ed: '',
      follows: new Set(),
    };
    s.onsend = (d) =>
      queueMicrotask(() =>
        typeof d === 'string' ? this.text(peer, JSON.parse(d) as Record<string, unknown>) : this.binary(peer, d),
      );
    queueMicrotask(() => s.say({ t: 'challenge', nonce: b64u(random(32)), org: hex(this.co.fp), now: this.clock() }));
  }

  /** Ends all sockets; the network is gone or the server restarts. */
  cut(code = 1006): void {
    for (const p of this.peers.splice(0)) p.s.end(code);
  }

  private visible(p: Peer): Conv[] {
    const all = [...this.convs.values()].map((c) => c.conv);
    const mine = p.role === 'agent' ? all : all.filter((c) => c.ed === p.ed);
    return mine.flatMap((c) => this.name(c) ?? []);
  }

  private text(p: Peer, f: Record<string, unknown>): void {
    const conv = typeof f.conv === 'string' ? this.convs.get(f.conv) : undefined;
    if (typeof f.req === 'number') this.requests.push(f);
    const no = this.refuses.get(f.t as string);
    if (no) return p.s.say({ t: 'error', req: f.req, text: '', ...no });
    const ok = () => p.s.say({ t: 'ok', req: f.req });
    switch (f.t) {
      case 'hello': {
        p.ed = f.ed as string;
        p.kid = hex(kidOf(unb64u(p.ed)));
        this.peers.push(p);
        p.s.say({
          t: 'welcome',
          role: p.role,
          kid: p.kid,
          token: `tok-${p.kid}`,
          gen: this.gen,
          now: this.clock(),
          beat: 10_000,
          convs: this.visible(p),
          config:
            p.role === 'agent'
              ? { missed: this.missed, ...this.config, ...(this.status !== null && { status: this.status }) }
              : {},
          ...(p.role === 'agent' && this.storage && { storage: this.storage }),
        });
        return;
      }
      case 'ping':
        return p.s.say({ t: 'pong', now: this.clock() });
      case 'resume':
        for (const item of f.convs as Resume[]) this.resume(p, item);
        return;
      case 'restore':
        return this.restore(conv!, f.envelopes as string[])
          ? ok()
          : p.s.say({ t: 'error', req: f.req, code: Code.epoch_stale, text: '' });
      case 'open':
        if (this.refuseOpen !== null) {
          const code = this.refuseOpen;
          this.refuseOpen = null;
          return p.s.say({ t: 'error', req: f.req, code, text: '' });
        }
        this.open(p, f);
        return ok();
      case 'seen': {
        if (!conv) return;
        conv.conv = { ...conv.conv, [p.role]: { delivered: f.delivered, read: f.read } };
        this.tell(f.conv as string, { t: 'receipt', conv: f.conv, side: p.role, delivered: f.delivered, read: f.read });
        return;
      }
      case 'typing':
        for (const q of this.peers)
          if (q !== p && q.follows.has(f.conv as string))
            q.s.say({ t: 'typing', conv: f.conv, side: p.role, on: f.on });
        return;
      case 'take':
        this.own(f.conv as string, 'agent:li', 'take');
        return ok();
      case 'transfer':
        conv!.conv.team = f.team as string;
        this.own(f.conv as string, 'queue', 'transfer');
        return ok();
      case 'close':
        conv!.conv.state = 'closed';
        this.event(f.conv as string, { t: 'closed', by: p.role });
        this.tell(f.conv as string, { t: 'conv', conv: conv!.conv });
        return ok();
      default:
        if (f.req !== undefined) ok();
    }
  }

  private resume(p: Peer, { id, have, gen, seq, mark }: Resume): void {
    const c = this.convs.get(id);
    if (!c) return;
    if (gen !== undefined && gen !== this.gen) {
      const there = c.records[seq! - 1];
      if (!there || hex(recordMark(seq!, atOf(there), there.subarray(16))) !== mark)
        return p.s.say({ t: 'rewound', conv: id, last: c.records.length, gen: this.gen });
    }
    p.follows.add(id);
    const shown = this.show(c.records, p);
    if (shown.length - have > this.most) return p.s.say({ t: 'behind', conv: id, last: shown.length });
    shown.slice(have).forEach((r) => p.s.bytes(r));
    if (!this.mute) p.s.say({ t: 'synced', conv: id, last: shown.length });
  }

  private restore(c: Stored, envelopes: readonly string[]): boolean {
    for (const text of envelopes) {
      const env = Envelope.parse(unb64u(text))!;
      if (env.epoch <= c.conv.epoch) continue;
      if (env.epoch !== c.conv.epoch + 1) return false;
      this.append(c.conv.id, env.bytes);
    }
    return true;
  }

  /** A backup is restored: only the first `keep` records of a conversation are there (none: it is gone), and the database is opened again. */
  rewind(id: string, keep: number): void {
    this.gen = hex(random(8));
    const c = this.convs.get(id)!;
    if (keep === 0) return void this.convs.delete(id);
    const records = c.records.slice(0, keep);
    this.convs.set(id, { conv: { ...c.conv, epoch: 0 }, records: [], msgs: new Map() });
    const back = this.convs.get(id)!;
    for (const r of records) {
      back.records.push(r);
      const env = Envelope.parse(r.subarray(16));
      if (env) back.msgs.set(env.msg, back.records.length);
      if (env?.kind === Kind.announcement) back.conv.epoch = env.epoch;
    }
    back.conv.last = keep;
    const owners = records.map((r) => parseEvent(r.subarray(16))).flatMap((e) => (e?.t === 'owner' ? e.owner : []));
    back.conv.owner = owners.at(-1) ?? (this.robotIsIn(back) ? 'robot' : 'queue');
  }

  private open(p: Peer, f: Record<string, unknown>): void {
    const id = f.id as string;
    const there = this.convs.get(id);
    if (there) return p.s.say({ t: 'conv', conv: there.conv });
    const none = { delivered: 0, read: 0 };
    const now = Date.now();
    const conv: Conv = {
      id,
      site: f.site as string,
      team: 'svc',
      owner: Envelope.parse(unb64u(f.ann as string))!.flags ? 'robot' : 'queue',
      state: 'open',
      ed: p.ed,
      x: f.x as string,
      last: 0,
      epoch: 0,
      created: now,
      last_at: now,
      visitor: none,
      agent: none,
    };
    this.convs.set(id, { conv, records: [], msgs: new Map() });
    this.event(id, { t: 'open', site: SITE, team: 'svc', nonce: f.nonce, ed: p.ed, x: f.x });
    this.append(id, unb64u(f.ann as string));
    for (const q of this.peers) if (q.role === 'agent' || q.ed === p.ed) q.s.say({ t: 'conv', conv });
  }

  own(id: string, owner: string, why: string, by?: string): void {
    const c = this.convs.get(id)!;
    c.conv = { ...c.conv, owner };
    this.event(id, { t: 'owner', owner, team: c.conv.team, why, ...(by !== undefined && { by }) });
    for (const q of this.peers) if (q.role === 'agent' || q.ed === c.conv.ed) q.s.say({ t: 'conv', conv: c.conv });
  }

  tell(conv: string, frame: unknown): void {
    for (const p of this.peers) if (p.follows.has(conv)) p.s.say(frame);
  }

  event(id: string, json: unknown): void {
    this.append(id, cat(utf8('K0'), new Uint8Array(2), unhex(id), utf8(JSON.stringify(json))));
  }

  /** Stores without checks and sends to all followers except `but`. */
  append(id: string, body: Uint8Array, but?: Peer): void {
    const c = this.convs.get(id)!;
    const seq = c.records.length + 1;
    this.at = Math.max(this.at, Date.now());
    const r = cat(u32(0), u32(seq), u32(Math.floor(this.at / 2 ** 32)), u32(this.at % 2 ** 32), body);
    c.records.push(r);
    const env = Envelope.parse(body);
    if (env) c.msgs.set(env.msg, seq);
    if (env) this.files.posted(env.conv, env.msg);
    if (env?.kind === Kind.announcement) c.conv.epoch = env.epoch;
    c.conv.last = seq;
    for (const p of this.peers) if (p !== but && p.follows.has(id)) p.s.bytes(r);
  }

  private binary(p: Peer, bytes: Uint8Array): void {
    const env = Envelope.parse(bytes);
    if (!env) return p.s.end(4500);
    this.received.push(bytes);
    const c = this.convs.get(env.conv);
    const refuse = (code: number) =>
      p.s.say({
        t: 'error',
        code,
        text: '',
        conv: env.conv,
        msg: env.msg,
        retry_ms: code === Code.rate_limited ? 3000 : undefined,
      });
    if (!c) return refuse(Code.not_found);
    const fate = this.fate(env);
    if (fate === 'lose') return;
    if (typeof fate === 'number') return refuse(fate);
    if (typeof fate === 'object') return p.s.say({ t: 'error', text: '', conv: env.conv, msg: env.msg, ...fate });
    if (!this.files.isWhole(env.conv, env.msg)) return refuse(Code.conflict);
    const known = c.msgs.get(env.msg);
    if (known !== undefined) return p.s.bytes(c.records[known - 1]!);
    if (env.kind === Kind.announcement && env.epoch !== c.conv.epoch + 1) return refuse(Code.epoch_stale);
    const bot = env.kind === Kind.announcement && env.boxes.find((x) => x.kind === BoxKind.bot);
    if (bot && c.conv.owner !== 'robot') return refuse(Code.epoch_stale);
    if (bot && hex(bot.kid) !== hex(boxKid(BoxKind.bot, this.co.robot!.day.pk))) return refuse(Code.directory_stale);
    if (env.kind === Kind.announcement && p.role === 'agent' && c.conv.owner === 'robot') return refuse(Code.not_owner);
    if (env.kind === Kind.message && c.conv.owner !== 'robot' && this.robotIsIn(c)) return refuse(Code.epoch_stale);
    if (env.kind === Kind.message && (env.epoch !== c.conv.epoch || !this.teamKeyIsCurrent(c)))
      return refuse(Code.epoch_stale);
    const recall = env.kind === Kind.recall || env.kind === Kind.noteRecall;
    if (recall && !c.msgs.has(env.recalled.msg)) return refuse(Code.not_found);
    if (recall) this.redact(c, env.recalled.msg);
    if (env.kind === Kind.message && p.role === 'visitor' && c.conv.state === 'closed') {
      c.conv = { ...c.conv, state: 'open' };
      this.event(env.conv, { t: 'reopened', by: 'visitor' });
      this.tell(env.conv, { t: 'conv', conv: c.conv });
    }
    this.append(env.conv, bytes, fate === 'mute' ? p : undefined);
    if (env.kind === Kind.announcement && c.conv.owner === 'robot' && !bot) this.own(env.conv, 'queue', 'person');
  }

  /** What is left of a recalled envelope: its header. */
  redact(c: Stored, msg: string): void {
    const seq = c.msgs.get(msg)!;
    const left = c.records[seq - 1]!.slice(0, 96);
    left[18] = left[18] === Kind.note ? Kind.noteTombstone : Kind.tombstone;
    c.records[seq - 1] = left;
  }

  private robotIsIn(c: Stored): boolean {
    return (
      c.records
        .map((r) => Envelope.parse(r.subarray(16)))
        .filter((e) => e?.kind === Kind.announcement)
        .at(-1)!.flags === 1
    );
  }

  private teamKeyIsCurrent(c: Stored): boolean {
    const ann = c.records
      .map((r) => Envelope.parse(r.subarray(16)))
      .filter((e) => e?.kind === Kind.announcement)
      .at(-1);
    const box = ann?.boxes.find((x) => x.kind === 1);
    return [...this.pks.values()].some((pk) => box && hex(boxKid(BoxKind.team, pk)) === hex(box.kid));
  }
  /** Current public keys of teams; kept by `learnKeys`. */
  private pks = new Map<string, Uint8Array>();
  async learnKeys(): Promise<void> {
    const dir = await this.co.directory();
    this.pks = new Map(Object.keys(dir.state.teams).map((t) => [t, dir.teamPk(t)]));
  }

  private async http(url: string, init?: RequestInit): Promise<Response> {
    const path = url.replace(/^https:\/\/[^/]*\/api\/v1/, '');
    const json = (v: unknown) => new Response(JSON.stringify(v));
    const fail = (code: number, status: number) =>
      new Response(JSON.stringify({ code, name: '', text: '' }), { status });
    const busy = this.busy(path);
    if (busy) return new Response(JSON.stringify({ text: '', ...busy }), { status: 429 });
    const file = await this.files.http(path, init);
    if (file) return file;
    const page = /^\/conversations\/(\w+)\/records\?after=(\d+)/.exec(path);
    if (page)
      return new Response(
        cat(
          ...this.convs
            .get(page[1]!)!
            .records.slice(Number(page[2]))
            .map((r) => cat(u32(r.length), r)),
        ) as BodyInit,
      );
    const body = init?.body ? (JSON.parse(init.body as string) as Record<string, unknown>) : {};
    const route = this.routes.get(path);
    const invite = new Headers(init?.headers).get('kefu-invite');
    if (path.startsWith('/invite/') && invite !== body.inv) return fail(Code.too_large, 413);
    if (route) {
      try {
        return json(await route(body));
      } catch (e) {
        return fail(typeof e === 'number' ? e : Code.malformed, 409);
      }
    }
    if (path === `/site/${SITE}`) return json({ ...this.co.site(), max_file: this.maxFile });
    if (path.startsWith('/directory?'))
      return json({ entries: this.entries(Number(/after=(-?\d+)/.exec(path)![1])), snapshot: this.co.snapshot });
    return fail(Code.not_found, 404);
  }
}
