/** Attacks on epochs: who makes one, for whom, when. */
import { b64u, random, unb64u } from '../../../src/crypto/bytes';
import { BoxKind } from '../../../src/crypto/hash';
import { benchBackend as b } from '../backend';
import { entryAfter } from '../company';
import { grant, kidHex } from '../forge';
import type { Attack } from '../attack';
import { eventOf, K, wire } from '../wire';
import type { World } from '../world';
import { AGENTS, changeConv, dismissQi, EVERYBODY, tellAll } from './help';

const insertFor = (w: World, id: string, who: readonly string[], ...bodies: Uint8Array[]): void =>
  who.forEach((p) => w.insert(id, p, ...bodies));
const teamBox = async (w: World, team: string) => ({
  kind: BoxKind.team,
  pk: (await b.boxKey(w.log.teamSecret(team))).pk,
});
const visitorBox = (w: World) => ({ kind: BoxKind.visitor, pk: unb64u(w.stored!.conv.x) });

/** Once the true epoch of that number is remembered, another one under it is an alarm. */
const REMEMBERED: Attack['expect'] = { 'visitor after': 'alarm', 'agent after': 'alarm', else: 'marked' };

export const epochs: Attack[] = [
  {
    id: 'robot-announces',
    from: 'model 10',
    what: 'the robot makes the next epoch',
    at: 'ask',
    expect: REMEMBERED,
    arm: async (w, id) => insertFor(w, id, EVERYBODY, await w.announce(w.cast.robot, 'robot')),
  },
  {
    id: 'ghost-box',
    from: 'model 11',
    what: 'an agent of the team adds a box for another team',
    at: 'talk',
    needs: 'qi',
    expect: REMEMBERED,
    arm: async (w, id) =>
      insertFor(
        w,
        id,
        EVERYBODY,
        await w.announce(w.cast.qi.ed, 'qi', {
          boxes: [await teamBox(w, 'svc'), visitorBox(w), await teamBox(w, 'ops')],
        }),
      ),
  },
  {
    id: 'stranger-box',
    from: 'model 11',
    what: 'an agent of the team seals the next epoch to a key that is no team',
    at: 'talk',
    needs: 'qi',
    expect: REMEMBERED,
    arm: async (w, id) =>
      insertFor(
        w,
        id,
        EVERYBODY,
        await w.announce(w.cast.qi.ed, 'qi', {
          boxes: [{ kind: BoxKind.team, pk: w.cast.malloryBox.pk }, visitorBox(w)],
        }),
      ),
  },
  {
    id: 'missing-box',
    from: 'model 11',
    what: 'an agent of the team leaves the visitor out',
    at: 'talk',
    needs: 'qi',
    expect: REMEMBERED,
    arm: async (w, id) =>
      insertFor(
        w,
        id,
        EVERYBODY,
        await w.announce(w.cast.qi.ed, 'qi', { boxes: [await teamBox(w, 'svc'), await teamBox(w, 'svc')] }),
      ),
  },
  {
    id: 'robot-let-in-by-agent',
    from: 'model 20',
    what: 'an agent of the team lets the robot in again',
    at: 'talk',
    needs: 'qi',
    expect: REMEMBERED,
    arm: async (w, id) =>
      insertFor(
        w,
        id,
        EVERYBODY,
        await w.announce(w.cast.qi.ed, 'qi', {
          boxes: [await teamBox(w, 'svc'), visitorBox(w), { kind: BoxKind.bot, pk: w.cast.day.pk }],
        }),
      ),
  },
  {
    id: 'robot-let-in-quietly',
    from: 'model 20',
    what: 'the same, without the flag that says so',
    at: 'talk',
    needs: 'qi',
    expect: REMEMBERED,
    arm: async (w, id) =>
      insertFor(
        w,
        id,
        EVERYBODY,
        await w.announce(w.cast.qi.ed, 'qi', {
          flags: 0,
          boxes: [await teamBox(w, 'svc'), visitorBox(w), { kind: BoxKind.bot, pk: w.cast.day.pk }],
        }),
      ),
  },
  {
    id: 'first-epoch-again',
    from: 'model 19',
    what: 'the announcement of the first epoch, with the robot, stands in the log once more',
    at: 'talk',
    expect: 'marked',
    arm: (w, id) => w.stored && insertFor(w, id, EVERYBODY, w.epochOf(0)!.bytes),
  },
  {
    id: 'first-epoch-by-agent',
    from: '3.11-5',
    what: "the first epoch is an agent's",
    at: 'take',
    needs: 'qi',
    expect: 'marked',
    async arm(w, id) {
      if (!w.stored) return;
      const ann = await w.announce(w.cast.qi.ed, 'qi', { epoch: 0, prev: new Uint8Array(32) });
      for (const who of AGENTS) w.replace(id, who, (x) => (x?.kind === K.announcement && x.epoch === 0 ? ann : null));
    },
  },
  {
    id: 'other-visitor-key',
    from: 'model 21',
    what: "another visitor's key under the same conversation",
    at: 'take',
    expect: 'marked',
    arm(w, id) {
      const ed = Buffer.from(w.cast.mallory.pk).toString('base64url');
      for (const who of AGENTS) {
        w.replace(id, who, (_, r) => {
          const e = eventOf(r.body);
          return e?.t === 'open'
            ? new Uint8Array([...r.body.subarray(0, 20), ...new TextEncoder().encode(JSON.stringify({ ...e, ed }))])
            : null;
        });
      }
    },
  },
  {
    id: 'two-keys',
    from: 'model 22',
    what: "another key in the visitor's box than in the team's",
    at: 'talk',
    needs: 'qi',
    expect: { 'visitor after': 'alarm', else: 'marked' },
    arm: async (w, id) =>
      insertFor(
        w,
        id,
        ['visitor'],
        await w.announce(w.cast.qi.ed, 'qi', {
          boxes: [await teamBox(w, 'svc'), { ...visitorBox(w), ek: random(32) }],
        }),
      ),
  },
  {
    id: 'two-keys-team',
    from: 'model 22',
    what: "another key in the team's box than in the visitor's",
    at: 'talk',
    needs: 'qi',
    expect: 'marked',
    async arm(w, id) {
      const ann = await w.announce(w.cast.qi.ed, 'qi', {
        boxes: [{ ...(await teamBox(w, 'svc')), ek: random(32) }, visitorBox(w)],
      });
      // a reader without a box in it cannot detect it
      w.rightful.set(wire(ann)!.hash, { readers: ['wu'], live: true });
      insertFor(w, id, AGENTS, ann);
    },
  },
  {
    id: 'skipped-epoch',
    from: 'model 26',
    what: 'an epoch whose number is not the next',
    at: 'talk',
    needs: 'qi',
    expect: 'marked',
    arm: async (w, id) =>
      w.stored && insertFor(w, id, EVERYBODY, await w.announce(w.cast.qi.ed, 'qi', { epoch: w.stored.conv.epoch + 2 })),
  },
  {
    id: 'broken-chain',
    from: 'model 26',
    what: 'an epoch that does not follow the last',
    at: 'talk',
    needs: 'qi',
    expect: REMEMBERED,
    arm: async (w, id) => insertFor(w, id, EVERYBODY, await w.announce(w.cast.qi.ed, 'qi', { prev: random(32) })),
  },
  {
    id: 'wrong-directory-head',
    from: 'model 29',
    what: 'an agent of the team names a directory that nobody has',
    at: 'talk',
    needs: 'qi',
    expect: 'alarm',
    async arm(w, id) {
      const ann = await w.announce(w.cast.qi.ed, 'qi', { dirHead: random(32) });
      insertFor(w, id, EVERYBODY, ann);
      // a visitor whose page is loaded after a newer snapshot has nothing to compare it with: qi was of the team, and history is all it is
      if (ann) w.rightful.set(wire(ann)!.hash, { readers: ['visitor'], live: false });
    },
  },
  {
    id: 'moved-by-a-stranger',
    from: 'A11',
    what: 'an agent of another team moves the conversation to their own',
    at: 'talk',
    needs: 'mo',
    expect: REMEMBERED,
    arm: async (w, id) =>
      insertFor(
        w,
        id,
        EVERYBODY,
        await w.announce(w.cast.mo.ed, 'mo', { team: 'ops', boxes: [await teamBox(w, 'ops'), visitorBox(w)] }),
      ),
  },
  {
    id: 'taken-by-a-stranger',
    from: 'A11',
    what: "an agent of another team makes an epoch for the conversation's own team",
    at: 'talk',
    needs: 'mo',
    expect: REMEMBERED,
    arm: async (w, id) => insertFor(w, id, EVERYBODY, await w.announce(w.cast.mo.ed, 'mo')),
  },
  {
    id: 'dated-back',
    from: '3.11-5',
    what: 'who was dismissed announces with a directory from their time, after a newer one was named',
    at: 'talk',
    needs: 'qi',
    expect: REMEMBERED,
    arm: dismissQi,
    then: {
      at: 'transfer',
      arm: async (w, id) =>
        w.stored &&
        insertFor(w, id, EVERYBODY, await w.announce(w.cast.qi.ed, 'qi', { dirSeq: w.dismissed.get('qi')! - 1 })),
    },
  },
  {
    id: 'older-directory',
    from: '3.11-5',
    what: 'somebody of the team announces with an older directory than the epoch before named',
    at: 'talk',
    needs: 'qi',
    expect: REMEMBERED,
    async arm(w, id) {
      await w.log.add({ t: 'revoke', inv: b64u(w.cast.mallory.pk) });
      await tellAll(w);
      if (!w.stored) return;
      const ann = await w.announce(w.cast.qi.ed, 'qi');
      w.rightful.set(wire(ann)!.hash, { readers: EVERYBODY, live: true });
      w.server.append(w.conv, ann);
      insertFor(w, id, EVERYBODY, await w.announce(w.cast.qi.ed, 'qi', { dirSeq: w.log.entries.length - 2 }));
    },
  },
  {
    id: 'last-announcement',
    from: '3.11-5',
    what: 'who was dismissed announces with a directory from their time, before a newer one was named',
    at: 'talk',
    needs: 'qi',
    expect: 'harmless',
    harmless: 'made while they were in, as far as anybody can see; nothing is written into an epoch whose maker is out',
    async arm(w, id) {
      const dirSeq = w.log.entries.length - 1;
      await w.log.add({ t: 'agent', user: 'qi', on: false });
      await tellAll(w);
      w.hooks.count(id);
      // the team has its key still, and qi with it: what must stay unread is what they made the key of
      if (!w.stored) return;
      const ann = await w.announce(w.cast.qi.ed, 'mallory', { dirSeq });
      w.rightful.set(wire(ann)!.hash, { readers: EVERYBODY, live: true });
      w.server.append(w.conv, ann);
    },
  },
  {
    id: 'last-announcement-old-key',
    from: '3.11-5',
    what: 'the same, after the team got a new key, for the old one',
    at: 'talk',
    needs: 'qi',
    expect: { 'visitor after': 'alarm', else: 'marked' },
    async arm(w, id) {
      await dismissQi(w);
      const boxes = [
        { kind: BoxKind.team, pk: (await b.boxKey(w.log.teamSecret('svc', 1))).pk },
        ...(w.stored ? [visitorBox(w)] : []),
      ];
      if (!w.stored) return;
      const ann = await w.announce(w.cast.qi.ed, 'qi', { dirSeq: w.dismissed.get('qi')! - 1, boxes });
      // who loads a page later reads it as history
      w.rightful.set(wire(ann)!.hash, { readers: EVERYBODY, live: false });
      insertFor(w, id, EVERYBODY, ann);
    },
  },
  {
    id: 'last-announcement-new-key',
    from: '3.11-5',
    what: 'the same, for a key that the team did not have yet by the directory it names',
    at: 'talk',
    needs: 'qi',
    expect: REMEMBERED,
    async arm(w, id) {
      await dismissQi(w);
      if (w.stored)
        insertFor(w, id, EVERYBODY, await w.announce(w.cast.qi.ed, 'qi', { dirSeq: w.dismissed.get('qi')! - 1 }));
    },
  },
  {
    id: 'dismissed-reads',
    from: 'model 23',
    what: 'who was dismissed keeps their keys, and everything that is stored',
    at: 'talk',
    needs: 'qi',
    expect: 'harmless',
    harmless: 'told in time, nobody seals to the old key any more',
    async arm(w, id) {
      w.hooks.count(id);
      await dismissQi(w);
    },
  },
  {
    id: 'team-by-the-server',
    from: 'B',
    what: "the team is switched off, and the server says that another one than the site's has the conversation",
    at: 'talk',
    needs: 'mo',
    expect: 'marked',
    async arm(w, id) {
      for (const who of EVERYBODY) changeConv(w, id, who, (c) => ({ ...c, team: 'ops' }));
      const svc = w.log.entries
        .map((e) => JSON.parse(Buffer.from(e.raw, 'base64url').toString()) as Record<string, unknown>)
        .filter((e) => e.t === 'team' && e.id === 'svc')
        .at(-1)!;
      w.log.entries.push(
        await entryAfter(
          w.log.entries,
          { t: 'team', id: 'svc', name: svc.name, epoch: svc.epoch, pk: svc.pk, on: false },
          w.cast.zhao.ed,
        ),
      );
      await w.log.add({
        t: 'site',
        id: 'shop',
        name: 'Shop',
        origins: ['https://shop.example'],
        team: 'vip',
        on: true,
        bot: 'robot',
      });
      await tellAll(w);
      if (w.stored) w.server.change(w.conv, {}, { t: 'owner', owner: 'agent:li', team: 'ops', why: 'transfer' });
    },
  },
  {
    id: 'grant-of-wrong-keys',
    from: '3.11',
    what: 'the grant for the next team holds other keys than were announced',
    at: 'transfer',
    needs: 'qi',
    expect: 'marked',
    async arm(w, id) {
      if (!w.stored) return;
      const bad = await grant(
        w.cast.qi.ed,
        w.conv,
        [
          { epoch: 0, ek: random(32) },
          { epoch: 1, ek: random(32) },
        ],
        (await teamBox(w, 'vip')).pk,
      );
      w.replace(id, 'wu', (x) => (x?.kind === K.grant ? bad : null));
    },
  },
  {
    id: 'grant-by-a-stranger',
    from: '3.11',
    what: 'a grant that nobody of the company signed',
    at: 'answer',
    expect: 'marked',
    arm: async (w, id) =>
      w.stored &&
      insertFor(
        w,
        id,
        EVERYBODY,
        await grant(w.cast.mallory, w.conv, [{ epoch: 0, ek: random(32) }], (await teamBox(w, 'vip')).pk),
      ),
  },
  {
    id: 'epoch-withheld',
    from: 'A3c',
    what: 'agents are not shown the epoch in which the robot is out',
    at: 'take',
    expect: 'marked',
    arm: (w, id) => AGENTS.forEach((who) => w.drop(id, who, (x) => x?.kind === K.announcement && x.epoch === 1)),
  },
  {
    id: 'owner-before-epoch',
    from: 'model 9',
    what: 'an agent is made the owner while the robot is still a member, and their own epoch is lost',
    at: 'take',
    expect: 'marked',
    arm(w, id) {
      w.drop(id, 'li', (x) => x?.kind === K.announcement && x.epoch > 0);
      w.hooks.receive(id, 'li', (x) => (x.kind === K.announcement ? 'lose' : 'force'));
    },
  },
  {
    id: 'epochs-refused',
    from: '3.11',
    what: 'every message of the visitor is refused as stale',
    at: 'talk',
    expect: 'marked',
    arm: (w, id) => w.hooks.receive(id, 'visitor', (x) => (x.kind === K.message ? 8 : null)),
  },
  {
    id: 'maker-unknown',
    from: '3.11-5',
    what: 'an epoch whose maker nobody knows',
    at: 'talk',
    expect: REMEMBERED,
    arm: async (w, id) => insertFor(w, id, EVERYBODY, await w.announce(w.cast.mallory, 'mallory')),
  },
  {
    id: 'maker-forged',
    from: '3.11-5',
    what: "an epoch in li's name that they did not sign",
    at: 'talk',
    expect: REMEMBERED,
    async arm(w, id) {
      const ann = await w.announce(w.cast.mallory, 'mallory');
      ann.set(Buffer.from(kidHex(w.cast.li.ed), 'hex'), 24);
      insertFor(w, id, EVERYBODY, ann);
    },
  },
];
