/**
 * What pages may know: types and signals, nothing else. The engine behind them is `client/`; a page never imports it except
 * for `createVisitorClient` and `createAgentClient`.
 *
 * Every text for people is a key of the pages' own dictionary (`ErrorKey`), with parameters where there are any.
 */
import type { BotButton, BotThought, Fix } from './crypto/envelope';
import type { AgentInfo, AgentState, Conv, Limit, OwnerWhy, PresenceState, StorageState } from './proto';
import type { Search } from './knowledge/search';
import type { ReadonlySignal } from './signals';

export type { BotButton, BotThought, Fix } from './crypto/envelope';
export type { AgentInfo, AgentState, Conv, Limit, OwnerWhy, StorageState } from './proto';

/** Everything that may go wrong and is said to a person. Texts (zh, en) live in `i18n/`. */
export const ERROR_KEYS = [
  'error.network', // no connection, or the server did not answer
  'error.server', // the server answered nonsense or with an unknown error
  'error.busy', // too many sockets from here; comes back by itself
  'error.protocol', // this page and the server do not understand each other: reload
  'error.unsupported', // this page is too old or too new for the server: reload
  'error.disabled', // this account was switched off
  'error.unconfirmed', // this person enrolled late, and an admin has not confirmed them yet
  'error.unauthorised', // the server does not know this key (signed in elsewhere, switched off, or data was lost)
  'error.insecure', // the site insists on https and this page was not loaded over it
  'error.no_crypto', // no random numbers or no way to encrypt in this browser
  'error.site_unknown', // the snippet names a site that does not exist or is off
  'error.origin', // the site does not list the origin of this page
  'error.csp', // the page's own security policy forbids to connect to the server
  'error.socket', // the server answers requests, but no socket is let through
  'error.pin', // the server's company key is not the one pinned in the page
  'error.directory', // the signed list of agents and keys does not verify
  'error.directory_fork', // the server showed different lists to different people: an alarm
  'error.history', // the server showed another past of a conversation than before: an alarm
  'error.conversation_gone', // the server does not name a conversation any more
  'error.conversation_lost', // a restored backup lost its last epoch for good
  'error.clock', // this device's clock is wrong: what is right seems out of date or of the future
  'error.snapshot_expired', // the signed statement about the list is too old: the company must renew it
  'error.rate_limited', // too fast; it is retried by itself
  'error.too_large', // the message is too long
  'error.full', // the conversation holds as much as one may: a new one is needed
  'error.forbidden',
  'error.not_found',
  'error.conflict', // somebody was faster
  'error.closed', // the conversation is closed
  'error.not_owner', // only the agent who has the conversation may do this
  'error.too_late', // the two minutes for a recall are over
  'error.storage', // the server could not write; nothing was kept
  'error.refused', // the server refused for another reason
  'error.no_key', // this agent has no key to this conversation or team
  'error.bot_member', // agents do not write while a robot is a member
  'error.login', // wrong user id or password
  'error.server_key', // the login server is not the one of this company
  'error.invite_format', // the code is mistyped
  'error.invite_org', // the code belongs to another company
  'error.invite_used', // used, revoked, or unknown
  'error.invite_expired',
  'error.password_short', // fewer than 10 characters
] as const;
export type ErrorKey = (typeof ERROR_KEYS)[number];

/** The socket, as far as people care. `retryAt` is local time in ms. `ended` does not come back by itself. */
export interface Connection {
  state: 'connecting' | 'online' | 'waiting' | 'ended';
  reason?: ErrorKey;
  retryAt?: number;
  /** The server is there and asks for patience. */
  wait?: Wait;
}

/**
 * What time mends: of which the server has had enough, that it can store nothing for the moment (`storage`), or that it says it sent
 * everything and did not (`missing`). `until`: local time in ms, when it may be tried again.
 */
export interface Wait {
  why: Limit | 'storage' | 'rate' | 'missing';
  until: number;
}

/** What may be claimed about secrecy. `secure`: this page came over https (or from this machine). */
export interface Trust {
  mode: 'pinned' | 'unpinned' | 'broken';
  secure: boolean;
  /** `memory`: this browser keeps nothing; a reload starts again. */
  storage: 'kept' | 'memory';
  /** Why `broken`; nothing can be sent then. */
  reason?: ErrorKey;
}

export type Side = 'visitor' | 'agent' | 'robot' | 'system';

/** The first, encrypted message of a visitor. */
export interface Form {
  fields: Record<string, string>;
  page?: { url: string; title: string; referrer: string };
  lang?: string;
  /** Whether the page the visitor wrote from names the company's key. Their browser's word. */
  mode?: 'pinned' | 'unpinned';
  /** The conversation (id) that this one goes on from, because it was gone or lost, or waits for people while the robot is asked. */
  after?: string;
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
  /** It was missed, and somebody decided that it needs no answer. Only agents hear of it. */
  | { t: 'dismissed'; by: string; name?: string }
  | { t: 'epoch'; epoch: number; bot: boolean; botBefore?: boolean }
  /** Another team's key holds what follows: a transfer, by whoever signed it. */
  | { t: 'moved'; team: string; name?: string }
  /** The server's log went back to a backup; what was said since may be missing before this line. */
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
  form?: Form;
  event?: ThreadEvent;
  /** Quick replies of the robot; live while this is the newest message. */
  buttons?: readonly BotButton[];
  /** What the robot understood, and the message (id) it answers. Only agents are shown it. */
  thought?: BotThought & { re?: string };
  /** Of a note: an agent's judgement of what the robot understood. */
  fix?: Fix;
  /** Of a note: why its writer hands the conversation on. */
  handsOn?: boolean;
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
}

/** A text in the languages of the pages. */
export interface Localised {
  zh?: string;
  en?: string;
}

/** A field of the form before the first message. Values are encrypted. */
export interface FormField {
  id: string;
  label: Localised;
  type: 'text' | 'email' | 'tel' | 'select' | 'textarea';
  required: boolean;
  options?: { value: string; label: Localised }[];
}

/** What a site says about itself; not signed, so only for looks. */
export interface SiteInfo {
  id: string;
  name: string;
  org: string;
  orgName: string;
  form: FormField[];
  greeting: Localised;
}

/** Opens lazily: nothing is made or sent before the first message. */
export interface VisitorClient {
  connection: ReadonlySignal<Connection>;
  trust: ReadonlySignal<Trust>;
  /** Null until loaded. */
  site: ReadonlySignal<SiteInfo | null>;
  presence: ReadonlySignal<PresenceState | 'unknown'>;
  /** How many wait already, before there is a place of one's own. */
  ahead: ReadonlySignal<number>;
  /** Presence is asked for from now on, until the returned function is called: somebody looks. */
  watch(): () => void;
  /** The newest conversation that still matters, or null. */
  thread: ReadonlySignal<Thread | null>;
  /** 1 is next; null when not waiting. */
  queue: ReadonlySignal<number | null>;
  /** Of both conversations. */
  unread: ReadonlySignal<number>;
  /** The conversation beside the one that is shown: a message that was left for people, or that with the robot. */
  other: ReadonlySignal<Thread | null>;
  /** The robot answers, or will answer the first message. */
  robot: ReadonlySignal<boolean>;
  /** The server offered a robot that the company did not certify; it is let into nothing. */
  robotRefused: ReadonlySignal<boolean>;
  /** A person was asked for, and the robot has not been taken off yet. */
  personAsked: ReadonlySignal<boolean>;
  /** What the visitor wrote is sent then; null if nothing must wait. */
  wait: ReadonlySignal<Wait | null>;
  /** Whether a form must be shown before the first message. */
  needsForm: ReadonlySignal<boolean>;
  /** Answers of the form; they go out, encrypted, with the first message. */
  start(fields: Record<string, string>): void;
  /** Never loses the text: it stands in the thread as `queued` at once. Rejects only if trust is broken. */
  send(text: string): Promise<void>;
  /** A person, please: takes the robot out at once, or when the connection is back; before the first message, from the start. */
  person(): void;
  /** Leaves the conversation where it waits for people; the next message begins one with the robot, which names it. */
  askRobot(): void;
  /** Shows the other conversation. */
  swap(): void;
  /** Whether the site has a robot that may be let in. */
  hasRobot: ReadonlySignal<boolean>;
  retry(id: string): void;
  /** Takes away what was refused. */
  drop(id: string): void;
  recall(id: string): Promise<void>;
  typing(on: boolean): void;
  markRead(): void;
  close(): Promise<void>;
  /** Forgets the closed conversation; the next message begins another. */
  startOver(): void;
  /** Tries again at once when `waiting`, or after `ended`. */
  reconnect(): void;
  dispose(): void;
}

export type Tab = 'mine' | 'queue' | 'missed' | 'all';

/** A conversation in a list. `last` is the newest message, decrypted here or taken back; null while unknown. */
export interface ConvItem {
  id: string;
  conv: Conv;
  tabs: Record<Tab, boolean>;
  /** What the visitor called themselves in the form, or ''. */
  name: string;
  last: Message | null;
  /** All of it is here, and nobody wrote a message. */
  empty?: boolean;
  unread: number;
  waitingSince: number | null;
  lastAt: number;
  /** Name of the agent who has it, or ''. */
  ownerName: string;
  /** Who handed it on to where it is now, and what they said about it; null if nobody did, or I did. */
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

/** Something to tell the agent once. Dismissed by `dismiss`. */
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
    | 'notice.made_busy';
  params?: Record<string, string | number>;
}

/** What somebody wrote and nobody acknowledged. */
export interface Unsent {
  text: string;
  note: boolean;
}

/**
 * A conversation that this agent lost while the page was open, with what they had not sent: none of it goes out any more. `team`: they are
 * not in its team; `elsewhere`: somebody else has it, or it is over; `handed`: they handed it on themselves; `signed-out`: they were put out.
 */
export interface Dropped {
  conv: string;
  name: string;
  why: 'team' | 'elsewhere' | 'handed' | 'signed-out';
  /** Name of the conversation's team. */
  team: string;
  texts: readonly Unsent[];
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

/** Somebody who enrolled and whom no admin confirmed yet. After `until` they can do nothing before that is done. */
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
export type Shelf = { state: 'loading' | 'none' | 'too-large' | 'failed' } | { state: 'here'; search: Search };

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
  sites: ReadonlySignal<Record<string, string>>;
  /** Who waits for confirmation. An admin's client confirms by itself those who are in time. */
  waiting: ReadonlySignal<readonly WaitingPerson[]>;
  /** Of an admin: somebody who enrolled late is who they say they are. */
  confirm(user: string): Promise<void>;
  notices: ReadonlySignal<readonly Notice[]>;
  /** Whether the server can store what is written. */
  storage: ReadonlySignal<StorageState>;
  dismiss(notice: number): void;
  /** What was lost while this page was open, until it was told. */
  dropped: ReadonlySignal<readonly Dropped[]>;
  forgetDropped(): void;

  /** Follows the conversation; the same object for the same id. */
  open(conv: string): Thread;
  /** The page no longer shows it. */
  leave(conv: string): void;
  /** A line of a list is on screen: its name and last words are read, a few conversations at a time. */
  watch(conv: string): void;
  unwatch(conv: string): void;
  send(conv: string, text: string): Promise<void>;
  /** `fix`: a judgement of what the robot understood; sealed to the team like every note. */
  note(conv: string, text: string, fix?: Fix): Promise<void>;
  /** Judgements of the robot in all conversations this agent can read, with the text they are about. Takes its time. */
  corrections(): Promise<readonly { text: string; intent: string }[]>;
  /** The knowledge of a site, fetched when it is first asked for. It is searched here: what a visitor wrote goes nowhere. */
  knowledge(site: string): ReadonlySignal<Shelf>;
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
  close(conv: string): Promise<void>;
  reopen(conv: string): Promise<void>;
  /** A missed conversation needs no answer any more. `take` opens one and gives it to this agent. */
  dismissMissed(conv: string): Promise<void>;
  status(state: AgentState): Promise<void>;
  loadMore(tab: Tab): Promise<void>;

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

/** The one error pages see. `key` is translated, `detail` is for the console log. */
export class ClientError extends Error {
  constructor(
    readonly key: ErrorKey,
    readonly detail = '',
    /** When it may be tried again, if that would help. */
    readonly wait?: Wait,
  ) {
    super(detail ? `${key}: ${detail}` : key);
    this.name = 'ClientError';
  }
}

export interface VisitorOptions {
  /** Origin of the kefu server, e.g. `https://kefu.bank.cn`. */
  server: string;
  site: string;
  /** `k1-…` of the snippet; absent: trust on first use. */
  org?: string;
  /** The version in the address of the widget's own file. */
  widget?: string;
  lang: 'zh' | 'en';
}

export interface AgentOptions {
  /** Origin of the kefu server; the console's own by default. */
  server?: string;
}
