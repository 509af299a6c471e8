/** The directory of an agent: the whole log, compared with the snapshot that visitors get. */
import { replayLog } from '../crypto/replay-log';
import { signedOf } from '../crypto/signed';
import { coverage } from '../crypto/snapshot';
import { signedDate } from '../link/clock';
import { directoryError, DirectorySync, entriesAfter, NO_SNAPSHOT, servedLife, type SyncDeps } from './directory-sync';

/** An expired snapshot stops visitors, not agents: they have the whole log. */
export async function syncFromLog(deps: SyncDeps, fp: Uint8Array): Promise<DirectorySync> {
  const reply = await entriesAfter(deps.http, -1);
  try {
    const dir = await replayLog(deps.backend, fp, reply.entries.map(signedOf), deps.now);
    signedDate.value = Math.max(signedDate.value, dir.latest);
    dir.cover(await coverage(deps.backend, dir, reply.snapshot));
    const life = (await servedLife(deps.backend, dir, reply.snapshot, deps.now())) ?? NO_SNAPSHOT;
    return await DirectorySync.begin(deps, dir, life, true);
  } catch (e) {
    throw directoryError(e);
  }
}
