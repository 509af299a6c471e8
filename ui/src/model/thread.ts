/** One conversation as a page shows it. */
import type { BotButton, BotThought, IntentFeedback } from '../crypto/envelope';
import type { Judgement } from '../crypto/identity';
import type { Conv, OwnerWhy } from '../proto';
import type { ReadonlySignal } from '../signals';
import type { ErrorKey, Wait } from './errors';
import type { FileInfo, ThreadFiles } from './files';

export type Side = 'visitor' | 'agent' | 'robot' | 'system';

/** The first, encrypted message of a visitor. */
export interface Form {
  fields: Record<string, string>;
  page?: { url: string; title: string; referrer: string };
  lang?: string;
  /** Whether the page the visitor wrote from names the company's key. Their browser's word. */
  mode?: 'pinned' | 'unpinned';
  /** The conversation (id) that this one continues, because it was gone or lost, or waits for people while the robot is asked. */
  after?: string;
  /** What the site's page says about its visitor: names and values, bounded. The page's word. */
  attributes?: Readonly<Record<string, string>>;
  /** It only adds to what an earlier form said. */
  update?: true;
  /** Who the visitor is by the word of the site's backend, or why that proves nothing. Only for agents. */
  judged?: Judgement;
}

/** Facts in the stream of a conversation. `by` and `user` are user ids, or `visitor`. */
export type ThreadEvent =
  | { t: 'open' }
  | {
      t: 'owner';
      owner: 'queue' | 'robot' | 'agent' | 'none';
      user?: string;
      name?: string;
      team: string;
      why: OwnerWhy;
      by?: string;
      byName?: string;
    }
  | { t: 'closed'; by: string; name?: string }
  | { t: 'reopened'; by: string; name?: string }
  /** Its visitor said how it went: 1 to 5, 5 is best. */
  | { t: 'rated'; stars: number }
  /** It was missed, and an agent decided that it needs no answer. Only shown to agents. */
  | { t: 'dismissed'; by: string; name?: string }
  /** How an agent sorted it. Only shown to agents, like these. `is`: ids of tags, the priority, the reason. */
  | { t: 'tagged' | 'priority' | 'reason'; is: string; by: string; name?: string }
  | { t: 'snoozed' | 'blocked'; until: number; by: string; name?: string }
  | { t: 'woken' | 'unblocked'; by: string; name?: string }
  | { t: 'epoch'; epoch: number; bot: boolean; botBefore?: boolean }
  /** Another team's key holds what follows: a transfer, by the one who signed it. */
  | { t: 'moved'; team: string; name?: string }
  /** The server's log went back to a backup; messages since then may be missing before this line. */
  | { t: 'rewound' }
  /** The robot's last word: why it goes, and to which team its policy would go. */
  | { t: 'handoff'; why: string; team?: string };

/**
 * One line of a thread.
 * `recalled`: taken back by its sender. `removed`: the server took it away and shows no word of its sender. `broken`: it is there but does not verify or open; never shown as text. `unsupported`: written by a
 * newer version.
 */
export interface Message {
  /** Stable key for lists: the message id, or `e<seq>` for events. */
  id: string;
  /** Null until the server has it. */
  seq: number | null;
  /** Server's time of the record, or local time while queued; ms. */
  at: number;
  side: Side;
  /** Absent for the visitor and for the system. */
  author?: { user?: string; name: string; kid: string };
  /** Written by this person (in any tab). */
  mine: boolean;
  kind: 'text' | 'form' | 'note' | 'event' | 'recalled' | 'removed' | 'broken' | 'unsupported';
  text: string;
  /** Of a `text`: the file that it names. */
  file?: FileInfo;
  form?: Form;
  event?: ThreadEvent;
  /** Quick replies of the robot; live while this is the newest message. */
  buttons?: readonly BotButton[];
  /** What the robot understood, and the message (id) it answers. Only agents are shown it. */
  thought?: BotThought & { re?: string };
  /** Of a note: an agent's judgement of what the robot understood. */
  fix?: IntentFeedback;
  /** Of a note: why its writer hands the conversation on. */
  handsOn?: boolean;
  /** Of a text that its sender changed: what it was before, oldest first. */
  edited?: readonly string[];
  /** What it answers: the message (id) and its text now; '' if that is gone, or not here. */
  quote?: { id: string; text: string };
  /** Only of my own messages. queued: here only; sent: the server has it on disk; then as far as the other side is. */
  state?: 'queued' | 'sent' | 'delivered' | 'read' | 'failed';
  /** Why `failed` or `broken`. */
  error?: ErrorKey;
  /** `failed` because nothing more is sent here, not for a fault of its own. */
  over?: boolean;
  /** A message of the same sender before this one is missing: withheld, or not yet loaded. */
  missingBefore: boolean;
  /** It answers something that is not there before it: the order was changed, or something is missing. */
  unordered: boolean;
  /** Own, sent, and the two minutes are not over. */
  canRecall(): boolean;
}

/** One conversation. Sorted by seq, unsent messages last. */
export interface Thread {
  id: string;
  conv: ReadonlySignal<Conv | null>;
  messages: ReadonlySignal<readonly Message[]>;
  /** All records up to the server's last one are here. */
  synced: ReadonlySignal<boolean>;
  /** The other side types. Clears itself. */
  typing: ReadonlySignal<{ side: 'visitor' | 'agent'; name: string } | null>;
  /**
   * Messages of others beyond the own read mark; the form that came before the first is none. One at least while an agent has not opened a
   * conversation that was given to them, however much of it others read.
   */
  unread: ReadonlySignal<number>;
  /** Who can read the current epoch: names of the people of the team, and whether a robot is a member. */
  members: ReadonlySignal<{ people: readonly string[]; bot: boolean }>;
  /** Whose turn, in words: the agent's name when one has it. */
  agentName: ReadonlySignal<string | null>;
  /** The visitor asked for a person; the robot may not have left yet. */
  personAsked: ReadonlySignal<boolean>;
  /** Why nothing can be written here now, or null. */
  blocked: ReadonlySignal<ErrorKey | null>;
  /** What waits here is tried again by itself then; null if nothing must wait. */
  wait: ReadonlySignal<Wait | null>;
  files: ThreadFiles;
}
