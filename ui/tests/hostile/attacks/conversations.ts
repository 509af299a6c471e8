/** Attacks on which conversations exist, whose they are, and their state. */
import { b64u, hex, random, unhex } from '../../../src/crypto/bytes';
import { BoxKind, conversationId } from '../../../src/crypto/hash';
import type { Conv, TeamBox } from '../../../src/proto';
import { SITE } from '../../support/company';
import { benchBackend as b } from '../backend';
import { announcement } from '../forge';
import { hashOf } from '../company';
import type { Attack } from '../attack';
import { rest } from '../clock';
import { Stored } from '../store';
import { eventBody } from '../wire';
import type { World } from '../world';
import { AGENTS, changeConv, EVERYBODY, reconnect } from './help';

/** A conversation with these keys of a visitor, whose first epoch the server made. */
async function plant(w: World, ed: string, x: Uint8Array): Promise<Stored> {
  const nonce = random(16);
  const id = hex(conversationId(nonce, w.log.fp, SITE, Uint8Array.from(Buffer.from(ed, 'base64url')), x));
  const ek = random(32);
  w.made.push({ ek, by: 'mallory' });
  const svc = await b.boxKey(w.log.teamSecret('svc'));
  const ann = await announcement(w.cast.mallory, {
    conv: id,
    epoch: 0,
    prev: new Uint8Array(32),
    dirSeq: w.log.entries.length - 1,
    dirHead: hashOf(w.log.entries.at(-1)!),
    ek,
    boxes: [
      { kind: BoxKind.team, pk: svc.pk },
      { kind: BoxKind.visitor, pk: x },
    ],
  });
  const now = Date.now() + 1;
  const none = { delivered: 0, read: 0 };
  const c = new Stored({
    id,
    site: SITE,
    team: 'svc',
    owner: 'queue',
    state: 'open',
    ed,
    x: b64u(x),
    last: 0,
    epoch: 0,
    created: now,
    last_at: now,
    visitor: none,
    agent: none,
  });
  c.append(eventBody(id, { t: 'open', site: SITE, team: 'svc', nonce: b64u(nonce), ed, x: b64u(x) }));
  c.append(ann);
  w.planted.add(id);
  return c;
}

/** The visitor's page is told of it at once and at each load. */
async function tellOf(w: World, id: string, c: Stored): Promise<void> {
  w.server.plant(c);
  w.hooks.frame(id, 'visitor', (f) =>
    f.t === 'welcome' ? { ...f, convs: [...(f.convs as Conv[]).filter((x) => x.id !== c.id), { ...c.conv }] } : f,
  );
  w.hooks.count(id);
  w.server.tell('visitor', { t: 'conv', conv: { ...c.conv } });
  await rest();
}

/** No conversation was begun that nobody asked for. */
const noneBegun = (w: World): string[] => {
  const opened = new Set(
    w.server.said.filter((s) => s.text.startsWith('{"t":"open"')).map((s) => (JSON.parse(s.text) as { id: string }).id),
  );
  return opened.size > 1 ? ['another conversation was begun, and nobody asked for it'] : [];
};

export const conversations: Attack[] = [
  {
    id: 'left-out',
    from: 'B',
    what: 'the conversation is not named any more',
    at: 'talk',
    expect: 'marked',
    async arm(w, id) {
      w.hooks.frame(id, 'visitor', (f) => (f.t === 'welcome' ? { ...f, convs: [] } : f));
      await reconnect(w, 'visitor');
    },
    holds: noneBegun,
  },
  {
    id: 'left-out-agent',
    from: 'B',
    what: "the agent's list is empty",
    at: 'talk',
    expect: 'harmless',
    harmless: "who has which conversation is the server's word; what is open stays open",
    async arm(w, id) {
      for (const who of AGENTS) w.hooks.frame(id, who, (f) => (f.t === 'welcome' ? { ...f, convs: [] } : f));
      await reconnect(w, 'li');
    },
  },
  {
    id: 'gone',
    from: 'B',
    what: "the agent's page is told that the conversation is gone",
    at: 'talk',
    expect: 'marked',
    async arm(w, id) {
      w.hooks.count(id);
      w.server.tell('li', { t: 'gone', conv: w.conv });
      await rest();
    },
  },
  {
    id: 'planted',
    from: 'B',
    what: "a newer conversation with the visitor's own keys, which they never began",
    at: 'talk',
    expect: 'harmless',
    harmless: 'a page shows only what its own browser began or took part in',
    arm: async (w, id) =>
      w.stored &&
      tellOf(w, id, await plant(w, w.stored.conv.ed, unhex(Buffer.from(w.stored.conv.x, 'base64url').toString('hex')))),
    holds: noneBegun,
  },
  {
    id: 'of-another-visitor',
    from: 'B',
    what: 'the conversation of another visitor',
    at: 'talk',
    expect: 'harmless',
    harmless: 'a page shows only what its own browser began or took part in',
    arm: async (w, id) => w.stored && tellOf(w, id, await plant(w, b64u(w.cast.mallory.pk), w.cast.malloryBox.pk)),
    holds: noneBegun,
  },
  {
    id: 'false-conv',
    from: '3.11',
    what: 'other keys, another epoch and another site in what lists say of it',
    at: 'take',
    expect: 'harmless',
    harmless: 'keys and epochs are read from the log, never from lists',
    arm: (w, id) =>
      AGENTS.forEach((who) =>
        changeConv(w, id, who, (c) => ({
          ...c,
          ed: b64u(w.cast.mallory.pk),
          x: b64u(w.cast.malloryBox.pk),
          epoch: 7,
          site: 'other',
        })),
      ),
  },
  {
    id: 'false-owner',
    from: '3.11-5',
    what: 'the visitor is told that an agent of another team has the conversation',
    at: 'reply',
    needs: 'mo',
    expect: 'harmless',
    harmless: "whose turn it is is the server's word; who may read and write is not",
    arm(w, id) {
      changeConv(w, id, 'visitor', (c) => ({ ...c, owner: 'agent:mo', team: 'ops' }));
      if (w.stored)
        w.insert(id, 'visitor', eventBody(w.conv, { t: 'owner', owner: 'agent:mo', team: 'ops', why: 'transfer' }));
    },
  },
  {
    id: 'false-close',
    from: '3.11',
    what: 'the visitor is told that the conversation is closed',
    at: 'talk',
    expect: 'harmless',
    harmless: 'writing opens it again; nobody is named who did not write',
    arm(w, id) {
      changeConv(w, id, 'visitor', (c) => ({ ...c, state: 'closed', owner: 'none' }));
      if (w.stored) w.insert(id, 'visitor', eventBody(w.conv, { t: 'closed', by: 'li' }));
    },
  },
  {
    id: 'false-receipts',
    from: '3.11',
    what: 'what nobody was shown is said to be read',
    at: 'talk',
    expect: 'harmless',
    harmless: "how far the other side is is the server's word; what it withholds is marked at the next message",
    arm(w, id) {
      for (const who of EVERYBODY)
        w.hooks.frame(id, who, (f) => (f.t === 'receipt' ? { ...f, delivered: 1000, read: 1000 } : f));
      w.hooks.count(id);
    },
  },
  {
    id: 'false-clock',
    from: '3.11',
    what: "the server's clock is a year ahead",
    at: 'hello',
    expect: 'harmless',
    harmless: "what expires is judged by the page's own clock",
    async arm(w, id) {
      for (const who of EVERYBODY)
        w.hooks.frame(id, who, (f) => (typeof f.now === 'number' ? { ...f, now: f.now + 31_536_000_000 } : f));
      await rest();
    },
  },
  {
    id: 'no-team-keys',
    from: '3.11-7',
    what: "the next agent is given none of their team's keys",
    at: 'transfer',
    expect: 'marked',
    arm: (w, id) => w.hooks.http<{ boxes: TeamBox[] }>(id, 'wu', '/boxes', () => ({ boxes: [] })),
  },
  {
    id: 'false-team-keys',
    from: '3.11-7',
    what: "the next agent is given the server's key as their team's",
    at: 'transfer',
    expect: 'marked',
    arm(w, id) {
      const vip = w.log.teamSecret('vip');
      w.hooks.http<{ boxes: TeamBox[] }>(id, 'wu', '/boxes', async () => {
        const keys = w.log.co.teamSecrets.get('vip')!;
        keys.splice(0, keys.length, { epoch: 1, secret: random(32) });
        const boxes = await w.log.co.boxes(['vip'], w.cast.wu.x.pk);
        keys.splice(0, keys.length, { epoch: 1, secret: vip });
        return { boxes };
      });
    },
  },
  {
    id: 'everything-refused',
    from: '3.11',
    what: 'every envelope of the visitor is refused',
    at: 'talk',
    expect: 'marked',
    arm: (w, id) => w.hooks.receive(id, 'visitor', () => 5),
  },
  {
    id: 'everything-lost',
    from: '3.11',
    what: 'every envelope of the visitor is lost without a word',
    at: 'talk',
    expect: 'harmless',
    harmless: 'a server can always be deaf; the page shows that the text waits',
    arm: (w, id) => w.hooks.receive(id, 'visitor', () => 'lose'),
  },
];
