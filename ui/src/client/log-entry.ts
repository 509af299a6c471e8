/** One record of a conversation as it was understood, and what is asked of one alone. */
import type { Judgement } from '../crypto/identity';
import type { EpochKey } from '../crypto/backend';
import { equal, hex } from '../crypto/bytes';
import { isForkAlarm } from '../crypto/directory';
import { decodeBody, openMessage, type Body, type Edited } from '../crypto/envelope';
import type { AcceptedEpoch } from '../crypto/epoch';
import { Rejected } from '../crypto/error';
import { envelopeHash } from '../crypto/hash';
import type { ErrorKey } from '../model';
import { EDIT_MS, Kind, type Envelope, type RecordEvent, type WireRecord } from '../proto';
import type { DirectoryAccess, Participant } from './context';

export interface Epoch extends AcceptedEpoch {
  env: Envelope;
  /** From a grant, when no box was for this reader. */
  granted?: Uint8Array;
}

/** The visitor's keys, once the first record proved them. */
export interface VisitorKeys {
  ed: Uint8Array;
  x: Uint8Array;
  kid: string;
  site: string;
}

export interface Entry {
  seq: number;
  at: number;
  kind: 'message' | 'note' | 'recalled' | 'removed' | 'broken' | 'unsupported' | 'event' | 'epoch';
  /** Message id, hex; '' for events. */
  msg: string;
  /** Kid of the sender; '' for the server. */
  sender: string;
  /** User id of an agent who sent it. */
  user?: string;
  /** Name of the robot that sent it. */
  robot?: string;
  body?: Body;
  /** Of a visitor's form with the word of the site's backend: what that proves. Only agents judge it. */
  judged?: Judgement;
  event?: RecordEvent;
  epoch?: Epoch;
  /** The team before, if this epoch moved the conversation. */
  movedFrom?: string;
  missingBefore: boolean;
  /** It names something before it that is not there: the order was changed, or something is missing. */
  unordered: boolean;
  error?: ErrorKey;
  /** Texts that replace this one, in their order. */
  edits?: Entry[];
  /** Replaces another text, and has no line of its own. */
  isEdit?: true;
  /** What was sent, of messages and notes: for a recall. */
  env?: Envelope;
  /** Kept while the key of its epoch is not known, with the key of who signed it. */
  sealed?: Envelope;
  signer?: Uint8Array;
}

export const blank = (r: WireRecord): Entry => ({
  seq: r.seq,
  at: r.at,
  kind: 'event',
  msg: '',
  sender: '',
  missingBefore: false,
  unordered: false,
});

/** `ed`: the key of its sender. */
export async function openLine(
  context: Participant & DirectoryAccess,
  env: Envelope,
  key: EpochKey,
  ed: Uint8Array,
): Promise<Pick<Entry, 'kind' | 'body'>> {
  const body = decodeBody(await openMessage(context.backend, env, key, ed));
  const odd = !body || body.t === 'note' || (body.t === 'ctl' && !context.directory().botByKid(env.sender));
  return odd ? { kind: 'unsupported' } : { kind: 'message', body };
}

export function errorOf(e: unknown): ErrorKey {
  if (isForkAlarm(e)) return 'error.directory_fork';
  if (e instanceof Rejected && e.reason === 'history') return 'error.history';
  return e instanceof Rejected && e.reason === 'box' ? 'error.no_key' : 'error.refused';
}

/**
 * Whether this line replaces the text of another (protocol §2, rule 7): the same sender, the very envelope, two minutes at most. If that one
 * was taken back, so are its later versions. What fails is a message like others.
 */
export function replaces(e: Entry, target: Entry): boolean {
  if (target.sender !== e.sender || target.isEdit || e.at - target.at > EDIT_MS) return false;
  if (target.kind === 'recalled') return true;
  const { body, env } = target;
  return body?.t === 'text' && !!env && hex(envelopeHash(env.bytes)) === editOf(e)?.hash;
}

/** What a text replaces, by its own word. */
export const editOf = ({ body }: Entry): Edited | undefined => (body?.t === 'text' && body.edit) || undefined;

/** What it says now, and said before; the last is the present one. */
export const textsOf = ({ body, edits = [] }: Entry): string[] =>
  [body, ...edits.map((e) => e.body)].flatMap((b) => (b?.t === 'text' || b?.t === 'note' ? b.text : []));

/** Whether a recall names what is at this line: the same sender, its number, and its hash where the whole envelope is here. */
export function recalls(env: Envelope, target: Entry): boolean {
  const known = target.env;
  const what = env.recalled;
  if (!known || known.sender !== env.sender || known.inst !== what.inst || known.ctr !== what.ctr) return false;
  const note = known.kind === Kind.note || known.kind === Kind.noteTombstone;
  if (note !== (env.kind === Kind.noteRecall)) return false;
  const whole = known.kind === Kind.message || known.kind === Kind.note;
  return !whole || equal(envelopeHash(known.bytes), what.hash);
}
