/** Hands a conversation to another team: its key opens the next epoch and, by a grant, the past, before the server moves it. */
import { hex, unhex } from '../crypto/bytes';
import type { Body } from '../crypto/envelope';
import { announce } from '../crypto/epoch';
import { grant, MAX_GRANT } from '../crypto/grant';
import { BoxKind, boxKid } from '../crypto/hash';
import { ClientError, type ErrorKey } from '../model';
import { exportKeys } from './agent-log';
import type { Conversation } from './conversation';
import type { DirectoryAccess, Participant } from './context';

/** `move` requests it from the server. If it fails, the agent who has the conversation takes it back and can continue. */
export async function transfer(
  context: Participant & DirectoryAccess,
  c: Conversation,
  team: string,
  move: () => Promise<void>,
): Promise<void> {
  await c.until(() => c.synced.value);
  const { log, outbox } = c;
  await outbox.hold(async () => {
    await context.refreshDirectory().catch(() => undefined);
    if (!log.epochs.visitor || !log.epochs.current) throw new ClientError('error.no_key');
    const from = log.epochs.current.team;
    // what this agent can read, the next team may read
    const keys = await exportKeys(context, log);
    try {
      await announceFor(context, c, team);
      const to = { kind: BoxKind.team, pk: context.directory().teamPk(team) };
      for (let i = 0; i < keys.length; i += MAX_GRANT)
        await c.deliver(await grant(context.backend, unhex(c.id), keys.slice(i, i + MAX_GRANT), to, context.me));
      await move();
    } catch (e) {
      if (from !== null && from !== team && log.epochs.current.team === team)
        await announceFor(context, c, from).catch(() => undefined);
      throw e;
    }
  });
}

/** A note to write before a transfer, since its writer may write nothing afterwards; the server has it when this resolves. `team`: the recipients, if not the conversation's team. */
export async function noteBefore(c: Conversation, body: Body, team: string | undefined): Promise<void> {
  await c.until(() => c.synced.value && c.log.epochs.current !== null);
  const { log, outbox } = c;
  const { msg } = await outbox.add(body, true, team);
  const failed = (): ErrorKey | null => outbox.items.find((o) => o.msg === msg)?.error ?? null;
  await c.until(() => log.has(msg) || failed() !== null).finally(() => log.has(msg) || outbox.takeBack(msg));
  if (!log.has(msg)) throw new ClientError('error.refused', 'the note was not stored');
}

/** The next epoch for a team, unless the current one is. */
async function announceFor(context: Participant & DirectoryAccess, c: Conversation, team: string): Promise<void> {
  const { epochs } = c.log;
  const dir = context.directory();
  const teamPk = dir.teamPk(team);
  const sealedTo = epochs.current?.env.boxes.find((b) => b.kind === BoxKind.team);
  if (sealedTo && hex(sealedTo.kid) === hex(boxKid(BoxKind.team, teamPk))) return;
  const next = {
    conv: unhex(c.id),
    last: epochs.chain,
    dirSeq: dir.seq,
    dirHead: dir.head,
    teamPk,
    visitorX: epochs.visitor!.x,
  };
  await c.deliver(await announce(context.backend, next, context.me));
}
