/**
 * What an agent's page needs before it is an agent's: the company's directory under its pin, and the keys of who was signed
 * in here. Passwords pass through, nothing of them stays.
 */
import type { Backend, KeptKey } from '../crypto/backend';
import { hex } from '../crypto/bytes';
import { signedOf } from '../crypto/signed';
import { Rejected } from '../crypto/error';
import { fingerprint, printFingerprint } from '../crypto/hash';
import type { Opaque } from '../crypto/opaque';
import { readFingerprint } from '../crypto/rules';
import type { Http } from '../link/http';
import { ClientError, type Trust } from '../model';
import type { DirectoryReply } from '../proto';
import type { Signal } from '../signals';
import { forgetSearch } from '../search/forget';
import type { Store } from '../storage/store';
import type { AccountDeps, Identity } from './account';
import { distrust, prepare, type Deps } from './engine';
import type { DirectorySync } from './directory-sync';
import { syncFromLog } from './log-sync';

export interface AgentDeps extends Deps {
  opaque(): Opaque;
}

/** As it is kept: keys that this page can use and not read. */
interface SavedSession {
  user: string;
  ed: KeptKey;
  x: KeptKey;
  locked: boolean;
}

export class AgentSession {
  store!: Store;
  backend!: Backend;

  constructor(
    private readonly deps: AgentDeps,
    readonly http: Http,
    /** Prefix of what is kept. */
    private readonly storagePrefix: string,
    private readonly trust: Signal<Trust>,
    private readonly onDirectory: () => void,
  ) {}

  async prepare(): Promise<void> {
    ({ store: this.store, backend: this.backend } = await prepare(this.deps));
    this.trust.value = { ...this.trust.value, storage: this.store.kept ? 'kept' : 'memory' };
  }

  lastUser(): Promise<string | undefined> {
    return this.store.get<string>(`${this.storagePrefix}user`);
  }

  /** Who is signed in here; `locked` if they must give their password first; null if nobody is. */
  async load(): Promise<Identity | 'locked' | null> {
    const kept = await this.store.get<SavedSession>(`${this.storagePrefix}session`);
    if (!kept) return null;
    if (kept.locked) return 'locked';
    try {
      return {
        user: kept.user,
        ed: await this.backend.restoreSigningKey(kept.ed),
        x: await this.backend.restoreBoxKey(kept.x),
      };
    } catch {
      await this.forget();
      return null;
    }
  }

  async save(me: Identity, locked = false): Promise<void> {
    const saved: SavedSession = { user: me.user, ed: await me.ed.keep(), x: await me.x.keep(), locked };
    if (me.user !== (await this.lastUser().catch(() => undefined))) forgetSearch(this.storagePrefix);
    await this.store.set(`${this.storagePrefix}session`, saved).catch(() => undefined);
    await this.store.set(`${this.storagePrefix}user`, me.user).catch(() => undefined);
  }

  async forget(): Promise<void> {
    // what they searched in goes with them
    forgetSearch(this.storagePrefix);
    await this.store.delete(`${this.storagePrefix}session`).catch(() => undefined);
  }

  /** The directory, verified under the pinned company. `fp`: from an invite code, which pins it. */
  async loadDirectory(fp?: Uint8Array): Promise<DirectorySync> {
    const pinName = `${this.storagePrefix}pin`;
    const pinned = await this.store.get<string>(pinName);
    let org = pinned === undefined ? undefined : (readFingerprint(pinned) ?? undefined);
    if (fp) {
      if (org && hex(org) !== hex(fp)) throw new ClientError('error.invite_org');
      org = fp;
    }
    const first = !org;
    if (!org) {
      const { entries } = await this.http.get<DirectoryReply>('/directory?after=-1');
      if (!entries[0]) throw new ClientError('error.directory', 'empty');
      org = fingerprint(signedOf(entries[0]).signer);
    }
    const sync = await syncFromLog(
      {
        backend: this.backend,
        store: this.store,
        http: this.http,
        now: this.deps.env.now,
        onChange: this.onDirectory,
        onAlarm: (e) => distrust(this.trust, e.key),
      },
      org,
    ).catch((e: unknown) => {
      const wrong = e instanceof ClientError && e.key === 'error.pin';
      if (e instanceof ClientError && e.key === 'error.directory_fork') distrust(this.trust, e.key);
      throw wrong && fp ? new ClientError('error.invite_org') : e;
    });
    await this.store.set(pinName, printFingerprint(org)).catch(() => undefined);
    this.trust.value = { ...this.trust.value, mode: first ? 'unpinned' : 'pinned', reason: undefined };
    return sync;
  }

  /** Runs what needs a password; the Worker lives only so long. */
  async withOpaque<T>(fn: (d: AccountDeps) => Promise<T>): Promise<T> {
    const opaque = this.deps.opaque();
    try {
      return await fn({ backend: this.backend, http: this.http, opaque, now: this.deps.env.now });
    } catch (e) {
      throw asClientError(e);
    } finally {
      opaque.close();
    }
  }
}

/** Pages get only one type of error. */
export function asClientError(e: unknown): ClientError {
  if (e instanceof ClientError) return e;
  return new ClientError(e instanceof Rejected ? 'error.directory' : 'error.server', String(e));
}
