/**
 * The log of a conversation as the server has it, and as an attack shows it: other records, in another order, renumbered, so that a
 * client cannot tell it from a log by its numbers.
 */
import { Envelope, parseEvent, parseRecord, type Conv, type RecordEvent } from '../../../ui/src/proto';
import { isText, type Hostile, type Line, type Role, type Said, type Text } from './hostile';

export interface Rec {
  at: number;
  body: Buffer;
  /** Null for events. */
  env: Envelope | null;
  /** Null for envelopes. */
  event: RecordEvent | null;
}

/** From the true log the one that is shown. */
export type Change = (log: Rec[]) => Rec[];

export function rec(at: number, body: Uint8Array): Rec {
  const bytes = Buffer.from(body);
  return { at, body: bytes, env: Envelope.parse(bytes), event: parseEvent(bytes) };
}

/** A record with its number, as in a binary frame. */
export function numbered(seq: number, r: Rec): Buffer {
  const head = Buffer.alloc(16);
  head.writeBigUInt64BE(BigInt(seq), 0);
  head.writeBigUInt64BE(BigInt(r.at), 8);
  return Buffer.concat([head, r.body]);
}

/** An event as the server writes it. */
export function eventOf(conv: string, event: object): Buffer {
  return Buffer.concat([Buffer.from('K0\0\0'), Buffer.from(conv, 'hex'), Buffer.from(JSON.stringify(event))]);
}

export const isMessage = (r: Rec, sender?: string): boolean =>
  r.env?.kind === 1 && (sender === undefined || r.env.sender === sender);
export const isAnnouncement = (r: Rec, epoch?: number): boolean =>
  r.env?.kind === 2 && (epoch === undefined || r.env.epoch === epoch);
/** Everything before the first record that fits. */
export const before = (log: Rec[], fits: (r: Rec) => boolean): Rec[] => {
  const at = log.findIndex(fits);
  return at < 0 ? log : log.slice(0, at);
};

/** What passed through a proxy, by reader: the true logs. And the attacks on them. */
export class Logs {
  private readonly truth = new Map<string, Rec[]>();
  /** Conversations in the order in which they were first seen. */
  readonly convs: string[] = [];

  constructor(private readonly proxy: Hostile) {
    this.listen();
  }

  /** As this side sees it. */
  of(role: Role, conv = this.convs[0]): Rec[] {
    const key = `${role}/${conv}`;
    const known = this.truth.get(key);
    if (known) return known;
    const made: Rec[] = [];
    this.truth.set(key, made);
    return made;
  }

  /** Ends every attack on a log and keeps listening. */
  honest(): void {
    this.proxy.honest();
    this.listen();
  }

  /**
   * Shows one side another log from now on: to sockets that resume, from their start; to those that live, what is new in it. With a
   * lie a client's `have` and marks count in the false log; the server is asked for everything. `paged`: the client is sent to HTTP
   * for it, as if it were long.
   */
  show(role: Role, change: Change, paged = false): void {
    const shown = new Map<Line, Map<string, number>>();
    const held = new Map<Line, Set<string>>();
    const lengths = new Map(this.convs.map((conv) => [conv, this.of(role, conv).length]));
    const old = new Set(this.proxy.lines);
    const of = (line: Line): Map<string, number> => {
      if (!shown.has(line)) shown.set(line, new Map(old.has(line) ? lengths : []));
      if (!held.has(line)) held.set(line, new Set());
      return shown.get(line)!;
    };
    const flush = (line: Line, conv: string): { said: Said[]; last: number } => {
      const log = change([...this.of(role, conv)]);
      const from = of(line).get(conv) ?? 0;
      of(line).set(conv, Math.max(from, log.length));
      return { said: log.slice(from).map((r, i) => numbered(from + i + 1, r)), last: log.length };
    };
    this.proxy.up.push((said, line) => {
      if (line.role !== role || !isText(said) || said.t !== 'resume') return said;
      const convs = (said.convs as { id: string; have: number }[]).map(({ id, have }) => {
        of(line).set(id, have);
        held.get(line)!.add(id);
        return { id, have: 0 };
      });
      return { t: 'resume', convs };
    });
    this.proxy.down.push((said, line) => {
      if (line.role !== role) return said;
      if (!isText(said)) {
        const { conv } = parseRecord(said)!;
        of(line);
        return held.get(line)!.has(conv) ? null : flush(line, conv).said;
      }
      if (said.t === 'behind') throw new Error('a lie about a log is told of short ones only');
      if (said.t !== 'synced') return said;
      of(line);
      held.get(line)!.delete(said.conv as string);
      const { said: records, last } = flush(line, said.conv as string);
      if (paged && records.length) return { t: 'behind', conv: said.conv, last };
      return [...records, { t: 'synced', conv: said.conv, last }];
    });
    this.proxy.pages.push((page, of) =>
      of.role === role ? pageOf(change([...this.of(role, of.conv)]), of.after) : page,
    );
  }

  private listen(): void {
    this.proxy.down.push((said, line) => {
      if (isText(said)) return said;
      const r = parseRecord(said)!;
      if (!this.convs.includes(r.conv)) this.convs.push(r.conv);
      this.of(line.role, r.conv)[r.seq - 1] = rec(r.at, r.body);
      return said;
    });
  }
}

/** A page of a false log. The server was asked for the true one before. */
function pageOf(log: Rec[], after: number): Buffer {
  return Buffer.concat(
    log.slice(after).map((r, i) => {
      const bytes = numbered(after + i + 1, r);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return Buffer.concat([length, bytes]);
    }),
  );
}

/** Changes the summaries of conversations, wherever the server sends them. Null: this one does not exist. */
export function describe(proxy: Hostile, role: Role, change: (conv: Conv) => Conv | null): void {
  const list = (convs: unknown): Conv[] => (convs as Conv[]).flatMap((conv) => change(conv) ?? []);
  proxy.down.push((said, line) => {
    if (line.role !== role || !isText(said)) return said;
    if (said.t === 'welcome') return { ...said, convs: list(said.convs) };
    if (said.t !== 'conv') return said;
    const conv = change(said.conv as Conv);
    return conv && ({ t: 'conv', conv } satisfies Text);
  });
  proxy.json.push({
    path: /^\/api\/v1\/conversations\?/,
    change: (body, who) => (who === role ? { ...body, convs: list(body.convs) } : body),
  });
}
