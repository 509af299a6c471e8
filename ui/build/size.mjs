// Fails when a page grew over its budget. Run after the build.
import { readFileSync } from 'node:fs';

/** Bytes of brotli. */
const BUDGET = { launcher: 15 * 1024, panel: 75 * 1024, more: 20 * 1024, single: 96 * 1024, console: 250 * 1024 };
const manifest = JSON.parse(readFileSync(new URL('../dist/manifest.json', import.meta.url), 'utf8'));
let over = false;
for (const [name, most] of Object.entries(BUDGET)) {
  const { brotli } = manifest[name];
  const fits = brotli <= most;
  over ||= !fits;
  console.log(`${fits ? 'ok  ' : 'OVER'} ${name}: ${brotli} of ${most} B brotli`);
}
process.exit(over ? 1 : 0);
