/** All back ends, so that every rule is tested on each. */
import type { Backend } from '../../src/crypto/backend';
import { nativeBackend } from '../../src/crypto/native';
import { mixedBackend, newWrapKey, pureBackend } from '../../src/crypto/pure';

export const backends: [string, () => Promise<Backend>][] = [
  ['native', async () => nativeBackend()],
  ['mixed', async () => mixedBackend(await newWrapKey())],
  ['pure', async () => pureBackend()],
];
