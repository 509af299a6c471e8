/** Into which epochs this page may write, and to which team the next is sealed: rules over the present directory. */
import { hex } from '../crypto/bytes';
import { BoxKind } from '../crypto/hash';
import { ClientError } from '../model';
import type { DirectoryAccess, Participant } from './context';
import type { EpochChain } from './epoch-chain';
import type { Epoch } from './log-entry';

/** The next epoch must be announced before a message is written into this one. */
export function mustRenew(context: Participant & DirectoryAccess, epochs: EpochChain, epoch: Epoch): boolean {
  const dir = context.directory();
  return (
    !teamKeyIsCurrent(context, epoch) ||
    !makerIsThere(context, epochs, epoch) ||
    !mayWrite(context, epoch) ||
    dir.revisionAt(epoch.dirSeq) < dir.rev
  );
}

function teamKeyIsCurrent(context: Participant & DirectoryAccess, epoch: Epoch): boolean {
  const box = epoch.env.boxes.find((b) => b.kind === BoxKind.team);
  return !!box && context.directory().teamKey(hex(box.kid))?.current === true;
}

/**
 * The maker of a key knows it. An agent who is out could sign an epoch dated from when they were in, and a server that is
 * with them could deliver it: nothing is written into one.
 */
function makerIsThere(context: Participant & DirectoryAccess, epochs: EpochChain, { env }: Epoch): boolean {
  return env.sender === epochs.visitor?.kid || !!context.directory().keyNow(env.sender);
}

/** An agent whose key or membership is newer than the epoch is believed only in the next one. */
function mayWrite(context: Participant & DirectoryAccess, epoch: Epoch): boolean {
  const dir = context.directory();
  if (context.role === 'visitor' || dir.rev < 2) return true;
  const me = dir.keyAt(context.kid, epoch.dirSeq);
  return !!me && epoch.team !== null && dir.inTeamAt(me.user, epoch.team, epoch.dirSeq);
}

/** The team of the last epoch; if it is off, the one that the site's signed entry names. Never the server's word. */
export function nextTeam(context: Participant & DirectoryAccess, epochs: EpochChain): string {
  const dir = context.directory();
  const site = epochs.visitor && dir.siteTeam(epochs.visitor.site);
  for (const id of [epochs.current?.team, site]) if (id && dir.state.teams[id]?.on) return id;
  throw new ClientError('error.no_key', 'no team to seal to');
}
