/**
 * JSON as it is specified, in pages whose scripts taught arrays, strings or numbers a `toJSON` of their own: Prototype.js before 1.7
 * does, and every frame would be text in quotes. Nothing of the page is changed for it, not even for a moment.
 */

/** What `JSON.stringify` makes of plain data: objects, arrays, strings, numbers, booleans, null. Methods of arrays may be the page's, too. */
export function stringify(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const array = Array.isArray(value);
  let text = '';
  for (const key of Object.keys(value)) {
    const one = (value as Record<string, unknown>)[key];
    if (one === undefined) continue;
    text += `${text && ','}${array ? '' : `${JSON.stringify(key)}:`}${stringify(one)}`;
  }
  return array ? `[${text}]` : `{${text}}`;
}
