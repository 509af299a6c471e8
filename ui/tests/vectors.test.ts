/** The known answers that the Rust side froze (`tests/data/vectors.json` at the root of the repository). */
import { readFileSync } from 'node:fs';
import { argon2id } from '@noble/hashes/argon2.js';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Backend } from '../src/crypto/backend';
import { b64u, hex, random, sized, text, unb64u, unhex, utf8 } from '../src/crypto/bytes';
import { verifyDayKey } from '../src/crypto/daykey';
import { Directory } from '../src/crypto/directory';
import { replayLog } from '../src/crypto/replay-log';
import { signedOf } from '../src/crypto/signed';
import { isGoodKey } from '../src/crypto/ed25519';
import { header, openMessage, openNote, pad, sealMessage, unpad } from '../src/crypto/envelope';
import { acceptAnnouncement, emptyChain, openBox } from '../src/crypto/epoch';
import { acceptGrant } from '../src/crypto/grant';
import * as hash from '../src/crypto/hash';
import { inviteKeys, parseCode, printCode } from '../src/crypto/invite';
import { signRecall, targetOf } from '../src/crypto/recall';
import { openKeyring, openTeamKey, sealKeyring } from '../src/crypto/keyring';
import { claimHash, readCert } from '../src/crypto/rules';
import { coverage, verifyBundle } from '../src/crypto/snapshot';
import { canonical, readState } from '../src/crypto/state';
import { Envelope, Kind, parseRecord, type SiteReply, type SignedJson } from '../src/proto';
import { backends } from './support/backends';

// biome-ignore lint/suspicious/noExplicitAny: the vectors have many shapes, and a wrong one fails its test
type Any = any;
const file = process.env.KEFU_VECTORS ?? new URL('../../tests/data/vectors.json', import.meta.url);
const v: Any = JSON.parse(readFileSync(file, 'utf8'));
const envelope = (h: string): Envelope => Envelope.parse(unhex(h))!;
const key = (name: string): { ed_seed: string; ed: string; x_sk: string; x: string } => v.keys[name];

describe('hashes and names', () => {
  it('H', () => {
    for (const c of v.hash) expect(hex(hash.H(c.label, ...c.parts.map(unhex)))).toBe(c.out);
  });
  it('names', () => {
    const n = v.names;
    expect(hex(hash.fingerprint(unhex(n.org.root)))).toBe(n.org.fp);
    expect(hash.printFingerprint(unhex(n.org.fp))).toBe(n.org.text);
    expect(hex(hash.kidOf(unhex(n.kid.ed)))).toBe(n.kid.kid);
    for (const b of n.box_kid) expect(hex(hash.boxKid(b.kind, unhex(b.x)))).toBe(b.kid);
    const c = n.conv;
    expect(hex(hash.conversationId(unhex(c.nonce), unhex(c.org), c.site, unhex(c.ed), unhex(c.x)))).toBe(c.conv);
    const k = n.commitment;
    expect(hex(hash.commitment(unhex(k.conv), k.epoch, unhex(k.ek)))).toBe(k.commitment);
    expect(hex(hash.announcementHash(unhex(n.ann_hash.bytes)))).toBe(n.ann_hash.hash);
    expect(hex(hash.envelopeHash(unhex(n.envelope_hash.bytes)))).toBe(n.envelope_hash.hash);
    const e = signedOf(n.entry_hash.entry);
    expect(hex(hash.entryHash(e.raw, e.signer, e.sig))).toBe(n.entry_hash.hash);
  });
  it('padding', () => {
    for (const p of v.padding) {
      const body = random(p.body);
      expect(pad(body).length).toBe(p.padded);
      expect(hex(unpad(pad(body)))).toBe(hex(body));
    }
  });
  it('keys of small order and other spellings are refused', () => {
    for (const b of v.bad_keys) expect(isGoodKey(unhex(b.ed)), b.why).toBe(false);
    for (const k of Object.values<Any>(v.keys)) expect(isGoodKey(unhex(k.ed))).toBe(true);
  });
  it('the password is stretched as OPAQUE will', () => {
    const out = argon2id(unhex(v.ksf.input), new Uint8Array(16), { m: 65536, t: 3, p: 4, dkLen: 64 });
    expect(hex(out)).toBe(v.ksf.out);
  });
  it('invite codes', () => {
    const code = parseCode(v.invite.code)!;
    expect(hex(code.secret)).toBe(v.invite.secret);
    expect(hex(code.org)).toBe(v.invite.org);
    expect(printCode(code)).toBe(v.invite.code);
    expect(parseCode(v.invite.code.toLowerCase().replaceAll('-', ' '))).toEqual(code);
    for (const bad of v.invite.bad_codes) expect(parseCode(bad)).toBeNull();
  });
  it('keyring', () => {
    const k = v.keyring;
    const keys = openKeyring(unhex(k.sealed), unhex(k.export_key), k.user, k.version);
    expect(hex(keys.ed)).toBe(key(k.of).ed_seed);
    expect(hex(sealKeyring(keys, unhex(k.export_key), k.user, k.version, unhex(k.nonce)))).toBe(k.sealed);
    expect(() => openKeyring(unhex(k.sealed), unhex(k.export_key), k.user, k.version + 1)).toThrow('keyring');
  });
});

describe.each(backends)('on the %s back end', (_, make) => {
  let b: Backend;
  beforeAll(async () => {
    b = await make();
  });
  const boxOf = async (name: string) => {
    const k = await b.boxKey(unhex(key(name).x_sk));
    expect(hex(k.pk)).toBe(key(name).x);
    return k;
  };

  it('signatures', async () => {
    for (const s of v.sign) {
      const k = await b.signingKey(unhex(key(s.signer).ed_seed));
      expect(hex(k.pk)).toBe(key(s.signer).ed);
      expect(hex(await k.sign(s.label, unhex(s.msg)))).toBe(s.sig);
      expect(await b.verify(s.label, k.pk, unhex(s.msg), unhex(s.sig))).toBe(true);
      expect(await b.verify('pop', k.pk, unhex(s.msg), unhex(s.sig))).toBe(false);
    }
    for (const bad of v.bad_keys)
      expect(await b.verify('dir', unhex(bad.ed), utf8('x'), new Uint8Array(64))).toBe(false);
  });

  it('HPKE', async () => {
    for (const h of v.hpke) {
      const k = await boxOf(h.to);
      expect(hex(await k.open({ enc: unhex(h.enc), ct: unhex(h.ct) }, unhex(h.info), unhex(h.aad)))).toBe(h.pt);
      await expect(k.open({ enc: unhex(h.enc), ct: unhex(h.ct) }, utf8('other'), unhex(h.aad))).rejects.toThrow('box');
    }
  });

  it('messages', async () => {
    for (const m of v.message) {
      const ek = await b.epochKey(unhex(m.ek));
      const signer = await b.signingKey(unhex(key(m.signer).ed_seed));
      const h = m.header;
      const fields = {
        conv: unhex(h.conv),
        epoch: h.epoch,
        msg: unhex(h.msg_id),
        inst: h.inst,
        ctr: h.ctr,
        prev: unhex(h.prev),
      };
      expect(hex(await sealMessage(fields, ek, utf8(m.body), signer))).toBe(m.bytes);
      expect(text(await openMessage(b, envelope(m.bytes), ek, signer.pk))).toBe(m.body);
      const bytes = unhex(m.bytes);
      bytes[90]! ^= 1;
      await expect(openMessage(b, Envelope.parse(bytes)!, ek, signer.pk)).rejects.toThrow('signature');
    }
    expect(envelope(v.tombstone.bytes).msg).toBe(envelope(v.tombstone.of).msg);
    expect(envelope(v.tombstone.bytes).kind).toBe(Kind.tombstone);
  });

  it('notes', async () => {
    const n = v.note;
    const body = text(await openNote(b, envelope(n.bytes), await boxOf(n.team), unhex(key(n.signer).ed)));
    expect(body).toBe(n.body);
    const h = n.header;
    const fields = {
      conv: unhex(h.conv),
      epoch: h.epoch,
      msg: unhex(h.msg_id),
      inst: h.inst,
      ctr: h.ctr,
      prev: unhex(h.prev),
    };
    expect(n.bytes.startsWith(hex(header(Kind.note, unhex(key(n.signer).ed), fields)))).toBe(true);
  });

  it('announcements', async () => {
    for (const a of v.announcement) {
      const env = envelope(a.bytes);
      expect(env.epoch).toBe(a.epoch);
      expect(env.dirSeq).toBe(a.dir_seq);
      expect(hex(env.dirHead)).toBe(a.dir_head);
      expect(await b.verify('ann', unhex(key(a.creator).ed), env.signed, env.signature)).toBe(true);
      for (const [name, kind] of [
        [a.team, 1],
        [a.visitor, 2],
      ] as const) {
        const mine = await boxOf(name);
        const ek = await openBox(env, unhex(env.conv), new Map([[hex(hash.boxKid(kind, mine.pk)), mine]]));
        expect(hex(ek!)).toBe(a.ek);
      }
      expect(hex(hash.commitment(unhex(env.conv), a.epoch, unhex(a.ek)))).toBe(hex(env.commitment));
    }
  });

  it('grants', async () => {
    const g = v.grant;
    const to = await boxOf(g.to);
    const mine = new Map([[hex(hash.boxKid(g.kind, to.pk)), to]]);
    const want = new Map<number, string>(g.keys.map((k: Any) => [k.epoch, k.commitment]));
    const creator = unhex(key(g.creator).ed);
    const keys = await acceptGrant(b, envelope(g.bytes), unhex(g.conv), creator, mine, (e) => unhex(want.get(e)!));
    expect(keys.map((k) => ({ epoch: k.epoch, ek: hex(k.ek) }))).toEqual(
      g.keys.map((k: Any) => ({ epoch: k.epoch, ek: k.ek })),
    );
    await expect(
      acceptGrant(b, envelope(g.bytes), unhex(g.conv), creator, mine, () => new Uint8Array(32)),
    ).rejects.toThrow('commitment');
  });

  it('invites', async () => {
    const i = v.invite;
    const keys = await inviteKeys(b, unhex(i.secret));
    expect(hex(keys.sign.pk)).toBe(i.ed);
    expect(hex(keys.box.pk)).toBe(i.x);
    const raw = unb64u(i.cert.cert);
    const cert = await readCert(b, unhex(i.org), raw, sized(i.cert.signer, 32), unb64u(i.cert.sig));
    expect(cert.inv).toBe(b64u(keys.sign.pk));
    const by = key(i.claim_by);
    expect(hex(await keys.sign.sign('claim', claimHash(raw, unhex(by.ed), unhex(by.x))))).toBe(i.claim_sig);
  });

  it('team boxes', async () => {
    const t = v.team_box;
    expect(hex(await openTeamKey(t.box, await boxOf(t.to)))).toBe(key(t.secret).x_sk);
    await expect(openTeamKey({ ...t.box, epoch: t.box.epoch + 1 }, await boxOf(t.to))).rejects.toThrow('box');
  });

  it('directory', async () => {
    const d = v.directory;
    const log = (d.log as SignedJson[]).map(signedOf);
    const dir = await replayLog(b, unhex(d.fp), log, () => d.now);
    expect(canonical(dir.state)).toBe(d.state_canonical);
    expect(d.heads.length).toBeGreaterThan(0);
    (d.heads as string[]).forEach((h, seq) => expect(hex(dir.headAt(seq)!)).toBe(h));
    for (const bad of d.bad) {
      const entries = [...(d.log as SignedJson[]).slice(0, bad.after), ...bad.before].map(signedOf);
      if (entries.length === 0) {
        await expect(
          async () => Directory.genesis(b, unhex(d.fp), signedOf(bad.entry), () => d.now),
          bad.name,
        ).rejects.toThrow();
        continue;
      }
      const before = await replayLog(b, unhex(d.fp), entries, () => d.now);
      const state = canonical(before.state);
      await expect(async () => before.apply(b, signedOf(bad.entry)), bad.name).rejects.toThrow();
      expect(canonical(before.state), bad.name).toBe(state);
      expect(before.seq).toBe(entries.length - 1);
    }
  });

  describe('confirmation', () => {
    const c = v.confirmation;
    const replay = (entries: SignedJson[], now = c.now) => replayLog(b, unhex(c.fp), entries.map(signedOf), () => now);
    const waiting = (dir: Directory) =>
      dir
        .waiting()
        .map(({ user, inv, exp }) => ({ user, inv, seq: dir.keyOf(kidOf(dir, inv))!.from, exp }))
        .sort(byUser);
    const kidOf = (dir: Directory, inv: string) =>
      hex(hash.kidOf(sized(dir.waiting().find((w) => w.inv === inv)!.ed, 32)));
    const byUser = (x: { user: string }, y: { user: string }) => (x.user < y.user ? -1 : 1);
    const sorted = (list: Any[]) => [...list].sort(byUser);

    it('states on the way', async () => {
      for (const s of c.states) {
        const dir = await replay(c.log.slice(0, s.after));
        expect(canonical(dir.state), s.after).toBe(s.canonical);
        expect(canonical(readState(JSON.parse(s.canonical)))).toBe(s.canonical);
        expect(waiting(dir), s.after).toEqual(sorted(s.unconfirmed));
      }
      const dir = await replay(c.log);
      (c.heads as string[]).forEach((h, seq) => expect(hex(dir.headAt(seq)!)).toBe(h));
      for (const { name, entry, canonical: then, unconfirmed } of c.good) {
        const next = dir.fork();
        await next.apply(b, signedOf(entry));
        expect(canonical(next.state), name).toBe(then);
        expect(waiting(next), name).toEqual(sorted(unconfirmed));
      }
    });

    it('what may not follow', async () => {
      expect(c.bad.length).toBeGreaterThan(10);
      for (const { name, after, before, entry } of c.bad) {
        const dir = await replay([...c.log.slice(0, after), ...before]);
        const state = canonical(dir.state);
        await expect(dir.apply(b, signedOf(entry)), name).rejects.toThrow();
        expect(canonical(dir.state), name).toBe(state);
      }
    });

    it('what a snapshot covers', async () => {
      for (const { name, snapshot, covered, unconfirmed } of c.snapshots) {
        const dir = await replay(c.log.slice(0, 7));
        const seq = await coverage(b, dir, snapshot);
        expect(seq < 0 ? null : seq, name).toBe(covered);
        dir.cover(seq);
        expect(waiting(dir), name).toEqual(sorted(unconfirmed));
      }
    });

    it('what visitors make of it', async () => {
      for (const { bundle, canonical: then, unconfirmed } of c.bundles) {
        const { directory } = await verifyBundle(b, unhex(c.fp), bundle, () => c.now);
        expect(canonical(directory.state)).toBe(then);
        expect(waiting(directory)).toEqual(sorted(unconfirmed));
      }
    });

    it('who was where, whose key was whose, who may act', async () => {
      const dir = await replay(c.log);
      for (const { user, team, seq, is } of c.in_team)
        expect(dir.inTeamAt(user, team, seq), `${user} ${team} ${seq}`).toBe(is);
      for (const { seq, rev } of c.revision) expect(dir.revisionAt(seq)).toBe(rev);
      for (const { box_kid, ...is } of c.team_keys) expect(dir.teamKey(box_kid)).toMatchObject(is);
      for (const { user, now, is } of c.acting) {
        const then = await replay(c.log, now);
        const { ed } = then.state.waiting?.[user] ?? then.state.users[user]!.keys.at(-1)!;
        expect(then.keyNow(hex(hash.kidOf(sized(ed, 32)))) !== null, `${user} ${now}`).toBe(is);
      }
    });
  });

  const robotLog = () => (v.robot.log as SignedJson[]).map(signedOf);
  const robotDir = () => replayLog(b, unhex(v.robot.fp), robotLog(), () => v.robot.now);

  it('a directory with a robot', async () => {
    const dir = await robotDir();
    expect(canonical(dir.state)).toBe(v.robot.state_canonical);
    expect(canonical(JSON.parse(text(unb64u(v.robot.snapshot.raw))).state)).toBe(v.robot.state_canonical);
    expect(canonical(readState(JSON.parse(v.robot.state_canonical)))).toBe(v.robot.state_canonical);
    for (const bad of v.robot.bad) {
      const reason = { Signer: 'signer', BotKey: 'bot_key', UnknownBot: 'unknown_bot', 'Sign(SmallOrder)': 'bad_key' }[
        bad.why as string
      ];
      await expect(dir.fork().apply(b, signedOf(bad.entry)), bad.name).rejects.toMatchObject({ reason });
    }
    expect(v.robot.bad.length).toBeGreaterThan(5);
  });

  it('day keys', async () => {
    const dir = await robotDir();
    const { key: j, says, box_kid, x } = v.robot.day_key;
    const day = await verifyDayKey(b, dir, v.robot.site, j, v.robot.now);
    expect([hex(day.x), day.until, hex(hash.boxKid(hash.BoxKind.bot, day.x))]).toEqual([x, says.until, box_kid]);
    const reasons: Any = {
      'Sign(Signature)': 'signature',
      Over: 'bot_over',
      TooLong: 'too_long',
      Future: 'bot_future',
      Other: 'other',
      'Version(2)': 'version',
    };
    for (const bad of v.robot.bad_day_keys) {
      await expect(verifyDayKey(b, dir, v.robot.site, bad.key, bad.now), bad.name).rejects.toMatchObject({
        reason: reasons[bad.why],
      });
    }
    const before = await replayLog(
      b,
      unhex(v.directory.fp),
      (v.directory.log as SignedJson[]).map(signedOf),
      () => v.directory.now,
    );
    await expect(verifyDayKey(b, before, v.robot.site, j, v.robot.now)).rejects.toMatchObject({ reason: 'bot_none' });
  });

  it('an announcement with the robot', async () => {
    const a = v.robot_announcement;
    const env = envelope(a.bytes);
    const day = await b.boxKey(unhex(v.robot.day_key.x_sk));
    const visitor = await boxOf(a.visitor);
    const kid = (kind: number, pk: Uint8Array) => hex(hash.boxKid(kind, pk));
    const want = {
      conv: unhex(env.conv),
      last: emptyChain(),
      before: null,
      transfer: null,
      visitorEd: unhex(key(a.creator).ed),
      visitorX: visitor.pk,
      directory: await robotDir(),
      mine: new Map([[kid(2, visitor.pk), visitor]]),
      live: true,
    };
    const accepted = await acceptAnnouncement(b, env, want);
    expect(accepted).toMatchObject({ bot: true, by: null, epoch: 0 });
    expect(hex((await openBox(env, unhex(env.conv), new Map([[kid(3, day.pk), day]])))!)).toBe(a.ek);
  });

  it('bundles', async () => {
    const d = v.directory;
    for (const bundle of d.bundles as SiteReply['directory'][]) {
      const { directory } = await verifyBundle(b, unhex(d.fp), bundle, () => d.now);
      expect(canonical(directory.state)).toBe(d.state_canonical);
    }
    for (const bad of d.bad_bundles) {
      const why = bad.why === 'Future' ? { reason: 'snapshot_future' } : {};
      await expect(
        verifyBundle(b, unhex(d.fp), bad.bundle, () => bad.now),
        bad.name,
      ).rejects.toMatchObject(why);
    }
  });
});

describe.each(backends)('recalls on the %s back end', (_, make) => {
  const r: Any = JSON.parse(readFileSync(new URL('../../tests/data/recall.json', import.meta.url), 'utf8'));

  it('are the bytes that Rust signs, and read as it reads them', async () => {
    const b = await make();
    for (const c of r.recalls) {
      const of = Envelope.parse(unhex(c.of))!;
      const key = await b.signingKey(unhex(c.seed));
      const fields = {
        conv: unhex(c.conv),
        epoch: c.epoch,
        msg: unhex(c.msg),
        inst: c.inst,
        ctr: c.ctr,
        prev: unhex(c.prev),
      };
      const made = await signRecall(fields, targetOf(of), key);
      expect(hex(made)).toBe(c.recall);
      const env = Envelope.parse(made)!;
      expect(env.kind).toBe(of.kind === Kind.note ? Kind.noteRecall : Kind.recall);
      expect(env.recalled).toMatchObject({ msg: of.msg, inst: of.inst, ctr: of.ctr });
      expect(hex(env.recalled.hash)).toBe(hex(hash.envelopeHash(of.bytes)));
      expect(Envelope.parse(unhex(c.tombstone))).toMatchObject({ msg: of.msg });
    }
  });
});

it('marks of records', () => {
  const r: Any = JSON.parse(readFileSync(new URL('../../tests/data/recall.json', import.meta.url), 'utf8'));
  for (const { frame, mark } of r.marks) {
    const record = parseRecord(unhex(frame))!;
    expect(hex(hash.recordMark(record.seq, record.at, record.body))).toBe(mark);
  }
});
