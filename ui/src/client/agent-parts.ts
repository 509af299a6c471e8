/** Of what an agent's conversations consist beyond a visitor's. The widget does not carry it. */
import type { Body } from '../crypto/envelope';
import type { ErrorKey, IntentFeedback, Message } from '../model';
import type { Conv } from '../proto';
import { agentLog } from './agent-log';
import { agentNotes } from './agent-notes';
import type { AgentParts } from './conversation';
import type { Epoch } from './log-entry';
import { isText, MAX_WORDS } from './timeline';

export const agentParts: AgentParts = { log: agentLog, notes: agentNotes, ofNote, whyBlocked };

const fixOf = (f: IntentFeedback | undefined): IntentFeedback | undefined =>
  f && isText(f.msg) && isText(f.intent) ? { msg: f.msg, intent: f.intent.slice(0, MAX_WORDS) } : undefined;

/** Fields of a note other than its text. */
function ofNote(body: Body | undefined): Pick<Message, 'fix' | 'handsOn'> {
  if (body?.t !== 'note') return {};
  return { fix: fixOf(body.fix), ...(body.for === 'transfer' && { handsOn: true }) };
}

/** Why this agent can write nothing here. */
function whyBlocked(conv: Conv | null, epoch: Epoch | null, me: string | null | undefined): ErrorKey | null {
  if (conv?.state === 'closed') return 'error.closed';
  if (epoch && !epoch.key) return 'error.no_key';
  return me && conv && conv.owner !== `agent:${me}` ? 'error.not_owner' : null;
}
