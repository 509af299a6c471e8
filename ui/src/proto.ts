/**
 * The wire protocol, the counterpart of `crates/proto`: frames, records, where the fields of an envelope are, codes. Data and its bytes only; no
 * keys, no IO, no policy. One file, because it is a plain catalogue: `docs/protocol.md` in types.
 */

export const SUBPROTOCOL = 'kefu.v1';
/** The newest revision of the rules of readers that this page knows (protocol §2). */
export const REVISION = 2;
/** Largest envelope, in bytes. */
export const MAX_ENVELOPE = 64 * 1024;
/** Largest padded body, in bytes. */
export const MAX_BODY = 32 * 1024;
/** Most conversations one `resume` may name. */
export const MAX_RESUME = 64;
/** Heartbeat before the server names one, ms. */
export const BEAT_MS = 10_000;
/** How long after sending a message may be recalled, ms. */
export const RECALL_MS = 120_000;
/** And edited, by the server's times of both; the way there takes a moment. */
export const EDIT_MS = RECALL_MS + 30_000;
/** Most records one page over HTTP holds. */
export const PAGE_RECORDS = 500;

export type AgentState = 'online' | 'busy' | 'offline';
export type OwnerWhy = 'open' | 'accept' | 'take' | 'transfer' | 'lost' | 'closed' | 'reopen' | 'person' | 'handoff';
/** Of what a server may have had enough; `conversation`: of this one for good. */
export const LIMITS = [
  'messages',
  'openings',
  'changes',
  'keys',
  'bytes',
  'conversation',
  'reads',
  'files',
  'blocked',
] as const;
export type Limit = (typeof LIMITS)[number];
/** Space on the server's disk. `low`: visitors' messages are refused, agents write short ones; `full`: nothing can be stored. */
export type StorageState = 'ok' | 'low' | 'full';
/** `open`: an online agent could take a conversation; `busy`: all present agents are at capacity; `away`: nobody is present. */
export type PresenceState = 'open' | 'busy' | 'away';
export type WireSide = 'visitor' | 'agent';

export interface Marks {
  delivered: number;
  read: number;
}

/** A conversation as lists show it. Times in ms. `owner` is `queue`, `robot`, `none` or `agent:<user>`. */
export interface Conv {
  id: string;
  site: string;
  team: string;
  owner: string;
  state: 'open' | 'closed';
  ed: string;
  x: string;
  last: number;
  epoch: number;
  created: number;
  last_at: number;
  waiting_since?: number;
  /** When it was closed because nobody had answered; absent unless people still have to see to that. */
  missed?: number;
  /** What its visitor said of it last: 1 to 5. */
  rating?: number;
  /** What agents sort by; the server sends it to agents only. */
  tags?: string[];
  priority?: Priority;
  /** Until when it is put aside. */
  snoozed?: number;
  /** Why it was closed. */
  reason?: string;
  visitor: Marks;
  agent: Marks;
}

export type Priority = 'low' | 'normal' | 'high' | 'urgent';

/** A tag, or a reason for closing. */
export interface Label {
  id: string;
  name: string;
  color: string;
  retired?: boolean;
}

/** What the company defined for its agents. `targets`: how soon a team means to answer, seconds. `hours`: when teams are at work, in the
 * days around now; who is in none of them always is. */
export interface Labels {
  tags: Label[];
  reasons: Label[];
  targets: Record<string, { first?: number; next?: number }>;
  hours?: { teams: string[]; times: [from: number, until: number][] }[];
}

export type BlockReason = 'spam' | 'abuse' | 'other';

/** A visitor who may not write until a time. */
export interface Block {
  visitor: string;
  conv: string;
  site: string;
  team: string;
  until: number;
  reason: BlockReason;
  by: string;
  at: number;
}

export interface AgentInfo {
  user: string;
  name: string;
  state: AgentState;
  load: number;
  capacity: number;
  teams: string[];
}

/** How many conversations of a team were missed; `more`: than were counted. */
export interface MissedCount {
  team: string;
  count: number;
  more?: boolean;
  oldest?: number;
}

/** The user of an `agent:<user>` owner, else null. */
export function ownerUser(owner: string): string | null {
  return owner.startsWith('agent:') ? owner.slice(6) : null;
}

// ---- frames

export type ClientFrame =
  | { t: 'hello'; v: 1; ed: string; sig: string; rev: number }
  | { t: 'ping' }
  | { t: 'resume'; convs: Resume[] }
  | { t: 'leave'; conv: string }
  | { t: 'typing'; conv: string; on: boolean }
  | { t: 'seen'; conv: string; delivered: number; read: number };

/** What is held of a conversation: up to `have` in this page; `seq`, `mark` and `gen`: the last record ever accepted, from memory. */
export interface Resume {
  id: string;
  have: number;
  gen?: string;
  seq?: number;
  mark?: string;
}

/** Requests; the link adds `req`. */
export type Request =
  | { t: 'open'; id: string; nonce: string; site: string; x: string; ann: string; form?: string }
  | { t: 'restore'; conv: string; envelopes: string[] }
  | { t: 'close'; conv: string; reason?: string }
  | { t: 'rate'; conv: string; stars: number; msg?: string }
  | { t: 'tag'; conv: string; add?: string[]; remove?: string[] }
  | { t: 'priority'; conv: string; priority: Priority }
  | { t: 'snooze'; conv: string; until?: number }
  | { t: 'block'; conv: string; until?: number; reason?: BlockReason }
  | { t: 'label'; kind: 'tag' | 'reason'; label: Label }
  | { t: 'reopen' | 'dismiss' | 'accept' | 'decline' | 'take'; conv: string }
  | { t: 'mention'; conv: string; users: string[] }
  | { t: 'status'; state: AgentState }
  | { t: 'transfer'; conv: string; agent?: string; team?: string };

export type Welcome = {
  t: 'welcome';
  role: WireSide;
  kid: string;
  user?: string;
  name?: string;
  token: string;
  /** Another one means that the server opened its database again. Absent: a server from before revision 2. */
  gen?: string;
  now: number;
  beat: number;
  convs: Conv[];
  config: Record<string, unknown>;
  /** To agents; absent if there is space. */
  storage?: StorageState;
};

export type ErrorFrame = {
  t: 'error';
  code: number;
  text: string;
  req?: number;
  conv?: string;
  msg?: string;
  retry_ms?: number;
  limit?: Limit;
};

export type ServerFrame =
  | { t: 'challenge'; nonce: string; org: string; now: number }
  | Welcome
  | { t: 'pong'; now: number }
  | { t: 'ok'; req: number }
  | ErrorFrame
  | { t: 'synced' | 'behind'; conv: string; last: number }
  | { t: 'rewound'; conv: string; last: number; gen: string }
  | { t: 'conv'; conv: Conv }
  | { t: 'gone'; conv: string }
  | { t: 'queue'; conv: string; position: number }
  | { t: 'presence'; team: string; state: PresenceState; agents: number; opens?: number }
  | { t: 'offer'; conv: string; until: number; auto: boolean }
  | { t: 'offer_gone'; conv: string; why: string }
  | { t: 'typing'; conv: string; side: WireSide; user?: string; on: boolean }
  | { t: 'receipt'; conv: string; side: WireSide; delivered: number; read: number }
  | { t: 'directory'; seq: number }
  | { t: 'storage'; state: StorageState }
  /** To all pages of an agent; `why`: the server chose it. */
  | { t: 'status'; state: AgentState; why?: string }
  | ({ t: 'missed' } & MissedCount)
  | ({ t: 'labels' } & Labels)
  | { t: 'agents'; list: AgentInfo[] }
  /** A colleague named this agent in a note. */
  | { t: 'mention'; conv: string; by: string }
  /** Documents that this agent has were changed. */
  | { t: 'documents'; kind: string; seq: number };

/** A text frame of the server, or null if it is unknown (a newer server may send more). */
export function parseFrame(text: string): ServerFrame | null {
  try {
    const frame: unknown = JSON.parse(text);
    return typeof frame === 'object' && frame !== null && typeof (frame as { t?: unknown }).t === 'string'
      ? (frame as ServerFrame)
      : null;
  } catch {
    return null;
  }
}

// ---- codes

export const Code = {
  malformed: 1,
  too_large: 2,
  rate_limited: 3,
  unauthorised: 4,
  forbidden: 5,
  not_found: 6,
  conflict: 7,
  epoch_stale: 8,
  directory_stale: 9,
  closed: 10,
  not_owner: 11,
  too_late: 12,
  storage: 13,
  plaintext_refused: 14,
  unsupported: 15,
} as const;

export const Close = {
  going_away: 4000,
  slow: 4001,
  silent: 4002,
  busy: 4003,
  protocol: 4500,
  unauthorised: 4501,
  disabled: 4502,
  unsupported: 4503,
} as const;

// ---- records

/** Body of an event of the server. */
export type RecordEvent =
  | { t: 'open'; site: string; team: string; nonce: string; ed: string; x: string }
  | { t: 'owner'; owner: string; team: string; why: OwnerWhy; by?: string }
  | { t: 'closed' | 'reopened' | 'dismissed'; by: string }
  | { t: 'rated'; stars: number }
  | { t: 'recalled'; seq: number; msg: string; by: string; note?: boolean }
  | { t: 'tagged'; tags: string[]; by: string }
  | { t: 'priority'; priority: Priority; by: string }
  | { t: 'snoozed' | 'blocked'; until: number; by: string }
  | { t: 'woken' | 'unblocked'; by: string }
  | { t: 'reason'; reason: string; by: string }
  | { t: 'hidden' };

/** A record: `seq u64 ‖ at u64 ‖ body`, read without copying. */
export interface WireRecord {
  seq: number;
  at: number;
  body: Uint8Array;
  conv: string;
}

const hex = (b: Uint8Array): string => {
  let s = '';
  for (const x of b) s += (x < 16 ? '0' : '') + x.toString(16);
  return s;
};
const view = (b: Uint8Array): DataView => new DataView(b.buffer, b.byteOffset, b.byteLength);
const u64 = (v: DataView, at: number): number => v.getUint32(at) * 0x1_0000_0000 + v.getUint32(at + 4);

/** The record in `frame`, or null if it is too short to be one. */
export function parseRecord(frame: Uint8Array): WireRecord | null {
  if (frame.length < 36) return null;
  const v = view(frame);
  const body = frame.subarray(16);
  return { seq: u64(v, 0), at: u64(v, 8), body, conv: hex(body.subarray(4, 20)) };
}

/** As a socket sends it. */
export function encodeRecord({ seq, at, body }: WireRecord): Uint8Array {
  const out = new Uint8Array(16 + body.length);
  const v = view(out);
  [seq, at].forEach((n, i) => {
    v.setUint32(8 * i, Math.floor(n / 0x1_0000_0000));
    v.setUint32(8 * i + 4, n % 0x1_0000_0000);
  });
  out.set(body, 16);
  return out;
}

/** Records of a page over HTTP, each prefixed by its length. Null if the bytes do not add up. */
export function parsePage(bytes: Uint8Array): WireRecord[] | null {
  const out: WireRecord[] = [];
  const v = view(bytes);
  for (let at = 0; at < bytes.length; ) {
    if (at + 4 > bytes.length) return null;
    const end = at + 4 + v.getUint32(at);
    if (end > bytes.length) return null;
    const record = parseRecord(bytes.subarray(at + 4, end));
    if (!record) return null;
    out.push(record);
    at = end;
  }
  return out;
}

/** The event in a record's body, or null if it is an envelope or not readable. */
export function parseEvent(body: Uint8Array): RecordEvent | null {
  if (body[0] !== 0x4b || body[1] !== 0x30) return null;
  try {
    return JSON.parse(new TextDecoder().decode(body.subarray(20))) as RecordEvent;
  } catch {
    return null;
  }
}

// ---- envelopes

export const MESSAGE_HEADER = 80;
export const ANNOUNCEMENT_HEADER = 141;
export const BOX_LEN = 97;
export const GRANT_HEADER = 38;
export const GRANT_BOX_LEN = 101;
export const SIGNATURE_LEN = 64;
export const RECALL_LEN = MESSAGE_HEADER + 16 + 4 + 4 + 16 + SIGNATURE_LEN;

export const Kind = {
  message: 1,
  announcement: 2,
  grant: 3,
  note: 4,
  recall: 5,
  noteRecall: 6,
  tombstone: 9,
  noteTombstone: 10,
} as const;
export type KindNumber = (typeof Kind)[keyof typeof Kind];

/** One recipient of an epoch's key: kind 1 team, 2 visitor, 3 bot. */
export interface BoxView {
  kind: number;
  kid: Uint8Array;
  enc: Uint8Array;
  ct: Uint8Array;
}

/** Fields of an envelope whose magic, kind, suite and length were checked. Nothing is opened or verified here. */
export class Envelope {
  private readonly v: DataView;
  private constructor(
    readonly bytes: Uint8Array,
    readonly kind: KindNumber,
  ) {
    this.v = view(bytes);
  }

  /** Null if these bytes are no envelope of version 1. */
  static parse(b: Uint8Array): Envelope | null {
    if (b.length > MAX_ENVELOPE || b[0] !== 0x4b || b[1] !== 0x31 || b[3] !== 1) return null;
    const n = b.length;
    switch (b[2]) {
      case Kind.message:
        return n >= MESSAGE_HEADER + 32 + 16 + SIGNATURE_LEN ? new Envelope(b, Kind.message) : null;
      case Kind.announcement:
        return n >= ANNOUNCEMENT_HEADER + 2 * BOX_LEN + SIGNATURE_LEN &&
          (n - ANNOUNCEMENT_HEADER - SIGNATURE_LEN) % BOX_LEN === 0
          ? new Envelope(b, Kind.announcement)
          : null;
      case Kind.grant: {
        if (n < GRANT_HEADER + GRANT_BOX_LEN + SIGNATURE_LEN) return null;
        const boxes = view(b).getUint16(36);
        return n === GRANT_HEADER + boxes * GRANT_BOX_LEN + SIGNATURE_LEN ? new Envelope(b, Kind.grant) : null;
      }
      case Kind.note:
        return n >= MESSAGE_HEADER + 16 + 32 + 32 + 16 + SIGNATURE_LEN ? new Envelope(b, Kind.note) : null;
      case Kind.recall:
        return n === RECALL_LEN ? new Envelope(b, Kind.recall) : null;
      case Kind.noteRecall:
        return n === RECALL_LEN ? new Envelope(b, Kind.noteRecall) : null;
      case Kind.tombstone:
        return n === MESSAGE_HEADER ? new Envelope(b, Kind.tombstone) : null;
      case Kind.noteTombstone:
        return n === MESSAGE_HEADER ? new Envelope(b, Kind.noteTombstone) : null;
      default:
        return null;
    }
  }

  get conv(): string {
    return hex(this.bytes.subarray(4, 20));
  }
  /** A grant has none and gives 0. */
  get epoch(): number {
    return this.kind === Kind.grant ? 0 : this.v.getUint32(20);
  }
  /** Who signed it: kid. */
  get sender(): string {
    return hex(this.kind === Kind.grant ? this.bytes.subarray(20, 36) : this.bytes.subarray(24, 40));
  }
  /** Announcements and grants have no id; the first bytes of their signature serve as one, as on the server. */
  get msg(): string {
    const at = this.kind === Kind.announcement || this.kind === Kind.grant ? this.bytes.length - SIGNATURE_LEN : 40;
    return hex(this.bytes.subarray(at, at + 16));
  }
  get inst(): number {
    return this.v.getUint32(56);
  }
  get ctr(): number {
    return this.v.getUint32(60);
  }
  /** Hash of the last envelope the sender had accepted. */
  get prev(): Uint8Array {
    return this.bytes.subarray(64, 80);
  }
  /** What the sender signed. */
  get signed(): Uint8Array {
    return this.bytes.subarray(0, this.bytes.length - SIGNATURE_LEN);
  }
  get signature(): Uint8Array {
    return this.bytes.subarray(this.bytes.length - SIGNATURE_LEN);
  }

  // recalls only
  /** What is recalled: message id, its place in its sender's counter, hash of its envelope. */
  get recalled(): { msg: string; inst: number; ctr: number; hash: Uint8Array } {
    return {
      msg: hex(this.bytes.subarray(80, 96)),
      inst: this.v.getUint32(96),
      ctr: this.v.getUint32(100),
      hash: this.bytes.subarray(104, 120),
    };
  }

  // announcements only
  get prevAnnouncement(): Uint8Array {
    return this.bytes.subarray(40, 72);
  }
  get dirSeq(): number {
    return this.v.getUint32(72);
  }
  get dirHead(): Uint8Array {
    return this.bytes.subarray(76, 108);
  }
  get commitment(): Uint8Array {
    return this.bytes.subarray(108, 140);
  }
  get flags(): number {
    return this.v.getUint8(140);
  }
  get boxes(): BoxView[] {
    const out: BoxView[] = [];
    for (let at = ANNOUNCEMENT_HEADER; at < this.bytes.length - SIGNATURE_LEN; at += BOX_LEN)
      out.push(boxAt(this.bytes, at));
    return out;
  }

  // grants only
  get grants(): (BoxView & { epoch: number })[] {
    const out: (BoxView & { epoch: number })[] = [];
    for (let at = GRANT_HEADER; at < this.bytes.length - SIGNATURE_LEN; at += GRANT_BOX_LEN) {
      out.push({ epoch: this.v.getUint32(at), ...boxAt(this.bytes, at + 4) });
    }
    return out;
  }
}

function boxAt(b: Uint8Array, at: number): BoxView {
  return {
    kind: b[at]!,
    kid: b.subarray(at + 1, at + 17),
    enc: b.subarray(at + 17, at + 49),
    ct: b.subarray(at + 49, at + 97),
  };
}

// ---- HTTP

/** A directory entry or a snapshot: the exact bytes signed, who signed, the signature; all b64u. */
export interface SignedJson {
  raw: string;
  signer: string;
  sig: string;
}

/** A team key sealed to a recipient; b64u. */
export interface TeamBox {
  team: string;
  epoch: number;
  enc: string;
  ct: string;
}

/** `GET /site/<id>`. `form`, `greeting` and `away` are not signed. */
export interface SiteReply {
  org: string;
  /** Not signed: the page knows which site it is. */
  site: unknown;
  now: number;
  directory: { genesis: SignedJson; admin?: SignedJson; snapshot: SignedJson | null; tail: SignedJson[] };
  form: unknown;
  greeting: unknown;
  /** What is said when nobody is there. */
  away?: unknown;
  /** Whether visitors are asked how it went. */
  rating?: boolean;
  presence?: PresenceState;
  /** Outside of the team's hours: when they begin, ms. */
  opens?: number;
  require_secure: boolean;
  /** Largest file, in bytes; 0: none are taken. Absent: a server from before there were files. */
  max_file?: number;
  /** The newest day key of the site's robot. */
  bot?: DayKeyJson;
}

/** A day key (protocol §6) as it is served. */
export interface DayKeyJson {
  raw: string;
  sig: string;
}

/** Maximum number of entries in one `GET /directory`. */
export const PAGE_ENTRIES = 1000;

export interface DirectoryReply {
  entries: SignedJson[];
  snapshot: SignedJson | null;
}
