/**
 * A server of revision 2 that keeps to the protocol, and deviates from it exactly where an attack has set a hook. Between two attacks it is honest:
 * what goes wrong in a run is the attack's work.
 */
import { b64u, cat, hex, random, u32, unb64u } from '../../src/crypto/bytes';
import { BoxKind, boxKid, kidOf } from '../../src/crypto/hash';
import { Code, type Conv } from '../../src/proto';
import { SITE } from '../support/company';
import type { FakeSocket } from '../support/socket';
import { hop } from './clock';
import type { Cast, Log } from './company';
import { Hooks, type Frame, type Who } from './hooks';
import { Stored } from './store';
import { eventBody, eventOf, K, markOf, recordBytes, wire, type Rec, type Wire } from './wire';

/** Most different envelopes of one load; an honest one sends about twenty. */
export const MAX_SENT = 100;

/** One load of one page, and everything that ever reached it. */
export interface Load {
  who: Who;
  n: number;
  /** In order; `live`: after `synced`. */
  delivered: { conv: string; rec: Rec; live: boolean }[];
  frames: Frame[];
  /** Newest genuine entry of the directory that was served to it. */
  served: number;
  /** Different envelopes that came from it. */
  sent: number;
  /** The log was claimed to have gone back. */
  rewound: boolean;
  /** Catch-ups: what had been shown when the server called the conversation synced. */
  synced: { conv: string; last: number; have: number }[];
}

interface Peer {
  s: FakeSocket;
  load: Load;
  role: 'visitor' | 'agent';
  ed: string;
  rev: number;
  /** Conversation → how many of the records shown to it were sent. */
  follows: Map<string, number>;
  /** Under the numbers of the list shown. */
  live: Set<string>;
}

/** An envelope as an honest client sent it, and what that client could know then. */
export interface Sent {
  w: Wire;
  who: Who;
  /** The robot was out: it had seen another owner or an epoch without it, or made one. */
  robotLeft: boolean;
  /** Newest entry of the directory that it had been served. */
  dir: number;
}

export class HostileServer {
  readonly hooks = new Hooks();
  readonly convs = new Map<string, Stored>();
  readonly peers: Peer[] = [];
  readonly sent: Sent[] = [];
  /** Every text frame and every HTTP body that a client sent. */
  readonly said: { who: Who; text: string }[] = [];
  readonly loads: Load[] = [];
  gen = hex(random(8));

  constructor(
    readonly cast: Cast,
    readonly log: Log,
  ) {}

  newLoad(who: Who): Load {
    const load: Load = {
      who,
      n: this.loads.length,
      delivered: [],
      frames: [],
      served: -1,
      sent: 0,
      rewound: false,
      synced: [],
    };
    this.loads.push(load);
    return load;
  }

  accept(load: Load, s: FakeSocket): void {
    const peer: Peer = {
      s,
      load,
      role: s.url.includes('/ws/agent') ? 'agent' : 'visitor',
      ed: '',
      rev: 1,
      follows: new Map(),
      live: new Set(),
    };
    s.onsend = (d) => hop(() => (typeof d === 'string' ? this.text(peer, d) : this.binary(peer, d)));
    queueMicrotask(() =>
      this.say(peer, { t: 'challenge', nonce: b64u(random(32)), org: hex(this.log.fp), now: Date.now() }),
    );
  }

  say(p: Peer, frame: Frame): void {
    const f = this.hooks.applyFrame(p.load.who, frame);
    if (!f) return;
    p.load.frames.push(f);
    const convs = f.t === 'conv' ? [f.conv as Conv] : f.t === 'welcome' ? (f.convs as Conv[]) : [];
    for (const c of convs) if (c.owner !== 'robot') this.robotLeft.add(`${p.load.who}/${c.id}`);
    p.s.say(f);
  }

  /** Whose page knows that the robot is out of which conversation: `<who>/<conversation>`. */
  private readonly robotLeft = new Set<string>();

  /** False: this page sends without end, and is heard no more. */
  private note(p: Peer, w: Wire): boolean {
    const { who } = p.load;
    if (p.load.sent > MAX_SENT) return false;
    if (w.kind === K.announcement && !w.flags) this.robotLeft.add(`${who}/${w.conv}`);
    if (this.sent.some((s) => s.who === who && s.w.hash === w.hash)) return true;
    p.load.sent++;
    this.sent.push({
      w,
      who,
      robotLeft: this.robotLeft.has(`${who}/${w.conv}`),
      dir: Math.max(...this.loads.filter((l) => l.who === who).map((l) => l.served)),
    });
    return true;
  }

  tell(who: Who, frame: Frame): void {
    for (const p of this.peers) if (p.load.who === who) this.say(p, frame);
  }

  tellDirectory(): void {
    for (const p of this.peers) this.say(p, { t: 'directory', seq: this.log.entries.length - 1 });
  }

  /** The network ends the sockets of `who`. */
  cut(who?: Who): void {
    for (const p of [...this.peers]) {
      if (who !== undefined && p.load.who !== who) continue;
      this.peers.splice(this.peers.indexOf(p), 1);
      p.s.end(1006);
    }
  }

  // ---- conversations

  private sees(p: Peer, c: Conv): boolean {
    if (p.role === 'visitor') return c.ed === p.ed;
    const teams = this.log.teamsOf(p.load.who);
    return c.owner === `agent:${p.load.who}` || (teams.includes(c.team) && !c.owner.startsWith('agent:'));
  }

  change(id: string, change: Partial<Conv>, event?: Record<string, unknown>): void {
    const c = this.convs.get(id)!;
    const before = { ...c.conv };
    Object.assign(c.conv, change);
    if (event) this.append(id, eventBody(id, event));
    for (const p of this.peers) {
      if (this.sees(p, c.conv)) this.say(p, { t: 'conv', conv: { ...c.conv } });
      else if (this.sees(p, before)) this.say(p, { t: 'gone', conv: id });
    }
  }

  own(id: string, owner: string, why: string): void {
    this.change(id, { owner }, { t: 'owner', owner, team: this.convs.get(id)!.conv.team, why });
  }

  append(id: string, body: Uint8Array): void {
    this.convs.get(id)!.append(body);
    this.flush();
  }

  /** As `p` is shown it now. */
  private view(p: Peer, id: string): Rec[] {
    return this.hooks.applyRecords(p.load.who, this.convs.get(id)!.shown(p.role, p.rev), id);
  }

  /** Sends everyone what is new for them. */
  flush(): void {
    for (const p of this.peers) for (const id of p.follows.keys()) this.deliver(p, id, Infinity);
  }

  private deliver(p: Peer, id: string, upTo: number): void {
    const list = this.view(p, id);
    const from = Math.min(p.follows.get(id)!, list.length);
    const to = Math.min(upTo, list.length);
    p.follows.set(id, Math.max(from, to));
    for (const rec of list.slice(from, to)) this.give(p, id, rec);
  }

  private give(p: Peer, conv: string, rec: Rec): void {
    this.learn(p, conv, rec, p.live.has(conv));
    p.s.bytes(recordBytes(rec));
  }

  /** What a page can know from now on. */
  private learn(p: Peer, conv: string, rec: Rec, live: boolean): void {
    p.load.delivered.push({ conv, rec, live });
    const w = wire(rec.body);
    const e = eventOf(rec.body);
    const left = w?.kind === K.announcement && !w.flags && this.sent.some((s) => s.w.hash === w.hash);
    if (left || (e?.t === 'owner' && e.owner !== 'robot')) this.robotLeft.add(`${p.load.who}/${conv}`);
  }

  private resume(p: Peer, r: { id: string; have: number; gen?: string; seq?: number; mark?: string }): void {
    if (!this.convs.has(r.id)) return;
    const list = this.view(p, r.id);
    if (this.hooks.rewinds(p.load.who)) return this.rewind(p, r.id);
    if (r.gen !== undefined && r.gen !== this.gen && r.seq) {
      const there = list.find((x) => x.seq === r.seq);
      if (!there || markOf(there) !== r.mark) return this.rewind(p, r.id);
    }
    const from = list.findIndex((x) => x.seq > r.have);
    if (from >= 0 && this.hooks.pages(p.load.who))
      return this.say(p, { t: 'behind', conv: r.id, last: list.at(-1)!.seq });
    p.live.delete(r.id);
    p.follows.set(r.id, from < 0 ? list.length : from);
    const before = Math.max(this.hooks.applyHistory(p.load.who, list), from < 0 ? list.length : from);
    this.deliver(p, r.id, before);
    const last = list[before - 1]?.seq ?? 0;
    p.load.synced.push({ conv: r.id, last, have: r.have });
    p.live.add(r.id);
    this.say(p, { t: 'synced', conv: r.id, last });
    hop(() => {
      if (p.follows.has(r.id)) this.deliver(p, r.id, Infinity);
    });
  }

  /** A page of records over HTTP, each after its length. */
  paged(load: Load, id: string, after: number): Uint8Array {
    const p = this.peers.find((x) => x.load === load);
    if (!p || !this.convs.has(id)) return new Uint8Array();
    const out = this.view(p, id).filter((r) => r.seq > after);
    for (const rec of out) this.learn(p, id, rec, false);
    return cat(...out.map(recordBytes).flatMap((b) => [u32(b.length), b]));
  }

  private rewind(p: Peer, id: string): void {
    p.load.rewound = true;
    p.follows.delete(id);
    this.say(p, { t: 'rewound', conv: id, last: this.view(p, id).length, gen: this.gen });
  }

  /** Bytes on their way to `who` that are in no log. */
  raw(who: Who, bytes: Uint8Array): void {
    for (const p of this.peers) if (p.load.who === who) p.s.bytes(bytes);
  }

  /** A conversation that an attack adds. */
  plant(c: Stored): void {
    this.convs.set(c.id, c);
  }

  // ---- from clients

  private text(p: Peer, raw: string): void {
    const f = JSON.parse(raw) as Frame;
    const ok = (): void => this.say(p, { t: 'ok', req: f.req });
    this.said.push({ who: p.load.who, text: raw });
    const id = f.conv as string;
    const c = this.convs.get(id);
    switch (f.t) {
      case 'hello':
        return this.welcome(p, f);
      case 'ping':
        return this.say(p, { t: 'pong', now: Date.now() });
      case 'resume':
        for (const r of f.convs as Parameters<HostileServer['resume']>[1][]) this.resume(p, r);
        return;
      case 'leave':
        return void p.follows.delete(id);
      case 'open':
        this.open(p, f);
        return ok();
      case 'restore':
        for (const e of f.envelopes as string[]) {
          const w = wire(unb64u(e));
          if (c && w?.kind === K.announcement && w.epoch === c.conv.epoch + 1) this.append(id, w.bytes);
        }
        return ok();
      case 'recall': {
        // the way of clients of revision 1
        const gone = c!.bury(f.msg as string);
        if (gone)
          this.append(
            id,
            eventBody(id, {
              t: 'recalled',
              seq: gone.seq,
              msg: f.msg,
              by: p.role === 'visitor' ? 'visitor' : p.load.who,
            }),
          );
        return ok();
      }
      case 'take':
      case 'accept':
        this.own(id, `agent:${p.load.who}`, f.t);
        return ok();
      case 'transfer':
        c!.conv.team = (f.team as string) ?? c!.conv.team;
        this.own(id, 'queue', 'transfer');
        return ok();
      case 'close':
        this.change(
          id,
          { state: 'closed', owner: 'none' },
          { t: 'closed', by: p.role === 'visitor' ? 'visitor' : p.load.who },
        );
        return ok();
      case 'seen':
        if (c) c.conv[p.role] = { delivered: f.delivered as number, read: f.read as number };
        if (c)
          for (const q of this.peers)
            if (q.follows.has(id))
              this.say(q, { t: 'receipt', conv: id, side: p.role, delivered: f.delivered, read: f.read });
        return;
      default:
        if (f.req !== undefined) ok();
    }
  }

  private welcome(p: Peer, f: Frame): void {
    p.ed = f.ed as string;
    p.rev = (f.rev as number | undefined) ?? 1;
    this.peers.push(p);
    const convs = [...this.convs.values()].map((c) => ({ ...c.conv })).filter((c) => this.sees(p, c));
    const user = p.role === 'agent' ? { user: p.load.who, name: `Name of ${p.load.who}` } : {};
    this.say(p, {
      t: 'welcome',
      role: p.role,
      kid: hex(kidOf(unb64u(p.ed))),
      ...user,
      token: `token-${p.load.n}`,
      gen: this.gen,
      now: Date.now(),
      beat: 10_000,
      convs,
      config: {},
    });
  }

  private open(p: Peer, f: Frame): void {
    const id = f.id as string;
    const ann = unb64u(f.ann as string);
    const w = wire(ann)!;
    this.note(p, w);
    if (this.convs.has(id)) return;
    const none = { delivered: 0, read: 0 };
    const now = Date.now();
    const conv: Conv = {
      id,
      site: SITE,
      team: 'svc',
      owner: w.flags ? 'robot' : 'queue',
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
    const c = new Stored(conv);
    this.convs.set(id, c);
    c.append(eventBody(id, { t: 'open', site: SITE, team: 'svc', nonce: f.nonce, ed: p.ed, x: f.x }));
    c.append(ann);
    this.change(id, {});
  }

  private binary(p: Peer, bytes: Uint8Array): void {
    const w = wire(bytes);
    if (!w) return p.s.end(4500);
    if (!this.note(p, w)) return;
    const refuse = (code: number): void => this.say(p, { t: 'error', code, text: '', conv: w.conv, msg: w.msg });
    const c = this.convs.get(w.conv);
    if (!c) return refuse(Code.not_found);
    const fate = this.hooks.applyReceive(p.load.who, w) ?? 'store';
    if (fate === 'lose') return;
    if (typeof fate === 'number') return refuse(fate);
    const known = this.view(p, w.conv).find((r) => wire(r.body)?.msg === w.msg);
    if (known && c.find(w.msg)) return this.give(p, w.conv, known);
    if (fate === 'force') return this.append(w.conv, bytes);
    const bot = w.kind === K.announcement ? w.boxes.find((x) => x.kind === BoxKind.bot) : undefined;
    if (w.kind === K.announcement && w.epoch !== c.conv.epoch + 1) return refuse(Code.epoch_stale);
    if (bot && (c.conv.owner !== 'robot' || !c.announcement()?.flags)) return refuse(Code.epoch_stale);
    if (bot && bot.kid !== hex(boxKid(BoxKind.bot, this.cast.day.pk))) return refuse(Code.directory_stale);
    if (w.kind === K.announcement && p.role === 'agent' && c.conv.owner === 'robot') return refuse(Code.not_owner);
    if (w.kind === K.message && (w.epoch !== c.conv.epoch || (c.conv.owner !== 'robot' && c.announcement()?.flags)))
      return refuse(Code.epoch_stale);
    if (w.kind === K.message && !this.log.isCurrent(c.announcement()!.boxes[0]!.kid)) return refuse(Code.epoch_stale);
    this.append(w.conv, bytes);
    if (w.kind === K.announcement && c.conv.owner === 'robot' && !bot) this.own(w.conv, 'queue', 'person');
    if (w.kind === K.message && c.conv.state === 'closed') {
      this.change(w.conv, { state: 'open' }, { t: 'reopened', by: 'visitor' });
      this.own(w.conv, 'queue', 'reopen');
    }
  }
}
