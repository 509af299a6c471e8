/** Words that must never be in plaintext where the server stores data, and the search for them in every likely encoding. */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Random, 24 letters and digits: no chance finds, and nothing that a form field refuses. */
export function canary(label: string): string {
  return `${label}${randomBytes(12).toString('hex')}`;
}

type Spelling = [name: string, bytes: Buffer];

function utf16be(text: string): Buffer {
  return Buffer.from(text, 'utf16le').swap16();
}

/** Base64 of the word wherever it begins in a longer text: the letters that do not depend on its neighbours. */
function base64Cores(bytes: Buffer, encoding: 'base64' | 'base64url'): string[] {
  return [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString(encoding)
      .replace(/=+$/, '');
    const from = [0, 2, 3][shift] ?? 0;
    const to = ((shift + bytes.length) % 3 === 0 ? 0 : 1) * -1;
    return to ? text.slice(from, to) : text.slice(from);
  });
}

/** Each way the word may be written. Only a substring search is needed for each. */
export function spellings(word: string): Spelling[] {
  const utf8 = Buffer.from(word);
  const out: Spelling[] = [
    ['utf-8', utf8],
    ['utf-16le', Buffer.from(word, 'utf16le')],
    ['utf-16be', utf16be(word)],
    ['hex', Buffer.from(utf8.toString('hex'))],
    ['HEX', Buffer.from(utf8.toString('hex').toUpperCase())],
  ];
  for (const encoding of ['base64', 'base64url'] as const) {
    base64Cores(utf8, encoding).forEach((core, i) => out.push([`${encoding}+${i}`, Buffer.from(core)]));
  }
  return out;
}

function filesUnder(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** `file: label in spelling` for every find. `words` by label, so that a report does not repeat the word. */
export function search(words: Record<string, string>, dirs: string[], extra: string[] = []): string[] {
  const found: string[] = [];
  for (const path of [...dirs.flatMap(filesUnder), ...extra]) {
    const bytes = readFileSync(path);
    for (const [label, word] of Object.entries(words)) {
      for (const [name, spelling] of spellings(word))
        if (bytes.includes(spelling)) found.push(`${path}: ${label} in ${name}`);
    }
  }
  return found;
}
