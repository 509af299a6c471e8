/** Hands a conversation to another team: its key opens the next epoch and, by a grant, the past, before the server moves it. */
import { hex, unhex } from '../crypto/bytes';
import type { Body } from '../crypto/envelope';
import { announce } from '../crypto/epoch';
import { grant, MAX_GRANT } from '../crypto/grant';
import { BoxKind, boxKid } from '../crypto/hash';
import { ClientError, type ErrorKey } from '../model';
import { AgentLedger } from './agent-ledger';
import { agentNotes } from './agent-notes';
import type { AgentParts, Conversation } from './conversation';
import type { Port } from './port';

/** Of what an agent's conversations are made. */
export const agentParts: AgentParts = { Ledger: AgentLedger, notes: agentNotes };

/** `move` asks the server for it. If it does not come about, whoever has the conversation takes it back and can go on. */
export async function transfer(port: Port, c: Conversation, team: string, move: () => Promise<void>): Promise<void> {
  await c.until(() => c.synced.value);
  const { ledger, outbox } = c;
  if (!(ledger instanceof AgentLedger)) throw new TypeError('only agents transfer');
  await outbox.hold(async () => {
    await port.refreshDirectory().catch(() => undefined);
    if (!ledger.visitor || !ledger.current) throw new ClientError('error.no_key');
    const from = ledger.current.team;
    // what this agent can read, the next team may read
    const keys = await ledger.exportKeys();
    try {
      await announceFor(port, c, ledger, team);
      const to = { kind: BoxKind.team, pk: port.directory().teamPk(team) };
      for (let i = 0; i < keys.length; i += MAX_GRANT)
        await c.deliver(await grant(port.backend, unhex(c.id), keys.slice(i, i + MAX_GRANT), to, port.me));
      await move();
    } catch (e) {
      if (from !== null && from !== team && ledger.current.team === team)
        await announceFor(port, c, ledger, from).catch(() => undefined);
      throw e;
    }
  });
}

/** What must be said before a transfer, by who may write nothing after it; the server has it when this resolves. `team`: for whom, if not for the conversation's. */
export async function noteBefore(c: Conversation, body: Body, team: string | undefined): Promise<void> {
  await c.until(() => c.synced.value && c.ledger.current !== null);
  const { ledger, outbox } = c;
  const { msg } = await outbox.add(body, true, team);
  const failed = (): ErrorKey | null => outbox.items.find((o) => o.msg === msg)?.error ?? null;
  await c.until(() => ledger.has(msg) || failed() !== null).finally(() => ledger.has(msg) || outbox.takeBack(msg));
  if (!ledger.has(msg)) throw new ClientError('error.refused', 'the note was not stored');
}

/** The next epoch for a team, unless the current one is. */
async function announceFor(port: Port, c: Conversation, ledger: AgentLedger, team: string): Promise<void> {
  const dir = port.directory();
  const teamPk = dir.teamPk(team);
  const sealedTo = ledger.current?.env.boxes.find((b) => b.kind === BoxKind.team);
  if (sealedTo && hex(sealedTo.kid) === hex(boxKid(BoxKind.team, teamPk))) return;
  const next = {
    conv: unhex(c.id),
    last: ledger.chain,
    dirSeq: dir.seq,
    dirHead: dir.head,
    teamPk,
    visitorX: ledger.visitor!.x,
  };
  await c.deliver(await announce(port.backend, next, port.me));
}
