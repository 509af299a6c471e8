/** Attacks about the company: a false log, an old one, two at a time. */
import type { SigningKey } from '../../../src/crypto/backend';
import { b64u, unb64u } from '../../../src/crypto/bytes';
import { DAY_MS, entryAfter, siteFor } from '../company';
import type { Attack } from '../attack';
import { rest, sleep } from '../clock';
import type { SignedJson, SiteReply } from '../../../src/proto';
import { EVERYBODY, showEntries, tellAll } from './help';
import type { World } from '../world';

type Entries = { entries: SignedJson[]; snapshot: SignedJson | null };
const seqOf = (path: string): number => Number(/after=(-?\d+)/.exec(path)![1]);

/** One entry that must be refused, sent to everyone during the conversation. */
const badEntry = (
  id: string,
  from: string,
  what: string,
  make: (w: World) => Promise<SignedJson>,
  needs?: string,
): Attack => ({
  id,
  from,
  what,
  needs,
  at: 'talk',
  expect: 'alarm',
  arm: async (w) => showEntries(w, id, EVERYBODY, await make(w)),
});

/** A statement that must be refused, when the visitor's page is loaded for the first time. */
const badSnapshot = (id: string, what: string, make: (w: World) => Promise<SignedJson>, needs?: string): Attack => ({
  id,
  from: 'model 28',
  what,
  needs,
  at: 'open',
  expect: 'alarm',
  async arm(w) {
    const snapshot = await make(w);
    w.hooks.http<SiteReply>(id, 'visitor', '/site/', (a) => ({ ...a, directory: { ...a.directory, snapshot } }));
  },
});

async function signed(body: unknown, by: SigningKey): Promise<SignedJson> {
  const bytes = new TextEncoder().encode(JSON.stringify(body));
  return { raw: b64u(bytes), signer: b64u(by.pk), sig: b64u(await by.sign('fresh', bytes)) };
}

const after = (w: World, body: Record<string, unknown>, by = w.cast.zhao.ed): Promise<SignedJson> =>
  entryAfter(w.log.entries, body, by);

/** Shows a visitor's page another log when it is loaded, and an agent's too. */
function showLog(w: World, id: string, who: string, other: Entries): void {
  w.hooks.http<SiteReply>(id, who, '/site/', () => siteFor(w.log, other.entries, other.snapshot!));
  w.hooks.http<Entries>(id, who, '/directory?', (_, path) => ({
    entries: other.entries.slice(seqOf(path) + 1),
    snapshot: other.snapshot,
  }));
}

export const directory: Attack[] = [
  {
    id: 'foreign-org',
    from: 'model 1',
    what: 'another company under the same address',
    at: 'open',
    expect: 'alarm',
    arm: (w, id) => w.hooks.http<SiteReply>(id, 'visitor', '/site/', () => w.cast.other.site()),
  },
  {
    id: 'foreign-directory',
    from: 'model 1',
    what: "another company's directory under the right name",
    at: 'open',
    expect: 'alarm',
    arm: (w, id) =>
      w.hooks.http<SiteReply>(id, 'visitor', '/site/', (a) => ({ ...a, directory: w.cast.other.site().directory })),
  },
  badSnapshot(
    'edited-snapshot',
    "the state of a statement with the server's key in the place of a team's",
    async (w) => {
      const s = w.log.snapshot!;
      const { teams } = (JSON.parse(text(s)) as { state: { teams: Record<string, { pk: string }> } }).state;
      return { ...s, raw: raw(text(s).replaceAll(teams.svc!.pk, b64u(w.cast.malloryBox.pk))) };
    },
  ),
  badSnapshot('own-snapshot', 'a statement by the server itself, in which it is an admin', async (w) => {
    const body = JSON.parse(text(w.log.snapshot!)) as { state: { users: Record<string, { keys: { ed: string }[] }> } };
    body.state.users.zhao!.keys[0]!.ed = b64u(w.cast.mallory.pk);
    return signed(body, w.cast.mallory);
  }),
  badSnapshot(
    'snapshot-by-agent',
    'a statement by an agent',
    async (w) => signed(JSON.parse(text(w.log.snapshot!)), w.cast.mo.ed),
    'mo',
  ),
  badSnapshot(
    'snapshot-for-ever',
    'a statement that holds for a year',
    async (w) => {
      const { snapshot } = await w.log.branch(w.log.entries, w.cast.zhao.ed, Date.now() + 365 * DAY_MS);
      return snapshot;
    },
    'the key of zhao',
  ),
  badSnapshot(
    'snapshot-of-tomorrow',
    'a statement that begins the day after tomorrow',
    async (w) => signed({ ...JSON.parse(text(w.log.snapshot!)), at: Date.now() + 2 * DAY_MS }, w.cast.zhao.ed),
    'the key of zhao',
  ),
  badSnapshot(
    'snapshot-with-another-login',
    'a statement in which the login server is another',
    async (w) => {
      const body = JSON.parse(text(w.log.snapshot!)) as { state: Record<string, unknown> };
      return signed({ ...body, state: { ...body.state, opaque: b64u(w.cast.malloryBox.pk) } }, w.cast.zhao.ed);
    },
    'the key of zhao',
  ),
  {
    id: 'foreign-org-agent',
    from: 'model 1',
    what: "another company's log for an agent",
    at: 'take',
    expect: 'alarm',
    arm: (w, id) =>
      w.hooks.http<Entries>(id, 'li', '/directory?', () => ({
        entries: w.cast.other.log,
        snapshot: w.cast.other.snapshot,
      })),
  },
  badEntry('own-team-key', 'model 2', "the server's own team key, signed by itself", (w) =>
    after(
      w,
      { t: 'team', id: 'svc', name: 'Team svc', epoch: 2, pk: b64u(w.cast.malloryBox.pk), on: true },
      w.cast.mallory,
    ),
  ),
  {
    id: 'edited-team-key',
    from: 'model 3',
    what: "a genuine entry and the snapshot with the server's key in the place of a team's",
    at: 'take',
    expect: 'alarm',
    arm(w, id) {
      const svc = w.log.entries.findIndex((e) => text(e).includes('"t":"team"') && text(e).includes('"id":"svc"'));
      const pk = (JSON.parse(text(w.log.entries[svc]!)) as { pk: string }).pk;
      const edit = (e: SignedJson): SignedJson => ({
        ...e,
        raw: raw(text(e).replaceAll(pk, b64u(w.cast.malloryBox.pk))),
      });
      w.hooks.http<Entries>(id, 'li', '/directory?', (a, path) => ({
        ...a,
        entries: w.log.entries.map((e, i) => (i === svc ? edit(e) : e)).slice(seqOf(path) + 1),
      }));
      w.hooks.http<SiteReply>(id, 'visitor', '/site/', (a) => ({
        ...a,
        directory: { ...a.directory, snapshot: edit(a.directory.snapshot!) },
      }));
    },
  },
  badEntry(
    'agent-adds-team',
    'model 4',
    'an agent, who is no admin, changes a team',
    (w) =>
      after(
        w,
        { t: 'team', id: 'svc', name: 'Team svc', epoch: 2, pk: b64u(w.cast.malloryBox.pk), on: true },
        w.cast.mo.ed,
      ),
    'mo',
  ),
  badEntry(
    'admin-makes-admin',
    'model 5',
    'an admin makes somebody an admin',
    (w) => after(w, { t: 'agent', user: 'mo', on: true, role: 'admin' }),
    'the key of zhao',
  ),
  badEntry(
    'small-order-key',
    'model 6',
    'a robot whose key is of small order',
    (w) =>
      after(w, { t: 'bot', id: 'evil', name: 'x', ed: b64u(Uint8Array.from([1, ...new Uint8Array(31)])), on: true }),
    'the key of zhao',
  ),
  {
    id: 'withheld-tail',
    from: 'model 7',
    what: "somebody was dismissed, and the visitor's page is not shown it",
    at: 'talk',
    expect: 'marked',
    async arm(w, id) {
      const old = { entries: [...w.log.entries], snapshot: w.log.snapshot };
      w.dismissed.set('qi', w.log.entries.length);
      await w.log.dismiss('qi');
      showLog(w, id, 'visitor', old);
      w.hooks.frame(id, 'visitor', (f) => (f.t === 'directory' ? null : f));
      w.hooks.receive(id, 'visitor', () => 'force');
      await tellAll(w);
    },
  },
  {
    id: 'snapshot-beyond-log',
    from: 'model 7',
    what: "the snapshot covers entries that an agent's page is not shown",
    at: 'take',
    expect: 'alarm',
    async arm(w, id) {
      const old = [...w.log.entries];
      await w.log.dismiss('qi');
      w.hooks.http<Entries>(id, 'li', '/directory?', (a, path) => ({ ...a, entries: old.slice(seqOf(path) + 1) }));
    },
  },
  {
    id: 'expired-snapshot',
    from: 'model 8',
    what: 'a statement that is over',
    at: 'open',
    expect: 'alarm',
    async arm(w, id) {
      const good = w.log.snapshot;
      await w.log.renew(Date.now() - 1, Date.now() - DAY_MS);
      const over = w.log.snapshot;
      w.log.snapshot = good;
      w.hooks.http<SiteReply>(id, 'visitor', '/site/', (a) => ({
        ...a,
        directory: { ...a.directory, snapshot: over },
      }));
      w.hooks.http<Entries>(id, 'visitor', '/directory?', (a) => ({ ...a, snapshot: over }));
    },
  },
  {
    id: 'expired-in-open-page',
    from: 'B',
    what: 'the statement ends while the page stays open, and no newer one is shown; the next epoch is due',
    at: 'open',
    expect: { 'visitor after': 'alarm', else: 'marked' },
    async arm(w, id) {
      const good = w.log.snapshot;
      await w.log.renew(Date.now() + 3_600_000, Date.now());
      const short = w.log.snapshot;
      w.log.snapshot = good;
      w.hooks.http<SiteReply>(id, 'visitor', '/site/', (a) => ({
        ...a,
        directory: { ...a.directory, snapshot: short },
      }));
      w.hooks.http<Entries>(id, 'visitor', '/directory?', (a) => ({ ...a, snapshot: short }));
    },
    then: {
      at: 'talk',
      async arm(w) {
        await sleep(7_200_000);
        await w.log.rotate('svc');
        await tellAll(w);
        await w.say('visitor', 'in an epoch to come');
      },
    },
    holds: (w) =>
      w.server.sent.some((s) => s.who === 'visitor' && s.w.kind === 2 && s.w.epoch > 1)
        ? ['the visitor made an epoch by a statement that was over']
        : [],
  },
  {
    id: 'old-team-key-again',
    from: 'model 25',
    what: 'the entry with the old team key once more, after it was replaced',
    at: 'talk',
    expect: 'alarm',
    async arm(w, id) {
      const old = w.log.entries.find((e) => text(e).includes('"t":"team"') && text(e).includes('"id":"svc"'))!;
      await w.log.rotate('svc');
      await tellAll(w);
      await showEntries(w, id, EVERYBODY, old);
    },
  },
  badEntry(
    'forked-entry',
    'model 27',
    'an entry of another branch',
    (w) => after(w, { t: 'agent', user: 'qi', on: false, prev: '1'.repeat(64) }),
    'the key of zhao',
  ),
  {
    id: 'other-branch',
    from: 'model 28',
    what: 'after a reload the visitor is shown another branch, with a statement about it',
    at: 'talk',
    needs: 'the key of zhao',
    only: 'visitor',
    expect: 'alarm',
    async arm(w, id) {
      const last = w.log.entries.slice(0, -1);
      showLog(
        w,
        id,
        'visitor',
        await w.log.branch([
          ...last,
          await entryAfter(last, { t: 'revoke', inv: b64u(w.cast.mallory.pk) }, w.cast.zhao.ed),
        ]),
      );
    },
  },
  {
    id: 'other-branch-agent',
    from: 'model 28',
    what: 'after a reload the agent is shown another branch',
    at: 'talk',
    needs: 'the key of zhao',
    only: 'agent',
    expect: 'alarm',
    async arm(w, id) {
      const last = w.log.entries.slice(0, -1);
      const other = await w.log.branch([
        ...last,
        await entryAfter(last, { t: 'revoke', inv: b64u(w.cast.mallory.pk) }, w.cast.zhao.ed),
      ]);
      for (const who of ['li', 'wu']) showLog(w, id, who, other);
    },
  },
  {
    id: 'statement-of-another-head',
    from: 'model 28',
    what: 'a statement that names another head for the newest entry',
    at: 'take',
    needs: 'the key of zhao',
    expect: 'alarm',
    async arm(w, id) {
      const last = w.log.entries.slice(0, -1);
      // the same state, sent at another time
      const same = JSON.parse(text(w.log.entries.at(-1)!)) as Record<string, unknown>;
      const { snapshot } = await w.log.branch([
        ...last,
        await entryAfter(last, { ...same, at: Date.now() + 1 }, w.cast.zhao.ed),
      ]);
      w.hooks.http<Entries>(id, 'li', '/directory?', (a) => ({ ...a, snapshot }));
    },
  },
  {
    id: 'split-view',
    from: 'model 29',
    what: 'visitor and agents are shown two branches from the start; the announcement tells',
    at: 'open',
    needs: 'the key of zhao',
    expect: 'alarm',
    async arm(w, id) {
      const common = [...w.log.entries];
      showLog(
        w,
        id,
        'visitor',
        await w.log.branch([
          ...common,
          await entryAfter(common, { t: 'revoke', inv: b64u(w.cast.mallory.pk) }, w.cast.zhao.ed),
        ]),
      );
      await w.log.add({ t: 'revoke', inv: b64u(w.cast.qi.ed.pk) });
    },
  },
  {
    id: 'directory-goes-back',
    from: 'model 25',
    what: 'after a reload the log is shorter than it was',
    at: 'talk',
    only: 'visitor',
    expect: 'alarm',
    async arm(w, id) {
      const old = { entries: [...w.log.entries], snapshot: w.log.snapshot };
      await w.log.rotate('svc');
      await tellAll(w);
      showLog(w, id, 'visitor', old);
    },
  },
  {
    id: 'directory-goes-back-agent',
    from: 'model 25',
    what: "after a reload the agent's log is shorter than it was",
    at: 'talk',
    only: 'agent',
    // who comes in only later knows no other log, and cannot follow the epochs that name a newer one
    expect: { 'agent after': 'marked', else: 'alarm' },
    async arm(w, id) {
      const old = { entries: [...w.log.entries], snapshot: w.log.snapshot };
      await w.log.rotate('svc');
      await tellAll(w);
      for (const who of ['li', 'wu']) showLog(w, id, who, old);
    },
  },
  {
    id: 'rules-withheld',
    from: '3.11',
    what: 'the visitor is shown the directory as it was before the entry `rules`',
    at: 'open',
    expect: 'marked',
    async arm(w, id) {
      const n = w.log.entries.findIndex((e) => text(e).includes('"t":"rules"'));
      showLog(w, id, 'visitor', await w.log.before(n));
      await rest();
    },
  },
];

const text = (e: SignedJson): string => new TextDecoder().decode(unb64u(e.raw));
const raw = (s: string): string => b64u(new TextEncoder().encode(s));
