/** What an agent reads beyond a visitor: notes, grants of the keys of past epochs, and lines whose key came late. */
import type { BoxKey, EpochKey } from '../crypto/backend';
import { decodeBody, noteRecipient, openNote } from '../crypto/envelope';
import { openBox } from '../crypto/epoch';
import { reject } from '../crypto/error';
import { acceptGrant } from '../crypto/grant';
import { hex, unhex } from '../crypto/bytes';
import { BoxKind, boxKid } from '../crypto/hash';
import { audience, judge, type Judgement } from '../crypto/identity';
import { Kind, type Envelope, type WireRecord } from '../proto';
import { BATCH, type Participant } from './context';
import type { ConversationLog, LogExtension, LogParts } from './conversation-log';
import { blank, errorOf, openLine, type Entry } from './log-entry';
import { senderOfNoteOrRecall } from './rights';

export const agentLog = (parts: LogParts): LogExtension => new AgentLog(parts);

class AgentLog implements LogExtension {
  /** Kept, because the key that opens them may come later. */
  private readonly grants = new Set<Envelope>();
  /** Lines that wait for the key of an epoch. */
  private readonly sealed = new Map<number, Entry[]>();

  constructor(private readonly log: LogParts) {}

  reset(): void {
    this.sealed.clear();
  }

  locked(entry: Entry): void {
    const { epoch } = entry.sealed!;
    const lines = this.sealed.get(epoch);
    if (lines) lines.push(entry);
    else this.sealed.set(epoch, [entry]);
  }

  /** Judged by the directory at its place or later, and once more if that is older here than whoever vouches. */
  async opened(entry: Entry): Promise<void> {
    const { context, epochs, conv, directory } = this.log;
    const { body, env } = entry;
    const visitor = epochs.visitor!;
    if (body?.t !== 'form' || body.identity === undefined || entry.sender !== visitor.kid || !env) return;
    const from = epochs.get(env.epoch)?.dirSeq ?? 0;
    const { identity } = body;
    const occasion = {
      aud: audience(context.fp, visitor.site),
      edKid: visitor.kid,
      xKid: hex(boxKid(BoxKind.visitor, visitor.x)),
      at: entry.at,
    };
    const judged = (): Promise<Judgement> =>
      judge(identity, { ...occasion, keys: context.directory().identityKeys(visitor.site, from) });
    entry.judged = await judged();
    if (entry.judged.why !== 'unknown_key') return;
    await directory.ensureKnown(`identity ${hex(conv)}`, false);
    entry.judged = await judged();
  }

  async note(r: WireRecord, env: Envelope, live: boolean): Promise<Entry> {
    const { context, epochs, lines, directory } = this.log;
    const epoch = epochs.isStrict() ? epochs.here(env) : (epochs.get(env.epoch) ?? reject('epoch'));
    const visitor = epochs.visitor!;
    const from = await directory.retry(env.sender, () =>
      senderOfNoteOrRecall(context, env, { epoch, visitor, live }, true),
    );
    lines.checkCounter(env);
    const entry: Entry = { ...blank(r), kind: 'note', msg: env.msg, sender: env.sender, user: from.user, env };
    const key = context.boxes().get(noteRecipient(env));
    if (key) Object.assign(entry, await this.readNote(env, key, from.ed));
    else {
      if (!(await context.backend.verify('sig', from.ed, env.signed, env.signature))) reject('signature');
      Object.assign(entry, { kind: 'broken', error: 'error.no_key', sealed: env, signer: from.ed });
    }
    lines.order.count(env, entry);
    return entry;
  }

  private async readNote(env: Envelope, key: BoxKey, ed: Uint8Array): Promise<Pick<Entry, 'kind' | 'body'>> {
    const body = decodeBody(await openNote(this.log.context.backend, env, key, ed));
    return body?.t === 'note' ? { kind: 'note', body } : { kind: 'unsupported' };
  }

  async grant(env: Envelope): Promise<void> {
    this.grants.add(env);
    const { context, epochs, conv } = this.log;
    const creator = context.directory().keyOf(env.sender);
    const visitor = epochs.visitor!;
    const ed = creator?.ed ?? (env.sender === visitor.kid ? visitor.ed : reject('creator'));
    const of = (e: number): Uint8Array | null => epochs.get(e)?.commitment ?? null;
    for (const g of await acceptGrant(context.backend, env, conv, ed, context.boxes(), of)) {
      const epoch = epochs.get(g.epoch)!;
      if (epoch.key) continue;
      epochs.put({ ...epoch, key: g.key, granted: g.ek });
      await this.reopen(g.epoch);
    }
  }

  /** Lines of an epoch whose key came late, and notes for a team key that did. */
  private async reopen(n: number): Promise<void> {
    const { context, epochs } = this.log;
    const epoch = epochs.get(n)!;
    const lines = this.sealed.get(n) ?? [];
    // without the epoch's key a note may open, and nothing else
    for (const [i, e] of lines.entries()) {
      const env = e.sealed;
      if (!env) continue;
      // many of them keep a page from doing anything else
      if (i % BATCH === BATCH - 1) await context.turn();
      const key = env.kind === Kind.note ? context.boxes().get(noteRecipient(env)) : epoch.key;
      if (!key) continue;
      try {
        // its sender was judged when it came
        const ed = e.signer!;
        const opened =
          env.kind === Kind.note
            ? await this.readNote(env, key as BoxKey, ed)
            : await openLine(context, env, key as EpochKey, ed);
        Object.assign(e, opened, { error: undefined, sealed: undefined });
        await this.opened(e);
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
  async retryKeys(): Promise<void> {
    const { context, epochs, conv } = this.log;
    for (const [n, epoch] of epochs.all()) {
      if (!epoch.key) {
        const ek = await openBox(epoch.env, conv, context.boxes()).catch(() => null);
        if (ek) epochs.put({ ...epoch, key: await context.backend.epochKey(ek) });
      }
      await this.reopen(n);
    }
    for (const g of this.grants) await this.grant(g).catch(() => undefined);
  }
}

/** Keys of all epochs this reader can open, for a grant. */
export async function exportKeys(
  context: Pick<Participant, 'boxes'>,
  log: ConversationLog,
): Promise<{ epoch: number; ek: Uint8Array }[]> {
  const out: { epoch: number; ek: Uint8Array }[] = [];
  for (const [epoch, e] of log.epochs.all()) {
    const ek = e.granted ?? (await openBox(e.env, unhex(log.id), context.boxes()).catch(() => null));
    if (ek) out.push({ epoch, ek });
  }
  return out;
}
