/**
 * A conversation as a file that can be checked without this server: every record as it was sent, the company's directory, the keys of
 * the conversation, and what was read with them. `kefu export verify` does it all again.
 */
import { exportKeys } from '../client/agent-log';
import { editOf, type Entry } from '../client/log-entry';
import { b64u } from '../crypto/bytes';
import type { Body } from '../crypto/envelope';
import { printFingerprint } from '../crypto/hash';
import { encodeRecord, ownerUser, type Conv, type SignedJson } from '../proto';
import type { HistoryReader } from '../search/reader';

/** What the file says of itself; readers refuse others. */
export const FORMAT = 'kefu-conversation';
export const VERSION = 1;

/** `good`: its signature and everything else that readers check is. `locked`: there was no key for it. */
export type Status = 'good' | 'not_valid' | 'locked' | 'taken_back' | 'removed' | 'newer';

export interface ExportedMessage {
  seq: number;
  /** Time of the server, ms. */
  at: number;
  /** Message id, hex; absent if the record could not be read. */
  msg?: string;
  kind: 'message' | 'note';
  status: Status;
  from: { side: 'visitor' | 'agent' | 'robot'; kid?: string; user?: string; name?: string };
  /** As it was sealed. */
  body?: Body;
  /** It stands in the place of this message. */
  replaces?: string;
  /** Something of the same sender is missing before it, or it answers something that is not there. */
  gap?: true;
}

/** A fact of the server, not signed. */
export interface ExportedEvent {
  seq: number;
  at: number;
  kind: 'event';
  event: string;
  name?: string;
}

export interface ExportedConversation {
  format: typeof FORMAT;
  version: typeof VERSION;
  org: string;
  company: string;
  conv: string;
  site: string;
  team: string;
  exported: { at: number; by: string };
  /** Whether the words of notes are in it. */
  notes: boolean;
  lines: (ExportedMessage | ExportedEvent)[];
  /** Keys of the epochs, b64u. */
  keys: { epoch: number; key: string }[];
  /** `seq ‖ at ‖ body`, b64u. */
  records: string[];
  directory: SignedJson[];
}

const STATUS: Partial<Record<Entry['kind'], Status>> = {
  message: 'good',
  note: 'good',
  recalled: 'taken_back',
  removed: 'removed',
  unsupported: 'newer',
};

function message(e: Entry, visitor: string | undefined, nameOf: (user: string) => string | null): ExportedMessage {
  const note = e.kind === 'note' || (e.env ?? e.sealed)?.kind === 4;
  const name = e.robot ?? (e.user === undefined ? undefined : (nameOf(e.user) ?? undefined));
  const side = e.sender === visitor ? 'visitor' : e.robot !== undefined ? 'robot' : 'agent';
  return {
    seq: e.seq,
    at: e.at,
    ...(e.msg && { msg: e.msg }),
    kind: note ? 'note' : 'message',
    status: STATUS[e.kind] ?? (e.sealed ? 'locked' : 'not_valid'),
    from: {
      side,
      ...(e.sender && { kid: e.sender }),
      ...(e.user !== undefined && { user: e.user }),
      ...(name && { name }),
    },
    ...(e.body && { body: e.body }),
    ...(e.isEdit && { replaces: editOf(e)!.msg }),
    ...((e.missingBefore || e.unordered) && { gap: true as const }),
  };
}

/** Reads it anew and checks everything. `notes`: with the words of notes. */
export async function exportConversation(
  reader: HistoryReader,
  conv: Conv,
  o: { notes: boolean; by: string; now: number },
): Promise<ExportedConversation> {
  const { log, records } = await reader.log(conv.id, conv.last);
  const { directory } = reader;
  const lines: ExportedConversation['lines'] = [];
  for (const e of log.lines.entries) {
    if (e.event) {
      const { t } = e.event;
      const user = t === 'owner' ? ownerUser(e.event.owner) : 'by' in e.event ? e.event.by : null;
      const name = user === null ? null : (directory.nameOf(user) ?? user);
      const event = t === 'owner' ? `owner.${e.event.owner.split(':')[0]!}` : t;
      lines.push({ seq: e.seq, at: e.at, kind: 'event', event, ...(name && { name }) });
    } else if (e.kind !== 'epoch' && e.kind !== 'event') {
      log.lines.isEdit(e);
      const line = message(e, log.epochs.visitor?.kid, (user) => directory.nameOf(user));
      if (line.kind === 'note' && !o.notes) continue;
      lines.push(line);
    }
  }
  return {
    format: FORMAT,
    version: VERSION,
    org: printFingerprint(directory.fp),
    company: directory.state.org,
    conv: conv.id,
    site: conv.site,
    team: conv.team,
    exported: { at: o.now, by: o.by },
    notes: o.notes,
    lines,
    keys: (await exportKeys(reader, log)).map(({ epoch, ek }) => ({ epoch, key: b64u(ek) })),
    records: records.map((r) => b64u(encodeRecord(r))),
    directory: await reader.entries(),
  };
}

/** How many lines hold, and how many do not. */
export function counts({ lines }: ExportedConversation): { good: number; bad: number; locked: number } {
  const of = (...wanted: Status[]): number =>
    lines.filter((line) => line.kind !== 'event' && wanted.includes(line.status)).length;
  return { good: of('good'), bad: of('not_valid', 'removed'), locked: of('locked') };
}
