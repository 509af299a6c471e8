/** Holds the directory: takes in what is new, remembers how far it was, never goes back, and raises the alarm. */
import type { Backend } from '../crypto/backend';
import { hex } from '../crypto/bytes';
import { Directory, isForkAlarm, signedOf } from '../crypto/directory';
import { Rejected } from '../crypto/error';
import { coverage, verifyBundle, verifySnapshot } from '../crypto/snapshot';
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

export class DirectoryKeeper {
  private running: Promise<void> | null = null;

  private constructor(
    private readonly backend: Backend,
    private readonly store: Store,
    private readonly http: Http,
    private readonly onChange: () => void,
    private readonly onAlarm: (e: ClientError) => void,
    private dir: Directory,
    /** The newest snapshot that was verified. */
    public snapshot: Life,
  ) {}

  get directory(): Directory {
    return this.dir;
  }

  /** For visitors: from the bundle of a site. */
  static async fromBundle(
    deps: { backend: Backend; store: Store; http: Http; onChange(): void; onAlarm(e: ClientError): void },
    fp: Uint8Array,
    bundle: SiteReply['directory'],
    now: number,
  ): Promise<DirectoryKeeper> {
    try {
      const dir = await verifyBundle(deps.backend, fp, bundle, now);
      return await DirectoryKeeper.begin(deps, dir, NO_SNAPSHOT);
    } catch (e) {
      throw directoryError(e);
    }
  }

  /** For agents: the whole log, compared with the snapshot if there is one. */
  static async fromLog(
    deps: { backend: Backend; store: Store; http: Http; onChange(): void; onAlarm(e: ClientError): void },
    fp: Uint8Array,
    now: number,
  ): Promise<DirectoryKeeper> {
    const reply = await entriesAfter(deps.http, -1);
    try {
      const memory = await deps.store.get<{ seq: number; head: string }>(memoryName(fp));
      const replay = (covered: number): Promise<Directory> =>
        Directory.replay(deps.backend, fp, reply.entries.map(signedOf), now, Math.max(covered, memory?.seq ?? 0));
      const claimed = snapshotSeq(reply.snapshot);
      let dir = await replay(claimed);
      if ((await coverage(deps.backend, dir, reply.snapshot)) < claimed) dir = await replay(0);
      const life = await DirectoryKeeper.snapshotLife(deps.backend, dir, reply.snapshot, now);
      return await DirectoryKeeper.begin(deps, dir, life);
    } catch (e) {
      throw directoryError(e);
    }
  }

  private static async begin(
    deps: { backend: Backend; store: Store; http: Http; onChange(): void; onAlarm(e: ClientError): void },
    dir: Directory,
    life: Life,
  ): Promise<DirectoryKeeper> {
    dir.checkMemory((await deps.store.get<{ seq: number; head: string }>(memoryName(dir.fp))) ?? null);
    const keeper = new DirectoryKeeper(deps.backend, deps.store, deps.http, deps.onChange, deps.onAlarm, dir, life);
    await keeper.remember();
    return keeper;
  }

  /** An expired snapshot stops visitors, not agents: they hold the whole log. Anything else wrong with it is an alarm. */
  private static async snapshotLife(backend: Backend, dir: Directory, j: SignedJson | null, now: number): Promise<Life> {
    if (!j) return NO_SNAPSHOT;
    try {
      return await verifySnapshot(backend, dir, j, now);
    } catch (e) {
      if (e instanceof Rejected && (e.reason === 'snapshot_expired' || e.reason === 'signer')) return NO_SNAPSHOT;
      throw e;
    }
  }

  /** Fetches entries after the newest known. Calls at the same time share one fetch. */
  refresh(now: number): Promise<void> {
    this.running ??= this.fetch(now).finally(() => {
      this.running = null;
    });
    return this.running;
  }

  private async fetch(now: number): Promise<void> {
    const reply = await entriesAfter(this.http, this.dir.seq);
    try {
      const claimed = snapshotSeq(reply.snapshot);
      let next = await this.extended(reply.entries, now, claimed);
      if (claimed > this.dir.seq && (await coverage(this.backend, next, reply.snapshot)) < claimed) next = await this.extended(reply.entries, now, -1);
      if (next.base === 0 && reply.snapshot) this.snapshot = await DirectoryKeeper.snapshotLife(this.backend, next, reply.snapshot, now);
      if (next.seq === this.dir.seq) return;
      this.dir = next;
    } catch (e) {
      const error = directoryError(e);
      if (isForkAlarm(e) || error.key !== 'error.network') this.onAlarm(error);
      throw error;
    }
    await this.remember();
    this.onChange();
  }

  private async extended(entries: SignedJson[], now: number, covered: number): Promise<Directory> {
    const next = this.dir.fork();
    for (const j of entries) await next.apply(this.backend, signedOf(j), now, next.seq < covered);
    return next;
  }

  private async remember(): Promise<void> {
    const { seq, head } = this.dir;
    try {
      await this.store.set(memoryName(this.dir.fp), { seq, head: hex(head) });
    } catch {
      // a full disk must not stop a conversation; the memory is then as old as it was
    }
  }
}

const NO_SNAPSHOT: Life = { seq: -1, at: 0, until: 0 };
/** All pages of the log after an entry. */
async function entriesAfter(http: Http, after: number): Promise<DirectoryReply> {
  const entries: SignedJson[] = [];
  for (;;) {
    const page = await http.get<DirectoryReply>(`/directory?after=${after + entries.length}`);
    entries.push(...page.entries);
    if (page.entries.length < PAGE_ENTRIES) return { entries, snapshot: page.snapshot };
  }
}

const memoryName = (fp: Uint8Array): string => `dir/${hex(fp)}`;

/** What a snapshot claims to cover; believed only together with `coverage`. */
function snapshotSeq(j: SignedJson | null): number {
  if (!j) return 0;
  try {
    const b = JSON.parse(new TextDecoder().decode(signedOf(j).raw)) as { seq?: unknown };
    return typeof b.seq === 'number' ? b.seq : 0;
  } catch {
    return 0;
  }
}
