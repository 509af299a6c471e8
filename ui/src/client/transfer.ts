/** Hands a conversation to another team: its key opens the next epoch and, by a grant, the past, before the server moves it. */
import { hex, unhex } from '../crypto/bytes';
import { announce } from '../crypto/epoch';
import { grant, MAX_GRANT } from '../crypto/grant';
import { BoxKind, boxKid } from '../crypto/hash';
import { ClientError } from '../model';
import { AgentLedger } from './agent-ledger';
import { AgentOutbox } from './agent-outbox';
import type { Conversation, Parts } from './conversation';
import type { Port } from './port';

/** Of what an agent's conversations are made. */
export const agentParts: Parts = { Ledger: AgentLedger, Outbox: AgentOutbox };

export async function prepareTransfer(port: Port, c: Conversation, team: string): Promise<void> {
  await c.until(() => c.synced.value);
  const { ledger, outbox } = c;
  if (!(ledger instanceof AgentLedger) || !(outbox instanceof AgentOutbox)) throw new TypeError('only agents transfer');
  await outbox.hold(async () => {
    await port.refreshDirectory().catch(() => undefined);
    const dir = port.directory();
    if (!ledger.visitor || !ledger.current) throw new ClientError('error.no_key');
    const teamPk = dir.teamPk(team);
    // what this agent can read, the next team may read
    const keys = await ledger.exportKeys();
    const sealedTo = ledger.current.env.boxes.find((b) => b.kind === BoxKind.team);
    if (!sealedTo || hex(sealedTo.kid) !== hex(boxKid(BoxKind.team, teamPk))) {
      const next = { conv: unhex(c.id), last: ledger.chain, dirSeq: dir.seq, dirHead: dir.head, teamPk, visitorX: ledger.visitor.x };
      await c.deliver(await announce(port.backend, next, port.me));
    }
    for (let i = 0; i < keys.length; i += MAX_GRANT) {
      const some = keys.slice(i, i + MAX_GRANT);
      await c.deliver(await grant(port.backend, unhex(c.id), some, { kind: BoxKind.team, pk: teamPk }, port.me));
    }
  });
}
