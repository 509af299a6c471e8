/** Attacks by which someone writes after their time, or where they have no right to. */
import { random } from '../../../src/crypto/bytes';
import type { Attack } from '../attack';
import { BoxKind } from '../../../src/crypto/hash';
import type { World } from '../world';
import { AGENTS, dismissQi, EVERYBODY, reconnect } from './help';

const robotKey = async (w: World): Promise<Uint8Array | null> => {
  const first = w.stored && w.epochOf(0);
  const kid = first?.boxes.find((x) => x.kind === BoxKind.bot)?.kid;
  return first && kid !== undefined ? w.open(first, w.cast.day, kid) : null;
};

async function robot(w: World, id: string, epoch: number, ek: Uint8Array): Promise<void> {
  const { bytes } = await w.partnerSays(
    w.cast.robot,
    ek,
    'robot: pay to account X',
    { epoch },
    { buttons: [{ label: 'pay', send: 'I pay' }] },
  );
  for (const who of EVERYBODY) w.insert(id, who, bytes);
}

export const speakers: Attack[] = [
  {
    id: 'robot-speaks-on',
    from: 'A3a',
    what: 'the robot speaks in its old epoch after people took over',
    at: 'talk',
    expect: 'marked',
    async arm(w, id) {
      const ek = await robotKey(w);
      if (ek) await robot(w, id, 0, ek);
    },
  },
  {
    id: 'robot-speaks-as-history',
    from: 'A3a',
    what: 'the same, delivered as if it were history',
    at: 'talk',
    expect: 'marked',
    async arm(w, id) {
      const ek = await robotKey(w);
      if (!ek) return;
      w.server.cut();
      await robot(w, id, 0, ek);
      await reconnect(w, 'visitor');
    },
  },
  {
    id: 'robot-in-a-later-epoch',
    from: 'model 12',
    what: 'the robot speaks in an epoch without it',
    at: 'talk',
    expect: 'marked',
    arm: (w, id) => robot(w, id, w.stored?.conv.epoch ?? 1, random(32)),
  },
  {
    id: 'foreign-robot',
    from: 'A3',
    what: "a robot that is not the company's speaks in the robot's part",
    at: 'ask',
    expect: 'marked',
    async arm(w, id) {
      const ek = await robotKey(w);
      if (ek)
        for (const who of EVERYBODY)
          w.insert(id, who, (await w.partnerSays(w.cast.mallory, ek, 'robot: trust me', { epoch: 0 })).bytes);
    },
  },
  {
    id: 'agent-with-the-robot',
    from: 'model 9',
    what: 'an agent of the team speaks in an epoch of the robot',
    at: 'ask',
    needs: 'qi',
    expect: 'marked',
    async arm(w, id) {
      const ek = await w.teamKey('svc', 1);
      if (ek)
        for (const who of EVERYBODY)
          w.insert(id, who, (await w.partnerSays(w.cast.qi.ed, ek, 'qi: with the robot')).bytes);
    },
  },
  {
    id: 'dismissed-live',
    from: 'A3b, model 24',
    what: 'who was dismissed speaks on in the epoch they know',
    at: 'talk',
    needs: 'qi',
    expect: 'marked',
    async arm(w, id) {
      const ek = await dismissQi(w);
      if (!ek) return;
      for (const who of EVERYBODY) w.insert(id, who, (await w.partnerSays(w.cast.qi.ed, ek, 'qi: still here')).bytes);
    },
  },
  {
    id: 'dismissed-as-history',
    from: 'A3b',
    what: 'the same, delivered as if it were history, before anybody began another epoch',
    at: 'talk',
    needs: 'qi',
    expect: 'harmless',
    harmless:
      'nobody can tell it from what they wrote in their time and the server delivered late; it ends with the next epoch',
    async arm(w, id) {
      const ek = await dismissQi(w);
      if (!ek) return;
      w.server.cut();
      for (const who of EVERYBODY) w.insert(id, who, (await w.partnerSays(w.cast.qi.ed, ek, 'qi: of my time')).bytes);
      for (const who of EVERYBODY) await reconnect(w, who);
    },
  },
  {
    id: 'dismissed-in-an-old-epoch',
    from: 'A3b',
    what: 'who was dismissed speaks in an epoch that is over, delivered as history',
    at: 'talk',
    needs: 'qi',
    expect: 'marked',
    async arm(w, id) {
      const ek = await dismissQi(w);
      const epoch = w.stored?.conv.epoch;
      await w.say('visitor', 'in the next epoch');
      if (!ek || epoch === undefined) return;
      w.server.cut();
      for (const who of EVERYBODY)
        w.insert(id, who, (await w.partnerSays(w.cast.qi.ed, ek, 'qi: from the past', { epoch })).bytes);
      for (const who of EVERYBODY) await reconnect(w, who);
    },
  },
  {
    id: 'agent-of-another-team',
    from: 'A11',
    what: 'an agent of another team speaks, with a key that somebody of the team gave them',
    at: 'talk',
    needs: 'mo, qi',
    expect: 'marked',
    async arm(w, id) {
      const ek = await w.teamKey('svc', 1);
      if (ek)
        for (const who of EVERYBODY) w.insert(id, who, (await w.partnerSays(w.cast.mo.ed, ek, 'mo: from ops')).bytes);
    },
  },
  {
    id: 'former-team',
    from: '3.11-3',
    what: 'somebody of the team that had the conversation before speaks in an epoch of the next',
    at: 'close',
    needs: 'qi',
    expect: 'marked',
    async arm(w, id) {
      if (w.stored)
        for (const who of EVERYBODY)
          w.insert(id, who, (await w.partnerSays(w.cast.qi.ed, random(32), 'qi: not mine any more')).bytes);
    },
  },
  {
    id: 'live-as-history',
    from: '3.11',
    what: 'genuine messages come as history: the network breaks before each',
    at: 'talk',
    expect: 'harmless',
    harmless: 'a genuine record is good wherever it stands in the log',
    async arm(w, id) {
      w.hooks.count(id);
      for (const who of ['visitor', ...AGENTS]) await reconnect(w, who);
    },
  },
  {
    id: 'history-in-pages',
    from: '3.11',
    what: 'the log must be fetched in pages, over another way',
    at: 'take',
    expect: 'harmless',
    harmless: 'whichever way a record comes, it is judged the same',
    async arm(w, id) {
      for (const who of EVERYBODY) w.hooks.page(id, who);
      await reconnect(w, 'visitor');
    },
  },
  {
    id: 'history-as-live',
    from: '3.11',
    what: 'old records come as if they had just been written',
    at: 'take',
    harmless: 'a genuine record is good wherever it stands in the log',
    // called complete where more is remembered
    expect: { 'visitor middle': 'alarm', 'visitor after': 'alarm', 'agent after': 'alarm', else: 'harmless' },
    async arm(w, id) {
      for (const who of EVERYBODY) w.hooks.history(id, who, (list) => Math.min(2, list.length));
      await reconnect(w, 'visitor');
    },
  },
];
