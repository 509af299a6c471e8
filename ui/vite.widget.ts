/** The widget: one file that needs nothing else. Subresource integrity does not cover chunks, so there must be none. */
import { readFileSync } from 'node:fs';
import { defineConfig, type Plugin } from 'vite';
import { ownNames } from './build/names.mjs';

/** A style sheet with all that it imports. */
const style = (url: URL): string =>
  readFileSync(url, 'utf8').replace(/@import "([^"]+)";/g, (_, file: string) => style(new URL(file, url)));
/** Class names of our style sheets. Shorter ones look like `k-on`, which may as well be a subtraction; so may properties. */
const CLASSES = new Set(
  style(new URL('src/widget/index.css', import.meta.url))
    .match(/\.[kw]-[a-z]{3}[a-z0-9-]*/g)!
    .map((c) => c.slice(1)),
);
/** Those that are put together at run time, or that browser tests look for. */
const KEPT = /^(k-(avatar|banner|bubble-row|btn|dot|kind|left|right|state)|w-(in|left|open|right))/;

/** Custom properties and classes of our own style sheets get short names; nothing outside the file knows them. */
const shortStyles: Plugin = {
  name: 'short-styles',
  enforce: 'post',
  generateBundle(_, bundle) {
    const names = new Map<string, string>();
    const short = (name: string, prefix: string): string => {
      if (!names.has(name)) names.set(name, prefix + names.size.toString(36));
      return names.get(name)!;
    };
    for (const file of Object.values(bundle)) {
      if (file.type !== 'chunk') continue;
      const used = new Set(file.code.match(/(?<=var\()--k-[a-z0-9-]+/g));
      file.code = file.code
        // tokens that only the console uses
        .replace(/(--k-[a-z0-9-]+):[^;{}]*(?:;|(?=\}))/g, (all, name: string) => (used.has(name) ? all : ''))
        .replace(/--[kw]-[a-z]{3}[a-z0-9-]*/g, (name) => short(name, '--'))
        .replace(/(?<![\w-])[kw]-[a-z][a-z0-9-]*(?![\w-])/g, (name) =>
          CLASSES.has(name) && !KEPT.test(name) ? short(name, 'k') : name,
        );
    }
  },
};

/**
 * What errors say beside their stable reason is for us, in tests and in the console. Visitors' browsers need not load it. Only texts
 * and values are written there, nothing that does anything.
 */
const withoutDetails: Plugin = {
  name: 'without-details',
  enforce: 'pre',
  transform(code, id) {
    if (!/\/src\/(?:client|crypto|link|storage)\//.test(id)) return undefined;
    return code
      .replace(/((?:reject|new ClientError)\('[\w.]+'), (?:[^()]|\([^()]*\))*\)/g, '$1)')
      .replace(/new ((?:Type|Range)?Error)\(['`][^'`]*['`]\)/g, 'new $1()');
  },
};

export default defineConfig({
  plugins: [withoutDetails, shortStyles],
  publicDir: false,
  define: { 'process.env.NODE_ENV': '"production"' },
  build: {
    outDir: 'dist/w',
    emptyOutDir: true,
    // Supported browsers (README.md) know all of ES2022 but static blocks; build.mjs sees to it that there are none.
    target: 'es2022',
    cssTarget: ['chrome94', 'firefox93', 'safari15.4'],
    modulePreload: false,
    assetsInlineLimit: Number.MAX_SAFE_INTEGER,
    reportCompressedSize: false,

    minify: 'terser',
    terserOptions: {
      ecma: 2020,
      module: true,
      toplevel: true,
      // Vite's default works around a fault of Safari 10
      safari10: false,
      compress: { passes: 3, keep_fargs: false, sequences: false, inline: 1 },
      // terser leaves alone what browsers call so, too
      mangle: {
        properties: {
          regex: new RegExp(`^(?:${ownNames(new URL('src', import.meta.url).pathname).join('|')})$`),
          keep_quoted: true,
        },
      },
      format: { comments: false },
    },
    lib: { entry: 'src/widget/main.tsx', formats: ['iife'], name: 'kefuWidget', fileName: () => 'kefu.js' },
  },
});
