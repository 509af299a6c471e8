/** Attacks about what was taken back. */
import { random } from '../../../src/crypto/bytes';
import { recall } from '../forge';
import type { Attack } from '../attack';
import { eventBody, HEADER, K, renumber, tombstoneOf, wire, type Wire } from '../wire';
import type { World } from '../world';
import { AGENTS, EVERYBODY, visitorMessage } from './help';

/** qi, who is in the team and honest until now, writes something that everyone is shown. */
async function qiSays(w: World): Promise<Wire | null> {
  const ek = w.stored && (await w.teamKey('svc', 1));
  if (!ek) return null;
  const { text, bytes } = await w.partnerSays(w.cast.qi.ed, ek, 'qi: remember this', { inst: 0x7100, ctr: 0 });
  w.said.set(text, { by: 'qi', kind: 'text', conv: w.conv });
  w.server.append(w.conv, bytes);
  return wire(bytes);
}
const place = (w: World, ctr = 1) => ({
  conv: w.conv,
  epoch: w.stored!.conv.epoch,
  prev: w.lastHash(),
  inst: 0x7100,
  ctr,
});

/** The text itself, which an honest server would not have any more. */
const original = (w: World, msg: string): Uint8Array | null =>
  w.server.sent.find((s) => s.w.msg === msg && s.w.kind === K.message)?.w.bytes ?? null;
const oops = (w: World): Wire | undefined => w.stored?.wires().find((x) => x.kind === K.recall);

export const recalls: Attack[] = [
  {
    id: 'tombstone',
    from: 'A14.1',
    what: 'a message is removed, and nobody took it back',
    at: 'transfer',
    expect: 'marked',
    arm(w, id) {
      const yes = visitorMessage(w, 3)?.msg;
      for (const who of AGENTS)
        w.replace(id, who, (x, r) => (x?.kind === K.message && x.msg === yes ? tombstoneOf(r.body) : null));
    },
  },
  {
    id: 'tombstone-for-three',
    from: 'A14.1',
    what: 'three messages are left out, and one tombstone stands for them',
    at: 'transfer',
    expect: 'marked',
    arm(w, id) {
      const gone = [1, 2, 3].map((n) => visitorMessage(w, n)?.msg);
      w.hooks.records(id, 'wu', (list, conv) => {
        if (conv !== w.conv) return list;
        const out = list.flatMap((r) => {
          const n = gone.indexOf(wire(r.body)?.msg ?? '');
          return n < 0 ? [r] : n < 2 ? [] : [{ ...r, body: tombstoneOf(r.body) }];
        });
        return out.length === list.length ? list : renumber(out);
      });
    },
  },
  {
    id: 'tombstone-with-a-high-counter',
    from: 'A14.1',
    what: 'a tombstone in the name of each side whose counter is far ahead',
    at: 'talk',
    expect: 'marked',
    arm(w, id) {
      for (const who of EVERYBODY) {
        const last =
          who === 'visitor'
            ? w.server.sent.filter((s) => s.who === 'li' && s.w.kind === K.message).at(-1)?.w
            : visitorMessage(w, 3);
        if (!last) continue;
        const t = tombstoneOf(last.bytes.subarray(0, HEADER));
        t.set(random(16), 40);
        t.set([0x7f, 0xff, 0xff, 0xff], 60);
        w.insert(id, who, t);
      }
    },
    holds(w) {
      const good = (who: string): boolean =>
        w.looks
          .filter((k) => k.who === who)
          .at(-1)!
          .lines.filter((l) => l.side === (who === 'visitor' ? 'agent' : 'visitor') && l.kind === 'text').length > 2;
      return ['visitor', 'wu'].filter((who) => !good(who)).map((who) => `${who} is shown genuine messages as broken`);
    },
  },
  {
    id: 'recalled-by-the-server',
    from: '3.11-6',
    what: 'the event `recalled` without a recall',
    at: 'talk',
    expect: 'marked',
    arm(w, id) {
      const [theirs, mine] = [
        visitorMessage(w, 3),
        w.server.sent.filter((s) => s.who === 'li' && s.w.kind === K.message)[0]?.w,
      ];
      for (const who of EVERYBODY) {
        const target = who === 'visitor' ? mine : theirs;
        const seq = target && w.stored!.find(target.msg)?.seq;
        if (seq)
          w.insert(
            id,
            who,
            eventBody(w.conv, { t: 'recalled', seq, msg: target.msg, by: who === 'visitor' ? 'li' : 'visitor' }),
          );
      }
    },
  },
  {
    id: 'recall-by-another',
    from: '3.11-6',
    what: "somebody of the team takes back the visitor's message",
    at: 'talk',
    needs: 'qi',
    expect: 'marked',
    async arm(w, id) {
      const target = visitorMessage(w, 3);
      if (target) for (const who of EVERYBODY) w.insert(id, who, await recall(w.cast.qi.ed, place(w, 0), target));
    },
  },
  {
    id: 'recall-forged',
    from: '3.11-6',
    what: "a recall in the visitor's name that they did not sign",
    at: 'talk',
    expect: 'marked',
    async arm(w, id) {
      const target = visitorMessage(w, 3);
      if (!target) return;
      const bytes = await recall(w.cast.mallory, { ...place(w, 50), inst: target.inst }, target);
      bytes.set(Buffer.from(w.visitorKid, 'hex'), 24);
      for (const who of EVERYBODY) w.insert(id, who, bytes);
    },
  },
  {
    id: 'recall-of-other-bytes',
    from: '3.11-6',
    what: 'a recall with the hash of something else',
    at: 'talk',
    needs: 'qi',
    expect: 'marked',
    async arm(w, id) {
      const target = await qiSays(w);
      if (target)
        for (const who of EVERYBODY) w.insert(id, who, await recall(w.cast.qi.ed, place(w), target, '7'.repeat(32)));
    },
  },
  {
    id: 'recall-of-nothing',
    from: '3.11-6',
    what: 'a recall of what was never shown',
    at: 'talk',
    needs: 'qi',
    expect: 'marked',
    async arm(w, id) {
      const ek = w.stored && (await w.teamKey('svc', 1));
      const never =
        ek && wire((await w.partnerSays(w.cast.qi.ed, ek, 'qi: never shown', { inst: 0x7100, ctr: 0 })).bytes);
      if (never) for (const who of EVERYBODY) w.insert(id, who, await recall(w.cast.qi.ed, place(w), never));
    },
  },
  {
    id: 'recall-as-note',
    from: '3.11-6',
    what: 'a recall of a message that calls itself one of a note',
    at: 'talk',
    needs: 'qi',
    expect: 'marked',
    async arm(w, id) {
      const target = await qiSays(w);
      if (target)
        for (const who of EVERYBODY)
          w.insert(id, who, await recall(w.cast.qi.ed, place(w), target, target.hash, K.noteRecall));
    },
  },
  {
    id: 'recall-twice',
    from: 'model 14',
    what: "the visitor's recall once more",
    at: 'note',
    expect: 'marked',
    arm(w, id) {
      const r = oops(w);
      if (r) for (const who of EVERYBODY) w.insert(id, who, r.bytes);
    },
  },
  {
    id: 'recall-withheld',
    from: '3.11-6',
    what: 'what was taken back is shown, and the recall is not',
    at: 'transfer',
    expect: 'marked',
    arm(w, id) {
      const r = oops(w);
      const text = r && original(w, r.target!.msg);
      if (!text) return;
      w.replace(id, 'wu', (x) => (x?.kind === K.tombstone && x.msg === r.target!.msg ? text : null));
      w.drop(id, 'wu', (x) => x?.msg === r.msg);
    },
  },
  {
    id: 'recall-without-removal',
    from: '3.11-6',
    what: 'what was taken back is still there, and so is the recall',
    at: 'transfer',
    expect: 'harmless',
    harmless: 'the recall takes it back wherever the text still stands',
    arm(w, id) {
      const r = oops(w);
      const text = r && original(w, r.target!.msg);
      if (text) w.replace(id, 'wu', (x) => (x?.kind === K.tombstone && x.msg === r.target!.msg ? text : null));
    },
  },
];
