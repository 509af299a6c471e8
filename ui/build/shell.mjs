// Makes the console installable: manifest, icons, and the service worker that knows the files of this very build.
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'vite';

const SIZES = [192, 512];

/** `folder`: where the built console is. */
export async function installable(root, folder) {
  const icons = join(root, 'src/console/app/icons');
  mkdirSync(join(folder, 'icons'));
  for (const icon of readdirSync(icons)) cpSync(join(icons, icon), join(folder, 'icons', icon));
  const icon = (name, size, purpose) => ({
    src: `icons/${name}-${size}.png`,
    sizes: `${size}x${size}`,
    type: 'image/png',
    purpose,
  });
  const manifest = {
    id: './',
    name: 'kefu 客服工作台',
    short_name: 'kefu',
    lang: 'zh-CN',
    start_url: './',
    scope: './',
    display: 'standalone',
    theme_color: '#14548c',
    background_color: '#ffffff',
    icons: [
      ...SIZES.map((size) => icon('icon', size, 'any')),
      ...SIZES.map((size) => icon('maskable', size, 'maskable')),
    ],
  };
  writeFileSync(join(folder, 'manifest.webmanifest'), `${JSON.stringify(manifest, null, 2)}\n`);
  await build({
    root,
    configFile: false,
    publicDir: false,
    logLevel: 'warn',
    define: { SHELL: JSON.stringify(shell(folder)) },
    build: {
      outDir: folder,
      emptyOutDir: false,
      target: 'es2022',
      reportCompressedSize: false,
      lib: { entry: join(root, 'src/console/app/shell.ts'), formats: ['es'], fileName: () => 'sw.js' },
    },
  });
}

function shell(folder) {
  const hash = (bytes) => createHash('sha256').update(bytes).digest('hex');
  const page = hash(readFileSync(join(folder, 'index.html')));
  const files = ['assets', 'icons'].flatMap((dir) => readdirSync(join(folder, dir)).map((name) => `${dir}/${name}`));
  files.push('manifest.webmanifest');
  files.sort();
  const all = createHash('sha256').update(page);
  for (const file of files) all.update(`\0${file}\0`).update(hash(readFileSync(join(folder, file))));
  return { version: all.digest('hex').slice(0, 16), page, files };
}
