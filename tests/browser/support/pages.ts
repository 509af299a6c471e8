/** The server of the hard pages: an origin of its own, the scripts that they load, and the snippet pasted as each of them does. */
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { PAGES, type HostPage, type Snippet } from '../pages';
import type { Kefu } from './kefu';

const HERE = join(import.meta.dirname, '..');
const LIBRARIES: Record<string, string> = {
  'turbo.js': 'node_modules/@hotwired/turbo/dist/turbo.es2017-umd.js',
  'htmx.js': 'node_modules/htmx.org/dist/htmx.js',
};
const NONCE = 'c2VjcmV0';

export class HostPages {
  private snippet: Snippet = { tag: '', single: '', src: '', site: '', org: '' };
  private kefu = '';

  private constructor(
    private readonly server: Server,
    readonly origin: string,
  ) {}

  static async open(): Promise<HostPages> {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const address = server.address();
    if (!address || typeof address === 'string') throw new Error('the pages have no port');
    const pages = new HostPages(server, `http://127.0.0.1:${address.port}`);
    server.on('request', (request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '/', pages.origin);
      const [, kind, name = ''] = pathname.split('/');
      const file = kind === 'lib' ? LIBRARIES[name] : kind === 'pages' ? `pages/${name}` : undefined;
      if (file) return void response.setHeader('content-type', 'text/javascript').end(readFileSync(join(HERE, file)));
      const page = kind === 'page' ? PAGES[Number(name)] : undefined;
      if (!page) return void response.writeHead(404).end();
      response.setHeader('content-type', 'text/html; charset=utf-8');
      if (page.frame && !searchParams.has('framed'))
        return void response.end(
          `<!doctype html><iframe ${page.frame} src="?framed" style="position: fixed; inset: 0; width: 100%; height: 100%; border: 0"></iframe>`,
        );
      if (page.csp) response.setHeader('content-security-policy', pages.filled(page.csp));
      response.end(pages.filled(pages.html(page)));
    });
    return pages;
  }

  async paste(kefu: Kefu, site = 'web'): Promise<void> {
    const [tag, single] = [await kefu.snippet(site), await kefu.snippet(site, '--single')];
    this.kefu = kefu.origin;
    this.snippet = { tag, single, src: /src="([^"]*)"/.exec(tag)![1]!, site, org: kefu.org };
  }

  url(page: HostPage): string {
    return `${this.origin}/page/${PAGES.indexOf(page)}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }

  private filled(text: string): string {
    return text
      .replaceAll('NONCE', NONCE)
      .replaceAll('KEFU', this.kefu)
      .replaceAll('WS', this.kefu.replace('http', 'ws'));
  }

  private html(page: HostPage): string {
    const snippet = page.place === 'nowhere' ? '' : (page.paste ?? (({ tag }) => tag))(this.snippet);
    const [head, body] = page.place === 'head' ? [snippet, ''] : ['', snippet];
    const probe = '<script nonce="NONCE" src="/pages/probe.js"></script>';
    return `${page.quirks ? '' : '<!doctype html>'}<html lang="en" ${page.html ?? ''}><head><meta charset="utf-8"><title>Shop</title>${probe}${page.head ?? ''}${head}</head>
<body ${page.body ?? ''}>${page.before ?? ''}<main><h1>Shop</h1><a href="?2">next</a></main>${body}${page.after ?? ''}</body></html>`;
  }
}
