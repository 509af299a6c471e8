/**
 * The robot as a member of one conversation: whether it may read on, whether it must be taken out, and the visitor's request for a person,
 * which is remembered. A robot that left once is let in no more.
 */
import { equal } from '../crypto/bytes';
import { BoxKind, boxKid } from '../crypto/hash';
import { ownerUser } from '../proto';
import type { DirectoryAccess, Participant, Persistence } from './context';
import type { EpochChain } from './epoch-chain';
import type { Epoch } from './log-entry';

export class RobotMembership {
  private requested = false;

  /** `owner`: who has the conversation. */
  constructor(
    private readonly context: Participant & DirectoryAccess & Persistence,
    private readonly epochs: EpochChain,
    private readonly id: string,
    private readonly owner: () => string,
  ) {}

  /** The visitor asked for a person: no robot from here on. */
  get personRequested(): boolean {
    return this.requested;
  }

  private get name(): string {
    return `${this.context.storagePrefix}person/${this.id}`;
  }

  /** Reads whether an earlier visit or another tab asked for a person. */
  async restore(): Promise<void> {
    this.requested ||= (await this.context.store.get(this.name)) === true;
  }

  requestPerson(): void {
    this.requested = true;
    void this.context.store.set(this.name, true).catch(() => undefined);
  }

  private get isBarred(): boolean {
    return this.requested || this.epochs.robotLeft;
  }

  /** It is in, and the next thing sent must take it out: a person was asked for, or has the conversation. */
  mustLeave(): boolean {
    const owner = this.owner();
    const over = this.isBarred || owner === 'queue' || !!ownerUser(owner);
    return over && this.context.role === 'visitor' && this.epochs.current?.bot === true;
  }

  /** The day key of the robot that may read on; null if none may. `fresh`: the server did not know the last one. */
  async key(fresh = false): Promise<Uint8Array | null> {
    const { robot } = this.context;
    return this.isBarred || !robot || this.owner() !== 'robot' ? null : robot(fresh);
  }

  /** The robot in this epoch is the owner, and its day key holds. */
  async mayStay(epoch: Epoch): Promise<boolean> {
    const isIn = (x: Uint8Array | null): boolean =>
      !!x && epoch.env.boxes.some((b) => equal(b.kid, boxKid(BoxKind.bot, x)));
    const x = await this.key();
    // another tab may have fetched a newer key
    return !!x && (isIn(x) || isIn(await this.key(true)));
  }
}
