/**
 * Takes away the guards of the pages, one at a time, in a copy: `npm run mutate [part of a guard's name]`. The test
 * named beside it must then fail. Without a change all of these tests pass, or there is no result for any guard.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GUARDS } from './guards.mjs';

const ui = join(dirname(fileURLToPath(import.meta.url)), '../..');
const part = process.argv[2] ?? '';
const guards = GUARDS.filter((g) => g.name.includes(part));
const root = mkdtempSync(join(tmpdir(), 'kefu-mutate-'));
const copy = join(root, 'ui');

function fail(why) {
  console.error(why);
  rmSync(root, { recursive: true, force: true });
  process.exit(1);
}

/** How many of a test's cases ran, and how many failed. */
function runTest({ file, name }) {
  const out = join(root, 'report.json');
  rmSync(out, { force: true });
  const args = ['node_modules/vitest/vitest.mjs', 'run', file, '-t', name, '--reporter=json', `--outputFile=${out}`];
  spawnSync(process.execPath, args, { cwd: copy, stdio: 'ignore', timeout: 300_000 });
  try {
    const r = JSON.parse(readFileSync(out, 'utf8'));
    return { ran: r.numPassedTests + r.numFailedTests, failed: r.numFailedTests };
  } catch {
    return { ran: 0, failed: 0 };
  }
}

if (!guards.length) fail(`no guard has "${part}" in its name`);
mkdirSync(copy);
for (const what of ['src', 'tests', 'package.json', 'tsconfig.json', 'vitest.config.ts'])
  cpSync(join(ui, what), join(copy, what), { recursive: true });
symlinkSync(join(ui, 'node_modules'), join(copy, 'node_modules'));
// vectors are shared with the server's tests
symlinkSync(join(ui, '../tests'), join(root, 'tests'));

/** A guard wherever its line is broken. */
function placeOf({ find }) {
  const words = find.split(/\s+/).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(words.join('\\s+'), 'g');
}

const sources = new Map();
for (const g of guards) {
  const text = sources.get(g.file) ?? readFileSync(join(copy, g.file), 'utf8');
  sources.set(g.file, text);
  const found = [...text.matchAll(placeOf(g))].length;
  if (found !== 1) fail(`${g.name}: ${found} places in ${g.file} instead of one. The guard moved: change guards.mjs.`);
}

const known = new Set();
for (const { name, test } of guards) {
  const key = JSON.stringify(test);
  if (known.has(key)) continue;
  known.add(key);
  const { ran, failed } = runTest(test);
  if (ran === 0) fail(`${name}: no test has the name ${test.name} in ${test.file}`);
  if (failed > 0) fail(`${name}: ${test.file} "${test.name}" fails without any change`);
}

const unnoticed = [];
for (const g of guards) {
  const path = join(copy, g.file);
  const text = sources.get(g.file);
  // a function: `$` in what is put in means nothing
  writeFileSync(
    path,
    text.replace(placeOf(g), () => g.replace),
  );
  const { ran, failed } = runTest(g.test);
  writeFileSync(path, text);
  const caught = ran > 0 && failed > 0;
  if (!caught) unnoticed.push(g);
  console.log(`${caught ? 'caught' : 'UNNOTICED'}  ${g.name}  (${g.test.file.split('/').at(-1)}: ${g.test.name})`);
}
rmSync(root, { recursive: true, force: true });
console.log(`${guards.length} guards taken away, ${guards.length - unnoticed.length} of them caught by their test`);
if (unnoticed.length) process.exit(1);
