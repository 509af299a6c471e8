/** Parts of a page that are fetched when they are needed. */
import { expect, it } from 'vitest';
import { makePart } from '../../src/part';

it('is fetched once, however many ask', async () => {
  let loads = 0;
  const part = makePart(async () => ++loads);
  expect(await Promise.all([part.fetch(), part.fetch(), part.wait()])).toEqual([1, 1, 1]);
  expect(part.here.value).toBe(1);
});

it('says that it failed, and is tried again when another part comes', async () => {
  let network = false;
  const load = async (): Promise<string> => {
    if (!network) throw new Error('no network');
    return 'here';
  };
  const [first, second] = [makePart(load), makePart(load)];
  const waited = first.wait();
  await expect(second.fetch()).rejects.toThrow('no network');
  expect([first.failed.value, second.failed.value, first.here.value]).toEqual([true, true, null]);
  network = true;
  await second.fetch();
  expect(await waited).toBe('here');
  expect([first.failed.value, second.failed.value]).toEqual([false, false]);
});
