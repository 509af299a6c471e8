/** What the console may know and do. */
import type { IntentFeedback } from '../crypto/envelope';
import type { Person } from '../crypto/identity';
import type { Search } from '../knowledge/search';
import type { ReaderAccess } from '../search/worker-protocol';
import type { AgentInfo, AgentState, Block, BlockReason, Conv, Label, Labels, Priority, StorageState } from '../proto';
import type { ReadonlySignal } from '../signals';
import type { Connection, Trust } from './connection';
import type { DocumentsClient } from './documents';
import type { ErrorKey } from './errors';
import type { Picked } from './files';
import type { Message, Thread } from './thread';

export type Tab = 'mine' | 'queue' | 'missed' | 'all';

/** A conversation in a list. `last` is the newest message, decrypted here or taken back; null while unknown. */
export interface ConvItem {
  id: string;
  conv: Conv;
  tabs: Record<Tab, boolean>;
  /** What the backend of the site calls the visitor, or what they called themselves in the form, or ''. */
  name: string;
  /** Who the visitor is by the word of the site's backend, which was verified; null: nobody vouches for them, or in vain. */
  person?: Person | null;
  last: Message | null;
  /** All of it is here, and nobody wrote a message. */
  empty?: boolean;
  unread: number;
  waitingSince: number | null;
  /** Since when the visitor waits for a person's answer, as far as it was read; null if they do not. */
  unanswered?: number | null;
  /** No person has answered yet. */
  unmet?: boolean;
  lastAt: number;
  /** Name of the agent who has it, or ''. */
  ownerName: string;
  /** Who handed it on to where it is now, and their note about it; null if nobody did, or I did. */
  handed: Handed | null;
}

export interface Handed {
  by: string;
  /** Why, in their words; '' if they gave no reason. */
  reason: string;
}

export interface Offer {
  conv: string;
  /** Server's deadline in local time, ms. */
  until: number;
}

/** Something to show the agent once. Dismissed by `dismiss`. */
export interface Notice {
  id: number;
  kind: 'error' | 'info';
  key:
    | ErrorKey
    | 'notice.snapshot_renewed'
    | 'notice.snapshot_expires'
    | 'notice.old_widgets'
    | 'notice.unsafe_widgets'
    | 'notice.old_password'
    | 'notice.offer_missed'
    | 'notice.missed'
    | 'notice.signed_out'
    | 'notice.teams_left'
    | 'notice.teams_joined'
    | 'notice.role'
    | 'notice.password'
    | 'notice.made_busy'
    | 'notice.mention';
  params?: Record<string, string | number>;
}

/** Text that was written and not acknowledged. */
export interface Unsent {
  text: string;
  note: boolean;
}

/**
 * A conversation that this agent lost while the page was open, with what they had not sent: none of it goes out any more. `team`: they are
 * not in its team; `elsewhere`: someone else has it, or it has ended; `handed`: they handed it on themselves; `signed-out`: they were put out.
 */
export interface Dropped {
  conv: string;
  name: string;
  why: 'team' | 'elsewhere' | 'handed' | 'signed-out';
  /** Name of the conversation's team. */
  team: string;
  texts: readonly Unsent[];
}

/** Drafts by name, as this browser keeps them. */
export interface DraftStore {
  load(): Promise<ReadonlyMap<string, string>>;
  /** '': it is sent, or given up. */
  keep(name: string, words: string): void;
}

/** The signed-in agent. */
export interface Me {
  user: string;
  name: string;
  role: 'agent' | 'supervisor' | 'admin';
  teams: string[];
  state: AgentState;
}

export interface TeamInfo {
  id: string;
  name: string;
}

/** A person who enrolled and whom no admin confirmed yet. After `until` they can do nothing before that is done. */
export interface WaitingPerson {
  user: string;
  name: string;
  teams: readonly string[];
  /** When they enrolled, by their own word; null if unknown. */
  at: number | null;
  /** End of their invite, ms. */
  until: number;
  /** Who invited them; null: the company's root key, '': unknown. */
  invitedBy: string | null;
}

/** What a site's people know, for suggestions; `none`: nothing was taught, `too-large`: more than a browser should search. */
export type SiteKnowledge = { state: 'loading' | 'none' | 'too-large' | 'failed' } | { state: 'here'; search: Search };

/** Which conversations; none of a field: whatever it is. */
export interface HistoryFilter {
  /** It began at this time or later, ms. */
  from?: number;
  /** It began before this time, ms. */
  to?: number;
  team?: string;
  site?: string;
  /** Who has it, or answered last. */
  agent?: string;
  state?: 'open' | 'closed';
  tag?: string;
  reason?: string;
  /** Stars that its visitor gave last. */
  rating?: number;
}

/** It may be empty and not be the last one. */
export interface HistoryPage {
  convs: readonly Conv[];
  next?: string;
}

/** What rejects, rejects with a `ClientError`. */
export interface AgentClient {
  session: ReadonlySignal<'loading' | 'signed-out' | 'locked' | 'signed-in'>;
  /** User id of the last sign-in, to fill the field; '' if none. */
  lastUser: ReadonlySignal<string>;
  me: ReadonlySignal<Me | null>;
  connection: ReadonlySignal<Connection>;
  trust: ReadonlySignal<Trust>;
  /** All known conversations, newest first; filter by `tabs`. */
  conversations: ReadonlySignal<readonly ConvItem[]>;
  /** More of a tab exist on the server. */
  more: ReadonlySignal<Record<Tab, boolean>>;
  /** How many conversations of this agent's teams were missed; `more`: than were counted. */
  missed: ReadonlySignal<{ count: number; more: boolean }>;
  offers: ReadonlySignal<readonly Offer[]>;
  agents: ReadonlySignal<readonly AgentInfo[]>;
  teams: ReadonlySignal<readonly TeamInfo[]>;
  /** Everyone who is or was with the company, by name. */
  people: ReadonlySignal<readonly { user: string; name: string }[]>;
  sites: ReadonlySignal<Record<string, string>>;
  /** Who waits for confirmation. An admin's client confirms by itself those who are in time. */
  waiting: ReadonlySignal<readonly WaitingPerson[]>;
  /** By an admin: confirms a person who enrolled late. */
  confirm(user: string): Promise<void>;
  notices: ReadonlySignal<readonly Notice[]>;
  /** Whether the server can store what is written. */
  storage: ReadonlySignal<StorageState>;
  /** Tags, reasons for closing, targets of teams: the company's, not signed. */
  labels: ReadonlySignal<Labels>;
  dismiss(notice: number): void;
  /** What was lost while this page was open, until it was shown. */
  dropped: ReadonlySignal<readonly Dropped[]>;
  forgetDropped(): void;

  /** Follows the conversation; the same object for the same id. */
  open(conv: string): Thread;
  /** Up to which record a conversation is here; 0 if nothing is. */
  have(conv: string): number;
  /** Conversations of one's teams, open and closed, the newest first; they are in `conversations`, too. `next`: where the next page begins. */
  history(filter: HistoryFilter, before?: string): Promise<HistoryPage>;
  /** Raised when keys of teams, teams or the connection are others than before. */
  keys: ReadonlySignal<number>;
  /** What a Worker needs to read as this person does; null while there is no connection. */
  readerAccess(): Promise<ReaderAccess | null>;
  /** The page no longer shows it. */
  leave(conv: string): void;
  /** The thread of a line of a list that is on screen: null unless it is read anyway. */
  peek(conv: string): Thread | null;
  /** A line of a list is on screen: its name and last words are read, a few conversations at a time. */
  watch(conv: string): void;
  unwatch(conv: string): void;
  /** `re`: the message (id) that it quotes. */
  send(conv: string, text: string, re?: string): Promise<void>;
  /** Another text in the place of an own message, within two minutes. The earlier one can still be read. */
  edit(conv: string, id: string, text: string): Promise<void>;
  /** As the visitor's. */
  sendFile(conv: string, file: Picked, progress: (share: number) => void, signal?: AbortSignal): Promise<void>;
  /** Largest file of a site, in bytes; 0: none are taken. */
  maxFile(site: string): Promise<number>;
  /** `fix`: a judgement of what the robot understood; sealed to the team like every note. `at`: colleagues (user ids) who are told that it names them. */
  note(conv: string, text: string, fix?: IntentFeedback, at?: readonly string[]): Promise<void>;
  /** Judgements of the robot in all conversations this agent can read, with the text they are about. Takes its time. */
  intentFeedback(): Promise<readonly { text: string; intent: string }[]>;
  /** The knowledge of a site, fetched when it is first asked for. It is searched here: what a visitor wrote goes nowhere. */
  knowledge(site: string): ReadonlySignal<SiteKnowledge>;
  /** What is kept beside conversations; null unless signed in. */
  readonly documents: DocumentsClient | null;
  /** Unsent words over a reload; null unless signed in. */
  readonly drafts: DraftStore | null;
  retry(conv: string, id: string): void;
  /** Takes a failed message out of what waits, to be written otherwise. Its text; '' if it is not there. */
  takeBack(conv: string, id: string): string;
  recall(conv: string, id: string): Promise<void>;
  typing(conv: string, on: boolean): void;
  markRead(conv: string): void;

  accept(conv: string): Promise<void>;
  decline(conv: string): Promise<void>;
  take(conv: string): Promise<void>;
  /** `reason`: sealed, as a note, to the team that is to read it. */
  transfer(conv: string, to: { agent: string } | { team: string }, reason?: string): Promise<void>;
  /** `reason`: of the company's list. */
  close(conv: string, reason?: string): Promise<void>;
  tag(conv: string, add: readonly string[], remove: readonly string[]): Promise<void>;
  setPriority(conv: string, priority: Priority): Promise<void>;
  /** Puts it aside until a time, ms, or until its visitor writes; null: takes it back. */
  snooze(conv: string, until: number | null): Promise<void>;
  /** Its visitor may write nothing until a time; null: they may again. */
  block(conv: string, until: number | null, reason?: BlockReason): Promise<void>;
  /** Visitors of this agent's teams who may not write now. */
  blocks(): Promise<readonly Block[]>;
  /** By supervisors and admins: adds or changes one. */
  defineLabel(kind: 'tag' | 'reason', label: Label): Promise<void>;
  /** Puts a conversation into the list that may not be in it yet; false if this agent may not see it. */
  find(conv: string): Promise<boolean>;
  /** Other conversations of the same visitor that this agent may see, the newest first. */
  others(conv: string): Promise<readonly Conv[]>;
  reopen(conv: string): Promise<void>;
  /** A missed conversation needs no answer any more. `take` opens one and gives it to this agent. */
  dismissMissed(conv: string): Promise<void>;
  status(state: AgentState): Promise<void>;
  loadMore(tab: Tab): Promise<void>;

  /** The key that browsers subscribe to pushes under; null: the server has none. */
  pushKey(): Promise<string | null>;
  /** Has this browser woken while the console is closed. */
  pushTo(subscription: PushSubscriptionJSON): Promise<void>;
  /** No longer. */
  pushNoMore(endpoint: string): Promise<void>;

  login(user: string, password: string): Promise<void>;
  /** Makes keys and password from an invite code and signs in. */
  firstLogin(code: string, password: string): Promise<void>;
  /** Reads a code without using it: whose it is. Null when mistyped. */
  readCode(code: string): { org: string } | null;
  changePassword(old: string, next: string): Promise<void>;
  /** Hides everything; keys stay in this browser, the password opens again. */
  lock(): void;
  logout(): Promise<void>;
  reconnect(): void;
  dispose(): void;
}

export interface AgentOptions {
  /** Origin of the kefu server; the console's own by default. */
  server?: string;
}
