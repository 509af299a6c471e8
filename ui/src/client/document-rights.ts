/** Who may have, write and delete a document, by the signed directory. The server checks the same. */
import type { Directory, KnownKey } from '../crypto/directory';
import type { Reader, Scope } from '../crypto/document';
import { BoxKind } from '../crypto/hash';
import type { Me } from '../model';

type Person = Pick<Me, 'user' | 'role' | 'teams'>;

const leads = (role: Me['role']): boolean => role !== 'agent';
const nameIn = (scope: Scope): string => scope.slice(scope.indexOf(':') + 1);

export function mayRead(me: Person, scope: Scope): boolean {
  if (scope === 'company') return true;
  return scope.startsWith('own:') ? nameIn(scope) === me.user : me.teams.includes(nameIn(scope));
}

export const mayWrite = (me: Person, scope: Scope): boolean =>
  scope === 'company' ? leads(me.role) : mayRead(me, scope);

/** `author`: user id of who wrote the revision that would go. */
export const mayDelete = (me: Person, scope: Scope, author: string | null): boolean =>
  mayWrite(me, scope) && (leads(me.role) || author === me.user || scope.startsWith('own:'));

/** Whether the author of a document may write it now. */
export function authorMay(dir: Directory, author: KnownKey, kid: string, scope: Scope): boolean {
  const now = dir.keyNow(kid);
  if (!now) return false;
  if (scope === 'company') return leads(now.role);
  return scope.startsWith('own:') ? nameIn(scope) === author.user : dir.inTeamNow(author.user, nameIn(scope));
}

/** Whose keys a document is sealed to now; null if there is nobody: a team that is off. */
export function readersOf(dir: Directory, scope: Scope, ownPk: Uint8Array): Reader[] | null {
  if (scope.startsWith('own:')) return [{ kind: BoxKind.agent, pk: ownPk }];
  const { teams } = dir.state;
  const ids = scope === 'company' ? Object.keys(teams) : [nameIn(scope)];
  const readers = ids.flatMap((id) => (teams[id]?.on ? [{ kind: BoxKind.team, pk: dir.teamPk(id) }] : []));
  return readers.length ? readers : null;
}
