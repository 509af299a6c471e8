/** The back end that leaves everything to WebCrypto. Private keys made here can't be exported. */
import { MESSAGE_KEY_BITS, type Backend, type BoxKey, type EpochKey, type KeptKey, type SigningKey } from './backend';
import { cat, hex, utf8 } from './bytes';
import { isGoodKey, publicKeyOf } from './ed25519';
import { reject } from './error';
import { labelled } from './hash';
import { hpkeOpen, hpkeSeal, type Aes, type DhKey } from './hpke';
import { publicKey } from './x25519';

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

/** AES-256-GCM by WebCrypto. */
export const nativeAes: Aes = async (use, key, iv, aad, data) => {
  const aes = await crypto.subtle.importKey('raw', of(key), 'AES-GCM', false, [use]);
  return new Uint8Array(
    await crypto.subtle[use]({ name: 'AES-GCM', iv: of(iv), additionalData: of(aad) }, aes, of(data)),
  );
};

const importX = (pk: Uint8Array): Promise<CryptoKey> => crypto.subtle.importKey('raw', of(pk), 'X25519', false, []);

function dhKey(pk: Uint8Array, key: CryptoKey): DhKey {
  return {
    pk,
    dh: async (peer) =>
      new Uint8Array(await crypto.subtle.deriveBits({ name: 'X25519', public: await importX(peer) }, key, 256)),
  };
}

async function newDhKey(): Promise<[DhKey, CryptoKey]> {
  const pair = (await crypto.subtle.generateKey('X25519', false, ['deriveBits'])) as CryptoKeyPair;
  return [dhKey(await exported(pair.publicKey), pair.privateKey), pair.privateKey];
}

function box(own: DhKey, key: CryptoKey): BoxKey {
  const { pk } = own;
  return {
    pk,
    open: (sealed, info, aad) => hpkeOpen(nativeAes, own, sealed, info, aad).catch(() => reject('box')),
    keep: () => Promise.resolve({ form: 'native', pk, key }),
  };
}

/** From the 32 bytes, or from the key as it was kept. */
export async function nativeEpochKey(ek: Uint8Array | CryptoKey): Promise<EpochKey> {
  const key =
    ek instanceof Uint8Array ? await crypto.subtle.importKey('raw', of(ek), 'HKDF', false, ['deriveBits']) : ek;
  const aes = async (use: 'encrypt' | 'decrypt', header: Uint8Array, data: Uint8Array): Promise<Uint8Array> => {
    const info = of(cat(utf8('kefu/1 msg'), header.subarray(4, 40)));
    const params = { name: 'HKDF', hash: 'SHA-256', salt: of(header.subarray(40, 56)), info };
    const okm = new Uint8Array(await crypto.subtle.deriveBits(params, key, MESSAGE_KEY_BITS));
    return nativeAes(use, okm.subarray(0, 32), okm.subarray(32), header, data);
  };
  return {
    seal: (header, padded) => aes('encrypt', header, padded),
    open: (header, ct) => aes('decrypt', header, ct).catch(() => reject('open')),
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
const exported = async (key: CryptoKey): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.exportKey('raw', key));

export function nativeBackend(): Backend {
  const self: Backend = {
    name: 'native',
    async newSigningKey() {
      const pair = (await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify'])) as CryptoKeyPair;
      return signing(await exported(pair.publicKey), pair.privateKey);
    },
    async signingKey(seed) {
      const key = await crypto.subtle.importKey('pkcs8', pkcs8(0x70, seed), 'Ed25519', false, ['sign']);
      return signing(publicKeyOf(seed), key);
    },
    async newBoxKey() {
      return box(...(await newDhKey()));
    },
    async boxKey(secret) {
      const key = await crypto.subtle.importKey('pkcs8', pkcs8(0x6e, secret), 'X25519', false, ['deriveBits']);
      return box(dhKey(publicKey(secret), key), key);
    },
    epochKey: nativeEpochKey,
    async restoreSigningKey(kept: KeptKey) {
      return kept.form === 'native' && kept.pk ? signing(kept.pk, kept.key) : wrong();
    },
    async restoreBoxKey(kept: KeptKey) {
      return kept.form === 'native' && kept.pk ? box(dhKey(kept.pk, kept.key), kept.key) : wrong();
    },
    async restoreEpochKey(kept: KeptKey) {
      return kept.form === 'native' ? nativeEpochKey(kept.key) : wrong();
    },
    seal: async (pk, info, aad, plaintext) => hpkeSeal(nativeAes, (await newDhKey())[0], pk, info, aad, plaintext),
    verify,
    aes: nativeAes,
  };
  return self;
}
