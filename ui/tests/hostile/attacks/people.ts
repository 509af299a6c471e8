/** Attacks about who was invited and who enrolled, and about the site's robot. */
import { b64u, unb64u, utf8 } from '../../../src/crypto/bytes';
import type { SigningKey } from '../../../src/crypto/backend';
import type { SignedJson, SiteReply } from '../../../src/proto';
import { benchBackend as b } from '../backend';
import { DAY_MS, enrolBody, entryAfter, type Invite } from '../company';
import type { Attack } from '../attack';
import type { World } from '../world';
import { EVERYBODY, showEntries, tellAll } from './help';

async function enrolment(
  w: World,
  i: Invite,
  over: Record<string, unknown> = {},
  claim?: SigningKey,
  key?: SigningKey,
): Promise<{ entry: SignedJson; ed: SigningKey }> {
  const [ed, x] = [key ?? (await b.newSigningKey()), await b.newBoxKey()];
  return { entry: await entryAfter(w.log.entries, { ...(await enrolBody(i, ed.pk, x.pk, claim)), ...over }, ed), ed };
}

/** A person enrolled too late, by a backdated entry; the team gets another key, so that an epoch begins after it. */
async function late(w: World, id: string): Promise<void> {
  const { entry } = await enrolment(w, w.cast.lateInvite, { at: Date.now() - 2 * DAY_MS }, undefined, w.cast.bo);
  // two attacks of one run may need it
  if (!w.log.entries.some((e) => e.signer === entry.signer)) w.log.entries.push(entry);
  await w.log.rotate('svc');
  await tellAll(w);
  w.hooks.count(id);
}

/** They write in that epoch, for everyone to read. */
async function lateSpeaks(w: World, id: string): Promise<void> {
  const ek = w.stored && (await w.teamKey('svc', 2));
  if (ek) for (const who of EVERYBODY) w.insert(id, who, (await w.partnerSays(w.cast.bo, ek, 'bo: call me')).bytes);
}

const confirmed = (w: World): string[] =>
  w.log.posted
    .map((j) => new TextDecoder().decode(unb64u(j.raw)))
    .filter((t) => t.includes('"t":"confirm"') && t.includes('"bo"'))
    .map(() => "an admin's page confirmed by itself who came too late");

const badDayKey = (
  id: string,
  what: string,
  expect: Attack['expect'],
  harmless: string | undefined,
  make: (w: World) => Promise<{ raw: string; sig: string }>,
): Attack => ({
  id,
  from: 'model 2',
  what,
  at: 'open',
  expect,
  harmless,
  async arm(w) {
    const bot = await make(w);
    w.hooks.http<SiteReply>(id, 'visitor', '/site/', (a) => ({ ...a, bot }));
  },
});

export const people: Attack[] = [
  {
    id: 'used-invite-again',
    from: 'A2',
    what: 'a used invite makes another key for qi, who was dismissed',
    at: 'talk',
    needs: "qi's old code",
    expect: 'alarm',
    async arm(w, id) {
      w.dismissed.set('qi', w.log.entries.length);
      await w.log.dismiss('qi');
      await showEntries(w, id, EVERYBODY, (await enrolment(w, w.cast.oldInvite)).entry);
    },
  },
  {
    id: 'late-enrolment',
    from: 'model 35, fault 1',
    what: 'an invite that is over is used, with an entry dated back; who came in speaks',
    at: 'talk',
    needs: "a stolen old code, qi's team key",
    expect: 'marked',
    arm: late,
    then: { at: 'transfer', arm: lateSpeaks },
    holds: (w) => (w.looks.some((k) => k.alarm) ? ['one late enrolment stopped somebody'] : []),
  },
  {
    id: 'late-enrolment-admin',
    from: '3.11-10',
    what: "the same, shown to an admin's page",
    at: 'talk',
    needs: "a stolen old code, qi's team key",
    expect: 'marked',
    async arm(w, id) {
      await late(w, id);
      await w.openAgent('zhao');
    },
    then: { at: 'transfer', arm: lateSpeaks },
    holds: confirmed,
  },
  {
    id: 'false-confirmation',
    from: '3.11-10',
    what: 'who came too late confirms themself',
    at: 'talk',
    needs: 'a stolen old code',
    expect: 'alarm',
    async arm(w, id) {
      const { entry, ed } = await enrolment(w, w.cast.lateInvite);
      const confirm = await entryAfter([...w.log.entries, entry], { t: 'confirm', user: 'bo', ed: b64u(ed.pk) }, ed);
      await showEntries(w, id, EVERYBODY, entry, confirm);
    },
  },
  {
    id: 'substituted-key',
    from: 'model 34',
    what: "the server's key in the place of the invited person's",
    at: 'talk',
    expect: 'alarm',
    arm: async (w, id) =>
      showEntries(w, id, EVERYBODY, (await enrolment(w, w.cast.lateInvite, {}, w.cast.mallory)).entry),
  },
  {
    id: 'invite-of-another',
    from: 'model 36',
    what: 'an invite is used under another name',
    at: 'talk',
    needs: 'a stolen old code',
    expect: 'alarm',
    arm: async (w, id) =>
      showEntries(w, id, EVERYBODY, (await enrolment(w, w.cast.lateInvite, { user: 'boss' })).entry),
  },
  badDayKey('foreign-day-key', 'a day key that the robot did not sign', 'marked', undefined, (w) =>
    w.log.co.dayKey({}, w.cast.mallory),
  ),
  badDayKey('day-key-of-another-company', 'a day key of another company', 'marked', undefined, (w) =>
    w.log.co.dayKey({ org: '00'.repeat(16) }),
  ),
  badDayKey('day-key-for-ever', 'a day key that never ends', 'marked', undefined, (w) =>
    w.log.co.dayKey({ until: Date.now() + 365 * DAY_MS }),
  ),
  badDayKey('old-day-key', 'a day key that is over', 'harmless', 'as good as none: people answer from the start', (w) =>
    w.log.co.dayKey({ at: Date.now() - 3 * DAY_MS, until: Date.now() - DAY_MS }),
  ),
  badDayKey('day-key-of-nonsense', 'a day key that is none', 'marked', undefined, async () => ({
    raw: b64u(utf8('{"v":1}')),
    sig: b64u(new Uint8Array(64)),
  })),
  {
    id: 'robot-of-no-site',
    from: 'model 2',
    what: 'a genuine day key for a site whose signed entry names no robot',
    at: 'open',
    expect: 'harmless',
    harmless: 'nobody is let in; people answer from the start',
    async arm(w, id) {
      await w.log.add({
        t: 'site',
        id: 'shop',
        name: 'Shop',
        origins: ['https://shop.example'],
        team: 'svc',
        on: true,
      });
      w.hooks.count(id);
    },
  },
  {
    id: 'site-words',
    from: 'model 2',
    what: 'another greeting, another form, another site id',
    at: 'open',
    expect: 'harmless',
    harmless: 'not signed and said so: only for looks',
    arm: (w, id) =>
      w.hooks.http<SiteReply>(id, 'visitor', '/site/', (a) => ({
        ...a,
        site: 'other',
        greeting: { en: 'evil' },
        form: [],
        presence: 'away' as const,
      })),
  },
];
