/** The fingerprint of a company's key. */

/** `k1-5b8c 21f0 …` in groups of four, to be read aloud and compared; the server leaves the `k1-` out. */
export const readable = (org: string): string => `k1-${org.slice(-32).replace(/(.{4})(?=.)/g, '$1 ')}`;
