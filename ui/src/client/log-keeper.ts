/** The directory of an agent: the whole log, compared with the snapshot that visitors get. */
import type { Backend } from '../crypto/backend';
import { Directory, signedOf } from '../crypto/directory';
import { Rejected } from '../crypto/error';
import { coverage, verifySnapshot } from '../crypto/snapshot';
import type { SignedJson } from '../proto';
import { directoryError, DirectoryKeeper, entriesAfter, memoryName, NO_SNAPSHOT, snapshotSeq, type KeeperDeps, type Life } from './keeper';

/** For agents: the whole log, compared with the snapshot if there is one. */
export async function keeperFromLog(deps: KeeperDeps, fp: Uint8Array, now: number): Promise<DirectoryKeeper> {
  const reply = await entriesAfter(deps.http, -1);
  try {
    const memory = await deps.store.get<{ seq: number; head: string }>(memoryName(fp));
    const replay = (covered: number): Promise<Directory> =>
      Directory.replay(deps.backend, fp, reply.entries.map(signedOf), now, Math.max(covered, memory?.seq ?? 0));
    const claimed = snapshotSeq(reply.snapshot);
    let dir = await replay(claimed);
    if ((await coverage(deps.backend, dir, reply.snapshot)) < claimed) dir = await replay(0);
    const life = await snapshotLife(deps.backend, dir, reply.snapshot, now);
    return await DirectoryKeeper.begin(deps, dir, life, snapshotLife);
  } catch (e) {
    throw directoryError(e);
  }
}

/** A snapshot that is over or of the future stops visitors, not agents: they hold the whole log. Anything else wrong with it is an alarm. */
async function snapshotLife(backend: Backend, dir: Directory, j: SignedJson | null, now: number): Promise<Life> {
  if (!j) return NO_SNAPSHOT;
  try {
    return await verifySnapshot(backend, dir, j, now);
  } catch (e) {
    if (e instanceof Rejected && ['snapshot_expired', 'snapshot_future', 'signer'].includes(e.reason)) return NO_SNAPSHOT;
    throw e;
  }
}
