/**
 * What an admin's console signs by itself: that revision 2 of the rules of readers holds, the people who enrolled in time, and that
 * the directory is the newest, so that visitors continue to trust it. About those who enrolled late it only asks.
 */
import type { Backend, SigningKey } from '../crypto/backend';
import { b64u } from '../crypto/bytes';
import type { Directory } from '../crypto/directory';
import { signedOf } from '../crypto/signed';
import { signEntry } from '../crypto/entry';
import { LIFE_MS, signSnapshot } from '../crypto/snapshot';
import { Refused } from '../link/errors';
import { mayDate } from '../link/clock';
import type { Http } from '../link/http';
import { ClientError } from '../model';
import { Code, type SignedJson } from '../proto';
import type { DirectorySync } from './directory-sync';

export const DAY_MS = 86_400_000;
/** Warn when visitors will be refused so soon. */
const EXPIRY_MS = 7 * DAY_MS;
/** Others may sign at the same moment. */
const TRIES = 5;
/** Entries in one request, whose length the server bounds. */
const AT_ONCE = 200;

export interface Signing {
  backend: Backend;
  sync: DirectorySync;
  http: Http;
  /** This machine's clock, ms: by the server's word it would choose what is in time, and how long it may hide what comes later. */
  now: number;
}
export interface Admin {
  key: SigningKey;
  token: string;
}
type Fields = Parameters<typeof signEntry>[1];

/** The entries that `fields` become after the newest one, and the directory with them. */
async function entriesOf(
  s: Signing,
  fields: readonly Fields[],
  key: SigningKey,
): Promise<{ entries: SignedJson[]; next: Directory }> {
  const next = s.sync.directory.fork();
  const entries: SignedJson[] = [];
  for (const f of fields) {
    const e = await signEntry({ seq: next.seq + 1, prev: next.head, at: s.now }, f, key);
    await next.apply(s.backend, signedOf(e));
    entries.push(e);
  }
  return { entries, next };
}

/** What is to be signed. `none`: not even a snapshot; `self`: no snapshot yet. */
interface Due {
  fields: Fields[];
  snapshot: 'with' | 'self' | 'none';
}

const confirm = (w: { user: string; ed: string }): Fields => ({ t: 'confirm', user: w.user, ed: w.ed });

/** That revision 2 holds. `but`: an enrolment that is late and right. */
function rules(dir: Directory, now: number, but?: string): Due {
  const late = dir.waiting().filter((w) => now > w.exp && w.ed !== but);
  // Only root can demote an admin, and everyone not named here, or covered by a snapshot, is confirmed: a person must be asked first.
  if (late.some((w) => w.role === 'admin')) return { fields: [], snapshot: 'none' };
  return { fields: [{ t: 'rules', rev: 2, late: late.map((w) => w.inv) }], snapshot: 'with' };
}

/** What is due now. An admin who waits for confirmation confirms themself, if they may, and signs nothing else before that. */
function due(dir: Directory, now: number, key: SigningKey): Due {
  if (dir.rev < 2) return rules(dir, now);
  const waiting = dir.waiting();
  const ed = b64u(key.pk);
  const me = waiting.find((w) => w.ed === ed);
  if (me)
    return {
      fields: me.role === 'admin' && Math.max(now, dir.latest) <= me.exp ? [confirm(me)] : [],
      snapshot: 'self',
    };
  return { fields: waiting.filter((w) => now <= w.exp).map(confirm), snapshot: 'with' };
}

const isConflict = (e: unknown): boolean =>
  e instanceof Refused && (e.code === Code.conflict || e.code === Code.directory_stale);

/** Signs and sends what `what` returns as due, until nothing is; repeats if another change was committed first. Resolves to whether anything was sent. */
async function sign(
  s: Signing,
  admin: Admin,
  what: (dir: Directory) => Due,
): Promise<{ sent: boolean; snapshot: Due['snapshot'] }> {
  let sent = false;
  for (let conflicts = 0; ; ) {
    const { fields, snapshot: covers } = what(s.sync.directory);
    if (!fields.length) return { sent, snapshot: covers };
    const { seq } = s.sync.directory;
    const { entries, next } = await entriesOf(s, fields.slice(0, AT_ONCE), admin.key);
    const snapshot = covers === 'self' ? undefined : await signSnapshot(next, s.now, s.now + LIFE_MS, admin.key);
    try {
      await s.http.post('/directory', { entries, snapshot }, admin.token);
      sent = true;
    } catch (e) {
      if (!isConflict(e) || ++conflicts === TRIES) throw e;
    }
    await s.sync.refresh(s.now);
    // a server that shows none of it would be asked forever
    if (s.sync.directory.seq === seq) return { sent, snapshot: covers };
  }
}

/**
 * Signs what is due, and a new snapshot if the last one is older than a day or does not cover all entries. Reports what a person should
 * know: it was renewed after a long time, or it expires soon.
 */
export async function renewDirectory(
  s: Signing,
  admin: Admin | null,
): Promise<{ said: 'renewed' | 'expires' | null; days: number }> {
  const { sync, now } = s;
  const { at } = sync.life;
  if (admin && mayDate()) {
    try {
      const { snapshot } = await sign(s, admin, (dir) => due(dir, now, admin.key));
      const { directory, life } = sync;
      if (snapshot === 'with' && (now - life.at > DAY_MS || life.seq < directory.seq)) {
        await sync.refresh(now);
        await s.http.post('/snapshot', await signSnapshot(sync.directory, now, now + LIFE_MS, admin.key), admin.token);
        sync.life = { seq: sync.directory.seq, at: now, until: now + LIFE_MS };
      }
      if (now - at > DAY_MS && sync.life.at > at) return { said: 'renewed', days: LIFE_MS / DAY_MS };
    } catch {
      // another admin was faster, or it is reported below if it matters
    }
  }
  const { until } = sync.life;
  const days = Math.max(0, Math.ceil((until - now) / DAY_MS));
  // by a wrong clock it may seem so; that is reported instead
  return { said: mayDate() && until - now < EXPIRY_MS ? 'expires' : null, days };
}

/** Confirms a person who enrolled late, on a person's decision. Rejects if that must not be done. */
export async function confirmLate(s: Signing, admin: Admin, user: string): Promise<void> {
  let asked: string | undefined;
  if (!mayDate()) throw new ClientError('error.clock');
  const { sent, snapshot } = await sign(s, admin, (dir) => {
    const w = dir.waiting().find((one) => one.user === user);
    // another enrolment under the same name is not the one that was looked at
    asked ??= w?.ed;
    if (!w || w.ed !== asked) return { fields: [], snapshot: 'with' };
    return dir.rev < 2 ? rules(dir, s.now, asked) : { fields: [confirm(w)], snapshot: 'with' };
  });
  if (!sent)
    throw new ClientError(
      snapshot === 'none' ? 'error.forbidden' : 'error.conflict',
      'another admin is late, or nobody waits under this name',
    );
}

interface OldWidget {
  site: string;
  version: string;
  seen: number;
  unsafe?: boolean;
}
/** `sites`: each with the version and when it was last seen, `s1 (0.1.0-3fa4c1d2, 11-23)`. */
export interface OldWidgets {
  sites: string;
  first: string;
}

/** Sites whose pages load an old widget; those that are unsafe because of it apart from the others. */
export async function oldWidgets(
  http: Http,
  token: string,
): Promise<{ unsafe: OldWidgets | null; old: OldWidgets | null }> {
  const all = await http.get<{ old: OldWidget[] }>('/widgets', token).catch(() => ({ old: [] as OldWidget[] }));
  const one = (o: OldWidget): string => `${o.site} (${o.version}, ${new Date(o.seen).toISOString().slice(5, 10)})`;
  const said = (list: OldWidget[]): OldWidgets | null =>
    list[0] ? { sites: list.map(one).join(', '), first: list[0].site } : null;
  return { unsafe: said(all.old.filter((o) => o.unsafe)), old: said(all.old.filter((o) => !o.unsafe)) };
}
