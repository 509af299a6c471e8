/** The widget: one file that needs nothing else. Subresource integrity does not cover chunks, so there must be none. */
import { defineConfig } from 'vite';

export default defineConfig({
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
      format: { comments: false },
    },
    lib: { entry: 'src/widget/main.tsx', formats: ['iife'], name: 'kefuWidget', fileName: () => 'kefu.js' },
  },
});
