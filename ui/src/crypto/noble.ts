/** The back ends that compute 25519 with noble: `pure` without WebCrypto, `mixed` with it for AES, HKDF and keeping. */
import { gcm } from '@noble/ciphers/aes.js';
import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { AEAD_AES_256_GCM, KDF_HKDF_SHA256, KEM_DHKEM_X25519_HKDF_SHA256 } from '@panva/hpke-noble';
import { CipherSuite } from 'hpke';
import type { Backend, BoxKey, EpochKey, KeptKey, Sealed, SigningKey } from './backend';
import { cat, random, utf8 } from './bytes';
import { verifyStrict } from './ed25519';
import { reject } from './error';
import { labelled } from './hash';
import { nativeEpochKey } from './native';

const suite = new CipherSuite(KEM_DHKEM_X25519_HKDF_SHA256, KDF_HKDF_SHA256, AEAD_AES_256_GCM);

/** How private bytes become something to keep, and back. */
interface Keeper {
  keep(pk: Uint8Array, secret: Uint8Array): Promise<KeptKey>;
  read(kept: KeptKey): Promise<Uint8Array>;
}

const raw: Keeper = {
  keep: (_pk, secret) => Promise.resolve({ form: 'raw', key: secret }),
  read: (kept) => (kept.form === 'raw' ? Promise.resolve(kept.key) : Promise.reject(new TypeError('a key of another back end'))),
};

function wrapped(wrap: CryptoKey): Keeper {
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

function signing(seed: Uint8Array, keeper: Keeper): SigningKey {
  const pk = ed25519.getPublicKey(seed);
  return {
    pk,
    sign: async (label, m) => ed25519.sign(labelled(label, m), seed),
    keep: () => keeper.keep(pk, seed),
  };
}

function box(secret: Uint8Array, keeper: Keeper): BoxKey {
  const pk = x25519.getPublicKey(secret);
  return {
    pk,
    async open(sealed, info, aad) {
      try {
        const sk = await suite.DeserializePrivateKey(secret, false);
        return await suite.Open(sk, sealed.enc, sealed.ct, { info, aad });
      } catch {
        return reject('box');
      }
    },
    keep: () => keeper.keep(pk, secret),
  };
}

function pureEpochKey(ek: Uint8Array): EpochKey {
  const cipher = (header: Uint8Array) => {
    const okm = hkdf(sha256, ek, header.subarray(40, 56), cat(utf8('kefu/1 msg'), header.subarray(4, 40)), 44);
    return gcm(okm.subarray(0, 32), okm.subarray(32), header);
  };
  return {
    seal: async (header, padded) => cipher(header).encrypt(padded),
    async open(header, ct) {
      try {
        return cipher(header).decrypt(ct);
      } catch {
        return reject('open');
      }
    },
    keep: () => Promise.resolve({ form: 'raw', key: ek }),
  };
}

async function seal(pk: Uint8Array, info: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Promise<Sealed> {
  const key = await suite.DeserializePublicKey(pk);
  const { encapsulatedSecret, ciphertext } = await suite.Seal(key, plaintext, { info, aad });
  return { enc: encapsulatedSecret, ct: ciphertext };
}

function backend(name: 'mixed' | 'pure', keeper: Keeper): Backend {
  return {
    name,
    newSigningKey: async () => signing(ed25519.utils.randomSecretKey(), keeper),
    signingKey: async (seed) => signing(seed, keeper),
    newBoxKey: async () => box(x25519.utils.randomSecretKey(), keeper),
    boxKey: async (secret) => box(secret, keeper),
    epochKey: async (ek) => (name === 'mixed' ? nativeEpochKey(ek) : pureEpochKey(ek)),
    restoreSigningKey: async (kept) => signing(await keeper.read(kept), keeper),
    restoreBoxKey: async (kept) => box(await keeper.read(kept), keeper),
    restoreEpochKey: async (kept) => {
      if (kept.form === 'native' && name === 'mixed') return nativeEpochKey(kept.key);
      return kept.form === 'raw' ? pureEpochKey(kept.key) : Promise.reject(new TypeError('a key of another back end'));
    },
    seal,
    verify: async (label, pk, m, sig) => verifyStrict(pk, labelled(label, m), sig),
  };
}

export const pureBackend = (): Backend => backend('pure', raw);

/** `wrap`: a non-extractable AES-GCM key that the caller keeps. */
export const mixedBackend = (wrap: CryptoKey): Backend => backend('mixed', wrapped(wrap));

export function newWrapKey(): Promise<CryptoKey> {
  return crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
}
