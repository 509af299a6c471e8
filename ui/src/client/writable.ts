/** Into which epochs this page may write, and to which team the next is sealed: rules over what the directory says now. */
import { hex } from '../crypto/bytes';
import { BoxKind } from '../crypto/hash';
import { ClientError } from '../model';
import type { Epoch, Ledger } from './ledger';
import type { Port } from './port';

/** The next epoch must be announced before a message is written into this one. */
export function mustRenew(port: Port, ledger: Ledger, epoch: Epoch): boolean {
  const dir = port.directory();
  return (
    !teamKeyIsCurrent(port, epoch) ||
    !makerIsThere(port, ledger, epoch) ||
    !mayWrite(port, epoch) ||
    dir.revisionAt(epoch.dirSeq) < dir.rev
  );
}

function teamKeyIsCurrent(port: Port, epoch: Epoch): boolean {
  const box = epoch.env.boxes.find((b) => b.kind === BoxKind.team);
  return !!box && port.directory().teamKey(hex(box.kid))?.current === true;
}

/**
 * Whoever made the key knows it. An agent who is out could sign an epoch dated from when they were in, and a server that is
 * with them could deliver it: nothing is written into one.
 */
function makerIsThere(port: Port, ledger: Ledger, { env }: Epoch): boolean {
  return env.sender === ledger.visitor?.kid || !!port.directory().keyNow(env.sender);
}

/** An agent whose key or membership is newer than the epoch is believed only in the next one. */
function mayWrite(port: Port, epoch: Epoch): boolean {
  const dir = port.directory();
  if (port.role === 'visitor' || dir.rev < 2) return true;
  const me = dir.keyAt(port.kid, epoch.dirSeq);
  return !!me && epoch.team !== null && dir.inTeamAt(me.user, epoch.team, epoch.dirSeq);
}

/** The team of the last epoch; if it is off, the one that the site's signed entry names. Never the server's word. */
export function nextTeam(port: Port, ledger: Ledger): string {
  const dir = port.directory();
  const site = ledger.visitor && dir.state.sites[ledger.visitor.site]?.team;
  for (const id of [ledger.current?.team, site]) if (id && dir.state.teams[id]?.on) return id;
  throw new ClientError('error.no_key', 'no team to seal to');
}
