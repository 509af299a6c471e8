/** The bench itself: its cryptography is that of the pages, an honest run is clean, and its oracles see what they are for. */
import { beforeAll, describe, expect, it } from 'vitest';
import { hex, random, utf8 } from '../../src/crypto/bytes';
import { nativeBackend } from '../../src/crypto/native';
import { benchBackend } from './backend';
import { makeCast, type Cast } from './company';
import { planOf, run, story } from './run';

let cast: Cast;
beforeAll(async () => {
  cast = await makeCast();
});

describe('cryptography', () => {
  it('opens and verifies what the native back end made, and the reverse', async () => {
    const both = [benchBackend, nativeBackend()];
    for (const [x, y] of [both, [...both].reverse()] as const) {
      const [seed, secret, ek, head] = [random(32), random(32), random(32), random(80)];
      const [mine, theirs] = [await x!.signingKey(seed), await y!.signingKey(seed)];
      expect(hex(mine.pk)).toBe(hex(theirs.pk));
      expect(hex(await mine.sign('sig', head))).toBe(hex(await theirs.sign('sig', head)));
      expect(await y!.verify('sig', mine.pk, head, await mine.sign('sig', head))).toBe(true);
      expect(await y!.verify('ann', mine.pk, head, await mine.sign('sig', head))).toBe(false);
      const sealed = await x!.seal((await y!.boxKey(secret)).pk, utf8('info'), head, ek);
      expect(hex(await (await y!.boxKey(secret)).open(sealed, utf8('info'), head))).toBe(hex(ek));
      const ct = await (await x!.epochKey(ek)).seal(head, utf8('text'));
      expect(hex(await (await y!.epochKey(ek)).open(head, ct))).toBe(hex(utf8('text')));
      await expect((await y!.epochKey(ek)).open(random(80), ct)).rejects.toMatchObject({ reason: 'open' });
    }
  });
});

describe('an honest run', () => {
  it.each(['never', 'visitor before', 'visitor after', 'agent after'] as const)(
    'shows no mark and breaks no oracle: %s',
    async (variant) => {
      const r = await run(cast, [], planOf(variant));
      expect(r.wrong, story(r)).toEqual([]);
      expect(r.outcome, story(r)).toBe('harmless');
      const texts = r.world.looks.at(-1)!.lines.filter((l) => l.kind === 'text').length;
      expect(texts, story(r)).toBeGreaterThan(8);
    },
  );
});
