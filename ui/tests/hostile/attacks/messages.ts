/** Attacks about messages: again, elsewhere, in another order, left out, never written. */
import { cat, hex, random, utf8, unhex } from '../../../src/crypto/bytes';
import { kidOf } from '../../../src/crypto/hash';
import { message } from '../forge';
import type { Attack } from '../attack';
import { rest } from '../clock';
import { eventBody, K, recordBytes, renumber, wire, ZEROS, type Rec } from '../wire';
import type { World } from '../world';
import { AGENTS, EVERYBODY, visitorMessage } from './help';

const isMessageOf =
  (kid: string) =>
  (r: Rec): boolean => {
    const x = wire(r.body);
    return x?.kind === K.message && x.sender === kid;
  };
const liKid = (w: World): string => hex(kidOf(w.cast.li.ed.pk));

/** The nth message of a sender from now on, as `who` is shown it. */
function next(w: World, id: string, who: string, kid: string, change: (r: Rec) => Uint8Array | null, n = 0): void {
  const from = w.stored!.records.length;
  const fits = isMessageOf(kid);
  let hit: string | null = null;
  w.hooks.records(id, who, (list, conv) => {
    if (conv !== w.conv) return list;
    hit ??= wire(w.stored!.records.slice(from).filter(fits)[n]?.body ?? new Uint8Array())?.msg ?? null;
    const at = hit === null ? -1 : list.findIndex((r) => wire(r.body)?.msg === hit);
    if (at < 0) return list;
    const body = change(list[at]!);
    return body ? list.map((r, i) => (i === at ? { ...r, body } : r)) : renumber(list.filter((_, i) => i !== at));
  });
}

/** Two messages change places. */
function swap(w: World, id: string, who: string, a: string | undefined, b: string | undefined): void {
  w.hooks.records(id, who, (list, conv) => {
    const [x, y] = [a, b].map((m) => list.findIndex((r) => m !== undefined && wire(r.body)?.msg === m));
    if (conv !== w.conv || x! < 0 || y! < 0) return list;
    const out = [...list];
    [out[x!], out[y!]] = [out[y!]!, out[x!]!];
    return renumber(out);
  });
}

/** The visitor writes again; from here on nobody is shown what this load of their page wrote since. */
async function firstOf(w: World, id: string, known: ReadonlySet<string>): Promise<void> {
  const inst = new Set<number>();
  for (const who of AGENTS) {
    w.drop(id, who, (x) => {
      if (x?.kind !== K.message || x.sender !== w.visitorKid || known.has(x.msg)) return false;
      if (!inst.size) inst.add(x.inst);
      return inst.has(x.inst);
    });
  }
  await w.say('visitor', 'before the page is loaded again');
}

export const messages: Attack[] = [
  {
    id: 'replay',
    from: 'model 14',
    what: 'genuine messages once more, under another number',
    at: 'talk',
    expect: 'marked',
    arm(w, id) {
      const mine = w.messagesOf(liKid(w)).at(-1);
      const theirs = visitorMessage(w, 3);
      if (mine) w.insert(id, 'visitor', mine.bytes);
      if (theirs) for (const who of AGENTS) w.insert(id, who, theirs.bytes);
    },
  },
  {
    id: 'reordered',
    from: 'model 15',
    what: 'two messages of the visitor in the reverse order',
    at: 'take',
    expect: 'marked',
    arm: (w, id) => AGENTS.forEach((who) => swap(w, id, who, visitorMessage(w, 1)?.msg, visitorMessage(w, 2)?.msg)),
  },
  {
    id: 'answer-before-question',
    from: 'A4',
    what: "the visitor's yes stands before the question it answers",
    at: 'transfer',
    expect: 'marked',
    arm: (w, id) => swap(w, id, 'wu', visitorMessage(w, 3)?.msg, w.messagesOf(liKid(w))[0]?.msg),
  },
  {
    id: 'question-left-out',
    from: 'A4',
    what: "the question that the visitor's yes answers is left out",
    at: 'transfer',
    expect: 'marked',
    arm: (w, id) => {
      const question = w.messagesOf(liKid(w))[0]?.msg;
      w.drop(id, 'wu', (x) => question !== undefined && x?.msg === question);
    },
  },
  {
    id: 'later-for-one-side',
    from: 'A4',
    what: 'an answer of the agent reaches the visitor only after what they wrote meanwhile',
    at: 'talk',
    expect: 'harmless',
    harmless:
      'two people wrote at once: both name what stands before on both sides, and what one answers is what their text names',
    arm(w, id) {
      const from = w.stored!.records.length;
      const fits = isMessageOf(liKid(w));
      w.hooks.records(id, 'visitor', (list, conv) => {
        if (conv !== w.conv) return list;
        const at = list.findIndex((r, i) => i >= from && fits(r));
        if (at < 0) return list;
        const later = list.findIndex((r, i) => i > at && isMessageOf(w.visitorKid)(r));
        if (later < 0) return list.slice(0, at);
        return renumber([...list.slice(0, at), ...list.slice(at + 1, later + 1), list[at]!, ...list.slice(later + 1)]);
      });
    },
  },
  {
    id: 'unknown-before',
    from: '3.11-4',
    what: 'an agent of the team names something before theirs that is nowhere, and another names nothing',
    at: 'talk',
    needs: 'qi',
    expect: { 'agent middle': 'alarm', 'visitor middle': 'alarm', 'visitor after': 'alarm', else: 'marked' },
    async arm(w, id) {
      const ek = await w.teamKey('svc', 1);
      if (!ek) return;
      for (const prev of ['9'.repeat(32), ZEROS]) {
        const { text, bytes } = await w.partnerSays(w.cast.qi.ed, ek, 'qi: what was that?', { prev });
        w.said.set(text, { by: 'qi', kind: 'text', conv: w.conv });
        for (const who of EVERYBODY) w.insert(id, who, bytes);
      }
    },
    holds: (w) =>
      w.looks.flatMap((k) => k.lines).some((l) => l.text.startsWith('qi: ') && l.marks.length === 0)
        ? ['a message that names what is nowhere is shown without a mark']
        : [],
  },
  {
    id: 'dropped',
    from: 'A4',
    what: 'one message of the visitor is left out',
    at: 'reply',
    expect: 'marked',
    arm: (w, id) => AGENTS.forEach((who) => w.stored && next(w, id, who, w.visitorKid, () => null)),
  },
  {
    id: 'dropped-for-visitor',
    from: 'A4',
    what: 'one message of the agent is left out',
    at: 'reply',
    expect: 'marked',
    arm: (w, id) => w.stored && next(w, id, 'visitor', liKid(w), () => null),
  },
  {
    id: 'hidden',
    from: 'A4',
    what: 'something that is not for visitors stands in the place of a message',
    at: 'reply',
    expect: 'marked',
    arm: (w, id) => w.stored && next(w, id, 'visitor', liKid(w), () => eventBody(w.conv, { t: 'hidden' })),
  },
  {
    id: 'dropped-run',
    from: 'A4',
    what: "everything of one load of the visitor's page is left out",
    at: 'talk',
    expect: 'marked',
    async arm(w, id) {
      if (!w.stored) return;
      const known = new Set(w.stored.wires().map((x) => x.msg));
      await firstOf(w, id, known);
      await w.reload('visitor');
      await w.say('visitor', 'after it');
    },
  },
  {
    id: 'silenced',
    from: 'A4',
    what: 'nothing more of the visitor is shown',
    at: 'talk',
    expect: 'harmless',
    harmless: 'a server can always be silent; nothing that is shown names what is not',
    arm: (w, id) => {
      const from = w.stored!.records.length;
      for (const who of AGENTS) w.drop(id, who, (x, r) => r.seq > from && x !== null && x.sender === w.visitorKid);
    },
  },
  {
    id: 'flipped',
    from: 'model 16',
    what: 'one bit of a message is changed',
    at: 'reply',
    expect: 'marked',
    arm(w, id) {
      if (!w.stored) return;
      for (const who of EVERYBODY) {
        next(w, id, who, who === 'visitor' ? liKid(w) : w.visitorKid, (r) => {
          const body = r.body.slice();
          body[100]! ^= 1;
          return body;
        });
      }
    },
  },
  {
    id: 'forged',
    from: 'model 16',
    what: "messages in li's and the visitor's name, signed by the server",
    at: 'talk',
    expect: 'marked',
    async arm(w, id) {
      if (!w.stored) return;
      for (const who of EVERYBODY) {
        const kid = who === 'visitor' ? liKid(w) : w.visitorKid;
        const bytes = await message(
          w.cast.mallory,
          { conv: w.conv, epoch: w.stored.conv.epoch, prev: w.lastHash() },
          random(32),
          { t: 'text', text: w.word('forged') },
        );
        bytes.set(unhex(kid), 24);
        w.insert(id, who, bytes);
      }
    },
  },
  {
    id: 'forged-with-the-key',
    from: 'model 16',
    what: "messages in li's and the visitor's name, sealed with the key of the epoch, signed by the server",
    at: 'talk',
    needs: "qi's team key",
    expect: 'marked',
    async arm(w, id) {
      const ek = await w.teamKey('svc', 1);
      if (!ek) return;
      for (const who of EVERYBODY) {
        const bytes = await message(
          w.cast.mallory,
          { conv: w.conv, epoch: w.stored!.conv.epoch, prev: w.lastHash() },
          ek,
          { t: 'text', text: w.word('forged') },
          unhex(who === 'visitor' ? liKid(w) : w.visitorKid),
        );
        w.insert(id, who, bytes);
      }
    },
  },
  {
    id: 'own-key',
    from: 'model 17',
    what: 'messages under a key that nobody certified',
    at: 'talk',
    expect: 'marked',
    async arm(w, id) {
      if (w.stored)
        for (const who of EVERYBODY)
          w.insert(id, who, (await w.partnerSays(w.cast.mallory, random(32), 'stranger')).bytes);
    },
  },
  {
    id: 'plain',
    from: 'model 16',
    what: 'plain text in the place of an envelope',
    at: 'talk',
    expect: 'marked',
    arm(w, id) {
      const body = cat(utf8('{"t"'), unhex(w.conv), utf8(`:"text","text":"${w.word('plain')}"}`), new Uint8Array(80));
      for (const who of EVERYBODY) w.insert(id, who, body);
    },
  },
  {
    id: 'of-another-conversation',
    from: 'model 18',
    what: 'a message of another conversation on the same connection',
    at: 'talk',
    expect: 'harmless',
    harmless: 'it names a conversation that this page does not follow',
    async arm(w, id) {
      const body = await message(w.cast.mallory, { conv: hex(random(16)), epoch: 0 }, random(32), {
        t: 'text',
        text: w.word('elsewhere'),
      });
      for (const who of EVERYBODY)
        w.server.raw(who, recordBytes({ seq: w.stored!.records.length + 1, at: Date.now(), body }));
      w.hooks.count(id);
      await rest();
    },
  },
  {
    id: 'renamed-conversation',
    from: 'model 18',
    what: "a message of another conversation with this one's name put over it",
    at: 'talk',
    expect: 'marked',
    async arm(w, id) {
      if (!w.stored) return;
      for (const who of EVERYBODY) {
        const bytes = await message(
          who === 'visitor' ? w.cast.qi.ed : w.cast.robot,
          { conv: hex(random(16)), epoch: w.stored.conv.epoch, prev: w.lastHash() },
          random(32),
          { t: 'text', text: w.word('moved') },
        );
        bytes.set(unhex(w.conv), 4);
        w.insert(id, who, bytes);
      }
    },
  },
  {
    id: 'held-back',
    from: 'A3',
    what: "a message of the robot's epoch is shown after the next epoch began",
    at: 'ask',
    expect: 'marked',
    arm(w, id) {
      const from = w.stored?.records.length ?? 0;
      const fits = (r: Rec): boolean => isMessageOf(w.visitorKid)(r) && r.seq > from;
      for (const who of AGENTS) {
        w.hooks.records(id, who, (list, conv) => {
          const at = conv === w.conv ? list.findIndex(fits) : -1;
          const epoch = list.findIndex((r) => wire(r.body)?.kind === K.announcement && wire(r.body)!.epoch === 1);
          if (at < 0) return list;
          if (epoch < 0) return renumber(list.filter((_, i) => i !== at));
          return renumber([
            ...list.slice(0, at),
            ...list.slice(at + 1, epoch + 1),
            list[at]!,
            ...list.slice(epoch + 1),
          ]);
        });
      }
    },
  },
  {
    id: 'gap-in-numbers',
    from: '3.11',
    what: 'a number is never shown',
    at: 'talk',
    expect: 'marked',
    arm(w, id) {
      const from = w.stored!.records.length;
      w.hooks.records(id, 'visitor', (list) => list.map((r) => (r.seq > from ? { ...r, seq: r.seq + 1 } : r)));
    },
  },
  {
    id: 'numbers-out-of-order',
    from: '3.11',
    what: 'two records are delivered in the reverse order of their numbers',
    at: 'reply',
    expect: 'harmless',
    harmless: 'a page takes only the number that comes next and asks again',
    arm(w, id) {
      const from = w.stored!.records.length;
      w.hooks.records(id, 'visitor', (list) =>
        list.length < from + 2
          ? list.slice(0, from)
          : [...list.slice(0, from), list[from + 1]!, list[from]!, ...list.slice(from + 2)],
      );
    },
  },
  {
    id: 'note-for-the-visitor',
    from: '3.11',
    what: "the visitor's page is shown notes and grants",
    at: 'note',
    expect: 'harmless',
    harmless: 'it has no key to them and does not show them',
    arm: (w, id) =>
      w.hooks.records(id, 'visitor', (list, conv) =>
        conv !== w.conv
          ? list
          : list.map((r) => {
              const whole = w.stored!.records[r.seq - 1];
              const kind = whole && wire(whole.body)?.kind;
              return kind === K.note || kind === K.grant ? whole! : r;
            }),
      ),
  },
];
