/**
 * Which conversations are followed and what is held of each. A record passes only if it is the next one; what is missing is
 * asked for again, or paged over HTTP when it is much.
 */
import { ClientError, type Wait } from '../model';
import { retryDelay, type Refused } from './errors';
import { MAX_RESUME, PAGE_RECORDS, parsePage, type Resume, type WireRecord } from '../proto';

interface Followed {
  have: number;
  /** A `resume` is on its way and was not yet answered by `synced` or `behind`. */
  asked: boolean;
  /** What was held when it was last asked. */
  since: number;
  paging: boolean;
  /** It was reported that messages are missing. */
  missing: boolean;
}

export interface FollowPort {
  /** False when not online. */
  resume(convs: Resume[]): boolean;
  leave(conv: string): void;
  /** The bytes of a page of records after `after`. */
  page(conv: string, after: number, limit: number): Promise<Uint8Array>;
  record(r: WireRecord): void;
  /** The server asks to wait, or withholds something; null when it has ended. */
  held(conv: string, wait: Wait | null): void;
  synced(conv: string, last: number): void;
  /** What is remembered of it beyond this page. */
  known(conv: string): Omit<Resume, 'id' | 'have'>;
}

/** Pause after an answer without progress, ms. */
const RETRY_MS = 2_000;

export class Follower {
  private readonly convs = new Map<string, Followed>();
  /** Raised with every connection; what an older one began stops by itself. */
  private life = 0;
  private open = false;

  constructor(private readonly port: FollowPort) {}

  follow(id: string, have = 0): void {
    if (this.convs.has(id)) return;
    this.convs.set(id, { have, asked: false, since: -1, paging: false, missing: false });
    if (this.open) this.ask([id]);
  }

  leave(id: string): void {
    if (this.convs.delete(id)) this.port.leave(id);
  }

  has(id: string): boolean {
    return this.convs.has(id);
  }

  have(id: string): number {
    return this.convs.get(id)?.have ?? 0;
  }

  /** A new connection: report again what this side has. */
  connected(): void {
    this.life++;
    this.open = true;
    for (const f of this.convs.values()) {
      f.asked = f.paging = false;
      f.since = -1;
    }
    this.ask([...this.convs.keys()]);
  }

  /** What is followed from now on is asked for by the next connection. */
  disconnected(): void {
    this.life++;
    this.open = false;
  }

  record(r: WireRecord): void {
    const f = this.convs.get(r.conv);
    if (!f || r.seq <= f.have) return;
    if (r.seq === f.have + 1) this.pass(f, r);
    else if (!f.asked && !f.paging) this.ask([r.conv]);
  }

  /** The server sends nothing until it is asked again. */
  rewound(id: string): void {
    const f = this.convs.get(id);
    if (f) f.asked = f.paging = false;
  }

  /** Asks again; from the start if `all`. */
  again(id: string, all = false): void {
    const f = this.convs.get(id);
    if (!f) return;
    if (all) f.have = 0;
    f.since = -1;
    if (this.open) this.ask([id]);
  }

  synced(id: string, last: number): void {
    const f = this.convs.get(id);
    if (!f) return;
    f.asked = false;
    if (f.have >= last) {
      f.missing = false;
      this.port.synced(id, last);
    } else if (f.have > f.since) this.ask([id]);
    else {
      this.miss(id, f);
      this.askLater(id, f);
    }
  }

  /** Reports it once, however often it is asked again. */
  private miss(id: string, f: Followed): void {
    if (f.missing) return;
    f.missing = true;
    this.port.held(id, { why: 'missing', until: Date.now() });
  }

  private pass(f: Followed, r: WireRecord): void {
    f.have = r.seq;
    if (f.missing) this.port.held(r.conv, null);
    f.missing = false;
    this.port.record(r);
  }

  /** The server claimed to have sent everything, and did not: no hurry to ask again. */
  private askLater(id: string, f: Followed, ms = RETRY_MS): void {
    const life = this.life;
    setTimeout(() => {
      if (this.life === life && this.convs.get(id) === f && !f.asked && !f.paging) this.ask([id]);
    }, ms);
  }

  /** The server does not show it for the moment. */
  refused(id: string, e: Refused): void {
    const f = this.convs.get(id);
    if (!f?.asked) return;
    f.asked = false;
    if (e.wait) this.port.held(id, e.wait);
    this.askLater(id, f, retryDelay(e, RETRY_MS));
  }

  async behind(id: string, last: number): Promise<void> {
    const f = this.convs.get(id);
    if (!f || f.paging) return;
    f.asked = false;
    f.paging = true;
    const life = this.life;
    const current = (): boolean => this.life === life && this.convs.get(id) === f;
    while (current() && f.have < last) {
      const before = f.have;
      let pause = RETRY_MS;
      try {
        const records = parsePage(await this.port.page(id, f.have, PAGE_RECORDS));
        if (!current()) return;
        for (const r of records ?? []) {
          if (r.conv === id && r.seq === f.have + 1) this.pass(f, r);
        }
        if (f.have === before) this.miss(id, f);
      } catch (e) {
        // detected below by the lack of progress
        pause = retryDelay(e, RETRY_MS);
        if (e instanceof ClientError && e.wait && current()) this.port.held(id, e.wait);
      }
      if (f.have !== before) this.port.held(id, null);
      else if (current()) await new Promise((done) => setTimeout(done, pause));
    }
    if (!current()) return;
    f.paging = false;
    this.ask([id]);
  }

  private ask(ids: string[]): void {
    for (let i = 0; i < ids.length; i += MAX_RESUME) {
      const some = ids.slice(i, i + MAX_RESUME);
      if (!this.port.resume(some.map((id) => ({ id, have: this.have(id), ...this.port.known(id) })))) return;
      for (const id of some) {
        const f = this.convs.get(id)!;
        f.asked = true;
        f.since = f.have;
      }
    }
  }
}
