/** Who may write and announce at which place of a conversation: rules 2, 3 and 5 of readers, by the directory. */
import { sized } from '../crypto/bytes';
import { reject } from '../crypto/error';
import type { Envelope } from '../proto';
import type { Epoch } from './log-entry';
import type { DirectoryAccess } from './context';

export interface Sender {
  ed: Uint8Array;
  /** User id of an agent. */
  user?: string;
  /** Name of a robot. */
  robot?: string;
}

interface Place {
  epoch: Epoch;
  visitor: { ed: Uint8Array; kid: string; site: string };
  /** It was written while this page listened. */
  live: boolean;
}

/** The rules of revision 2 hold for what is written in this epoch. */
export const isStrict = (context: DirectoryAccess, epoch: Epoch): boolean =>
  context.directory().revisionAt(epoch.dirSeq) >= 2;

/** Who wrote this message, if they might at this place. */
export function senderOfMessage(context: DirectoryAccess, env: Envelope, p: Place): Sender {
  if (env.sender === p.visitor.kid) return { ed: p.visitor.ed };
  const robot = robotIn(context, env, p);
  if (robot) return robot;
  const dir = context.directory();
  const { epoch } = p;
  if (!isStrict(context, epoch)) {
    const key = dir.keySince(env.sender, epoch.dirSeq) ?? reject('sender');
    return { ed: key.ed, user: key.user };
  }
  const key = dir.keyAt(env.sender, epoch.dirSeq) ?? reject('sender', 'not active when this epoch began');
  if (epoch.team === null || !dir.inTeamAt(key.user, epoch.team, epoch.dirSeq))
    reject('sender', 'not in the team of this epoch');
  if (p.live && !(dir.keyNow(env.sender) && dir.inTeamNow(key.user, epoch.team!)))
    reject('sender', 'not active any more');
  return { ed: key.ed, user: key.user };
}

/** A robot of the directory, in an epoch it is a member of; live it must be the site's, and on. */
function robotIn(context: DirectoryAccess, env: Envelope, p: Place): Sender | null {
  const dir = context.directory();
  const robot = p.epoch.bot ? dir.botByKid(env.sender) : null;
  if (!robot) return null;
  if (p.live && dir.botOf(p.visitor.site)?.ed !== robot.ed) reject('sender');
  return { ed: sized(robot.ed, 32), robot: robot.name };
}

/**
 * Who wrote this note or recall. Its writer need not own the conversation and so cannot announce: a key (for notes: and a
 * membership) that began after the epoch did is good, too.
 */
export function senderOfNoteOrRecall(context: DirectoryAccess, env: Envelope, p: Place, note: boolean): Sender {
  if (env.sender === p.visitor.kid) return note ? reject('sender', 'only agents write notes') : { ed: p.visitor.ed };
  const dir = context.directory();
  const { epoch } = p;
  const key = dir.keySince(env.sender, epoch.dirSeq) ?? reject('sender');
  if (isStrict(context, epoch)) {
    if (note && (epoch.team === null || !dir.inTeamSince(key.user, epoch.team, epoch.dirSeq)))
      reject('sender', 'not in the team of this epoch');
    if (p.live && !dir.keyNow(env.sender)) reject('sender', 'not active any more');
    if (p.live && note && !dir.inTeamNow(key.user, epoch.team!)) reject('sender', 'not in the team any more');
  }
  return { ed: key.ed, user: key.user };
}
