// Builds everything the server embeds into dist/, with compressed siblings and a manifest of names, hashes and sizes.
// The same sources give the same bytes: customers pin the widget by its hash.
import { createHash } from 'node:crypto';
import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { build } from 'vite';
import { installable } from './shell.mjs';

const root = new URL('..', import.meta.url).pathname;
const dist = join(root, 'dist');
const MIN_COMPRESSED = 1024;
/** 2^16 bytes in a block: the widget's text, style and code differ, and small blocks suit each. */
const LGBLOCK = 16;
// of these the executable embeds the compressed siblings only
const ALWAYS_COMPRESSED = /\.(html|js|css)$/;

const before = existsSync(dist) ? { digest: digest(), time: statSync(dist).mtime } : null;
rmSync(dist, { recursive: true, force: true });
await build({ root, configFile: join(root, 'vite.widget.ts'), logLevel: 'warn' });
await page('console');
await installable(root, join(dist, 'console'));
if (existsSync(join(root, 'demo.html'))) await page('demo');

/** One page of its own folder: `<name>.html` becomes `dist/<name>/index.html`. */
async function page(name) {
  const outDir = join(dist, name);
  await build({
    root,
    configFile: join(root, 'vite.console.ts'),
    logLevel: 'warn',
    build: { outDir, rolldownOptions: { input: join(root, `${name}.html`) } },
  });
  renameSync(join(outDir, `${name}.html`), join(outDir, 'index.html'));
}

const files = list(dist);
/** The smallest of three ways to write distances: which one suits a file cannot be known in advance. */
const brotli = (bytes) =>
  [0, 1, 2]
    .map((postfix) =>
      brotliCompressSync(bytes, {
        params: {
          [constants.BROTLI_PARAM_QUALITY]: 11,
          [constants.BROTLI_PARAM_LGBLOCK]: LGBLOCK,
          [constants.BROTLI_PARAM_NPOSTFIX]: postfix,
          [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
        },
      }),
    )
    .reduce((best, next) => (next.length < best.length ? next : best));
const sizes = {};
for (const file of files) {
  const bytes = readFileSync(file);
  const small = brotli(bytes);
  sizes[relative(dist, file)] = { bytes: bytes.length, brotli: small.length };
  if (bytes.length < MIN_COMPRESSED && !ALWAYS_COMPRESSED.test(file)) continue;
  writeFileSync(`${file}.br`, small);
  writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
}

const stray = files.filter((f) => relative(dist, f).startsWith('w/') && !f.endsWith('/kefu.js'));
if (stray.length)
  throw new Error(`the widget must be one file, but there is also ${stray.map((f) => relative(dist, f)).join(', ')}`);
const widget = readFileSync(join(dist, 'w/kefu.js'));
if (/\bimport\s*\(/.test(widget.toString()))
  throw new Error('the widget contains a dynamic import, which integrity does not cover');

if (/\bstatic\s*\{/.test(widget.toString()))
  throw new Error('the widget contains a static block, which Safari before 16.4 does not know');

const version = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version;
const manifest = {
  version,
  widget: {
    file: 'w/kefu.js',
    sri: `sha384-${createHash('sha384').update(widget).digest('base64')}`,
    ...sizes['w/kefu.js'],
  },
  console: { ...firstLoad('console'), files: inFolder('console') },
  ...(existsSync(join(dist, 'demo')) && { demo: { ...firstLoad('demo'), files: inFolder('demo') } }),
};
writeFileSync(join(dist, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
// unchanged pages keep their modification time, or cargo would build the server again
if (digest() === before?.digest)
  for (const path of [...list(dist), ...folders(dist)]) utimesSync(path, before.time, before.time);
console.log(`widget ${manifest.widget.brotli} B brotli, console ${manifest.console.brotli} B brotli on first load`);

function list(dir) {
  return readdirSync(dir, { withFileTypes: true })
    .flatMap((e) => (e.isDirectory() ? list(join(dir, e.name)) : [join(dir, e.name)]))
    .sort();
}

function folders(dir) {
  const below = readdirSync(dir, { withFileTypes: true }).filter((e) => e.isDirectory());
  return [dir, ...below.flatMap((e) => folders(join(dir, e.name)))];
}

/** Of the names and contents of all that is in dist/. */
function digest() {
  const hash = createHash('sha256');
  for (const file of list(dist)) {
    const bytes = readFileSync(file);
    hash.update(`${relative(dist, file)}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest('hex');
}

function inFolder(name) {
  return Object.keys(sizes).filter((f) => f.startsWith(`${name}/`));
}

/** The page, what it names, and the Worker that signing in starts. */
function firstLoad(name) {
  const html = readFileSync(join(dist, name, 'index.html'), 'utf8');
  const named = inFolder(name).filter((f) => {
    const base = f.slice(f.lastIndexOf('/') + 1);
    return f.endsWith('index.html') || html.includes(base) || /^opaque\.worker/.test(base);
  });
  const sum = (what) => named.reduce((n, f) => n + sizes[f][what], 0);
  return { bytes: sum('bytes'), brotli: sum('brotli') };
}
