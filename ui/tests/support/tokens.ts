/**
 * The backend of a site that vouches for its customers: it has a key and makes tokens, good and bad ones. At once, as Node can: under false
 * time a page would lose its patience before a thread has signed.
 */
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { b64u, cat, sized, utf8 } from '../../src/crypto/bytes';
import type { AboutVisitor } from '../../src/model';
import { NOW } from './company';

type Alg = 'ES256' | 'EdDSA';

export class SiteBackend {
  readonly pk: Uint8Array;
  private readonly key: KeyObject;

  constructor(readonly alg: Alg) {
    const { publicKey, privateKey } =
      alg === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519');
    const { x, y } = publicKey.export({ format: 'jwk' });
    this.key = privateKey;
    this.pk = alg === 'ES256' ? cat(new Uint8Array([4]), sized(x, 32), sized(y, 32)) : sized(x, 32);
  }

  /** As it is certified in the directory. */
  get certified(): { alg: Alg; pk: string } {
    return { alg: this.alg, pk: b64u(this.pk) };
  }

  token(claims: Record<string, unknown>, head: Record<string, unknown> = { alg: this.alg }): string {
    const signed = [head, claims].map((part) => b64u(utf8(JSON.stringify(part)))).join('.');
    const { key } = this;
    const sig =
      this.alg === 'ES256'
        ? sign('sha256', utf8(signed), { key, dsaEncoding: 'ieee-p1363' })
        : sign(null, utf8(signed), key);
    return `${signed}.${b64u(new Uint8Array(sig))}`;
  }

  /** Of a customer who is signed in. `now`: ms. */
  vouch(about: AboutVisitor, sub: string, name?: string, now = NOW): string {
    const iat = Math.floor(now / 1_000);
    return this.token({ ...about, sub, name, iat, exp: iat + 300 });
  }
}
