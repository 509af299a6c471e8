/** The back ends that compute 25519 in JavaScript: `pure` without WebCrypto, `mixed` with it for AES, HKDF and keeping. */
import type { Backend, BoxKey, EpochKey, KeptKey, SigningKey } from './backend';
import { cat, random, utf8 } from './bytes';
import { publicKeyOf, signWith, verifyStrict } from './ed25519';
import { reject } from './error';
import { gcm } from './gcm';
import { labelled } from './hash';
import { hkdf } from './hkdf';
import { hpkeOpen, hpkeSeal, type Aes, type DhKey } from './hpke';
import { nativeAes, nativeEpochKey } from './native';
import { publicKey, sharedPoint } from './x25519';

/** How private bytes become something to keep, and back. */
interface KeyCodec {
  keep(pk: Uint8Array, secret: Uint8Array): Promise<KeptKey>;
  read(kept: KeptKey): Promise<Uint8Array>;
}

const raw: KeyCodec = {
  keep: (_pk, secret) => Promise.resolve({ form: 'raw', key: secret }),
  read: (kept) =>
    kept.form === 'raw' ? Promise.resolve(kept.key) : Promise.reject(new TypeError('a key of another back end')),
};

function wrapped(wrap: CryptoKey): KeyCodec {
  const of = (b: Uint8Array): BufferSource => b as Uint8Array<ArrayBuffer>;
  return {
    async keep(pk, secret) {
      const iv = random(12);
      const ct = await crypto.subtle.encrypt({ name: 'AES-GCM', iv: of(iv), additionalData: of(pk) }, wrap, of(secret));
      return { form: 'wrapped', pk, iv, ct: new Uint8Array(ct) };
    },
    async read(kept) {
      if (kept.form !== 'wrapped') throw new TypeError('a key of another back end');
      const params = { name: 'AES-GCM', iv: of(kept.iv), additionalData: of(kept.pk) };
      return new Uint8Array(await crypto.subtle.decrypt(params, wrap, of(kept.ct)));
    },
  };
}

function signing(seed: Uint8Array, codec: KeyCodec): SigningKey {
  const pk = publicKeyOf(seed);
  return {
    pk,
    sign: async (label, m) => signWith(seed, labelled(label, m)),
    keep: () => codec.keep(pk, seed),
  };
}

const dhKey = (secret: Uint8Array): DhKey => ({
  pk: publicKey(secret),
  dh: async (peer) => sharedPoint(secret, peer),
});

function box(secret: Uint8Array, codec: KeyCodec, aes: Aes): BoxKey {
  const own = dhKey(secret);
  return {
    pk: own.pk,
    open: (sealed, info, aad) => hpkeOpen(aes, own, sealed, info, aad).catch(() => reject('box')),
    keep: () => codec.keep(own.pk, secret),
  };
}

const pureAes: Aes = async (...all) => gcm(...all);

function pureEpochKey(ek: Uint8Array): EpochKey {
  const aes = async (use: 'encrypt' | 'decrypt', header: Uint8Array, data: Uint8Array) => {
    const okm = hkdf(ek, header.subarray(40, 56), cat(utf8('kefu/1 msg'), header.subarray(4, 40)), 44);
    return pureAes(use, okm.subarray(0, 32), okm.subarray(32), header, data);
  };
  return {
    seal: (header, padded) => aes('encrypt', header, padded),
    open: (header, ct) => aes('decrypt', header, ct).catch(() => reject('open')),
    keep: () => Promise.resolve({ form: 'raw', key: ek }),
  };
}

function backend(name: 'mixed' | 'pure', codec: KeyCodec): Backend {
  const aes = name === 'mixed' ? nativeAes : pureAes;
  return {
    name,
    newSigningKey: async () => signing(random(32), codec),
    signingKey: async (seed) => signing(seed, codec),
    newBoxKey: async () => box(random(32), codec, aes),
    boxKey: async (secret) => box(secret, codec, aes),
    epochKey: async (ek) => (name === 'mixed' ? nativeEpochKey(ek) : pureEpochKey(ek)),
    restoreSigningKey: async (kept) => signing(await codec.read(kept), codec),
    restoreBoxKey: async (kept) => box(await codec.read(kept), codec, aes),
    restoreEpochKey: async (kept) => {
      if (kept.form === 'native' && name === 'mixed') return nativeEpochKey(kept.key);
      return kept.form === 'raw' ? pureEpochKey(kept.key) : Promise.reject(new TypeError('a key of another back end'));
    },
    seal: async (pk, info, aad, plaintext) => hpkeSeal(aes, dhKey(random(32)), pk, info, aad, plaintext),
    verify: async (label, pk, m, sig) => verifyStrict(pk, labelled(label, m), sig),
    aes,
  };
}

export const pureBackend = (): Backend => backend('pure', raw);

/** `wrap`: a non-extractable AES-GCM key that the caller keeps. */
export const mixedBackend = (wrap: CryptoKey): Backend => backend('mixed', wrapped(wrap));

export function newWrapKey(): Promise<CryptoKey> {
  return crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
}
