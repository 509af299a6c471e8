// Builds a page of preview/ as the product is built and serves it on a free port of this machine: for the browser tests and the bench.
import { createServer } from 'node:http';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { build } from 'vite';

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };

export const serveFlood = () => servePreview('flood');

/** Resolves to its address and its end. `policy`: its content security policy. */
export async function servePreview(name, policy) {
  const root = new URL('../preview', import.meta.url).pathname;
  const dir = mkdtempSync(join(tmpdir(), 'kefu-flood-'));
  await build({
    root,
    configFile: false,
    logLevel: 'error',
    publicDir: false,
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      outDir: dir,
      emptyOutDir: true,
      target: 'es2022',
      reportCompressedSize: false,
      rolldownOptions: { input: join(root, `${name}.html`) },
    },
  });
  const server = createServer((req, res) => {
    const path = normalize(new URL(req.url, 'http://localhost').pathname);
    if (policy) res.setHeader('content-security-policy', policy);
    try {
      const bytes = readFileSync(join(dir, path));
      res.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' }).end(bytes);
    } catch {
      res.writeHead(404).end();
    }
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${server.address().port}/${name}.html`,
    close: () => {
      server.close();
      server.closeAllConnections();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
