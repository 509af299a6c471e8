/**
 * Epochs of one conversation as this page makes them: whether a message may be sealed in the current one, and the announcement of the
 * next. Nothing here sends or seals messages.
 */
import { unhex } from '../crypto/bytes';
import { announce } from '../crypto/epoch';
import { ClientError } from '../model';
import { Code, Envelope, Kind } from '../proto';
import type { EpochChain } from './epoch-chain';
import type { Memory } from './memory';
import type { DirectoryAccess, Participant, Transport } from './context';
import type { RobotMembership } from './robot-membership';
import { mustRenew, nextTeam } from './writable';

/** What is refused so often has another fault. */
export const MAX_REFUSALS = 8;

export class EpochRotation {
  private announcing: Envelope | null = null;
  /** The server called this epoch over. */
  private stale = -1;
  /** Announcements in a row that began no epoch. */
  private lostRaces = 0;
  /** The server did not know the robot's day key. */
  private freshRobot = false;

  constructor(
    private readonly context: Participant & DirectoryAccess & Transport,
    private readonly epochs: EpochChain,
    private readonly memory: Memory,
    private readonly robot: RobotMembership,
    private readonly id: string,
  ) {}

  /** The server calls this epoch over. */
  over(epoch: number): void {
    this.stale = Math.max(this.stale, epoch);
  }

  isAnnouncing(msg: string | undefined): boolean {
    return this.announcing !== null && msg === this.announcing.msg;
  }

  /** A record came back, of any envelope of this conversation. */
  record(env: Envelope): void {
    if (!this.announcing) return;
    if (env.msg !== this.announcing.msg && (env.kind !== Kind.announcement || env.epoch < this.announcing.epoch))
      return;
    this.announcing = null;
    this.lostRaces = env.epoch === this.epochs.chain.epoch ? 0 : this.lostRaces + 1;
  }

  /** The announcement was refused, for the moment if that `passes`. False if that happened too often. */
  refused(code: number, passes: boolean): boolean {
    this.announcing = null;
    if (passes) return true;
    this.freshRobot ||= code === Code.directory_stale;
    if (++this.lostRaces <= MAX_REFUSALS) return true;
    this.lostRaces = 0;
    return false;
  }

  /**
   * Whether an earlier visit or another tab accepted an epoch that the log does not show here. Nothing is sealed then; what the
   * server shows after it was asked again decides.
   */
  async isBehind(): Promise<boolean> {
    const { epochs } = this;
    const { epoch, hash, left } = await this.memory.refresh();
    epochs.robotLeft ||= left;
    return epoch >= 0 && epochs.hashOf(epoch) !== hash;
  }

  /**
   * True if something may be sealed in the current epoch; otherwise the next one is announced, and its record continues the work. `beside`: a note or
   * a recall, whose writer need not be one who may announce.
   */
  async ready(beside: boolean): Promise<boolean> {
    const { context, epochs, robot } = this;
    const epoch = epochs.current;
    if (this.announcing) {
      if (this.announcing.epoch > epochs.chain.epoch) context.envelope(this.announcing.bytes);
      return false;
    }
    if (epoch && beside && !robot.mustLeave()) return true;
    const old = epoch && (epoch.epoch <= this.stale || mustRenew(context, epochs, epoch));
    const rotate = !epoch || old || (epoch.bot && !(await robot.mayStay(epoch)));
    if (!rotate && !epoch.key) throw new ClientError('error.no_key');
    if (!rotate) return true;
    const team = nextTeam(context, epochs);
    // an agent outside of that team could not write in the next epoch either
    const me = context.role === 'agent' ? context.directory().keyNow(context.kid) : null;
    if (me && context.directory().rev >= 2 && !context.directory().inTeamNow(me.user, team))
      throw new ClientError('error.no_key');
    await this.announceNext(team);
    return false;
  }

  /** Announces the next epoch for a team. Its record is the acknowledgement. */
  private async announceNext(team: string): Promise<void> {
    const { context, epochs } = this;
    const dir = context.directory();
    if (!epochs.visitor) throw new ClientError('error.directory', 'the visitor is not known');
    // a page that stays open for weeks: the company's statement about its people may be over
    if (!(await context.fresh())) throw new ClientError('error.snapshot_expired');
    // who never was in does not come in
    const botX = epochs.current?.bot ? await this.robot.key(this.freshRobot) : null;
    this.freshRobot = false;
    const bytes = await announce(
      context.backend,
      {
        conv: unhex(this.id),
        last: epochs.chain,
        dirSeq: dir.seq,
        dirHead: dir.head,
        teamPk: dir.teamPk(team),
        visitorX: epochs.visitor.x,
        botX,
      },
      context.me,
    );
    this.announcing = Envelope.parse(bytes)!;
    context.envelope(bytes);
  }
}
