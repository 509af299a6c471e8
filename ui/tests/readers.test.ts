/** Rules of readers, revision 2 (protocol §2): a record is valid because of what it and its neighbours prove, live or not. */
import { beforeEach, describe, expect, it } from 'vitest';
import { hex, random } from '../src/crypto/bytes';
import type { WireRecord } from '../src/proto';
import { memoryStore } from '../src/storage/store';
import { read, shown, Talk, ZERO } from './support/talk';

let t: Talk;
let begun: WireRecord[];

beforeEach(async () => {
  t = await Talk.create();
  begun = [t.opening(), await t.epoch(t.visitor.ed)];
});

describe('an honest conversation', () => {
  it('is read without a mark by both sides, live and as history', async () => {
    const records = [...begun, await t.say('a'), await t.say('b', t.li.ed), await t.say('c')];
    for (const live of [true, false]) {
      for (const who of ['visitor', t.li] as const)
        expect(await read(await t.reader(who), records, live)).toEqual(['message:a', 'message:b', 'message:c']);
    }
  });

  it('two people who write at once give no mark', async () => {
    const a = await t.say('a');
    const seen = t.last;
    const records = [
      ...begun,
      a,
      await t.say('b', t.li.ed, { prev: seen }),
      await t.say('c', t.visitor.ed, { prev: seen }),
    ];
    expect(await read(await t.reader(t.li), records)).toEqual(['message:a', 'message:b', 'message:c']);
  });
});

describe('place and rights', () => {
  it('a message is good only in the epoch that is current there', async () => {
    const late = await t.say('late');
    const records = [...begun, await t.epoch(t.li.ed), late, await t.say('now')];
    expect(await read(await t.reader('visitor'), records)).toEqual(['broken', 'message:now missing']);
  });

  it('a reader without the key refuses what does not belong here, by its header', async () => {
    const blind = await t.reader(t.li, { teams: [] });
    const late = await t.say('late', t.visitor.ed, { ctr: 10 });
    const next = await t.epoch(t.li.ed);
    const conv = t.conv;
    t.conv = random(16);
    const elsewhere = await t.say('elsewhere', t.visitor.ed, { ctr: 11 });
    t.conv = conv;
    const errors = async (...records: WireRecord[]) => (
      await read(blind, records), blind.lines.entries.filter((e) => e.kind === 'broken').map((e) => e.error)
    );
    expect(await errors(...begun, await t.say('here', t.visitor.ed, { epoch: 0, ctr: 0 }))).toEqual(['error.no_key']);
    expect(await errors(next, late, elsewhere)).toEqual(['error.no_key', 'error.refused', 'error.refused']);
  });

  it('a dismissed agent: not live in the old epoch, not in a later one, neither as history', async () => {
    const before = await t.say('before', t.li.ed);
    await t.co.add({ t: 'agent', user: 'li', on: false });
    await t.grown();
    const after = await t.say('after', t.li.ed);
    expect(await read(await t.reader('visitor'), [...begun, before, after], true)).toEqual(['broken', 'broken']);
    expect(await read(await t.reader('visitor'), [...begun, before])).toEqual(['message:before']);
    const records = [...begun, before, await t.epoch(t.visitor.ed), await t.say('in the new one', t.li.ed)];
    expect(await read(await t.reader('visitor'), records)).toEqual(['message:before', 'broken']);
  });

  it('a key that was replaced speaks no more, though its person is in the team again', async () => {
    const old = t.li.ed;
    await t.co.add({ t: 'agent', user: 'li', on: false });
    await t.co.confirm(await t.co.enrol('li', 'agent', ['svc']));
    await t.grown();
    const records = [...begun, await t.epoch(t.visitor.ed), await t.say('me again', old)];
    expect(await read(await t.reader('visitor'), records)).toEqual(['broken']);
  });

  it('an agent of another team speaks only after a transfer to it', async () => {
    expect(await read(await t.reader('visitor'), [...begun, await t.say('hi', t.wu.ed)])).toEqual(['broken']);
    t = await Talk.create();
    const records = [
      t.opening(),
      await t.epoch(t.visitor.ed),
      await t.epoch(t.li.ed, { team: 'vip' }),
      await t.say('hi', t.wu.ed),
    ];
    const v = await t.reader('visitor');
    expect(await read(v, records)).toEqual(['message:hi']);
    expect(v.lines.entries.find((e) => e.movedFrom)).toMatchObject({
      movedFrom: 'svc',
      epoch: { team: 'vip', by: 'li' },
    });
  });

  it('only the team of the epoch before moves a conversation; its mover may take it back until the new team spoke', async () => {
    const stolen = await t.epoch(t.wu.ed, { team: 'vip', keep: false });
    expect(await read(await t.reader('visitor'), [...begun, stolen])).toEqual(['broken']);
    const moved = await t.epoch(t.li.ed, { team: 'vip' });
    const chain = { ...t.chain };
    const back = await t.epoch(t.li.ed, { team: 'svc' });
    const v = await t.reader('visitor');
    await read(v, [...begun, moved, back]);
    expect(v.epochs.current).toMatchObject({ epoch: 2, team: 'svc' });
    t.chain = chain;
    t.eks.pop();
    const spoke = await t.say('mine now', t.wu.ed, { prev: ZERO });
    const late = await t.epoch(t.li.ed, { team: 'svc', keep: false });
    expect(await read(await t.reader('visitor'), [...begun, moved, spoke, late])).toEqual([
      'message:mine now',
      'broken',
    ]);
  });

  it("an announcement dated before the last one is refused, and the first is the visitor's", async () => {
    const old = t.dir.seq - 1;
    expect(await read(await t.reader('visitor'), [...begun, await t.epoch(t.li.ed, { at: old, keep: false })])).toEqual(
      ['broken'],
    );
    t = await Talk.create();
    expect(await read(await t.reader(t.li), [t.opening(), await t.epoch(t.li.ed)])).toEqual(['broken']);
  });

  it('somebody who joined after the epoch began may note, not speak, until the next one', async () => {
    const zoe = await t.co.enrol('zoe', 'agent', ['svc']);
    await t.co.confirm(zoe);
    await t.grown();
    const records = [
      ...begun,
      await t.note('n', zoe.ed),
      await t.say('too early', zoe.ed),
      await t.epoch(zoe.ed),
      await t.say('now', zoe.ed),
    ];
    expect(await read(await t.reader(t.li), records, true)).toEqual(['note:n', 'broken', 'message:now missing']);
  });

  it('notes stand in the epoch that is current there', async () => {
    const late = await t.note('late', t.li.ed);
    const records = [...begun, await t.epoch(t.li.ed), late];
    expect(await read(await t.reader(t.li), records)).toEqual(['broken']);
  });
});

describe('whose conversation', () => {
  it("another visitor's conversation is none of this browser's", async () => {
    const own = t.visitor;
    const l = await t.reader('visitor');
    const other = await Talk.create();
    t.visitor = other.visitor;
    const there = await t.reader('visitor');
    t.visitor = own;
    expect(await read(there, begun)).toEqual(['broken', 'broken']);
    expect(await read(l, begun)).toEqual([]);
  });

  it('a note by the visitor is none', async () => {
    expect(await read(await t.reader(t.li), [...begun, await t.note('n', t.visitor.ed)])).toEqual(['broken']);
  });
});

describe('the robot', () => {
  it('speaks only before the first epoch without it, and none comes after one without it', async () => {
    await t.co.robotOn();
    await t.grown();
    const [bot, robot] = [t.co.robot!.day, t.co.robot!.ed];
    t.chain = { epoch: -1, hash: new Uint8Array(32) };
    t.eks.length = 0;
    t.seq = 0;
    begun = [t.opening(), await t.epoch(t.visitor.ed, { bot }), await t.say('hello', robot)];
    const late = await t.say('pay to account X', robot, { epoch: 0 });
    const handed = [...begun, await t.epoch(t.li.ed), late];
    for (const live of [true, false])
      expect(await read(await t.reader('visitor'), handed, live)).toEqual(['message:hello', 'broken']);
    // and not with the next key, if the server got it
    expect((await read(await t.reader('visitor'), [...handed, await t.say('in the new one', robot)])).at(-1)).toBe(
      'broken',
    );
    // what the visitor still writes for the robot is nothing that an agent takes for safe
    const still = await t.say('card 6222', t.visitor.ed, { epoch: 0 });
    expect(await read(await t.reader(t.li), [...handed.slice(0, -1), still])).toEqual(['message:hello', 'broken']);
    const again = await t.epoch(t.visitor.ed, { bot, keep: false });
    const v = await t.reader('visitor');
    await read(v, [...handed, again]);
    expect(v.epochs.current?.epoch).toBe(1);
    expect(v.epochs.robotLeft).toBe(true);
  });
});

describe('a robot that is in', () => {
  it('agents write nothing where it reads', async () => {
    await t.co.robotOn();
    await t.grown();
    t.chain = { epoch: -1, hash: new Uint8Array(32) };
    t.eks.length = 0;
    t.seq = 0;
    const records = [t.opening(), await t.epoch(t.visitor.ed, { bot: t.co.robot!.day }), await t.say('hi', t.li.ed)];
    expect(await read(await t.reader('visitor'), records)).toEqual(['broken']);
  });
});

describe('order', () => {
  it('another question before an answer than the one that was answered is marked', async () => {
    const asked = t.last;
    const cancel = await t.say('shall I CANCEL?', t.li.ed);
    const yes = await t.say('yes');
    const execute = await t.say('shall I EXECUTE?', t.li.ed, { ctr: 0, prev: asked });
    expect(await read(await t.reader(t.li), [...begun, execute, yes])).toEqual([
      'message:shall I EXECUTE?',
      'message:yes unordered',
    ]);
    expect(await read(await t.reader(t.li), [...begun, cancel, yes])).toEqual([
      'message:shall I CANCEL?',
      'message:yes',
    ]);
  });

  it('a whole page run that is left out is marked at the next message', async () => {
    await t.say('one', t.visitor.ed, { inst: 1, ctr: 0 });
    await t.say('two', t.visitor.ed, { inst: 1, ctr: 1 });
    const three = await t.say('three', t.visitor.ed, { inst: 2, ctr: 0 });
    expect(await read(await t.reader(t.li), [...begun, three])).toEqual(['message:three unordered']);
  });

  it('zeros are right only before anybody else spoke', async () => {
    const first = await t.say('first', t.visitor.ed, { prev: ZERO });
    expect(await read(await t.reader(t.li), [...begun, first, await t.say('second', t.li.ed, { prev: ZERO })])).toEqual(
      ['message:first', 'message:second unordered'],
    );
  });

  it('what a far counter claims is a mark, no work', async () => {
    const far = await t.say('far', t.visitor.ed, { ctr: 0xffffffff });
    expect(await read(await t.reader(t.li), [...begun, far])).toEqual(['message:far missing']);
  });
});

describe('recalls', () => {
  it('by the sender: text gone, counter and order stay, live and after a reload', async () => {
    const a = await t.say('a');
    const b = await t.say('b', t.li.ed);
    const back = await t.recall(a, t.visitor.ed);
    const c = await t.say('c');
    expect(await read(await t.reader(t.li), [...begun, a, b, back, c], true)).toEqual([
      'recalled',
      'message:b',
      'message:c',
    ]);
    // b names the hash of a, which only the recall carries now
    expect(await read(await t.reader(t.li), [...begun, t.left(a), b, back, c])).toEqual([
      'recalled',
      'message:b',
      'message:c',
    ]);
  });

  it('a tombstone nobody signed for moves no counter and hides no gap', async () => {
    const [a, , c] = [await t.say('a'), await t.say('b'), await t.say('c')];
    expect(await read(await t.reader(t.li), [...begun, t.left(a), c])).toEqual([
      'removed',
      'message:c missing unordered',
    ]);
    const far = t.left(a);
    far.body.set([0, 0, 0, 99], 60);
    expect(await read(await t.reader(t.li), [...begun, far, a])).toEqual(['removed', 'message:a']);
  });

  it('an event of the server takes a message away, but says who did', async () => {
    const a = await t.say('a');
    const { msg } = (await read(await t.reader('visitor'), [...begun, a]), { msg: hex(a.body.subarray(40, 56)) });
    const v = await t.reader('visitor');
    expect(await read(v, [...begun, a, t.event({ t: 'recalled', seq: a.seq, msg, by: 'visitor' })], true)).toEqual([
      'removed',
    ]);
    expect(v.lines.entries.find((e) => e.seq === a.seq)?.body).toBeUndefined();
  });

  it('by somebody else, of another envelope, or of nothing: refused or marked', async () => {
    const a = await t.say('a');
    expect(await read(await t.reader(t.li), [...begun, a, await t.recall(a, t.li.ed)])).toEqual([
      'message:a',
      'broken',
    ]);
    expect(
      await read(await t.reader(t.li), [...begun, a, await t.recall(a, t.visitor.ed, { hash: random(16) })]),
    ).toEqual(['message:a', 'broken']);
    const hidden = await t.say('hidden');
    expect((await read(await t.reader(t.li), [...begun, a, await t.recall(hidden, t.visitor.ed)])).at(-1)).toBe(
      'recalled missing unordered',
    );
  });

  it('notes are taken back among agents; a visitor sees nothing of it', async () => {
    const n = await t.note('n', t.li.ed);
    const records = [...begun, n, await t.recall(n, t.li.ed, { ctr: 0 })];
    expect(await read(await t.reader(t.li), records)).toEqual(['recalled']);
    expect(
      await read(await t.reader('visitor'), [...begun, t.event({ t: 'hidden' }), t.event({ t: 'hidden' })]),
    ).toEqual([]);
  });

  it('in revision 1 a tombstone reads as before', async () => {
    t = await Talk.create(1);
    const first = [t.opening(), await t.epoch(t.visitor.ed)];
    const [a, b] = [await t.say('a'), await t.say('b')];
    expect(await read(await t.reader(t.li), [...first, t.left(a), b])).toEqual(['recalled', 'message:b']);
  });
});

describe('memory', () => {
  it('the same log holds; a shorter one, another record at the place, another epoch do not', async () => {
    const store = memoryStore();
    const records = [...begun, await t.say('a'), await t.epoch(t.li.ed), await t.say('b')];
    const first = await t.reader('visitor', { store });
    await read(first, records);
    await first.memory.save({ ...first.place(), gen: 'g1' });
    const again = async (shownNow: readonly WireRecord[]): Promise<boolean> => {
      const l = await t.reader('visitor', { store });
      await l.memory.load();
      l.history.expect();
      await read(l, shownNow);
      return l.history.holds();
    };
    expect(await again(records)).toBe(true);
    expect(await again(records.slice(0, -1))).toBe(false);
    expect(await again(records.slice(0, 3))).toBe(false);
    expect(await again([...records.slice(0, -1), { ...(await t.say('x')), seq: records.at(-1)!.seq }])).toBe(false);
    // the epoch is left out, the record at the place is right
    const hidden = { ...t.event({ t: 'hidden' }), seq: records.at(-2)!.seq };
    expect(await again([...records.slice(0, -2), hidden, records.at(-1)!])).toBe(false);
    // recalled meanwhile: the mark stays
    expect(await again([...records.slice(0, -1), t.left(records.at(-1)!)])).toBe(true);
    expect(t.alarms).toEqual([]);
  });

  it('an epoch that another tab accepted must be there', async () => {
    const store = memoryStore();
    const { memory } = await t.reader('visitor', { store });
    await memory.load();
    await memory.save({ epoch: 1, hash: 'aa'.repeat(32) });
    const l = await t.reader('visitor', { store });
    await l.memory.load();
    l.history.expect();
    await read(l, begun);
    expect(l.history.holds()).toBe(false);
  });

  it('another announcement under a remembered number is an alarm', async () => {
    const store = memoryStore();
    const first = await t.reader(t.li, { store });
    await read(first, begun);
    await first.memory.save(first.place());
    t.chain = { epoch: -1, hash: new Uint8Array(32) };
    const other = await t.epoch(t.visitor.ed, { keep: false });
    const l = await t.reader(t.li, { store });
    await read(l, [begun[0]!, { ...other, seq: 2 }]);
    expect(shown(l)).toEqual(['broken']);
    expect(t.alarms).toEqual(['error.history']);
  });
});
