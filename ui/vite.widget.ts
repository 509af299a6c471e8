/**
 * The widget: `panel` and `launcher` by mode. The launcher is one file; of the panel come two chunks and a style sheet, of which
 * `build/parts.mjs` makes files that subresource integrity covers. `build/build.mjs` builds all and tells each file the names and hashes of
 * those that it loads.
 */
import { readFileSync } from 'node:fs';
import { defineConfig, type Plugin } from 'vite';
import { alone } from './build/minify.mjs';
import { groups } from './build/parts.mjs';

/** A style sheet with all that it imports. */
const style = (url: URL): string =>
  readFileSync(url, 'utf8').replace(/@import "([^"]+)";/g, (_, file: string) => style(new URL(file, url)));
const STYLE = ['launcher', 'index', 'more']
  .map((name) => style(new URL(`src/widget/${name}.css`, import.meta.url)))
  .join('');
/** Class names of our style sheets. Shorter ones look like `k-on`, which may as well be a subtraction; so may properties. */
const CLASSES = new Set(STYLE.match(/\.[kw]-[a-z]{3}[a-z0-9-]*/g)!.map((c) => c.slice(1)));
const PROPERTIES = new Set(STYLE.match(/--[kw]-[a-z]{3}[a-z0-9-]*/g)!);
/** The launcher has the tokens of all. */
const USED = new Set(STYLE.match(/(?<=var\()--k-[a-z0-9-]+/g));
/** Those that are put together at run time, or that browser tests look for. */
const KEPT = /^(k-(avatar|banner|bubble-row|btn|dot|kind|left|right|state)|w-(in|left|open|right))/;

/** The most frequent of the style sheets first, so that it is the shortest. */
const byUse = (names: Iterable<string>): string[] => {
  const uses = (name: string) => STYLE.split(name).length;
  return [...names].sort((a, b) => uses(b) - uses(a));
};
/** From the style sheets alone, so that all files call it the same. */
const SHORT = new Map([
  ...byUse([...CLASSES].filter((name) => !KEPT.test(name))).map((name, i) => [name, `k${i.toString(36)}`] as const),
  ...byUse(PROPERTIES).map((name, i) => [name, `--${i.toString(36)}`] as const),
]);

/** Custom properties and classes of our own style sheets get short names; nothing outside the widget's files knows them. */
const shortStyles: Plugin = {
  name: 'short-styles',
  enforce: 'post',
  generateBundle(_, bundle) {
    const short = (name: string): string => SHORT.get(name) ?? name;
    for (const file of Object.values(bundle)) {
      if (file.type !== 'chunk') continue;
      file.code = file.code
        // tokens that only the console uses
        .replace(/(--k-[a-z0-9-]+):[^;{}]*(?:;|(?=\}))/g, (all, name: string) => (USED.has(name) ? all : ''))
        .replace(/--[kw]-[a-z]{3}[a-z0-9-]*/g, short)
        .replace(/(?<![\w-])[kw]-[a-z][a-z0-9-]*(?![\w-])/g, short);
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

const root = new URL('.', import.meta.url).pathname;
const SRC = `${root}src`;
const PANEL = `${SRC}/widget/entry-panel.ts`;

export default defineConfig(({ mode }) => ({
  plugins: [withoutDetails, shortStyles],
  publicDir: false,
  define: { 'process.env.NODE_ENV': '"production"' },
  build: {
    outDir: 'dist/w',
    emptyOutDir: false,
    // Supported browsers (README.md) know all of ES2022 but static blocks; build.mjs sees to it that there are none.
    target: 'es2022',
    cssTarget: ['chrome94', 'firefox93', 'safari15.4'],
    cssMinify: true,
    modulePreload: false,
    assetsInlineLimit: Number.MAX_SAFE_INTEGER,
    reportCompressedSize: false,
    ...(mode === 'launcher'
      ? {
          minify: 'terser',
          terserOptions: alone(SRC),
          lib: {
            entry: 'src/widget/entry-launcher.ts',
            formats: ['iife'],
            name: 'kefuWidget',
            fileName: () => 'kefu.js',
          },
        }
      : {
          // build/parts.mjs does, the files together
          minify: false,
          lib: { entry: PANEL, formats: ['cjs'], fileName: () => 'panel.js' },
          rolldownOptions: {
            output: {
              esModule: false,
              generatedCode: { symbols: false },
              chunkFileNames: '[name].js',
              codeSplitting: { groups: groups(PANEL) },
            },
          },
        }),
  },
}));
