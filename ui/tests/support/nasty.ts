/** Texts that a stranger may send to hurt who reads them: each fills the largest body. */

const SIZE = 31_900;
const fill = (piece: string): string => {
  const bytes = new TextEncoder().encode(JSON.stringify(piece)).length - 2;
  return piece.repeat(Math.floor(SIZE / bytes));
};

/** What hurts pages most, one of a kind. */
export const WORST: Record<string, string> = {
  'an address that ends in dots': `http://a${'.'.repeat(SIZE)}x`,
  'addresses': fill('http://a.b '),
  'one word': fill('x'),
  'line breaks': fill('a\n'),
  'marks on one letter': `Z${fill('\u0301')}`,
  'letters with many marks': fill(`e${'\u0301\u0323'.repeat(20)}`),
  'joined emoji': fill('👨‍👩‍👧‍👦\u200d'),
  'directions': fill('\u202ea\u2066b\u202c'),
  'joined Arabic': fill('ب'),
  'spaces': fill('a '),
  'zero-width': fill('a\u200b'),
};
