/** The widget: one file that needs nothing else. Subresource integrity does not cover chunks, so there must be none. */
import { defineConfig } from 'vite';

export default defineConfig({
  publicDir: false,
  define: { 'process.env.NODE_ENV': '"production"' },
  build: {
    outDir: 'dist/w',
    emptyOutDir: true,
    target: ['chrome87', 'edge88', 'firefox90', 'safari15'],
    cssTarget: 'chrome80',
    modulePreload: false,
    assetsInlineLimit: Number.MAX_SAFE_INTEGER,
    reportCompressedSize: false,
    lib: { entry: 'src/widget/main.tsx', formats: ['iife'], name: 'kefuWidget', fileName: () => 'kefu.js' },
  },
});
