/** A push service for tests, and a browser's keys, with the cryptography of Node. */
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { webcrypto } from 'node:crypto';

const { subtle } = webcrypto;
const utf8 = (text: string) => new TextEncoder().encode(text);
const b64u = (bytes: ArrayBuffer | Uint8Array) => Buffer.from(bytes as Uint8Array).toString('base64url');

export interface Pushed {
  path: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export class PushServer {
  readonly pushed: Pushed[] = [];

  private constructor(
    private readonly server: Server,
    readonly origin: string,
    private readonly keys: webcrypto.CryptoKeyPair,
    private readonly publicKey: Uint8Array,
    private readonly auth: Uint8Array,
  ) {}

  static async open(): Promise<PushServer> {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const address = server.address();
    if (!address || typeof address === 'string') throw new Error('the push service has no port');
    const keys = await subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, true, ['deriveBits']);
    const publicKey = new Uint8Array(await subtle.exportKey('raw', keys.publicKey));
    const auth = webcrypto.getRandomValues(new Uint8Array(16));
    const one = new PushServer(server, `http://127.0.0.1:${address.port}`, keys, publicKey, auth);
    server.on('request', (from, to) => {
      const chunks: Buffer[] = [];
      from.on('data', (chunk: Buffer) => chunks.push(chunk));
      from.on('end', () => {
        one.pushed.push({ path: from.url ?? '', headers: from.headers, body: Buffer.concat(chunks) });
        to.writeHead(201).end();
      });
    });
    return one;
  }

  /** What a browser says of its subscription. */
  subscription(path: string): { endpoint: string; keys: { p256dh: string; auth: string } } {
    return { endpoint: `${this.origin}${path}`, keys: { p256dh: b64u(this.publicKey), auth: b64u(this.auth) } };
  }

  /** The text of a message, as a browser decrypts it (RFC 8291). */
  async text({ body }: Pushed): Promise<string> {
    const [salt, sender, sealed] = [body.subarray(0, 16), body.subarray(21, 86), body.subarray(86)];
    const theirs = await subtle.importKey('raw', sender, { name: 'ECDH', namedCurve: 'P-256' }, false, []);
    const secret = await subtle.deriveBits({ name: 'ECDH', public: theirs }, this.keys.privateKey, 256);
    const hkdf = async (input: ArrayBuffer, from: Uint8Array, info: Uint8Array, bits: number) => {
      const key = await subtle.importKey('raw', input, 'HKDF', false, ['deriveBits']);
      return subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt: from, info }, key, bits);
    };
    const info = Buffer.concat([utf8('WebPush: info\0'), this.publicKey, sender]);
    const input = await hkdf(secret, this.auth, info, 256);
    const raw = await hkdf(input, salt, utf8('Content-Encoding: aes128gcm\0'), 128);
    const iv = await hkdf(input, salt, utf8('Content-Encoding: nonce\0'), 96);
    const key = await subtle.importKey('raw', raw, 'AES-GCM', false, ['decrypt']);
    const plain = Buffer.from(await subtle.decrypt({ name: 'AES-GCM', iv }, key, sealed));
    if (plain.at(-1) !== 2) throw new Error('no end of the record');
    return plain.subarray(0, -1).toString();
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }
}
