/** What an agent reads beyond a visitor: notes, grants of the keys of past epochs, and lines whose key came late. */
import type { BoxKey, EpochKey } from '../crypto/backend';
import { decodeBody, noteRecipient, openNote } from '../crypto/envelope';
import { openBox } from '../crypto/epoch';
import { reject } from '../crypto/error';
import { acceptGrant } from '../crypto/grant';
import { Kind, type Envelope, type WireRecord } from '../proto';
import { errorOf, Ledger, type Entry } from './ledger';
import { BATCH } from './port';
import { senderBeside } from './rights';

export class AgentLedger extends Ledger {
  /** Kept, because the key that opens them may come later. */
  private readonly grants = new Set<Envelope>();

  protected override async note(r: WireRecord, env: Envelope, live: boolean): Promise<Entry> {
    const epoch = this.isStrict() ? this.epochHere(env) : (this.epochs.get(env.epoch) ?? reject('epoch'));
    const visitor = this.visitor!;
    const from = await this.directory.retry(env.sender, () =>
      senderBeside(this.port, env, { epoch, visitor, live }, true),
    );
    this.checkCounter(env);
    const entry: Entry = { ...this.blank(r), kind: 'note', msg: env.msg, sender: env.sender, user: from.user, env };
    const key = this.port.boxes().get(noteRecipient(env));
    if (key) Object.assign(entry, await this.readNote(env, key, from.ed));
    else {
      if (!(await this.port.backend.verify('sig', from.ed, env.signed, env.signature))) reject('signature');
      Object.assign(entry, { kind: 'broken', error: 'error.no_key', sealed: env, signer: from.ed });
    }
    this.order.count(env, entry);
    return entry;
  }

  private async readNote(env: Envelope, key: BoxKey, ed: Uint8Array): Promise<Pick<Entry, 'kind' | 'body'>> {
    const body = decodeBody(await openNote(this.port.backend, env, key, ed));
    return body?.t === 'note' ? { kind: 'note', body } : { kind: 'unsupported' };
  }

  protected override async grant(env: Envelope): Promise<void> {
    this.grants.add(env);
    const creator = this.port.directory().keyOf(env.sender);
    const ed = creator?.ed ?? (env.sender === this.visitor!.kid ? this.visitor!.ed : reject('creator'));
    const of = (e: number): Uint8Array | null => this.epochs.get(e)?.commitment ?? null;
    for (const g of await acceptGrant(this.port.backend, env, this.conv, ed, this.port.boxes(), of)) {
      const epoch = this.epochs.get(g.epoch)!;
      if (epoch.key) continue;
      this.epochs.set(g.epoch, { ...epoch, key: g.key, granted: g.ek });
      await this.reopen(g.epoch);
    }
  }

  /** Lines of an epoch whose key came late, and notes for a team key that did. */
  private async reopen(n: number): Promise<void> {
    const epoch = this.epochs.get(n)!;
    const lines = this.sealed.get(n) ?? [];
    // without the epoch's key a note may open, and nothing else
    for (const [i, e] of lines.entries()) {
      const env = e.sealed;
      if (!env) continue;
      // many of them keep a page from doing anything else
      if (i % BATCH === BATCH - 1) await this.port.turn();
      const key = env.kind === Kind.note ? this.port.boxes().get(noteRecipient(env)) : epoch.key;
      if (!key) continue;
      try {
        // its sender was judged when it came
        const ed = e.signer!;
        const opened =
          env.kind === Kind.note
            ? await this.readNote(env, key as BoxKey, ed)
            : await this.open(env, key as EpochKey, ed);
        Object.assign(e, opened, { error: undefined, sealed: undefined });
      } catch (err) {
        e.error = errorOf(err);
      }
    }
    this.sealed.set(
      n,
      lines.filter((e) => e.sealed),
    );
  }

  /** Team keys came late (an agent's boxes): what they open is opened now. */
  override async retryKeys(): Promise<void> {
    for (const [n, epoch] of this.epochs) {
      if (!epoch.key) {
        const ek = await openBox(epoch.env, this.conv, this.port.boxes()).catch(() => null);
        if (ek) this.epochs.set(n, { ...epoch, key: await this.port.backend.epochKey(ek) });
      }
      await this.reopen(n);
    }
    for (const g of this.grants) await this.grant(g).catch(() => undefined);
  }

  /** Keys of all epochs this reader can open, for a grant. */
  async exportKeys(): Promise<{ epoch: number; ek: Uint8Array }[]> {
    const out: { epoch: number; ek: Uint8Array }[] = [];
    for (const [epoch, e] of this.epochs) {
      const ek = e.granted ?? (await openBox(e.env, this.conv, this.port.boxes()).catch(() => null));
      if (ek) out.push({ epoch, ek });
    }
    return out;
  }
}
