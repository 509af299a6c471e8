/** The back end that leaves everything to WebCrypto. Private keys made here can't be exported. */
import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import { AEAD_AES_256_GCM, CipherSuite, KDF_HKDF_SHA256, KEM_DHKEM_X25519_HKDF_SHA256 } from 'hpke';
import { MESSAGE_KEY_BITS, type Backend, type BoxKey, type EpochKey, type KeptKey, type SigningKey } from './backend';
import { cat, hex, utf8 } from './bytes';
import { isGoodKey } from './ed25519';
import { reject } from './error';
import { labelled } from './hash';

const suite = new CipherSuite(KEM_DHKEM_X25519_HKDF_SHA256, KDF_HKDF_SHA256, AEAD_AES_256_GCM);
const of = (b: Uint8Array): BufferSource => b as Uint8Array<ArrayBuffer>;
/** DER before the 32 private bytes (RFC 8410). */
const pkcs8 = (oid: number, secret: Uint8Array): BufferSource =>
  of(cat(new Uint8Array([0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, oid, 4, 0x22, 4, 0x20]), secret));

function signing(pk: Uint8Array, key: CryptoKey): SigningKey {
  return {
    pk,
    sign: async (label, m) => new Uint8Array(await crypto.subtle.sign('Ed25519', key, of(labelled(label, m)))),
    keep: () => Promise.resolve({ form: 'native', pk, key }),
  };
}

function box(pk: Uint8Array, key: CryptoKey, pub: CryptoKey): BoxKey {
  return {
    pk,
    async open(sealed, info, aad) {
      try {
        return await suite.Open({ privateKey: key, publicKey: pub }, sealed.enc, sealed.ct, { info, aad });
      } catch {
        return reject('box');
      }
    },
    keep: () => Promise.resolve({ form: 'native', pk, key, pub }),
  };
}

/** From the 32 bytes, or from the key as it was kept. */
export async function nativeEpochKey(ek: Uint8Array | CryptoKey): Promise<EpochKey> {
  const key = ek instanceof Uint8Array ? await crypto.subtle.importKey('raw', of(ek), 'HKDF', false, ['deriveBits']) : ek;
  const derive = async (header: Uint8Array, use: KeyUsage): Promise<[CryptoKey, AesGcmParams]> => {
    const info = of(cat(utf8('kefu/1 msg'), header.subarray(4, 40)));
    const params = { name: 'HKDF', hash: 'SHA-256', salt: of(header.subarray(40, 56)), info };
    const okm = new Uint8Array(await crypto.subtle.deriveBits(params, key, MESSAGE_KEY_BITS));
    const aes = await crypto.subtle.importKey('raw', okm.subarray(0, 32), 'AES-GCM', false, [use]);
    return [aes, { name: 'AES-GCM', iv: okm.subarray(32), additionalData: of(header) }];
  };
  return {
    async seal(header, padded) {
      const [aes, params] = await derive(header, 'encrypt');
      return new Uint8Array(await crypto.subtle.encrypt(params, aes, of(padded)));
    },
    async open(header, ct) {
      const [aes, params] = await derive(header, 'decrypt');
      try {
        return new Uint8Array(await crypto.subtle.decrypt(params, aes, of(ct)));
      } catch {
        return reject('open');
      }
    },
    keep: () => Promise.resolve({ form: 'native', key }),
  };
}

const verifiers = new Map<string, Promise<CryptoKey>>();
const VERIFIERS_MAX = 1000;

/** WebCrypto accepts keys of small order, so they are sorted out first; it is strict about everything else. */
async function verify(label: string, pk: Uint8Array, m: Uint8Array, sig: Uint8Array): Promise<boolean> {
  if (sig.length !== 64 || !isGoodKey(pk)) return false;
  const name = hex(pk);
  let key = verifiers.get(name);
  if (!key) {
    key = crypto.subtle.importKey('raw', of(pk), 'Ed25519', false, ['verify']);
    if (verifiers.size >= VERIFIERS_MAX) verifiers.clear();
    verifiers.set(name, key);
  }
  try {
    return await crypto.subtle.verify('Ed25519', await key, of(sig), of(labelled(label, m)));
  } catch {
    return false;
  }
}

const wrong = (): never => {
  throw new TypeError('a key of another back end');
};
const exported = async (key: CryptoKey): Promise<Uint8Array> => new Uint8Array(await crypto.subtle.exportKey('raw', key));

export function nativeBackend(): Backend {
  const self: Backend = {
    name: 'native',
    async newSigningKey() {
      const pair = (await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify'])) as CryptoKeyPair;
      return signing(await exported(pair.publicKey), pair.privateKey);
    },
    async signingKey(seed) {
      const key = await crypto.subtle.importKey('pkcs8', pkcs8(0x70, seed), 'Ed25519', false, ['sign']);
      return signing(ed25519.getPublicKey(seed), key);
    },
    async newBoxKey() {
      const pair = (await crypto.subtle.generateKey('X25519', false, ['deriveBits'])) as CryptoKeyPair;
      return box(await exported(pair.publicKey), pair.privateKey, pair.publicKey);
    },
    async boxKey(secret) {
      const key = await crypto.subtle.importKey('pkcs8', pkcs8(0x6e, secret), 'X25519', false, ['deriveBits']);
      const pk = x25519.getPublicKey(secret);
      return box(pk, key, await crypto.subtle.importKey('raw', of(pk), 'X25519', true, []));
    },
    epochKey: nativeEpochKey,
    async restoreSigningKey(kept: KeptKey) {
      return kept.form === 'native' && kept.pk ? signing(kept.pk, kept.key) : wrong();
    },
    async restoreBoxKey(kept: KeptKey) {
      return kept.form === 'native' && kept.pk && kept.pub ? box(kept.pk, kept.key, kept.pub) : wrong();
    },
    async restoreEpochKey(kept: KeptKey) {
      return kept.form === 'native' ? nativeEpochKey(kept.key) : wrong();
    },
    async seal(pk, info, aad, plaintext) {
      const key = await suite.DeserializePublicKey(pk);
      const { encapsulatedSecret, ciphertext } = await suite.Seal(key, plaintext, { info, aad });
      return { enc: encapsulatedSecret, ct: ciphertext };
    },
    verify,
  };
  return self;
}
