/** Which back end this browser can run, found by trying. */
import type { Backend } from './backend';
import { equal, random } from './bytes';
import { nativeBackend } from './native';
import { mixedBackend, newWrapKey, pureBackend } from './pure';

/** Where the wrapping key of `mixed` stays between page loads. */
export interface WrapStore {
  /** The kept key, or the given one after keeping it (the first one wins). */
  wrapKey(fresh: () => Promise<CryptoKey>): Promise<CryptoKey>;
}

export async function detectBackend(store: WrapStore): Promise<Backend> {
  if (typeof crypto === 'undefined' || !crypto.getRandomValues) throw new Error('no source of random numbers');
  if (!crypto.subtle) return pureBackend();
  const native = nativeBackend();
  if (await works(native)) return native;
  const mixed = mixedBackend(await store.wrapKey(newWrapKey));
  return (await works(mixed)) ? mixed : pureBackend();
}

/** One round through everything a conversation needs. Old browsers throw at the first step, odd ones later. */
async function works(b: Backend): Promise<boolean> {
  try {
    const m = random(32);
    const [ed, x] = await Promise.all([b.newSigningKey(), b.newBoxKey()]);
    if (!(await b.verify('pop', ed.pk, m, await ed.sign('pop', m)))) return false;
    const imported = await b.boxKey(random(32));
    for (const key of [x, imported]) {
      if (!equal(await key.open(await b.seal(key.pk, m, m, m), m, m), m)) return false;
    }
    const header = random(80);
    const epoch = await b.epochKey(m);
    return equal(await epoch.open(header, await epoch.seal(header, m)), m);
  } catch {
    return false;
  }
}
