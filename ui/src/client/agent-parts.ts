/** Of what an agent's conversations consist beyond a visitor's. The widget does not carry it. */
import type { Body } from '../crypto/envelope';
import type { ErrorKey, IntentFeedback, Message } from '../model';
import type { Conv } from '../proto';
import { agentLog } from './agent-log';
import { agentNotes } from './agent-notes';
import type { AgentParts } from './conversation';
import type { Epoch } from './log-entry';
import { isText, MAX_WORDS, type OfEvent } from './timeline';

const fixOf = (f: IntentFeedback | undefined): IntentFeedback | undefined =>
  f && isText(f.msg) && isText(f.intent) ? { msg: f.msg, intent: f.intent.slice(0, MAX_WORDS) } : undefined;

/** Fields of a note other than its text. */
function ofNote(body: Body | undefined): Pick<Message, 'fix' | 'handsOn'> {
  if (body?.t !== 'note') return {};
  return { fix: fixOf(body.fix), ...(body.for === 'transfer' && { handsOn: true }) };
}

/** Tags a conversation may have, and characters of an id. */
const MAX_TAGS = 16;
const MAX_ID = 32;

const idsOf = (tags: unknown): string =>
  Array.isArray(tags)
    ? tags
        .slice(0, MAX_TAGS)
        .map((id) => String(id).slice(0, MAX_ID))
        .join(' ')
    : '';

/** How agents sorted it. The names of tags are looked up where they are shown: they may change. */
const ofEvent: OfEvent = (v, nameOf) => {
  switch (v?.t) {
    case 'tagged':
      return { t: v.t, is: idsOf(v.tags), by: v.by, name: nameOf(v.by) };
    case 'priority':
      return { t: v.t, is: v.priority, by: v.by, name: nameOf(v.by) };
    case 'reason':
      return { t: v.t, is: v.reason, by: v.by, name: nameOf(v.by) };
    case 'snoozed':
    case 'blocked':
      return { t: v.t, until: Number(v.until) || 0, by: v.by, name: nameOf(v.by) };
    case 'woken':
    case 'unblocked':
      return { t: v.t, by: v.by, name: nameOf(v.by) };
    default:
      return undefined;
  }
};

/** Why this agent can write nothing here. */
function whyBlocked(conv: Conv | null, epoch: Epoch | null, me: string | null | undefined): ErrorKey | null {
  if (conv?.state === 'closed') return 'error.closed';
  if (epoch && !epoch.key) return 'error.no_key';
  return me && conv && conv.owner !== `agent:${me}` ? 'error.not_owner' : null;
}

export const agentParts: AgentParts = { log: agentLog, notes: agentNotes, ofNote, ofEvent, whyBlocked };
