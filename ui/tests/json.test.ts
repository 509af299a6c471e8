/** Frames and bodies in a page whose prototypes have a toJSON. */
import { afterEach, describe, expect, it } from 'vitest';
import { decodeBody, encodeBody } from '../src/crypto/envelope';
import { canonical } from '../src/crypto/state';
import { stringify } from '../src/json';

const VALUES: unknown[] = [
  null,
  true,
  0,
  -1.5,
  1e21,
  '',
  '引号 " \\ \n \u2028 😀 \ud800',
  [],
  {},
  [[], {}, [null, 'a']],
  { a: [1, { b: 'c' }], ü: null, gone: undefined, 7: 'seven', '': false },
];
const PROTOTYPES = [Object.prototype, Array.prototype, String.prototype, Number.prototype, Boolean.prototype] as {
  toJSON?: unknown;
}[];

describe('JSON in a foreign page', () => {
  afterEach(() => PROTOTYPES.forEach((p) => delete p.toJSON));

  it('is what JSON.stringify makes', () => {
    for (const value of VALUES) expect(stringify(value)).toBe(JSON.stringify(value));
  });

  it('is the same whatever the page taught its values', () => {
    const right = VALUES.map((value) => JSON.stringify(value));
    const teams = canonical({ teams: ['b', 'a'] });
    for (const p of PROTOTYPES) p.toJSON = () => 'the page';
    const [seen, spoilt, signed] = [
      VALUES.map(stringify),
      JSON.stringify({ a: [1] }),
      canonical({ teams: ['b', 'a'] }),
    ];
    const body = decodeBody(encodeBody({ t: 'form', ts: 1, fields: { name: '王小明' } }));
    PROTOTYPES.forEach((p) => delete p.toJSON);
    expect(spoilt).toBe('"the page"');
    expect(seen).toEqual(right);
    expect(signed).toBe(teams);
    expect(body).toMatchObject({ t: 'form', fields: { name: '王小明' } });
  });
});
