/**
 * Node's own cryptography behind the clients' interface, computed at once instead of in a pool of threads. Thousands of runs then
 * need no waiting, and time under test moves only when a run moves it. What it computes is held against the pages' own back ends
 * in `bench.test.ts`.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  randomBytes,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto';
import {
  MESSAGE_KEY_BITS,
  type Backend,
  type BoxKey,
  type EpochKey,
  type KeptKey,
  type SigningKey,
} from '../../src/crypto/backend';
import { cat, utf8 } from '../../src/crypto/bytes';
import { isGoodKey } from '../../src/crypto/ed25519';
import { reject } from '../../src/crypto/error';
import { labelled } from '../../src/crypto/hash';
import { hpkeOpen, hpkeSeal, type Aes, type DhKey } from '../../src/crypto/hpke';

const PKCS8 = { ed: '302e020100300506032b657004220420', x: '302e020100300506032b656e04220420' };
const SPKI = { ed: '302a300506032b6570032100', x: '302a300506032b656e032100' };
type Curve = keyof typeof PKCS8;

/** Not a view of a pool that Node shares between buffers. */
const bytes = (b: Buffer | ArrayBuffer): Uint8Array => new Uint8Array(b as Buffer);
const random = (n: number): Uint8Array => bytes(randomBytes(n));
const publicOf = (key: KeyObject): Uint8Array =>
  bytes(createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32));

interface Pair {
  key: KeyObject;
  pk: Uint8Array;
}
/** The same keys are loaded by every page of every run. */
const pairs = new Map<string, Pair>();
function pair(c: Curve, seed: Uint8Array): Pair {
  const name = c + Buffer.from(seed).toString('latin1');
  let p = pairs.get(name);
  if (!p) {
    const key = createPrivateKey({
      key: Buffer.concat([Buffer.from(PKCS8[c], 'hex'), seed]),
      format: 'der',
      type: 'pkcs8',
    });
    if (pairs.size > 10_000) pairs.clear();
    pairs.set(name, (p = { key, pk: publicOf(key) }));
  }
  return p;
}

/** Keys for one message each, used again in other runs: these tests are not about their freshness. */
const EPHEMERALS = 64;
const ephemerals: Uint8Array[] = [];
let used = 0;
function ephemeral(): Uint8Array {
  const at = used++ % EPHEMERALS;
  return (ephemerals[at] ??= random(32));
}

const publicKeys = new Map<string, KeyObject>();
function publicKey(c: Curve, pk: Uint8Array): KeyObject {
  const name = c + Buffer.from(pk).toString('latin1');
  let key = publicKeys.get(name);
  if (!key) {
    key = createPublicKey({ key: Buffer.concat([Buffer.from(SPKI[c], 'hex'), pk]), format: 'der', type: 'spki' });
    if (publicKeys.size > 10_000) publicKeys.clear();
    publicKeys.set(name, key);
  }
  return key;
}

const aes: Aes = async (use, key, iv, aad, data) => {
  if (use === 'encrypt') {
    const c = createCipheriv('aes-256-gcm', key, iv).setAAD(aad);
    return cat(bytes(c.update(data)), bytes(c.final()), bytes(c.getAuthTag()));
  }
  const d = createDecipheriv('aes-256-gcm', key, iv).setAAD(aad).setAuthTag(data.subarray(-16));
  return cat(bytes(d.update(data.subarray(0, -16))), bytes(d.final()));
};

const raw = (key: Uint8Array): Promise<KeptKey> => Promise.resolve({ form: 'raw', key });
const rawOf = (kept: KeptKey): Uint8Array => {
  if (kept.form !== 'raw') throw new TypeError('a key of another back end');
  return kept.key;
};

function signing(seed: Uint8Array): SigningKey {
  const { key, pk } = pair('ed', seed);
  return {
    pk: pk.slice(),
    sign: async (label, m) => bytes(sign(null, labelled(label, m), key)),
    keep: () => raw(seed),
  };
}

function dhKey(secret: Uint8Array): DhKey {
  const { key, pk } = pair('x', secret);
  return {
    pk: pk.slice(),
    dh: async (peer) => bytes(diffieHellman({ privateKey: key, publicKey: publicKey('x', peer) })),
  };
}

function box(secret: Uint8Array): BoxKey {
  const own = dhKey(secret);
  return {
    pk: own.pk,
    open: (sealed, info, aad) => hpkeOpen(aes, own, sealed, info, aad).catch(() => reject('box')),
    keep: () => raw(secret),
  };
}

function epochKey(ek: Uint8Array): EpochKey {
  const derive = (header: Uint8Array): [Uint8Array, Uint8Array] => {
    const okm = bytes(
      hkdfSync(
        'sha256',
        ek,
        header.subarray(40, 56),
        cat(utf8('kefu/1 msg'), header.subarray(4, 40)),
        MESSAGE_KEY_BITS / 8,
      ),
    );
    return [okm.subarray(0, 32), okm.subarray(32)];
  };
  return {
    seal: (header, padded) => aes('encrypt', ...derive(header), header, padded),
    open: (header, ct) => aes('decrypt', ...derive(header), header, ct).catch(() => reject('open')),
    keep: () => raw(ek),
  };
}

/** The company's log is verified by every page of every run: the same question gets the same answer. */
const verdicts = new Map<string, boolean>();
function verified(label: string, pk: Uint8Array, m: Uint8Array, sig: Uint8Array): boolean {
  if (sig.length !== 64 || !isGoodKey(pk)) return false;
  const name = createHash('sha256').update(labelled(label, m)).update(pk).update(sig).digest('base64');
  let good = verdicts.get(name);
  if (good === undefined) {
    try {
      good = verify(null, labelled(label, m), publicKey('ed', pk), sig);
    } catch {
      good = false;
    }
    if (verdicts.size > 200_000) verdicts.clear();
    verdicts.set(name, good);
  }
  return good;
}

export const benchBackend: Backend = {
  name: 'native',
  newSigningKey: async () => signing(random(32)),
  signingKey: async (seed) => signing(seed),
  newBoxKey: async () => box(random(32)),
  boxKey: async (secret) => box(secret),
  epochKey: async (ek) => epochKey(ek),
  restoreSigningKey: async (kept) => signing(rawOf(kept)),
  restoreBoxKey: async (kept) => box(rawOf(kept)),
  restoreEpochKey: async (kept) => epochKey(rawOf(kept)),
  seal: (pk, info, aad, plaintext) => hpkeSeal(aes, dhKey(ephemeral()), pk, info, aad, plaintext),
  verify: async (label, pk, m, sig) => verified(label, pk, m, sig),
  aes,
};
