/** The widget: one file that needs nothing else. Subresource integrity does not cover chunks, so there must be none. */
import { defineConfig, type Plugin } from 'vite';
import { ownNames } from './build/names.mjs';

/** Custom properties of our own style sheets get short names; nothing outside the file knows them. */
const shortTokens: Plugin = {
  name: 'short-tokens',
  enforce: 'post',
  generateBundle(_, bundle) {
    for (const file of Object.values(bundle)) {
      if (file.type !== 'chunk') continue;
      const names = new Map<string, string>();
      file.code = file.code.replace(/--[kw]-[a-z0-9-]+/g, (name) => names.get(name) ?? (names.set(name, `--${names.size.toString(36)}`), names.get(name)!));
    }
  },
};

export default defineConfig({
  plugins: [shortTokens],
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
      compress: { passes: 3, keep_fargs: false, sequences: false },
      // terser leaves alone what browsers call so, too
      mangle: { properties: { regex: new RegExp(`^(?:${ownNames(new URL('src', import.meta.url).pathname).join('|')})$`), keep_quoted: true } },
      format: { comments: false },
    },
    lib: { entry: 'src/widget/main.tsx', formats: ['iife'], name: 'kefuWidget', fileName: () => 'kefu.js' },
  },
});
