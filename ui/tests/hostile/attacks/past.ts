/** Attacks that only a memory finds: another past after a reload, a log that is claimed to have gone back, the robot still there. */
import { rest } from '../clock';
import type { Who } from '../hooks';
import type { Attack } from '../attack';
import { eventBody, eventOf, K, renumber, wire, type Rec } from '../wire';
import type { World } from '../world';
import { AGENTS, changeConv, reconnect } from './help';

/** Only what precedes the first record that matches. */
function cutBefore(w: World, id: string, who: Who, fits: (r: Rec) => boolean): void {
  w.hooks.records(id, who, (list, conv) => {
    const at = conv === w.conv ? list.findIndex(fits) : -1;
    return at < 0 ? list : list.slice(0, at);
  });
}
const isEpoch =
  (n: number) =>
  (r: Rec): boolean => {
    const x = wire(r.body);
    return x?.kind === K.announcement && x.epoch === n;
  };
const takenOver = (r: Rec): boolean => String(eventOf(r.body)?.owner ?? '').startsWith('agent:');

/** As it was while the robot had it. */
function beforeTakeOver(w: World, id: string): void {
  cutBefore(w, id, 'visitor', takenOver);
  changeConv(w, id, 'visitor', (c) => ({ ...c, owner: 'robot', epoch: 0, state: 'open' }));
  w.hooks.receive(id, 'visitor', () => 'force');
}
const newGen = (w: World): void => {
  w.server.gen = 'f'.repeat(16);
};

export const past: Attack[] = [
  {
    id: 'robot-never-left',
    from: 'A1, model 13',
    what: 'after a reload the log ends before the take-over, and the robot is the owner',
    at: 'transfer',
    only: 'visitor',
    expect: 'alarm',
    arm: (w, id) => beforeTakeOver(w, id),
  },
  {
    id: 'robot-after-a-person-was-asked-for',
    from: 'A1',
    what: 'the visitor asked for a person; after a reload the log ends before that',
    at: 'take',
    only: 'visitor',
    expect: 'alarm',
    async arm(w, id) {
      w.visitor.client.requestPerson();
      await rest();
      cutBefore(w, id, 'visitor', isEpoch(1));
      changeConv(w, id, 'visitor', (c) => ({ ...c, owner: 'robot', epoch: 0, state: 'open' }));
      w.hooks.receive(id, 'visitor', () => 'force');
    },
  },
  {
    id: 'robot-owner-again',
    from: 'A1',
    what: 'the server says that the robot is the owner again',
    at: 'reply',
    expect: 'harmless',
    harmless: 'a robot that was out is let in by nobody, whoever is called the owner',
    async arm(w, id) {
      changeConv(w, id, 'visitor', (c) => ({ ...c, owner: 'robot' }));
      if (w.stored)
        w.insert(id, 'visitor', eventBody(w.conv, { t: 'owner', owner: 'robot', team: 'svc', why: 'handoff' }));
      w.server.tell('visitor', { t: 'conv', conv: { ...w.stored?.conv } });
    },
  },
  {
    id: 'takeover-hidden',
    from: 'A3c',
    what: 'the visitor is not shown the take-over and goes on in the epoch of the robot',
    at: 'take',
    expect: 'marked',
    arm(w, id) {
      const { conv, visitorKid } = w;
      const at = w.stored!.records.length;
      const own = (r: Rec): boolean => wire(r.body)?.sender === visitorKid;
      w.hooks.records(id, 'visitor', (list, c) =>
        c === conv ? renumber(list.filter((r, i) => i < at || own(r))) : list,
      );
      changeConv(w, id, 'visitor', (c) => ({ ...c, owner: 'robot', epoch: 0, state: 'open' }));
      w.hooks.receive(id, 'visitor', () => 'force');
    },
  },
  {
    id: 'old-epoch-is-current',
    from: '3.11-1',
    what: 'after a reload the newest epoch is not there',
    at: 'close',
    only: 'visitor',
    expect: 'alarm',
    arm: (w, id) => cutBefore(w, id, 'visitor', isEpoch(2)),
  },
  {
    id: 'old-epoch-is-current-agent',
    from: '3.11-1',
    what: "after a reload of the agent's page the newest epoch is not there",
    at: 'close',
    only: 'agent',
    expect: 'alarm',
    arm: (w, id) => cutBefore(w, id, 'wu', isEpoch(2)),
  },
  {
    id: 'tail-cut',
    from: 'A4',
    what: 'after a reload the end of the log is not there',
    at: 'close',
    only: 'visitor',
    expect: 'alarm',
    arm(w, id) {
      const n = (w.stored?.records.length ?? 0) - 2;
      w.hooks.records(id, 'visitor', (list) => list.slice(0, n));
    },
  },
  {
    id: 'tail-cut-agent',
    from: 'A4',
    what: "after a reload of the agent's page the end of the log is not there",
    at: 'close',
    only: 'agent',
    expect: 'alarm',
    arm(w, id) {
      const n = (w.stored?.records.length ?? 0) - 2;
      w.hooks.records(id, 'wu', (list) => list.slice(0, n));
    },
  },
  {
    id: 'tail-exchanged',
    from: 'A4',
    what: 'after a reload something else stands where the last record was',
    at: 'close',
    only: 'visitor',
    expect: 'alarm',
    arm(w, id) {
      const n = w.stored?.records.length ?? 0;
      w.replace(id, 'visitor', (_, r) => (r.seq === n ? eventBody(w.conv, { t: 'hidden' }) : null));
    },
  },
  {
    id: 'changed-time',
    from: '3.11-8',
    what: 'after a reload the records bear other times',
    at: 'close',
    only: 'visitor',
    expect: 'alarm',
    arm: (w, id) => w.hooks.records(id, 'visitor', (list) => list.map((r) => ({ ...r, at: r.at - 86_400_000 }))),
  },
  {
    id: 'inserted-in-the-past',
    from: 'A4',
    what: 'after a reload a record stands twice in the middle',
    at: 'close',
    only: 'visitor',
    expect: 'alarm',
    arm: (w, id) => w.hooks.records(id, 'visitor', (list) => renumber([...list.slice(0, 4), ...list.slice(3)])),
  },
  {
    id: 'no-records',
    from: '3.11-1',
    what: 'after a reload the conversation is empty',
    at: 'close',
    only: 'visitor',
    expect: 'alarm',
    arm: (w, id) => w.hooks.records(id, 'visitor', () => []),
  },
  {
    id: 'no-records-agent',
    from: '3.11-1',
    what: "after a reload of the agent's page the conversation is empty",
    at: 'close',
    only: 'agent',
    expect: 'alarm',
    arm: (w, id) => w.hooks.records(id, 'wu', () => []),
  },
  {
    id: 'rewound-without-reason',
    from: '3.11-8',
    what: 'the log is said to have gone back; the database is the same',
    at: 'talk',
    expect: 'alarm',
    async arm(w, id) {
      w.hooks.rewindOnce(id, 'visitor');
      await reconnect(w, 'visitor');
    },
  },
  {
    id: 'rewound-to-nothing-new',
    from: '3.11-8',
    what: 'the log is said to have gone back, and shown whole',
    at: 'talk',
    expect: 'marked',
    async arm(w, id) {
      w.hooks.rewindOnce(id, 'visitor');
      newGen(w);
      await reconnect(w, 'visitor');
    },
  },
  {
    id: 'rewound-to-the-robot',
    from: 'A1, 3.11-8',
    what: 'the log is said to have gone back to before the take-over, and takes back nothing',
    at: 'talk',
    expect: 'marked',
    async arm(w, id) {
      beforeTakeOver(w, id);
      w.hooks.receive(id, 'visitor', () => 'lose');
      newGen(w);
      w.hooks.rewindOnce(id, 'visitor');
      await reconnect(w, 'visitor');
    },
  },
  {
    id: 'rewound-agent',
    from: '3.11-8',
    what: "the same, for the agent's page: the log goes back to before the take-over",
    at: 'talk',
    expect: 'marked',
    async arm(w, id) {
      for (const who of AGENTS) cutBefore(w, id, who, takenOver);
      newGen(w);
      w.hooks.rewindOnce(id, 'li');
      await reconnect(w, 'li');
    },
  },
  {
    id: 'new-generation',
    from: '3.11-8',
    what: 'the database is said to be another one, and is the same',
    at: 'talk',
    expect: 'harmless',
    harmless: 'the log shows all that is remembered',
    async arm(w, id) {
      newGen(w);
      w.hooks.count(id);
      await reconnect(w, 'visitor');
    },
  },
];
