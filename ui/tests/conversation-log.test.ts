/** What a hostile server, a dismissed agent or a stranger may try against one conversation; each is refused for its reason. */
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Backend, BoxKey, SigningKey } from '../src/crypto/backend';
import { b64u, cat, hex, random, u32, unhex, utf8 } from '../src/crypto/bytes';
import type { Directory } from '../src/crypto/directory';
import { signedOf } from '../src/crypto/signed';
import { encodeBody, sealMessage, sealNote } from '../src/crypto/envelope';
import { acceptAnnouncement, announce, emptyChain, type Chain, type Receiver } from '../src/crypto/epoch';
import { grant } from '../src/crypto/grant';
import { announcementHash, BoxKind, boxKid, conversationId, kidOf } from '../src/crypto/hash';
import { agentLog, exportKeys } from '../src/client/agent-log';
import type { ConversationContext } from '../src/client/context';
import { ConversationLog } from '../src/client/conversation-log';
import { ClientError } from '../src/model';
import { ANNOUNCEMENT_HEADER, BOX_LEN, Envelope, Kind, parseRecord, type WireRecord } from '../src/proto';
import { memoryStore } from '../src/storage/store';
import { backends } from './support/backends';
import { noFiles } from './support/files';
import { Company, NOW, SITE, type Person } from './support/company';

const OLD_KEY = '0100000000000000000000000000000000000000000000000000000000000000';

describe.each(backends)('a conversation on the %s back end', (_, make) => {
  let b: Backend;
  let co: Company;
  let li: Person;
  let visitor: { ed: SigningKey; x: BoxKey };
  let conv: Uint8Array;
  let nonce: Uint8Array;
  let dir: Directory;
  let boxes: Map<string, BoxKey>;
  let log: ConversationLog;
  let alarms: unknown[];
  let seq: number;
  let clock: number;
  let refresh: () => Promise<void>;

  beforeAll(async () => {
    b = await make();
  });

  beforeEach(async () => {
    co = await Company.create(b);
    li = await co.enrol('li', 'agent', ['svc']);
    dir = await co.directory();
    visitor = { ed: await b.newSigningKey(), x: await b.newBoxKey() };
    nonce = random(16);
    conv = conversationId(nonce, co.fp, SITE, visitor.ed.pk, visitor.x.pk);
    alarms = [];
    seq = 0;
    clock = NOW;
    refresh = async () => undefined;
    boxes = await teamBoxes('svc');
    log = logOf('agent', li.ed, () => boxes);
  });

  const teamBoxes = async (team: string): Promise<Map<string, BoxKey>> => {
    const out = new Map<string, BoxKey>();
    for (const k of co.teamSecrets.get(team)!) {
      const key = await b.boxKey(k.secret);
      out.set(hex(boxKid(BoxKind.team, key.pk)), key);
    }
    return out;
  };

  const logOf = (
    role: ConversationContext['role'],
    me: SigningKey,
    mine: () => ReadonlyMap<string, BoxKey>,
    store = memoryStore(),
  ): ConversationLog => {
    const context: ConversationContext = {
      ...noFiles,
      backend: b,
      role,
      me,
      kid: hex(kidOf(me.pk)),
      fp: co.fp,
      store,
      storagePrefix: 't/',
      counterRun: 1,
      noteCounterRun: 2,
      directory: () => dir,
      refreshDirectory: () => refresh(),
      boxes: mine,
      now: () => clock,
      online: () => true,
      envelope: () => true,
      frame: () => true,
      request: async () => undefined,
      broken: () => null,
      alarm: (e) => alarms.push(e),
      notKept: () => undefined,
      gen: () => 'g1',
      again: () => undefined,
      fresh: async () => true,
      turn: async () => undefined,
    };
    return new ConversationLog(context, hex(conv), role === 'agent' ? agentLog : undefined);
  };

  const record = (body: Uint8Array): WireRecord => parseRecord(cat(u32(0), u32(++seq), u32(0), u32(0), body))!;
  const event = (json: unknown, id = conv): Uint8Array =>
    cat(utf8('K0'), new Uint8Array(2), id, utf8(JSON.stringify(json)));
  const openEvent = () =>
    event({ t: 'open', site: SITE, team: 'svc', nonce: b64u(nonce), ed: b64u(visitor.ed.pk), x: b64u(visitor.x.pk) });
  const teamPk = (team = 'svc') => dir.teamPk(team);

  const epoch = (
    by: SigningKey,
    last: Chain = log.epochs.chain,
    o: Partial<Parameters<typeof announce>[1]> = {},
    ek?: Uint8Array,
  ) =>
    announce(
      b,
      { conv, last, dirSeq: dir.seq, dirHead: dir.head, teamPk: teamPk(), visitorX: visitor.x.pk, ...o },
      by,
      ek,
    );

  const ek0 = random(32);
  const begin = async (l: ConversationLog = log): Promise<Uint8Array> => {
    await l.apply(record(openEvent()), true);
    const ann = await epoch(visitor.ed, emptyChain(), {}, ek0);
    await l.apply(record(ann), true);
    expect(l.epochs.current?.epoch).toBe(0);
    return ann;
  };
  const say = async (
    text: string,
    ctr: number,
    by: SigningKey = visitor.ed,
    o: { ek?: Uint8Array; epoch?: number; conv?: Uint8Array; inst?: number } = {},
  ) => {
    const f = {
      conv: o.conv ?? conv,
      epoch: o.epoch ?? 0,
      msg: random(16),
      inst: o.inst ?? 7,
      ctr,
      prev: new Uint8Array(16),
    };
    return sealMessage(f, await b.epochKey(o.ek ?? ek0), encodeBody({ t: 'text', ts: clock, text }), by);
  };
  /** Signs an announcement again after a change. */
  const resign = async (ann: Uint8Array, by: SigningKey) =>
    cat(ann.subarray(0, -64), await by.sign('ann', ann.subarray(0, -64)));
  const applied = async (body: Uint8Array, live = true) => (await log.apply(record(body), live))!;
  const receiver = (): Receiver => ({
    conv,
    last: log.epochs.chain,
    before: log.epochs.current,
    transfer: null,
    visitorEd: visitor.ed.pk,
    visitorX: visitor.x.pk,
    directory: dir,
    mine: boxes,
    live: true,
  });
  const why = (ann: Uint8Array, r: Partial<Receiver> = {}) =>
    acceptAnnouncement(b, Envelope.parse(ann)!, { ...receiver(), ...r }).then(
      () => 'accepted',
      (e: { reason?: string }) => e.reason,
    );

  it('honest flow: both read, counters and names fit', async () => {
    await begin();
    expect((await applied(await say('你好', 0))).body).toMatchObject({ t: 'text', text: '你好' });
    const answer = await applied(await say('hello', 0, li.ed));
    expect(answer).toMatchObject({ kind: 'message', user: 'li', missingBefore: false });
    const note = await sealNote(
      b,
      { conv, epoch: 0, msg: random(16), inst: 2, ctr: 0, prev: new Uint8Array(16) },
      teamPk(),
      encodeBody({ t: 'note', ts: 1, text: 'n' }),
      li.ed,
    );
    expect(await applied(note)).toMatchObject({ kind: 'note', body: { text: 'n' } });
  });

  it('the visitor keys must hash to the conversation', async () => {
    const other = await b.newSigningKey();
    const forged = event({
      t: 'open',
      site: SITE,
      team: 'svc',
      nonce: b64u(nonce),
      ed: b64u(other.pk),
      x: b64u(visitor.x.pk),
    });
    expect(await applied(forged)).toMatchObject({ kind: 'broken' });
    expect(log.epochs.visitor).toBeNull();
    expect(await applied(await epoch(visitor.ed, emptyChain()))).toMatchObject({ kind: 'broken' });
  });

  it('a visitor key of small order is refused', async () => {
    const ed = unhex(OLD_KEY);
    conv = conversationId(nonce, co.fp, SITE, ed, visitor.x.pk);
    log = logOf('agent', li.ed, () => boxes);
    const open = event({ t: 'open', site: SITE, team: 'svc', nonce: b64u(nonce), ed: b64u(ed), x: b64u(visitor.x.pk) });
    expect(await applied(open)).toMatchObject({ kind: 'broken' });
    expect(log.epochs.visitor).toBeNull();
  });

  it('replay, reorder, gap', async () => {
    await begin();
    const [m0, m1, m3] = [await say('a', 0), await say('b', 1), await say('d', 3)];
    expect((await applied(m0)).kind).toBe('message');
    expect(await applied(m0)).toMatchObject({ kind: 'broken' });
    expect(await applied(m3)).toMatchObject({ kind: 'message', missingBefore: true });
    expect(await applied(m1)).toMatchObject({ kind: 'broken' });
  });

  it('forged, foreign and altered messages', async () => {
    await begin();
    const mallory = await b.newSigningKey();
    expect((await applied(await say('x', 0, mallory))).kind).toBe('broken');
    // a stranger's signature under the agent's name
    const posed = await say('x', 0, li.ed);
    posed.set(await mallory.sign('sig', posed.subarray(0, -64)), posed.length - 64);
    expect((await applied(posed)).kind).toBe('broken');
    const flipped = await say('x', 0);
    flipped[85]! ^= 1;
    expect((await applied(flipped)).kind).toBe('broken');
    expect((await applied(await say('x', 0, visitor.ed, { conv: random(16) }))).kind).toBe('broken');
    expect((await applied(await say('x', 0, visitor.ed, { ek: random(32) }))).kind).toBe('broken');
    expect((await applied(await say('x', 0, visitor.ed, { epoch: 4 }))).kind).toBe('broken');
    expect((await applied(await say('genuine', 0))).kind).toBe('message');
  });

  it('plaintext is never shown as a message', async () => {
    await begin();
    expect(await applied(cat(utf8('{"t":"text","text":"hi"}'), new Uint8Array(40)))).toMatchObject({ kind: 'broken' });
  });

  it('announcements: conversation, epoch, chain', async () => {
    const first = await begin();
    expect(await why(first)).toBe('epoch');
    expect(await why(await epoch(visitor.ed, { epoch: 1, hash: log.epochs.chain.hash }))).toBe('epoch');
    expect(await why(await epoch(visitor.ed, { epoch: 0, hash: random(32) }))).toBe('chain');
    expect(await why(await epoch(visitor.ed, log.epochs.chain, { conv: random(16) }))).toBe('conversation');
    expect(await why(await epoch(visitor.ed))).toBe('accepted');
    expect(await why(await epoch(li.ed))).toBe('accepted');
  });

  it('announcements: nobody but the visitor and certified agents, and never by a bad signature', async () => {
    await begin();
    expect(await why(await epoch(await b.newSigningKey()))).toBe('creator');
    const ann = await epoch(li.ed);
    ann[ann.length - 1]! ^= 1;
    expect(await why(ann)).toBe('signature');
    const flags = await epoch(li.ed);
    flags[140] = 2;
    expect(await why(await resign(flags, li.ed))).toBe('flags');
  });

  it('announcements: ghost, doubled and missing recipients, the robot', async () => {
    await begin();
    const ghost = await b.newBoxKey();
    expect(await why(await epoch(li.ed, log.epochs.chain, { teamPk: ghost.pk }))).toBe('ghost_box');
    expect(await why(await epoch(li.ed, log.epochs.chain, { visitorX: ghost.pk }))).toBe('ghost_box');
    const ann = await epoch(li.ed);
    const box = ann.slice(ANNOUNCEMENT_HEADER, ANNOUNCEMENT_HEADER + BOX_LEN);
    const boxesEnd = ann.length - 64;
    const with3 = (extra: Uint8Array) => resign(cat(ann.subarray(0, boxesEnd), extra, new Uint8Array(64)), li.ed);
    expect(await why(await with3(box))).toBe('ghost_box');
    const bot = cat(new Uint8Array([BoxKind.bot]), boxKid(BoxKind.bot, ghost.pk), box.subarray(17));
    expect(await why(await with3(bot))).toBe('ghost_box');
    const twoTeams = cat(ann.subarray(0, ANNOUNCEMENT_HEADER), box, box, new Uint8Array(64));
    expect(await why(await resign(twoTeams, li.ed))).toBe('ghost_box');
    const flagged = ann.slice();
    flagged[140] = 1;
    expect(await why(await resign(flagged, li.ed))).toBe('bot_flag');
  });

  it('announcements: another key in the box than committed to', async () => {
    await begin();
    const ann = await epoch(li.ed);
    const kid = boxKid(BoxKind.team, teamPk());
    const info = cat(utf8('kefu/1 ek\0'), new Uint8Array([BoxKind.team]), kid);
    const other = await b.seal(teamPk(), info, ann.subarray(0, ANNOUNCEMENT_HEADER), random(32));
    ann.set(cat(other.enc, other.ct), ANNOUNCEMENT_HEADER + 17);
    expect(await why(await resign(ann, li.ed))).toBe('commitment');
  });

  it('announcements: a split directory is an alarm, a newer one is asked for', async () => {
    await begin();
    const forked = await epoch(li.ed, log.epochs.chain, { dirHead: random(32) });
    expect(await why(forked)).toBe('directory_fork');
    await applied(forked);
    expect(alarms).toHaveLength(1);
    expect(await why(await epoch(li.ed, log.epochs.chain, { dirSeq: dir.seq + 1 }))).toBe('directory_ahead');
    expect(log.epochs.chain.epoch).toBe(0);
  });

  it('announcements: a network that fails while the directory is fetched costs no epoch', async () => {
    await begin();
    await co.team('vip');
    const before = dir;
    dir = await co.directory();
    const ann = await epoch(li.ed);
    dir = before;
    let down = 3;
    refresh = async () => {
      if (down-- > 0) throw new ClientError('error.network');
      dir = await co.directory();
    };
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    try {
      const done = log.apply(record(ann), true);
      for (let over = false; !over; )
        over = await Promise.race([done.then(() => true), vi.advanceTimersByTimeAsync(100).then(() => false)]);
      expect((await done)?.kind).toBe('epoch');
    } finally {
      vi.useRealTimers();
    }
    expect(log.epochs.chain.epoch).toBe(1);
  });

  it('a message by somebody who joined meanwhile: the directory is fetched, then it is judged', async () => {
    await begin();
    const wu = await co.enrol('wu', 'agent', ['svc']);
    const asked: number[] = [];
    refresh = async () => {
      asked.push(dir.seq);
      dir = await co.directory();
    };
    expect(await applied(await say('new here', 0, wu.ed))).toMatchObject({ kind: 'message', user: 'wu' });
    expect(asked).toHaveLength(1);
    expect((await applied(await say('x', 0, await b.newSigningKey()))).kind).toBe('broken');
  });

  it('the old team key is no recipient any more, and the dismissed agent no sender', async () => {
    await begin();
    const old = teamPk();
    await co.add({ t: 'agent', user: 'li', on: false });
    await co.team('svc');
    dir = await co.directory();
    boxes = await teamBoxes('svc');
    expect(await why(await epoch(visitor.ed, log.epochs.chain, { teamPk: old }))).toBe('ghost_box');
    expect(await why(await epoch(li.ed))).toBe('creator');
    const ek1 = random(32);
    expect((await applied(await epoch(visitor.ed, log.epochs.chain, {}, ek1))).kind).toBe('epoch');
    expect((await applied(await say('x', 0, li.ed, { ek: ek1, epoch: 1 }))).kind).toBe('broken');
    expect((await applied(await say('y', 0, visitor.ed, { ek: ek1, epoch: 1 }))).kind).toBe('message');
  });

  it('downgrade: a message in an epoch that is over, live or as history', async () => {
    await begin();
    const ek1 = random(32);
    await applied(await epoch(li.ed, log.epochs.chain, {}, ek1));
    expect((await applied(await say('too late', 0))).kind).toBe('broken');
    // the server calls it history; the genuine one never stored it here
    expect((await applied(await say('old', 0), false)).kind).toBe('broken');
    expect((await applied(await say('now', 0, visitor.ed, { ek: ek1, epoch: 1 }), false)).kind).toBe('message');
  });

  it('a grant opens the past, but only with the announced keys', async () => {
    await begin();
    await applied(await say('before', 0));
    const vip = await teamBoxes('vip');
    const other = logOf('agent', li.ed, () => vip);
    seq = 0;
    for (const body of [openEvent(), log.epochs.current!.env.bytes, await say('again', 0)])
      await other.apply(record(body), false);
    expect(other.lines.entries.at(-1)).toMatchObject({ kind: 'broken', error: 'error.no_key' });
    const to = { kind: BoxKind.team, pk: teamPk('vip') };
    await other.apply(record(await grant(b, conv, [{ epoch: 0, ek: random(32) }], to, li.ed)), true);
    expect(other.lines.entries.filter((e) => e.body)).toHaveLength(0);
    await other.apply(record(await grant(b, conv, await exportKeys({ boxes: () => boxes }, log), to, li.ed)), true);
    expect(other.lines.entries.find((e) => e.kind === 'message')?.body).toMatchObject({ text: 'again' });
  });

  it('a visitor takes neither notes nor grants, whatever the server shows', async () => {
    const mine = new Map([[hex(boxKid(BoxKind.visitor, visitor.x.pk)), visitor.x]]);
    const v = logOf('visitor', visitor.ed, () => mine);
    await begin(v);
    const before = v.epochs.current!.key;
    const f = { conv, epoch: 0, msg: random(16), inst: 2, ctr: 0, prev: new Uint8Array(16) };
    const note = await sealNote(b, f, teamPk(), encodeBody({ t: 'note', ts: 1, text: 'n' }), li.ed);
    expect(await v.apply(record(note), true)).toBeNull();
    const to = { kind: BoxKind.visitor, pk: visitor.x.pk };
    expect(await v.apply(record(await grant(b, conv, [{ epoch: 0, ek: random(32) }], to, li.ed)), true)).toBeNull();
    expect(v.epochs.current!.key).toBe(before);
    expect(v.lines.entries.map((e) => e.kind)).toEqual(['event', 'epoch']);
  });

  it('a recalled message loses its text, its counter stays', async () => {
    await begin();
    const m = await say('secret', 0);
    const { msg } = Envelope.parse(m)!;
    const at = (await applied(m)).seq;
    await log.apply(record(event({ t: 'recalled', seq: at, msg, by: 'visitor' })), true);
    const gone = log.lines.entries.find((e) => e.seq === at)!;
    expect(gone).toMatchObject({ kind: 'recalled', body: undefined });
    const tomb = m.slice(0, 80);
    tomb[2] = Kind.tombstone;
    const fresh = logOf('agent', li.ed, () => boxes);
    seq = 0;
    for (const body of [openEvent(), log.epochs.current!.env.bytes, tomb, await say('next', 1)])
      await fresh.apply(record(body), false);
    expect(fresh.lines.entries.map((e) => [e.kind, e.missingBefore])).toEqual([
      ['event', false],
      ['epoch', false],
      ['recalled', false],
      ['message', false],
    ]);
  });

  it('a visitor who comes back finds the same epochs, or raises the alarm', async () => {
    const store = memoryStore();
    const mine = new Map([[hex(boxKid(BoxKind.visitor, visitor.x.pk)), visitor.x]]);
    const first = logOf('visitor', visitor.ed, () => mine, store);
    const ann = await begin(first);
    await first.memory.save(first.place());
    seq = 0;
    const again = logOf('visitor', visitor.ed, () => mine, store);
    for (const body of [openEvent(), ann, await say('kept', 0)]) await again.apply(record(body), false);
    expect(again.lines.entries.at(-1)).toMatchObject({ kind: 'message', body: { text: 'kept' } });
    expect(hex(again.epochs.chain.hash)).toBe(hex(announcementHash(ann)));
    seq = 0;
    const lied = logOf('visitor', visitor.ed, () => mine, store);
    await lied.apply(record(openEvent()), false);
    await lied.apply(record(await epoch(li.ed, emptyChain())), false);
    expect(lied.lines.entries.at(-1)).toMatchObject({ kind: 'broken', error: 'error.history' });
    expect(alarms).toHaveLength(1);
  });
});

describe('directory memory', () => {
  it('never goes back and never to another branch', async () => {
    const b = await backends[2]![1]();
    const co = await Company.create(b);
    const dir = await co.directory();
    const memory = { seq: dir.seq, head: hex(dir.head) };
    expect(() => dir.checkMemory(memory)).not.toThrow();
    const shorter = await co.directory(co.log.slice(0, -1));
    expect(() => shorter.checkMemory(memory)).toThrow('directory_rollback');
    expect(() => dir.checkMemory({ ...memory, head: '00'.repeat(32) })).toThrow('directory_fork');
    // an entry of another branch does not follow
    const other = co.log.slice(0, -1);
    const stray = signedOf(co.log.at(-1)!);
    const before = await co.directory(other.slice(0, -1));
    await expect(before.apply(b, stray)).rejects.toThrow('directory_seq');
  });
});
