// Names that only our own classes use, so that the widget may carry shorter ones. A name qualifies if it is a private or protected
// member, or a method or initialised field of a class, and nowhere a key of an object or a type, or a string: those may be JSON,
// stored data or a foreign interface. terser leaves names that browsers use alone.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const MEMBERS = [
  /\b(?:private|protected) (?:(?:static|readonly|async|override|get|set) )*(\w+)/g,
  /^ {2}(?:(?:static|readonly|async|override|get|set) )*(\w+)(?= = |\(.*\{$)/gm,
];
const KEYWORDS = ['constructor', 'if', 'for', 'while', 'switch'];

export function ownNames(src) {
  const sources = readdirSync(src, { recursive: true })
    .filter((f) => /\.tsx?$/.test(f))
    .sort()
    .map((f) => readFileSync(join(src, f), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, ''));
  const members = sources
    .filter((s) => /^export (?:abstract )?class /m.test(s))
    .flatMap((s) => MEMBERS.flatMap((m) => [...s.matchAll(m)].map((x) => x[1])));
  const rest = MEMBERS.reduce((s, m) => s.replace(m, ''), sources.join('\n'));
  const key = (name) =>
    new RegExp(`(?<![\\w.?])${name}\\??\\s*:(?!:)|['"\`]${name}['"\`]|[{,]\\s*${name}\\s*[,}]`).test(rest);
  return [...new Set(members)].filter((name) => name.length > 2 && !KEYWORDS.includes(name) && !key(name)).sort();
}
