/**
 * After a server lost the end of a conversation (a backup was restored): hands back what this browser remembers, in the order in
 * which it was. Own envelopes go out with the same bytes; the announcements are signed by those who made them. Nothing new is sealed.
 */
import { b64u } from '../crypto/bytes';
import { Refused } from '../link/errors';
import { ClientError } from '../model';
import { Code, type Envelope } from '../proto';
import type { Transport } from './context';
import type { ConversationLog } from './conversation-log';

/** How long a server that took an announcement may leave its record out, ms. */
const SHOWN_MS = 10_000;

/** The part of a conversation that is handed back. */
export interface LostConversation {
  readonly id: string;
  readonly log: ConversationLog;
  /** Sends an envelope and waits for its record. */
  deliver(bytes: Uint8Array): Promise<void>;
  until(ok: () => boolean, ms?: number): Promise<void>;
}

/** Own envelopes that the server took no more as they are; they may be sealed again once the last epoch is there. */
export async function handBack(context: Transport, c: LostConversation): Promise<Envelope[]> {
  const { log } = c;
  const own = log.memory.own().filter((e) => !log.has(e.msg));
  const rest: Envelope[] = [];
  for (;;) {
    const here = log.epochs.chain.epoch;
    for (const env of own.filter((e) => e.epoch <= here && !rest.includes(e) && !log.has(e.msg))) {
      // another tab may be at it, too
      if (log.has(env.msg)) continue;
      // after one that must be sealed again the later ones are, too: they keep their order
      if (rest.length || env.epoch < here || !(await delivered(c, env))) rest.push(env);
    }
    const next = log.memory.epochs.get(here + 1)?.env;
    if (!next) return [...rest, ...own.filter((e) => e.epoch > here)];
    await context.request({ t: 'restore', conv: c.id, envelopes: [b64u(next)] });
    await c
      .until(() => log.epochs.chain.epoch > here, SHOWN_MS)
      .catch((e: unknown) => {
        throw context.online() ? new ClientError('error.conversation_lost', 'restored, and not shown') : e;
      });
  }
}

async function delivered(c: LostConversation, env: Envelope): Promise<boolean> {
  try {
    await c.deliver(env.bytes);
    return true;
  } catch (e) {
    const over: readonly number[] = [
      Code.epoch_stale,
      Code.directory_stale,
      Code.not_owner,
      Code.too_late,
      Code.closed,
      Code.malformed,
      Code.not_found,
    ];
    if (e instanceof Refused && over.includes(e.code)) return false;
    throw e;
  }
}
