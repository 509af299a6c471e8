import { describe, expect, it } from 'vitest';
import { ReadQueue } from '../src/client/read-queue';

/** A queue whose readings end when the test says so. */
function queue() {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const made = new ReadQueue((id) => {
    begun.push(id);
    return new Promise((done) => ends.set(id, done));
  });
  const end = async (id: string) => {
    ends.get(id)!();
    await new Promise((done) => setTimeout(done));
  };
  return { made, begun, end };
}

describe('conversations that must be read', () => {
  it('begin in their order, a few at a time', async () => {
    const { made, begun, end } = queue();
    for (const id of 'abcdefghij') made.add(id);
    expect(begun.join('')).toBe('abcdef');
    await end('c');
    expect(begun.join('')).toBe('abcdefg');
    made.add('g');
    await end('a');
    await end('b');
    expect(begun.join('')).toBe('abcdefghi');
  });

  it('wait for what a person opened', async () => {
    const { made, begun, end } = queue();
    let opened = () => {};
    made.after(new Promise((done) => (opened = () => done(undefined))));
    made.add('a');
    expect(begun).toEqual([]);
    opened();
    await new Promise((done) => setTimeout(done));
    expect(begun).toEqual(['a']);
    await end('a');
  });

  it('are forgotten when the agent leaves', async () => {
    const { made, begun, end } = queue();
    for (const id of 'abcdefgh') made.add(id);
    made.clear();
    await end('a');
    expect(begun.join('')).toBe('abcdef');
  });
});
