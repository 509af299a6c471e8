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
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { installable } from './shell.mjs';
import { brotli, packedWidget } from './pack.mjs';
import { cut, hashed, integrity } from './parts.mjs';

const root = new URL('..', import.meta.url).pathname;
const dist = join(root, 'dist');
const MIN_COMPRESSED = 1024;
// of these the executable embeds the compressed siblings only
const ALWAYS_COMPRESSED = /\.(html|js|css)$/;

const before = existsSync(dist) ? { digest: digest(), time: statSync(dist).mtime } : null;
rmSync(dist, { recursive: true, force: true });
const widget = await buildWidget();
await page('console');
await installable(root, join(dist, 'console'));
if (existsSync(join(root, 'demo.html'))) await page('demo');

/**
 * The panel's two files first, whose hashes are compiled into the panel and into the launcher, so that the pin of the snippet covers all;
 * and all in one file, for pages that want one.
 */
async function buildWidget() {
  const half = (mode, options = {}) =>
    build({ root, configFile: join(root, 'vite.widget.ts'), mode, logLevel: 'warn', ...options });
  const { output } = [await half('panel', { build: { write: false } })].flat()[0];
  const chunks = Object.fromEntries(output.map(({ fileName, code }) => [fileName, code]));
  if (Object.keys(chunks).sort().join() !== 'first.js,more.js,panel.js')
    throw new Error(`the panel must be two chunks and an entry, and is ${Object.keys(chunks)}`);
  const { panel, more } = await cut(join(root, 'src'), chunks);
  await half('launcher', {
    define: {
      __PANEL_FILE__: JSON.stringify(hashed('panel', panel)),
      __PANEL_INTEGRITY__: JSON.stringify(integrity(panel)),
    },
  });
  const launcher = readFileSync(join(dist, 'w/kefu.js'));
  writeFileSync(join(dist, 'w/panel.js'), panel);
  writeFileSync(join(dist, 'w/more.js'), more);
  for (const code of [panel, more, launcher].map(String)) {
    if (/\bimport\s*\(/.test(code))
      throw new Error('the widget contains a dynamic import, which integrity does not cover');
    if (/\brequire\s*\(|__MORE_/.test(code)) throw new Error('the widget is not cut as the bundler left it');
    if (/\bstatic\s*\{/.test(code))
      throw new Error('the widget contains a static block, which Safari before 16.4 does not know');
  }
  return { panel, more, launcher };
}

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
const sizes = {};
const { tails, ...packed } = await packedWidget(widget);
for (const file of files) {
  const name = relative(dist, file);
  const bytes = readFileSync(file);
  const { br, gz } = packed[name] ?? { br: brotli(bytes), gz: gzipSync(bytes, { level: 9 }) };
  sizes[name] = { bytes: bytes.length, brotli: br.length };
  if (bytes.length < MIN_COMPRESSED && !ALWAYS_COMPRESSED.test(file)) continue;
  writeFileSync(`${file}.br`, br);
  writeFileSync(`${file}.gz`, gz);
}
// of the single file, all in one, the executable embeds what follows on the packed panel
for (const [kind, tail] of Object.entries(tails)) writeFileSync(join(dist, `w/single.${kind}.tail`), tail);
const single = Buffer.concat([widget.panel, widget.more, widget.launcher]);
sizes['w/single.js'] = { bytes: single.length, brotli: packed['w/panel.js'].br.length - 1 + tails.br.length };

const stray = files.map((f) => relative(dist, f)).filter((f) => f.startsWith('w/') && !packed[f]);
if (stray.length) throw new Error(`the widget must be three files, but there is also ${stray.join(', ')}`);

const version = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version;
const manifest = {
  version,
  launcher: { file: 'w/kefu.js', sri: integrity(widget.launcher), ...sizes['w/kefu.js'] },
  panel: { file: 'w/panel.js', sri: integrity(widget.panel), ...sizes['w/panel.js'] },
  more: { file: 'w/more.js', sri: integrity(widget.more), ...sizes['w/more.js'] },
  single: { sri: integrity(single), ...sizes['w/single.js'] },
  console: { ...firstLoad('console'), files: inFolder('console') },
  ...(existsSync(join(dist, 'demo')) && { demo: { ...firstLoad('demo'), files: inFolder('demo') } }),
};
writeFileSync(join(dist, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
// unchanged pages keep their modification time, or cargo would build the server again
if (digest() === before?.digest)
  for (const path of [...list(dist), ...folders(dist)]) utimesSync(path, before.time, before.time);
const [launcher, panel, more, all] = ['launcher', 'panel', 'more', 'single'].map((name) => manifest[name].brotli);
console.log(
  `launcher ${launcher} B brotli, panel ${panel} B, more ${more} B, all in one ${all} B; console ${manifest.console.brotli} B on first load`,
);

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
