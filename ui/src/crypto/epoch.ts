/** Announcements (kind 2): begin an epoch, and decide whether to believe one. */
import { ANNOUNCEMENT_HEADER, type Envelope, Kind, type BoxView } from '../proto';
import type { Backend, BoxKey, EpochKey, SigningKey } from './backend';
import { cat, equal, hex, random, u32, utf8 } from './bytes';
import type { Directory } from './directory';
import { reject } from './error';
import { announcementHash, BoxKind, boxKid, commitment, kidOf } from './hash';

/** The end of a chain of announcements. Before the first one: epoch −1, zeros. */
export interface Chain {
  epoch: number;
  hash: Uint8Array;
}
export const emptyChain = (): Chain => ({ epoch: -1, hash: new Uint8Array(32) });

export interface NewEpoch {
  conv: Uint8Array;
  last: Chain;
  dirSeq: number;
  dirHead: Uint8Array;
  teamPk: Uint8Array;
  visitorX: Uint8Array;
  /** Day key of the robot that is let in. Only visitors do that. */
  botX?: Uint8Array | null;
}

const info = (kind: number, kid: Uint8Array): Uint8Array => cat(utf8('kefu/1 ek\0'), new Uint8Array([kind]), kid);

/** A new epoch with a new key for the team, the visitor and, if one is let in, a robot. */
export async function announce(
  backend: Backend,
  e: NewEpoch,
  signer: SigningKey,
  ek = random(32),
): Promise<Uint8Array> {
  const epoch = e.last.epoch + 1;
  const head = cat(
    utf8('K1'),
    new Uint8Array([Kind.announcement, 1]),
    e.conv,
    u32(epoch),
    kidOf(signer.pk),
    e.last.hash,
    u32(e.dirSeq),
    e.dirHead,
    commitment(e.conv, epoch, ek),
    new Uint8Array([e.botX ? 1 : 0]),
  );
  const boxes: Uint8Array[] = [];
  for (const [kind, pk] of [
    [BoxKind.team, e.teamPk],
    [BoxKind.visitor, e.visitorX],
    [BoxKind.bot, e.botX],
  ] as const) {
    if (!pk) continue;
    const kid = boxKid(kind, pk);
    const sealed = await backend.seal(pk, info(kind, kid), head, ek);
    boxes.push(new Uint8Array([kind]), kid, sealed.enc, sealed.ct);
  }
  const unsigned = cat(head, ...boxes);
  return cat(unsigned, await signer.sign('ann', unsigned));
}

/** An agent moved a conversation to another team, which has not taken it up yet. */
export interface Transfer {
  /** Kid of the agent. */
  by: string;
  from: string;
  to: string;
}

/** What a receiver knows when an announcement arrives. */
export interface Receiver {
  conv: Uint8Array;
  last: Chain;
  /** The epoch that it would replace. */
  before: Pick<AcceptedEpoch, 'team' | 'bot' | 'dirSeq'> | null;
  transfer: Transfer | null;
  visitorEd: Uint8Array;
  visitorX: Uint8Array;
  directory: Directory;
  /** Own box keys by `boxKid` hex. Empty: only verify. */
  mine: ReadonlyMap<string, BoxKey>;
  /** The team key was the current one when the announcement was made; live, it is now, or its maker is still there. */
  live: boolean;
}

export interface AcceptedEpoch {
  epoch: number;
  hash: Uint8Array;
  commitment: Uint8Array;
  /** Team whose key it is for; null if this directory does not reach back that far. */
  team: string | null;
  bot: boolean;
  /** User id of the creator, or null for the visitor. */
  by: string | null;
  dirSeq: number;
  /** Null when no box is for this reader; a grant may deliver the key. */
  key: EpochKey | null;
}

/** All rules of protocol §2, in their order. Rejects with a reason; nothing changed then. */
export async function acceptAnnouncement(backend: Backend, env: Envelope, r: Receiver): Promise<AcceptedEpoch> {
  if (env.kind !== Kind.announcement) reject('kind');
  if (!equal(env.bytes.subarray(4, 20), r.conv)) reject('conversation');
  if (env.epoch !== r.last.epoch + 1) reject('epoch', `${env.epoch} after ${r.last.epoch}`);
  if (!equal(env.prevAnnouncement, r.last.hash)) reject('chain');

  const dir = r.directory;
  const byVisitor = env.sender === hex(kidOf(r.visitorEd));
  const agent = byVisitor ? null : dir.keyAt(env.sender, env.dirSeq);
  if (!byVisitor && (!agent || !r.before)) reject('creator');
  if (!(await backend.verify('ann', agent ? agent.ed : r.visitorEd, env.signed, env.signature))) reject('signature');
  if (env.flags > 1) reject('flags');

  const team = checkBoxes(env, r, byVisitor);
  if (r.before) checkPlace(env, r, r.before, team, agent?.user);

  if (env.dirSeq > dir.seq) reject('directory_ahead', `${env.dirSeq} > ${dir.seq}`);
  const own = dir.headAt(env.dirSeq);
  // a visitor's directory begins at a snapshot; what was before it can't be compared, only what is in it
  if (own ? !equal(own, env.dirHead) : env.dirSeq >= dir.base) reject('directory_fork', String(env.dirSeq));

  const ek = await openBox(env, r.conv, r.mine);
  return {
    epoch: env.epoch,
    hash: announcementHash(env.bytes),
    commitment: env.commitment.slice(),
    team,
    bot: (env.flags & 1) === 1,
    by: agent ? agent.user : null,
    dirSeq: env.dirSeq,
    key: ek ? await backend.epochKey(ek) : null,
  };
}

/** What the epoch before allows: no robot after an epoch without one; since revision 2 only its own team's people move it on. */
function checkPlace(
  env: Envelope,
  r: Receiver,
  before: NonNullable<Receiver['before']>,
  team: string | null,
  user: string | undefined,
): void {
  const dir = r.directory;
  if (env.flags === 1 && !before.bot) reject('bot_again');
  if (dir.revisionAt(before.dirSeq) < 2) return;
  if (env.dirSeq < before.dirSeq) reject('directory_older', `${env.dirSeq} < ${before.dirSeq}`);
  if (user === undefined) return;
  const member = before.team !== null && dir.inTeamAt(user, before.team, env.dirSeq);
  const back = r.transfer?.by === env.sender && (team === r.transfer.from || team === r.transfer.to);
  if (!member && !back) reject('creator', 'not in the team of the epoch before');
}

/**
 * Exactly one box for a certified team key and one for this visitor; one for a robot if and only if the flag is set, and only the
 * visitor may set it. Only the visitor and the server can check whose day key it is.
 */
function checkBoxes(env: Envelope, r: Receiver, byVisitor: boolean): string | null {
  const visitor = boxKid(BoxKind.visitor, r.visitorX);
  let team: string | null = null;
  let teams = 0;
  let visitors = 0;
  let bots = 0;
  for (const box of env.boxes) {
    if (box.kind === BoxKind.visitor && equal(box.kid, visitor)) visitors++;
    else if (box.kind === BoxKind.team) {
      team = allowedTeam(box, env, r, byVisitor);
      teams++;
    } else if (box.kind === BoxKind.bot && byVisitor) bots++;
    else reject('ghost_box');
    if (teams > 1 || visitors > 1 || bots > 1) reject('ghost_box');
  }
  if (!teams || !visitors) reject('missing_box');
  if (env.flags !== bots) reject('bot_flag');
  return team;
}

function allowedTeam(box: BoxView, { dirSeq, sender }: Envelope, r: Receiver, byVisitor: boolean): string | null {
  const found = r.directory.teamKey(hex(box.kid));
  const then = found && found.from <= dirSeq && (found.to === null || dirSeq < found.to);
  // it may change in the very instant; nobody writes into that epoch then, but its maker must be there still
  const maker = byVisitor || r.directory.keyNow(sender) !== null;
  if (found && then && (!r.live || found.current || maker)) return found.team;
  // Snapshots of revision 1 name no old team keys: before one they are unknown here. The creator's
  // signature was good, and they could read anyway.
  if (r.directory.rev < 2 && !r.live && dirSeq < r.directory.base && (byVisitor || !found)) return null;
  return reject('ghost_box');
}

/**
 * The key of an epoch from the first box that is for `mine`, checked against the commitment; null if none is. Only for an
 * announcement that was accepted.
 */
export async function openBox(
  env: Envelope,
  conv: Uint8Array,
  mine: ReadonlyMap<string, BoxKey>,
): Promise<Uint8Array | null> {
  for (const box of env.boxes) {
    const key = mine.get(hex(box.kid));
    if (!key) continue;
    const ek = await key.open(box, info(box.kind, box.kid), env.bytes.subarray(0, ANNOUNCEMENT_HEADER));
    if (!equal(commitment(conv, env.epoch, ek), env.commitment)) reject('commitment');
    return ek;
  }
  return null;
}
