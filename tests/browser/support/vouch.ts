/** The backend of a shop: a key that the company certified, and tokens about its customers. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';

interface About {
  ed_kid: string;
  x_kid: string;
  aud: string;
}

export class ShopBackend {
  private readonly pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });

  /** The file that `kefu site identity --key` takes. */
  file(dir: string): string {
    const path = join(dir, 'backend.pem');
    writeFileSync(path, this.pair.publicKey.export({ type: 'spki', format: 'pem' }));
    return path;
  }

  token(about: About, sub: string, name: string): string {
    const iat = Math.floor(Date.now() / 1_000);
    const b64u = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
    const signed = `${b64u({ alg: 'ES256', typ: 'JWT' })}.${b64u({ ...about, sub, name, iat, exp: iat + 300 })}`;
    const key = { key: this.pair.privateKey, dsaEncoding: 'ieee-p1363' } as const;
    return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`;
  }

  /** This page's customer is signed in, on every page that it loads. */
  async signIn(page: Page, sub: string, name: string): Promise<void> {
    await page.exposeFunction('vouch', (about: About) => this.token(about, sub, name));
    await page.addInitScript(() => {
      document.addEventListener('DOMContentLoaded', () =>
        setTimeout(() => {
          const { kefu, vouch } = window as unknown as { kefu: { setUser(f: unknown): void }; vouch: unknown };
          kefu.setUser(vouch);
        }),
      );
    });
  }
}
