/** Texts that a stranger may send to hurt who reads them: each fills the largest body. */

/** Bytes of a body that a text may fill. */
export const SIZE = 31_900;

/** A piece as often as it fits into `size` bytes of JSON. */
export function fill(piece: string, size = SIZE): string {
  const bytes = new TextEncoder().encode(JSON.stringify(piece)).length - 2;
  return piece.repeat(Math.floor(size / bytes));
}

/** What hurts a browser most when it lays it out, one of a kind. */
export const WORST: Record<string, string> = {
  'an address that ends in dots': `http://a${'.'.repeat(SIZE)}x`,
  addresses: fill('http://a.b '),
  'one word': fill('x'),
  'line breaks': fill('a\n'),
  'marks on one letter': `Z${fill('\u0301')}`,
  'letters with many marks': fill(`e${'\u0301\u0323'.repeat(20)}`),
  'joined emoji': fill('👨‍👩‍👧‍👦\u200d'),
  directions: fill('\u202ea\u2066b\u202c'),
  'joined Arabic': fill('ب'),
  spaces: fill('a '),
  'zero-width': fill('a\u200b'),
};

/** What is repeated to slow down a scanner; each also occurs once after a prefix. */
const PIECES = [
  ...'.,:;!?)(*_~`[]|<>#>-+\\/&"\'@=^ \t\n\r0a中'.split(''),
  '**',
  '***',
  '__',
  '*a',
  'a*',
  '*a ',
  ' *a',
  '**a',
  '*a**',
  '**a*',
  '***a***',
  '_a_',
  '*_',
  '_*a',
  '*a_b*c_',
  '`a``',
  '``',
  '```',
  '```\n',
  '\n```a',
  'a`',
  '[a](',
  '](',
  '![',
  '[](',
  '[a]()',
  '[a](b',
  '[[',
  ']]',
  '[a](http://a',
  '[*a](',
  'http://',
  'https://a',
  'HTTP://',
  'http:/',
  'htt',
  'http://a.b ',
  'http://a.b)',
  'http://a.',
  'http://(',
  'http://a\u200b',
  'a)',
  '\\*',
  '\\\\',
  '\\',
  '> ',
  '- ',
  '1. ',
  '1.',
  '123456789) ',
  '# ',
  '##',
  '#a\n',
  '- a\n',
  '1. a\n\n',
  'a\n\n',
  '> a\n',
  ' \n',
  '  - a\n',
  '\u3000',
  '\u00a0',
  '\u0301',
  'e\u0301\u0323',
  '\u200b',
  '\u200d',
  '\ufe0f',
  '\u202e',
  '\u2066',
  '\u2069',
  '\ufeff',
  '\u0000',
  '\ud83d',
  '\udc4d',
  '👍',
  '\u{e0100}',
  '👨‍👩‍👧‍👦',
  'ب',
  'İ',
  'ß',
  'ﷺ',
  '，',
  '。http://a',
  '*http://a.b_[`',
  '<a href="http://a">',
  'a|b|',
  '|-|',
  '&lt;',
  '{n}',
  '{',
  '$&',
  '%s',
  '\u2028',
] as const;

/** Each piece as often as it fits. */
export const repeated = (size: number): Map<string, string> =>
  new Map(PIECES.map((piece) => [JSON.stringify(piece), fill(piece, size)]));

/** A nasty text each, of about `size` bytes. */
export function nasty(size = SIZE): [string, string][] {
  const out: [string, string][] = [];
  for (const [n, piece] of PIECES.entries()) {
    const many = fill(piece, size);
    const name = JSON.stringify(piece);
    const within: [string, string][] = [
      [`http://a, ${name}, x`, `http://a${many}x`],
      [`[a](, ${name}`, `[a](${many}`],
      [`**, ${name}, **`, `**${many}**`],
    ];
    out.push([name, many], within[n % 3]!);
  }
  // a little of everything, always the same
  let seed = 1;
  const draw = (n: number): number => (seed = (seed * 48_271) % 0x7fff_ffff) % n;
  for (let i = 0; i < 20; i++) {
    let mixed = '';
    while (mixed.length < size / 2) mixed += PIECES[draw(PIECES.length)]!;
    out.push([`mixed ${i}`, mixed]);
  }
  return out;
}
