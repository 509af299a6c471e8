// Cuts the widget's panel in two: `panel.js`, and `more.js` with everything that the sources fetch by `import()`. Integrity does not cover
// what `import()` loads, so neither file has one: chunks are functions, and the second file is a script whose hash is compiled into the first.
import { createHash } from 'node:crypto';
import { together } from './minify.mjs';

/** Everything that `entry` imports without `import()` is in the panel, the rest in the other file. */
export function groups(entry) {
  let first = null;
  const reached = (modules) => {
    const seen = new Set([entry]);
    for (const id of seen) for (const next of modules.getModuleInfo(id)?.importedIds ?? []) seen.add(next);
    return seen;
  };
  // a group takes what its modules import with them, so the panel's comes first
  const name = (id, modules) => ((first ??= reached(modules)).has(id) ? 'first' : null);
  return [
    { name, debugName: 'panel', priority: 2 },
    { name: 'more', priority: 1 },
  ];
}

/** In a chunk, `require` of the other one; `import()` in the sources became one within a promise. */
const wrapped = {
  // `parts`: see src/widget/more.ts
  panel: (code) =>
    `(() => { const parts = { own: {}, get: null }; const exports = parts.own; const require = (name) => parts.get(name); ${code} })();`,
  more: (code) =>
    `Reflect.set(window, Symbol.for('kefu.more'), (panel) => { const exports = {}; const require = () => panel; ${code}; return exports; });`,
};

const hash = (algorithm, bytes) => createHash(algorithm).update(bytes);
export const integrity = (bytes) => `sha384-${hash('sha384', bytes).digest('base64')}`;
/** What a file is called beside the launcher. */
export const hashed = (name, bytes) => `${name}-${hash('sha256', bytes).digest('hex').slice(0, 16)}.js`;

/** What chunks lend each other never changes: values are shorter than getters. */
const EXPORT =
  /Object\.defineProperty\(exports, "(\w+)", \{\s*enumerable: true,\s*get: function\(\) \{\s*return (\w+);\s*\}\s*\}\);/g;
const values = (code) => own(code.replace(EXPORT, 'exports.$1 = $2;'));

/** The bundler's helper lends everything that is in an object, which in some pages is more than was put there. */
const ALL = /for \(var (\w+) in (\w+)\) (__defProp\()/g;
function own(code) {
  const found = code.replace(ALL, 'for (var $1 of Object.keys($2)) $3');
  if (/ in \w+\)\s*\{?\s*__defProp\(/.test(found)) throw new Error("the bundler's helper is written in another way");
  return found;
}

/** `chunks`: code by name as the bundler left it. */
export async function cut(src, chunks) {
  const panel = wrapped.panel(values(chunks['first.js']));
  const more = wrapped.more(values(chunks['more.js']));
  const minify = await together(src, { 'panel.js': panel, 'more.js': more });
  const second = Buffer.from(await minify(more));
  // in strings, which minifying leaves as they are
  const named = panel
    .replaceAll('__MORE_FILE__', JSON.stringify(hashed('more', second)))
    .replaceAll('__MORE_INTEGRITY__', JSON.stringify(integrity(second)));
  return { panel: Buffer.from(await minify(named)), more: second };
}
