/** Pages with made-up data, for looking at; never part of dist. `npx vite --config preview/vite.config.ts` */
import { defineConfig } from 'vite';

export default defineConfig({
  root: import.meta.dirname,
  server: { port: 5199, strictPort: true, fs: { allow: ['..'] } },
  cacheDir: '../node_modules/.vite-preview',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
});
