/** The customer's page: an origin of its own, as strict a content security policy as a bank would write. */
import { createServer, type Server } from 'node:http';
import type { Kefu } from './kefu';

/** What the page allows kefu, and nothing else. */
export function strictPolicy(kefu: string): string {
  const ws = kefu.replace(/^http/, 'ws');
  return [
    `default-src 'none'`,
    `script-src ${kefu}`,
    `connect-src ${kefu} ${ws}`,
    `style-src 'none'`,
    `worker-src blob:`,
    `base-uri 'none'`,
    `form-action 'none'`,
    `require-trusted-types-for 'script'`,
    // the launcher's
    `trusted-types kefu`,
  ].join('; ');
}

const escape = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

export class Shop {
  /** The script tag in the page; tests change it to play a page that was pasted wrongly. */
  snippet = '';
  policy = '';
  title = '小店 Shop';
  /** Markup between the title and the snippet, and its style sheet; for pictures. */
  body = '';
  style = '';
  private constructor(
    private readonly server: Server,
    readonly port: number,
    readonly host: string,
  ) {}

  static async open(host = '127.0.0.1'): Promise<Shop> {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const address = server.address();
    if (!address || typeof address === 'string') throw new Error('the shop has no port');
    const shop = new Shop(server, address.port, host);
    server.on('request', (request, response) => {
      if (request.url === '/favicon.ico') return void response.writeHead(204).end();
      if (request.url === '/style.css') return void response.setHeader('content-type', 'text/css').end(shop.style);
      response.setHeader('content-type', 'text/html; charset=utf-8');
      if (shop.policy)
        response.setHeader(
          'content-security-policy',
          shop.style ? shop.policy.replace(`style-src 'none'`, `style-src 'self'`) : shop.policy,
        );
      response.end(shop.page());
    });
    return shop;
  }

  get origin(): string {
    return `http://${this.host}:${this.port}`;
  }

  /** Pastes the pinned snippet of a site. */
  async paste(kefu: Kefu, site = 'web', ...options: string[]): Promise<void> {
    this.snippet = await kefu.snippet(site, ...options);
    this.policy = strictPolicy(kefu.origin);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }

  private page(): string {
    const style = this.style && '<link rel="stylesheet" href="/style.css">';
    const head = `<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escape(this.title)}</title>${style}`;
    const body = this.body || `<main><h1>${escape(this.title)}</h1></main>`;
    return `<!doctype html><html lang="zh-CN"><head>${head}</head><body>${body}${this.snippet}</body></html>`;
  }
}
