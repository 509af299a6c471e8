/** The lines of one conversation's log, found by their place or their message id, and the order that their senders gave them. */
import { reject } from '../crypto/error';
import { Kind, type Envelope } from '../proto';
import { editOf, replaces, type Entry } from './log-entry';
import { Order } from './order';

export class LogLines {
  entries: Entry[] = [];
  order = new Order();
  private readonly bySeq = new Map<number, Entry>();
  private readonly byMsg = new Map<string, Entry>();

  add(entry: Entry): void {
    this.entries.push(entry);
    this.bySeq.set(entry.seq, entry);
    if (entry.env) this.byMsg.set(entry.msg, entry);
  }

  at(seq: number): Entry | undefined {
    return this.bySeq.get(seq);
  }

  find(msg: string): Entry | undefined {
    return this.byMsg.get(msg);
  }

  /** Whether its text belongs to another line, which then has it. A key may come late: then it is found later. */
  isEdit(e: Entry): boolean {
    const edit = e.isEdit ? undefined : editOf(e);
    const target = edit && this.find(edit.msg);
    if (target && replaces(e, target)) {
      (target.edits ??= []).push(e);
      e.isEdit = true;
    }
    return e.isEdit ?? false;
  }

  /** Rejects a number or a message id that was there already. */
  checkCounter(env: Envelope): void {
    if (env.ctr < this.order.next(env.sender, env.inst)) reject('replay');
    const there = this.find(env.msg)?.env;
    // two lines with one id: a recall would take away the wrong one
    if (there && there.kind !== Kind.tombstone && there.kind !== Kind.noteTombstone) reject('replay');
  }

  reset(): void {
    this.entries = [];
    this.order = new Order();
    this.bySeq.clear();
    this.byMsg.clear();
  }
}
