/** The fingerprint of a company's key. */

/** `k1-5b8c 21f0 …` in groups of four, to be read aloud and compared. */
export function readable(org: string): string {
  const [head, hex = ''] = org.split('-');
  return `${head}-${hex.replace(/(.{4})(?=.)/g, '$1 ')}`;
}
