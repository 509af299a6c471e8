/** Our own SHA-2, HMAC, HKDF, AES-256-GCM and X25519 against the standards' vectors, WebCrypto, and the @noble packages. */
import { gcm as nobleGcm } from '@noble/ciphers/aes.js';
import { x25519 as nobleX } from '@noble/curves/ed25519.js';
import { hkdf as nobleHkdf } from '@noble/hashes/hkdf.js';
import { hmac as nobleHmac } from '@noble/hashes/hmac.js';
import { sha256 as noble256, sha512 as noble512 } from '@noble/hashes/sha2.js';
import { describe, expect, it } from 'vitest';
import { cat, hex, random, unhex, utf8 } from '../src/crypto/bytes';
import { gcm } from '../src/crypto/gcm';
import { expand, extract, hkdf, hmac } from '../src/crypto/hkdf';
import { sha256, sha512 } from '../src/crypto/sha2';
import { publicKey, sharedPoint } from '../src/crypto/x25519';

const below = (n: number): number => Math.floor(Math.random() * n);
const repeat = (byte: number, n: number): Uint8Array => new Uint8Array(n).fill(byte);
const same = (a: Uint8Array, b: Uint8Array, what: unknown): void => {
  if (hex(a) !== hex(b)) expect(hex(a), String(what)).toBe(hex(b));
};
const subtle = async (name: string, m: Uint8Array): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.digest(name, m as Uint8Array<ArrayBuffer>));

describe('SHA-2', () => {
  it('the examples of FIPS 180-4', () => {
    const two = utf8('abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq');
    expect(hex(sha256(utf8('')))).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(hex(sha256(utf8('abc')))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    expect(hex(sha256(two))).toBe('248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1');
    expect(hex(sha256(repeat(0x61, 1_000_000)))).toBe(
      'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0',
    );
    expect(hex(sha512(utf8('abc')))).toBe(
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    );
    expect(hex(sha512(repeat(0x61, 1_000_000)))).toBe(
      'e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973ebde0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b',
    );
  });

  it('every length around the block borders, and 2,000 random messages', () => {
    for (let n = 0; n < 300; n++) {
      const m = random(n);
      same(sha256(m), noble256(m), n);
      same(sha512(m), noble512(m), n);
    }
    for (let i = 0; i < 2000; i++) {
      const m = random(below(600));
      same(sha256(m), noble256(m), hex(m));
      same(sha512(m), noble512(m), hex(m));
    }
  });

  it('words of all ones and all zeros, where carries run', async () => {
    for (const byte of [0, 0xff, 0x80, 0x7f]) {
      for (const n of [1, 55, 56, 64, 111, 112, 128, 4096]) {
        const m = repeat(byte, n);
        same(sha256(m), await subtle('SHA-256', m), [byte, n]);
        same(sha512(m), await subtle('SHA-512', m), [byte, n]);
      }
    }
  });

  it('reads a part of a longer buffer, and leaves it as it is', () => {
    const whole = random(500);
    const copy = whole.slice();
    same(sha256(whole.subarray(7, 333)), noble256(copy.slice(7, 333)), 'sha256');
    same(sha512(whole.subarray(7, 333)), noble512(copy.slice(7, 333)), 'sha512');
    same(whole, copy, 'the message');
  });
});

describe('HMAC and HKDF', () => {
  it('RFC 4231: short key, long key', () => {
    expect(hex(hmac(repeat(0x0b, 20), utf8('Hi There')))).toBe(
      'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
    );
    expect(hex(hmac(utf8('Jefe'), utf8('what do ya want for nothing?')))).toBe(
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    );
    expect(hex(hmac(repeat(0xaa, 131), utf8('Test Using Larger Than Block-Size Key - Hash Key First')))).toBe(
      '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
    );
  });

  it('RFC 5869, A.1 to A.3', () => {
    const okm = hkdf(repeat(0x0b, 22), unhex('000102030405060708090a0b0c'), unhex('f0f1f2f3f4f5f6f7f8f9'), 42);
    expect(hex(okm)).toBe('3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865');
    const range = (from: number, to: number): Uint8Array => Uint8Array.from({ length: to - from }, (_, i) => from + i);
    expect(hex(hkdf(range(0, 0x50), range(0x60, 0xb0), range(0xb0, 0x100), 82))).toBe(
      'b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87',
    );
    expect(hex(hkdf(repeat(0x0b, 22), utf8(''), utf8(''), 42))).toBe(
      '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
    );
  });

  it('2,000 random ones', () => {
    for (let i = 0; i < 2000; i++) {
      const [secret, salt, info, n] = [random(below(100)), random(below(100)), random(below(100)), 1 + below(150)];
      same(hmac(salt, secret), nobleHmac(noble256, salt, secret), [salt.length, secret.length]);
      same(hkdf(secret, salt, info, n), nobleHkdf(noble256, secret, salt, info, n), n);
      same(expand(extract(salt, secret), info, n), hkdf(secret, salt, info, n), n);
    }
  });
});

describe('AES-256-GCM', () => {
  /** Cases 13 to 16 of the GCM specification: empty, one block, four blocks, with more data and a broken block. */
  const KEY = unhex('feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308');
  const IV = unhex('cafebabefacedbaddecaf888');
  const PLAIN = unhex(
    'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255',
  );
  const AAD = unhex('feedfacedeadbeeffeedfacedeadbeefabaddad2');
  const CT =
    '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad';
  const NONE = new Uint8Array(0);
  const ZERO = new Uint8Array(32);

  it('the cases of the specification', () => {
    expect(hex(gcm('encrypt', ZERO, ZERO.subarray(0, 12), NONE, NONE))).toBe('530f8afbc74536b9a963b4f1c4cb738b');
    expect(hex(gcm('encrypt', ZERO, ZERO.subarray(0, 12), NONE, new Uint8Array(16)))).toBe(
      'cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919',
    );
    expect(hex(gcm('encrypt', KEY, IV, NONE, PLAIN))).toBe(`${CT}b094dac5d93471bdec1a502270e3cc6c`);
    const broken = PLAIN.subarray(0, 60);
    expect(hex(gcm('encrypt', KEY, IV, AAD, broken))).toBe(`${CT.slice(0, 120)}76fc6ece0f4e1768cddf8853bb2d551b`);
    expect(hex(gcm('decrypt', KEY, IV, AAD, unhex(`${CT.slice(0, 120)}76fc6ece0f4e1768cddf8853bb2d551b`)))).toBe(
      hex(broken),
    );
  });

  it('every length up to five blocks, and 2,000 random messages', () => {
    const check = (n: number, m: number): void => {
      const [key, iv, aad, data] = [random(32), random(12), random(m), random(n)];
      const ct = gcm('encrypt', key, iv, aad, data);
      same(ct, nobleGcm(key, iv, aad).encrypt(data), [n, m]);
      same(gcm('decrypt', key, iv, aad, ct), data, [n, m]);
    };
    for (let n = 0; n <= 80; n++) check(n, below(80));
    for (let i = 0; i < 2000; i++) check(below(300), below(150));
    check(65_536, 3);
  });

  it('counts over 256 and 65,536 blocks', async () => {
    const data = Uint8Array.from({ length: 16 * 66_000 }, (_, i) => i >> 4);
    const params = { name: 'AES-GCM', iv: IV as Uint8Array<ArrayBuffer> };
    const key = await crypto.subtle.importKey('raw', KEY as Uint8Array<ArrayBuffer>, 'AES-GCM', false, ['encrypt']);
    same(
      gcm('encrypt', KEY, IV, NONE, data),
      new Uint8Array(await crypto.subtle.encrypt(params, key, data as Uint8Array<ArrayBuffer>)),
      'long',
    );
  });

  it('opens nothing that was changed, cut or extended', () => {
    const ct = gcm('encrypt', KEY, IV, AAD, PLAIN);
    for (let bit = 0; bit < 8 * ct.length; bit++) {
      const bad = ct.slice();
      bad[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => gcm('decrypt', KEY, IV, AAD, bad), String(bit)).toThrow();
    }
    for (let n = 0; n < ct.length; n++)
      expect(() => gcm('decrypt', KEY, IV, AAD, ct.subarray(0, n)), String(n)).toThrow();
    const others: Parameters<typeof gcm>[] = [
      ['decrypt', KEY, IV, AAD, cat(ct, new Uint8Array(1))],
      ['decrypt', KEY, IV, AAD.subarray(1), ct],
      ['decrypt', KEY, IV, cat(AAD, new Uint8Array(1)), ct],
      ['decrypt', KEY, ZERO.subarray(0, 12), AAD, ct],
      ['decrypt', ZERO, IV, AAD, ct],
      // what precedes it is neither data nor ciphertext: the lengths are under the tag
      ['decrypt', KEY, IV, cat(AAD, new Uint8Array(12), ct.subarray(0, 16)), ct.subarray(16)],
    ];
    for (const other of others) expect(() => gcm(...other)).toThrow();
  });

  it('refuses other sizes of key and nonce', () => {
    for (const n of [0, 16, 24, 31, 33]) expect(() => gcm('encrypt', random(n), IV, AAD, PLAIN)).toThrow(RangeError);
    for (const n of [0, 8, 11, 13, 16]) expect(() => gcm('encrypt', KEY, random(n), AAD, PLAIN)).toThrow(RangeError);
  });
});

describe('X25519', () => {
  const NINE = unhex(`09${'00'.repeat(31)}`);

  it('RFC 7748 §5.2, both vectors', () => {
    const k = unhex('a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4');
    const u = unhex('e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c');
    expect(hex(sharedPoint(k, u))).toBe('c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552');
    const l = unhex('4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d');
    const v = unhex('e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493');
    expect(hex(sharedPoint(l, v))).toBe('95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957');
  });

  it('RFC 7748 §5.2, a thousand times', () => {
    let [k, u]: [Uint8Array, Uint8Array] = [NINE, NINE];
    for (let i = 0; i < 1000; i++) {
      [k, u] = [sharedPoint(k, u), k];
      if (i === 0) expect(hex(k)).toBe('422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079');
    }
    expect(hex(k)).toBe('684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51');
  });

  it('RFC 7748 §6.1', () => {
    const b = unhex('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb');
    expect(hex(publicKey(b))).toBe('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f');
    const alice = unhex('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a');
    expect(hex(sharedPoint(b, alice))).toBe('4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742');
  });

  it('1,000 random pairs, and scalars of all ones and zeros', () => {
    const odd = [repeat(0, 32), repeat(0xff, 32), repeat(0x80, 32), repeat(0x7f, 32)];
    for (let i = 0; i < 1000; i++) {
      const [k, u] = [odd[i] ?? random(32), random(32)];
      same(sharedPoint(k, u), nobleX.getSharedSecret(k, u), hex(u));
      if (i < 100) same(publicKey(k), nobleX.getPublicKey(k), hex(k));
    }
  });

  it('refuses other lengths', () => {
    for (const n of [0, 31, 33, 64]) {
      expect(() => sharedPoint(random(32), random(n))).toThrow(RangeError);
      expect(() => publicKey(random(n))).toThrow(RangeError);
    }
  });
});
