/** Verifies a whole log, as agents hold it. Visitors begin with a snapshot: the widget does not carry this. */
import type { Backend } from './backend';
import { Directory } from './directory';
import { reject } from './error';
import type { Signed } from './signed';

/** `now`: this machine's clock, ms. */
export async function replayLog(
  backend: Backend,
  fp: Uint8Array,
  entries: readonly Signed[],
  now: () => number,
): Promise<Directory> {
  if (!entries[0]) return reject('empty');
  const dir = await Directory.genesis(backend, fp, entries[0], now);
  for (const e of entries.slice(1)) await dir.apply(backend, e);
  return dir;
}
