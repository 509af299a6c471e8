/** Holds the directory: takes in what is new, remembers how far it was, never goes back, and raises the alarm. */
import type { Backend } from '../crypto/backend';
import { hex } from '../crypto/bytes';
import { Directory, isForkAlarm, signedOf } from '../crypto/directory';
import { Rejected } from '../crypto/error';
import { coverage, verifyBundle } from '../crypto/snapshot';
import type { Http } from '../link/http';
import { ClientError, type ErrorKey } from '../model';
import { PAGE_ENTRIES, type DirectoryReply, type SignedJson, type SiteReply } from '../proto';
import type { Store } from '../storage/store';

/** What a rejected directory is called for people. */
export function directoryError(e: unknown): ClientError {
  if (e instanceof ClientError) return e;
  const reason = e instanceof Rejected ? e.reason : '';
  const keys: Record<string, ErrorKey> = {
    pin: 'error.pin',
    snapshot_expired: 'error.snapshot_expired',
    directory_fork: 'error.directory_fork',
    directory_rollback: 'error.directory_fork',
    directory_withheld: 'error.directory_fork',
  };
  return new ClientError(keys[reason] ?? 'error.directory', String(e));
}

/** Of a snapshot: the entry it covers up to, when it was signed, until when it holds (ms). */
export interface Life {
  seq: number;
  at: number;
  until: number;
}

export interface KeeperDeps {
  backend: Backend;
  store: Store;
  http: Http;
  onChange(): void;
  onAlarm(e: ClientError): void;
}

/** Checks a snapshot against the log. Visitors have no log to compare with: theirs began with one. */
export type CheckSnapshot = (backend: Backend, dir: Directory, j: SignedJson | null, now: number) => Promise<Life>;

export class DirectoryKeeper {
  private running: Promise<void> | null = null;

  private constructor(
    private readonly deps: KeeperDeps,
    private dir: Directory,
    /** The newest snapshot that was verified. */
    public snapshot: Life,
    private readonly checkSnapshot?: CheckSnapshot,
  ) {}

  get directory(): Directory {
    return this.dir;
  }

  /** For visitors: from the bundle of a site. */
  static async fromBundle(
    deps: KeeperDeps,
    fp: Uint8Array,
    bundle: SiteReply['directory'],
    now: number,
  ): Promise<DirectoryKeeper> {
    try {
      const dir = await verifyBundle(deps.backend, fp, bundle, now);
      return await DirectoryKeeper.begin(deps, dir);
    } catch (e) {
      throw directoryError(e);
    }
  }

  /** Of a directory that was verified, if it does not contradict the memory of an earlier visit. */
  static async begin(deps: KeeperDeps, dir: Directory, life = NO_SNAPSHOT, checkSnapshot?: CheckSnapshot): Promise<DirectoryKeeper> {
    dir.checkMemory((await deps.store.get<{ seq: number; head: string }>(memoryName(dir.fp))) ?? null);
    const keeper = new DirectoryKeeper(deps, dir, life, checkSnapshot);
    await keeper.remember();
    return keeper;
  }

  /** Fetches entries after the newest known. Calls at the same time share one fetch. */
  refresh(now: number): Promise<void> {
    this.running ??= this.fetch(now).finally(() => {
      this.running = null;
    });
    return this.running;
  }

  private async fetch(now: number): Promise<void> {
    const reply = await entriesAfter(this.deps.http, this.dir.seq);
    try {
      const claimed = snapshotSeq(reply.snapshot);
      let next = await this.extended(reply.entries, now, claimed);
      if (claimed > this.dir.seq && (await coverage(this.deps.backend, next, reply.snapshot)) < claimed) next = await this.extended(reply.entries, now, -1);
      if (this.checkSnapshot && reply.snapshot) this.snapshot = await this.checkSnapshot(this.deps.backend, next, reply.snapshot, now);
      if (next.seq === this.dir.seq) return;
      this.dir = next;
    } catch (e) {
      const error = directoryError(e);
      if (isForkAlarm(e) || error.key !== 'error.network') this.deps.onAlarm(error);
      throw error;
    }
    await this.remember();
    this.deps.onChange();
  }

  private async extended(entries: SignedJson[], now: number, covered: number): Promise<Directory> {
    const next = this.dir.fork();
    for (const j of entries) await next.apply(this.deps.backend, signedOf(j), now, next.seq < covered);
    return next;
  }

  private async remember(): Promise<void> {
    const { seq, head } = this.dir;
    try {
      await this.deps.store.set(memoryName(this.dir.fp), { seq, head: hex(head) });
    } catch {
      // a full disk must not stop a conversation; the memory is then as old as it was
    }
  }
}

export const NO_SNAPSHOT: Life = { seq: -1, at: 0, until: 0 };
/** All pages of the log after an entry. */
export async function entriesAfter(http: Http, after: number): Promise<DirectoryReply> {
  const entries: SignedJson[] = [];
  for (;;) {
    const page = await http.get<DirectoryReply>(`/directory?after=${after + entries.length}`);
    entries.push(...page.entries);
    if (page.entries.length < PAGE_ENTRIES) return { entries, snapshot: page.snapshot };
  }
}

export const memoryName = (fp: Uint8Array): string => `dir/${hex(fp)}`;

/** What a snapshot claims to cover; believed only together with `coverage`. */
export function snapshotSeq(j: SignedJson | null): number {
  if (!j) return 0;
  try {
    const b = JSON.parse(new TextDecoder().decode(signedOf(j).raw)) as { seq?: unknown };
    return typeof b.seq === 'number' ? b.seq : 0;
  } catch {
    return 0;
  }
}
