/** Holds the directory: takes in what is new, remembers how far it was, never goes back, and raises the alarm. */
import type { Backend } from '../crypto/backend';
import { hex } from '../crypto/bytes';
import { type Directory, isForkAlarm } from '../crypto/directory';
import { signedOf } from '../crypto/signed';
import { Rejected } from '../crypto/error';
import { coverage, verifyBundle, verifySnapshot, type Life } from '../crypto/snapshot';
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

/** How far the directory was at an earlier visit or in another tab. */
interface Memory {
  seq: number;
  head: string;
}

export interface SyncDeps {
  backend: Backend;
  store: Store;
  http: Http;
  /** This machine's clock, ms. */
  now(): number;
  onChange(): void;
  onAlarm(e: ClientError): void;
}

export class DirectorySync {
  private running: Promise<void> | null = null;

  private constructor(
    private readonly deps: SyncDeps,
    private dir: Directory,
    /** The newest snapshot that was verified. */
    public life: Life,
    /** It holds the whole log, as agents' do. Visitors' begin with a snapshot. */
    private readonly whole: boolean,
  ) {}

  get directory(): Directory {
    return this.dir;
  }

  /**
   * Whether the directory is fresh enough to seal new keys by it. A visitor's is until its snapshot ends, also in a page that
   * stays open; an agent's holds the whole log.
   */
  fresh(now: number): boolean {
    return this.whole || now <= this.life.until;
  }

  /** For visitors: from the bundle of a site. */
  static async fromBundle(deps: SyncDeps, fp: Uint8Array, bundle: SiteReply['directory']): Promise<DirectorySync> {
    try {
      const { directory, life } = await verifyBundle(deps.backend, fp, bundle, deps.now);
      return await DirectorySync.begin(deps, directory, life, false);
    } catch (e) {
      throw directoryError(e);
    }
  }

  /** Of a directory that was verified, if it does not contradict the memory of an earlier visit. */
  static async begin(deps: SyncDeps, dir: Directory, life: Life, whole: boolean): Promise<DirectorySync> {
    const memory = (await deps.store.get<Memory>(memoryName(dir.fp))) ?? null;
    // it grew while this page was loading, and another tab knows
    if (memory && dir.seq < memory.seq) {
      for (const j of (await entriesAfter(deps.http, dir.seq)).entries) await dir.apply(deps.backend, signedOf(j));
    }
    dir.checkMemory(memory);
    const sync = new DirectorySync(deps, dir, life, whole);
    await sync.remember();
    return sync;
  }

  /** Fetches entries after the newest known, and the newest snapshot. Calls at the same time share one fetch. */
  refresh(now: number): Promise<void> {
    this.running ??= this.fetch(now).finally(() => {
      this.running = null;
    });
    return this.running;
  }

  private async fetch(now: number): Promise<void> {
    const reply = await entriesAfter(this.deps.http, this.dir.seq);
    let grown = false;
    try {
      const next = this.dir.fork();
      for (const j of reply.entries) await next.apply(this.deps.backend, signedOf(j));
      next.cover(await coverage(this.deps.backend, next, reply.snapshot));
      const served = await servedLife(this.deps.backend, next, reply.snapshot, now);
      if (this.whole) this.life = served ?? NO_SNAPSHOT;
      else if (served && served.until > this.life.until) this.life = served;
      grown = next.seq > this.dir.seq;
      this.dir = next;
    } catch (e) {
      const error = directoryError(e);
      if (isForkAlarm(e) || error.key !== 'error.network') this.deps.onAlarm(error);
      throw error;
    }
    if (!grown) return;
    await this.remember();
    this.deps.onChange();
  }

  private async remember(): Promise<void> {
    const { seq, head } = this.dir;
    try {
      await this.deps.store.update<Memory>(memoryName(this.dir.fp), (there) =>
        there && there.seq > seq ? there : { seq, head: hex(head) },
      );
    } catch {
      // a full disk must not stop a conversation; the memory is then as old as it was
    }
  }
}

export const NO_SNAPSHOT: Life = { seq: -1, at: 0, until: 0 };

/** The served snapshot, if it is valid. An expired one, one from the future or one without a valid signer counts as none; any other error is an alarm. */
export async function servedLife(
  backend: Backend,
  dir: Directory,
  j: SignedJson | null,
  now: number,
): Promise<Life | null> {
  if (!j) return null;
  try {
    return await verifySnapshot(backend, dir, j, now);
  } catch (e) {
    if (e instanceof Rejected && ['snapshot_expired', 'snapshot_future', 'signer'].includes(e.reason)) return null;
    throw e;
  }
}

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
