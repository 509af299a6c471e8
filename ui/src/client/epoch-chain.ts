/** The epochs of one conversation as a reader accepts them: each after the one before, by the rules of readers (protocol §2). */
import { equal, hex } from '../crypto/bytes';
import {
  acceptAnnouncement,
  emptyChain,
  openBox,
  type AcceptedEpoch,
  type Chain,
  type Transfer,
} from '../crypto/epoch';
import { reject } from '../crypto/error';
import { announcementHash } from '../crypto/hash';
import type { Envelope } from '../proto';
import type { CatchUp } from './catch-up';
import type { DirectoryAccess, Participant } from './context';
import type { Epoch, VisitorKeys } from './log-entry';
import type { Memory, RememberedEpoch } from './memory';
import { isStrict } from './rights';

export class EpochChain {
  visitor: VisitorKeys | null = null;
  /** Number and hash of the newest. */
  chain: Chain = emptyChain();
  /** No robot is let in from here on: there is an epoch without one, it left, or it is no longer the owner. */
  robotLeft = false;
  private readonly epochs = new Map<number, Epoch>();
  /** The agent who moved the conversation to another team, until that team takes it up. */
  private transfer: Transfer | null = null;
  /** This page made it; the server has not shown it yet. */
  private local: Epoch | null = null;

  constructor(
    private readonly context: Participant & DirectoryAccess,
    private readonly conv: Uint8Array,
    private readonly memory: Memory,
    private readonly directory: CatchUp,
  ) {}

  get current(): Epoch | null {
    return this.epochs.get(this.chain.epoch) ?? null;
  }

  get(epoch: number): Epoch | undefined {
    return this.epochs.get(epoch);
  }

  all(): Iterable<[number, Epoch]> {
    return this.epochs;
  }

  /** A key of it came late. */
  put(epoch: Epoch): void {
    this.epochs.set(epoch.epoch, epoch);
  }

  /** Hash of an epoch's announcement, hex; '' if it is not here. */
  hashOf(epoch: number): string {
    const e = this.epochs.get(epoch);
    return e ? hex(e.hash) : '';
  }

  /** The epoch that is current at this place; the genuine server stores nothing else. */
  here(env: Envelope): Epoch {
    const epoch = this.current ?? reject('epoch', 'before the first epoch');
    if (env.epoch !== epoch.epoch) reject('epoch', `epoch ${env.epoch} in ${epoch.epoch}`);
    return epoch;
  }

  /** The rules of revision 2 hold here. */
  isStrict(): boolean {
    const epoch = this.current;
    return epoch !== null && isStrict(this.context, epoch);
  }

  /** Everything is read again. */
  reset(): void {
    this.visitor = null;
    this.chain = emptyChain();
    this.epochs.clear();
    this.transfer = this.local = null;
  }

  /** The first epoch, made by this page, counts before the server has it. */
  applyLocal(accepted: AcceptedEpoch, env: Envelope): void {
    this.local = this.take(accepted, env);
  }

  private take(a: AcceptedEpoch, env: Envelope): Epoch {
    const epoch: Epoch = { ...a, env };
    this.robotLeft ||= !a.bot;
    this.epochs.set(epoch.epoch, epoch);
    this.chain = { epoch: epoch.epoch, hash: epoch.hash };
    return epoch;
  }

  /** An announcement came. `isLocal`: it is the one that this page made. Rejects if it is not to be believed. */
  async accept(env: Envelope, live: boolean): Promise<{ epoch: Epoch; movedFrom?: string; isLocal?: boolean }> {
    const before = this.current;
    if (this.local && env.epoch === 0) {
      const own = this.local;
      this.local = null;
      if (equal(own.hash, announcementHash(env.bytes))) {
        this.memory.accepted(own);
        return { epoch: own, isLocal: true };
      }
      // the server has a different first epoch of this page: it is checked like any other
      this.epochs.clear();
      this.chain = emptyChain();
    }
    const remembered = env.epoch === this.chain.epoch + 1 ? this.memory.epochs.get(env.epoch) : undefined;
    if (remembered && hex(announcementHash(env.bytes)) !== remembered.hash)
      reject('history', 'another announcement than before');
    const accepted = remembered ? await this.restored(env, remembered) : await this.judge(env, before, live);
    const epoch = this.take(accepted, env);
    this.memory.accepted(epoch);
    const movedFrom = before && before.team !== null && epoch.team !== before.team ? before.team : undefined;
    this.follow(env.sender, epoch.team, movedFrom);
    return { epoch, movedFrom };
  }

  /** Accepted once by all rules; it is the same one. */
  private async restored(env: Envelope, known: RememberedEpoch): Promise<AcceptedEpoch> {
    const { team, bot, by, dirSeq } = known;
    const { backend } = this.context;
    let key = known.key ? await backend.restoreEpochKey(known.key).catch(() => null) : null;
    if (!key) {
      const ek = await openBox(env, this.conv, this.context.boxes()).catch(() => null);
      key = ek && (await backend.epochKey(ek));
    }
    return {
      epoch: env.epoch,
      hash: announcementHash(env.bytes),
      commitment: env.commitment.slice(),
      team,
      bot,
      by,
      dirSeq,
      key,
    };
  }

  private async judge(env: Envelope, before: Epoch | null, live: boolean): Promise<AcceptedEpoch> {
    const { context } = this;
    if (env.dirSeq > context.directory().seq) await this.directory.to(env.dirSeq);
    return acceptAnnouncement(context.backend, env, {
      conv: this.conv,
      last: this.chain,
      before,
      transfer: this.transfer,
      visitorEd: this.visitor!.ed,
      visitorX: this.visitor!.x,
      directory: context.directory(),
      mine: context.boxes(),
      live,
    });
  }

  /** A transfer may be taken back by its maker until a member of the new team writes or announces. */
  follow(sender: string, team: string | null, movedFrom?: string): void {
    if (movedFrom !== undefined && team !== null)
      this.transfer = sender === this.visitor!.kid ? null : { by: sender, from: movedFrom, to: team };
    else if (this.transfer && sender !== this.transfer.by && sender !== this.visitor!.kid) this.transfer = null;
  }
}
