/** Into which epochs this page may write, and to which team the next is sealed: rules over what the directory says now. */
import { hex } from '../crypto/bytes';
import { BoxKind } from '../crypto/hash';
import { ClientError } from '../model';
import type { Epoch, Ledger } from './ledger';
import type { Port } from './port';

export function teamKeyIsCurrent(port: Port, epoch: Epoch): boolean {
  const box = epoch.env.boxes.find((b) => b.kind === BoxKind.team);
  return !!box && port.directory().teamKey(hex(box.kid))?.current === true;
}

/**
 * Whoever made the key knows it. An agent who is out could sign an epoch dated from when he was in, and a server that is
 * with him could deliver it: nothing is written into one.
 */
export function creatorIsThere(port: Port, ledger: Ledger, { env }: Epoch): boolean {
  return env.sender === ledger.visitor?.kid || port.directory().keyNow(env.sender) !== null;
}

/** The first of these teams that is on. */
export function teamFor(port: Port, ...teams: (string | null | undefined)[]): string {
  const { state } = port.directory();
  for (const id of teams) if (id && state.teams[id]?.on) return id;
  throw new ClientError('error.no_key', 'no team to seal to');
}
