/** What we compute ourselves or with small libraries, against other people's larger ones and against the RFCs. */
import { ed25519, x25519 as curvesX } from '@noble/curves/ed25519.js';
import * as noble from '@panva/hpke-noble';
import * as webcrypto from 'hpke';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Backend } from '../src/crypto/backend';
import { cat, equal, hex, random, unhex, utf8 } from '../src/crypto/bytes';
import { isGoodKey, publicKeyOf, signWith, verifyStrict } from '../src/crypto/ed25519';
import { labelled } from '../src/crypto/hash';
import { sharedSecret } from '../src/crypto/hpke';
import { publicKey, sharedPoint } from '../src/crypto/x25519';
import { backends } from './support/backends';

const P = 2n ** 255n - 19n;
const L = ed25519.Point.Fn.ORDER;
const le = (n: bigint): Uint8Array => unhex(n.toString(16).padStart(64, '0')).reverse();
const number = (b: Uint8Array): bigint => BigInt(`0x${hex(Uint8Array.from(b).reverse())}`);
const flip = (b: Uint8Array, bit: number): Uint8Array => b.map((x, i) => (i === bit >> 3 ? x ^ (1 << (bit & 7)) : x));
const highBit = (b: Uint8Array): Uint8Array => flip(b, 255);

const suiteOf = (m: typeof noble | typeof webcrypto) =>
  new webcrypto.CipherSuite(m.KEM_DHKEM_X25519_HKDF_SHA256, webcrypto.KDF_HKDF_SHA256, m.AEAD_AES_256_GCM);
const suites = [
  ['WebCrypto', suiteOf(webcrypto)],
  ['noble', suiteOf(noble)],
] as const;

/** Points of small order in X25519, in every spelling: RFC 7748's 0 and 1, order 8, p − 1, and what they are plus p. */
const LOW_U = [
  0n,
  1n,
  325606250916557431795983626356110631294008115727848805560023387167927233504n,
  39382357235489614581723060781553021112529911719440698176882885853963445705823n,
  P - 1n,
  P,
  P + 1n,
].flatMap((u) => [le(u), highBit(le(u))]);

describe('HPKE', () => {
  it('the KEM of RFC 9180 A.1.1', () => {
    const enc = unhex('37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431');
    const pk = unhex('3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d');
    const sk = unhex('4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8');
    expect(hex(publicKey(sk))).toBe(hex(pk));
    const shared = sharedSecret(sharedPoint(sk, enc), enc, pk);
    expect(hex(shared)).toBe('fe0e18c9f024ce43799ae393c7e8fe8fce9d218875e8227b0187c04e7d2ea1fc');
  });

  describe.each(backends)('on the %s back end', (_, make) => {
    let b: Backend;
    beforeAll(async () => {
      b = await make();
    });

    it.each(suites)('opens what another library (%s) sealed, and the other way round', async (_name, suite) => {
      for (const n of [0, 1, 16, 32, 33, 5000]) {
        const [info, aad, plaintext, secret] = [random(n % 50), random(n % 90), random(n), random(32)];
        const mine = await b.boxKey(secret);
        const pk = await suite.DeserializePublicKey(mine.pk);
        const theirs = await suite.Seal(pk, plaintext, { info, aad });
        expect(hex(await mine.open({ enc: theirs.encapsulatedSecret, ct: theirs.ciphertext }, info, aad))).toBe(
          hex(plaintext),
        );

        const ours = await b.seal(mine.pk, info, aad, plaintext);
        const pair = await suite.DeriveKeyPair(random(32), true);
        const sealed = await b.seal(await suite.SerializePublicKey(pair.publicKey), info, aad, plaintext);
        expect(hex(await suite.Open(pair, sealed.enc, sealed.ct, { info, aad }))).toBe(hex(plaintext));
        expect(ours.enc).not.toEqual(sealed.enc);
        expect(hex(await mine.open(ours, info, aad))).toBe(hex(plaintext));
      }
    });

    it('opens nothing that was changed', async () => {
      const [info, aad, plaintext] = [utf8('info'), utf8('aad'), random(40)];
      const own = await b.newBoxKey();
      const s = await b.seal(own.pk, info, aad, plaintext);
      const other = await b.newBoxKey();
      const bad = [
        () => own.open(s, utf8('inf'), aad),
        () => own.open(s, info, utf8('aae')),
        () => own.open({ enc: s.enc, ct: flip(s.ct, 3) }, info, aad),
        () => own.open({ enc: s.enc, ct: flip(s.ct, 8 * s.ct.length - 1) }, info, aad),
        () => own.open({ enc: flip(s.enc, 9), ct: s.ct }, info, aad),
        // the same point, spelt differently: the key schedule binds the bytes
        () => own.open({ enc: highBit(s.enc), ct: s.ct }, info, aad),
        () => own.open({ enc: s.enc, ct: s.ct.subarray(0, 15) }, info, aad),
        () => own.open({ enc: s.enc.subarray(1), ct: s.ct }, info, aad),
        () => own.open({ enc: new Uint8Array(0), ct: s.ct }, info, aad),
        () => other.open(s, info, aad),
      ];
      for (const open of bad) await expect(open()).rejects.toThrow('box');
    });

    it('refuses keys of small order, as recipient and as sender', async () => {
      const own = await b.newBoxKey();
      for (const u of LOW_U) {
        await expect(b.seal(u, utf8(''), utf8(''), random(4)), hex(u)).rejects.toThrow();
        await expect(own.open({ enc: u, ct: random(20) }, utf8(''), utf8('')), hex(u)).rejects.toThrow('box');
      }
    });
  });

  it('a shared point of zero is refused, whatever the back end lets through', () => {
    expect(() => sharedSecret(new Uint8Array(32), random(32), random(32))).toThrow();
    expect(() => sharedSecret(random(32), random(31), random(32))).toThrow();
  });
});

describe('X25519', () => {
  it('RFC 7748 §5.2', () => {
    const k = unhex('a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4');
    const u = unhex('e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c');
    expect(hex(sharedPoint(k, u))).toBe('c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552');
  });

  it('gives what @noble/curves gives', () => {
    for (let i = 0; i < 20; i++) {
      const [k, u] = [random(32), random(32)];
      expect(hex(publicKey(k))).toBe(hex(curvesX.getPublicKey(k)));
      expect(hex(sharedPoint(k, u))).toBe(hex(curvesX.getSharedSecret(k, u)));
      expect(hex(sharedPoint(k, highBit(u)))).toBe(hex(sharedPoint(k, u)));
    }
    for (const u of [2n, 9n, P + 2n, P + 9n, P - 2n, 2n ** 255n - 1n].map(le)) {
      const k = random(32);
      expect(hex(sharedPoint(k, u))).toBe(hex(curvesX.getSharedSecret(k, u)));
    }
    for (const u of LOW_U) expect(() => sharedPoint(random(32), u), hex(u)).toThrow();
  });
});

/** The rule with the large library, as it was before the small one. */
function curvesGoodKey(pk: Uint8Array): boolean {
  try {
    const point = ed25519.Point.fromBytes(pk);
    return !point.isSmallOrder() && equal(point.toBytes(), pk);
  } catch {
    return false;
  }
}
function curvesVerify(pk: Uint8Array, m: Uint8Array, sig: Uint8Array): boolean {
  if (!curvesGoodKey(pk)) return false;
  try {
    return ed25519.verify(sig, m, pk, { zip215: false });
  } catch {
    return false;
  }
}

/** The eight points of small order. */
const torsion = (): (typeof ed25519.Point.BASE)[] => {
  const eighth = ed25519.Point.fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a');
  const all = [ed25519.Point.ZERO];
  for (let i = 1; i < 8; i++) all.push(all[i - 1]!.add(eighth));
  return all;
};

describe('Ed25519', () => {
  it('keys and signatures are what @noble/curves gives', () => {
    for (let i = 0; i < 10; i++) {
      const [seed, m] = [random(32), random(i * 37)];
      const pk = publicKeyOf(seed);
      expect(hex(pk)).toBe(hex(ed25519.getPublicKey(seed)));
      const sig = signWith(seed, m);
      expect(hex(sig)).toBe(hex(ed25519.sign(m, seed)));
      expect(verifyStrict(pk, m, sig)).toBe(true);
    }
  });

  it('refuses the same keys: small order, other spellings, no points', () => {
    const points = torsion();
    expect(new Set(points.map((p) => p.toHex())).size).toBe(8);
    const small = points.flatMap((p) => [p.toBytes(), highBit(p.toBytes())]);
    // y and y + p are one point; only 0 … 18 allow the second encoding
    const spelt = Array.from({ length: 19 }, (_, y) => [le(P + BigInt(y)), highBit(le(P + BigInt(y)))]).flat();
    for (const pk of [...small, ...spelt]) expect(isGoodKey(pk), hex(pk)).toBe(false);
    let good = 0;
    for (const pk of [
      ...small,
      ...spelt,
      ...Array.from({ length: 60 }, () => random(32)),
      le(2n),
      le(3n),
      le(4n),
      le(P - 2n),
    ]) {
      expect(isGoodKey(pk), hex(pk)).toBe(curvesGoodKey(pk));
      if (curvesGoodKey(pk)) good++;
    }
    expect(good).toBeGreaterThan(10);
    for (const n of [0, 31, 33]) expect(isGoodKey(random(n))).toBe(false);
  });

  it('judges signatures alike', () => {
    const seed = random(32);
    const pk = publicKeyOf(seed);
    const m = utf8('message');
    const sig = signWith(seed, m);
    const [R, S] = [sig.subarray(0, 32), number(sig.subarray(32))];
    const refused = [
      cat(R, le(S + L)), // S that is not reduced: malleable
      cat(R, le(S + 2n * L)),
      cat(R, le(2n ** 256n - 1n)),
      cat(highBit(R), le(S)),
      cat(le(P + 1n), le(S)), // R spelt differently
      ...torsion().map((t) => cat(t.toBytes(), le(0n))),
      ...[0, 100, 255, 256, 300, 504].map((bit) => flip(sig, bit)),
      sig.subarray(0, 63),
      cat(sig, new Uint8Array(1)),
    ];
    for (const bad of refused) {
      expect(verifyStrict(pk, m, bad), hex(bad)).toBe(false);
      expect(curvesVerify(pk, m, bad), hex(bad)).toBe(false);
    }
    expect(verifyStrict(pk, utf8('massage'), sig)).toBe(false);
    expect(verifyStrict(publicKeyOf(random(32)), m, sig)).toBe(false);
    for (const t of torsion()) {
      const small = t.toBytes();
      // with a key of small order anyone can "sign": R = −kA, S = 0 for some message
      for (let i = 0; i < 8; i++) expect(verifyStrict(small, new Uint8Array([i]), cat(small, le(0n)))).toBe(false);
    }
  });

  it('judges keys and R with a part of small order alike', () => {
    const seed = random(32);
    const point = ed25519.Point.fromBytes(publicKeyOf(seed));
    for (const t of torsion()) {
      const mixed = point.add(t).toBytes();
      expect(isGoodKey(mixed)).toBe(curvesGoodKey(mixed));
      for (let i = 0; i < 4; i++) {
        const m = utf8(`message ${i}`);
        const sig = signWith(seed, m);
        const shifted = cat(ed25519.Point.fromBytes(sig.slice(0, 32)).add(t).toBytes(), sig.subarray(32));
        expect(verifyStrict(mixed, m, sig)).toBe(curvesVerify(mixed, m, sig));
        expect(verifyStrict(mixed, m, shifted)).toBe(curvesVerify(mixed, m, shifted));
        expect(verifyStrict(point.toBytes(), m, shifted)).toBe(curvesVerify(point.toBytes(), m, shifted));
      }
    }
  });

  it.each(backends)('the %s back end is as strict', async (_, make) => {
    const b = await make();
    const signer = await b.newSigningKey();
    const m = utf8('message');
    const sig = await signer.sign('pop', m);
    expect(curvesVerify(signer.pk, labelled('pop', m), sig)).toBe(true);
    expect(await b.verify('pop', signer.pk, m, sig)).toBe(true);
    const S = number(sig.subarray(32));
    for (const bad of [
      cat(sig.subarray(0, 32), le(S + L)),
      cat(highBit(sig.subarray(0, 32)), le(S)),
      flip(sig, 260),
      sig.subarray(1),
    ]) {
      expect(await b.verify('pop', signer.pk, m, bad)).toBe(false);
    }
    for (const t of torsion()) expect(await b.verify('pop', t.toBytes(), m, cat(t.toBytes(), le(0n)))).toBe(false);
  });
});
