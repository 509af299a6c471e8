// How the widget's files are minified.
import { minify } from 'terser';
import { ownNames } from './names.mjs';

const own = (src) => new RegExp(`^(?:${ownNames(src).join('|')})$`);

/** terser leaves alone what browsers call so, too. `regex`: of property names that get shorter ones. */
const options = (regex) => ({
  ecma: 2020,
  module: true,
  toplevel: true,
  // Vite's default works around a fault of Safari 10
  safari10: false,
  compress: { passes: 3, keep_fargs: false, sequences: false, inline: 1 },
  mangle: { properties: { regex, keep_quoted: true } },
  format: { comments: false },
});

/** For a file that shares no objects with another one but those of `contract.ts`. */
export const alone = (src) => options(own(src));

/**
 * For files that share objects: a name is short in all of them, and the same, or in none. Which ones can be is found in all of them at
 * once. `make` is given a function that minifies one.
 */
export async function together(src, sources) {
  const nameCache = {};
  await minify(sources, { ...options(own(src)), nameCache });
  const found = nameCache.props.props;
  const names = Object.keys(found).map((name) => name.slice(1));
  const regex = new RegExp(`^(?:${names.join('|')})$`);
  return async (code) =>
    (await minify(code, { ...options(regex), nameCache: { props: { props: { ...found } } } })).code;
}
