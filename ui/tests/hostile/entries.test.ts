/** Entries of the directory that must be refused, each for its reason, whoever signed them. */
import { beforeAll, expect, it } from 'vitest';
import type { SigningKey } from '../../src/crypto/backend';
import { b64u, unb64u } from '../../src/crypto/bytes';
import type { SignedJson } from '../../src/proto';
import { NOW } from '../support/company';
import { benchBackend as b } from './backend';
import { DAY_MS, enrolBody, entryAfter, invite, makeCast, type Cast, type Invite } from './company';

let cast: Cast;
beforeAll(async () => {
  cast = await makeCast();
});

type Body = Record<string, unknown>;
const log = (): SignedJson[] => cast.co.log;
const signedBy = (body: Body, by: SigningKey = cast.zhao.ed): Promise<SignedJson> =>
  entryAfter(log(), { at: NOW, ...body }, by);

/** An enrolment on `i`; `over` changes the entry. */
async function enrolled(
  i: Invite,
  over: Body = {},
  o: { claim?: SigningKey; signer?: SigningKey; ed?: SigningKey } = {},
): Promise<SignedJson> {
  const ed = o.ed ?? (await b.newSigningKey());
  return signedBy({ ...(await enrolBody(i, ed.pk, (await b.newBoxKey()).pk, o.claim)), ...over }, o.signer ?? ed);
}
const invited = (user: string, role = 'agent', by?: SigningKey): Promise<Invite> =>
  invite(cast.co, user, role, ['svc'], NOW + DAY_MS, by);

async function altered(e: SignedJson): Promise<SignedJson> {
  return { ...e, sig: b64u(unb64u(e.sig).map((x, i) => (i === 5 ? x ^ 1 : x))) };
}
const team = (over: Body): Body => ({
  t: 'team',
  id: 'svc',
  name: 'Team svc',
  epoch: 2,
  pk: b64u(cast.malloryBox.pk),
  on: true,
  ...over,
});
const robot = (over: Body): Body => ({
  t: 'bot',
  id: 'second',
  name: 'x',
  ed: b64u(cast.mallory.pk),
  on: true,
  ...over,
});

const CASES: [reason: string, what: string, make: () => Promise<SignedJson>][] = [
  ['signature', 'a signature that is none', async () => altered(await signedBy(team({})))],
  ['directory_seq', 'another number', () => signedBy(team({ seq: 3 }))],
  ['directory_fork', 'another entry before it', () => signedBy(team({ prev: 'a'.repeat(64) }))],
  ['version', 'another version', () => signedBy(team({ v: 2 }))],
  ['second_genesis', 'a second beginning', () => signedBy({ t: 'genesis', org: 'x' }, cast.co.root)],
  ['signer', 'by nobody', () => signedBy(team({}), cast.mallory)],
  ['signer', 'by an agent', () => signedBy(team({}), cast.mo.ed)],
  ['root_only', 'an admin made by an admin', () => signedBy({ t: 'agent', user: 'mo', on: true, role: 'admin' })],
  ['root_only', 'an admin switched off by an admin', () => signedBy({ t: 'agent', user: 'zhao', on: false })],
  ['unknown_user', 'somebody nobody knows', () => signedBy({ t: 'agent', user: 'nobody', on: false })],
  ['team_epoch', 'a team key that skips a number', () => signedBy(team({ epoch: 3 }))],
  ['team_epoch', 'a team key that goes back', () => signedBy(team({ epoch: 0 }))],
  ['team_key', 'another team key under the same number', () => signedBy(team({ epoch: 1 }))],
  ['bot_key', "a robot with a person's key", () => signedBy(robot({ ed: b64u(cast.li.ed.pk) }))],
  ['bot_key', "a robot with the root's key", () => signedBy(robot({ ed: b64u(cast.co.root.pk) }))],
  ['bot_key', "a robot with another robot's key", () => signedBy(robot({ ed: b64u(cast.robot.pk) }))],
  ['bot_key', 'a robot with a new key', () => signedBy(robot({ id: 'robot' }))],
  [
    'bad_key',
    'a robot with a key of small order',
    () => signedBy(robot({ ed: b64u(Uint8Array.from([1, ...new Uint8Array(31)])) })),
  ],
  [
    'unknown_bot',
    'a site with a robot that is none',
    () => signedBy({ t: 'site', id: 'shop', name: 'Shop', origins: [], team: 'svc', on: true, bot: 'none' }),
  ],
  ['rules_rev', 'rules that are no newer', () => signedBy({ t: 'rules', rev: 2, late: [] })],
  [
    'not_own_key',
    'an enrolment that another key signed',
    async () => enrolled(await invited('new'), {}, { signer: cast.mo.ed }),
  ],
  [
    'cert',
    'an invite that nobody signed',
    async () => enrolled({ ...(await invited('new')), sig: b64u(new Uint8Array(64)) }),
  ],
  [
    'cert_org',
    'an invite of another company',
    async () => enrolled(await invite(cast.other, 'new', 'agent', ['svc'], NOW + DAY_MS, cast.zhao.ed)),
  ],
  ['cert_mismatch', 'another name', async () => enrolled(await invited('new'), { name: 'The boss' })],
  ['cert_mismatch', 'another role', async () => enrolled(await invited('new'), { role: 'supervisor' })],
  ['cert_mismatch', 'other teams', async () => enrolled(await invited('new'), { teams: ['svc', 'vip'] })],
  ['claim', 'a claim by another key', async () => enrolled(await invited('new'), {}, { claim: cast.mallory })],
  ['claim', 'a claim of another key', async () => enrolled(await invited('new'), { x: b64u(cast.malloryBox.pk) })],
  ['cert_signer', "an agent's invite", async () => enrolled(await invited('new', 'agent', cast.mo.ed))],
  ['cert_signer', "an admin's invite for an admin", async () => enrolled(await invited('new', 'admin', cast.zhao.ed))],
  ['invite_used', 'a used invite', () => enrolled(cast.oldInvite)],
  ['user_active', 'a second key for somebody who has one', async () => enrolled(await invited('li'))],
];

it.each(CASES)('%s: %s', async (reason, _, make) => {
  await expect(cast.co.directory([...log(), await make()])).rejects.toMatchObject({ reason });
});

it('and what is right is taken', async () => {
  const dir = await cast.co.directory([...log(), await enrolled(await invited('new'))]);
  expect(dir.seq).toBe(log().length);
  expect((await cast.co.directory([...log(), await signedBy(team({}))])).state.teams.svc!.epoch).toBe(2);
});
