/** The console: a page, a script, a style sheet, a Worker for passwords. Names carry hashes and may be cached for ever. */
import { defineConfig } from 'vite';

export default defineConfig({
  publicDir: false,
  base: './',
  build: {
    outDir: 'dist/console',
    emptyOutDir: true,
    target: 'es2022',
    // what the page's script needs at once is named in the page, and fetched with it
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rolldownOptions: { input: 'console.html' },
  },
  worker: { format: 'es' },
});
