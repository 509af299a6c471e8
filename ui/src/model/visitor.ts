/** What the widget may know and do. */
import type { PresenceState } from '../proto';
import type { ReadonlySignal } from '../signals';
import type { Connection, Trust } from './connection';
import type { Wait } from './errors';
import type { Picked } from './files';
import type { Message, Thread } from './thread';

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

/** Settings of a site; not signed, so only for appearance. */
export interface SiteInfo {
  id: string;
  name: string;
  org: string;
  orgName: string;
  form: FormField[];
  greeting: Localised;
  /** What is said when nobody is there; nothing: the widget's own words. */
  away: Localised;
  /** Whether visitors are asked how it went. */
  rating: boolean;
  /** Largest file, in bytes; 0: none are taken. */
  maxFile: number;
}

/** Opens lazily: nothing is made or sent before the first message. */
export interface VisitorClient {
  connection: ReadonlySignal<Connection>;
  trust: ReadonlySignal<Trust>;
  /** Null until loaded. */
  site: ReadonlySignal<SiteInfo | null>;
  presence: ReadonlySignal<PresenceState | 'unknown'>;
  /** Outside of the team's hours: when they begin, ms. */
  opens: ReadonlySignal<number | null>;
  /** How many wait already, before there is a place of one's own. */
  ahead: ReadonlySignal<number>;
  /** Polls presence while the page is visible, until the returned function is called. */
  watch(): () => void;
  /** What the visitor wrote on other devices, and the answers, oldest first: only to read. */
  earlier: ReadonlySignal<readonly Message[]>;
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
  /** Never loses the text: it is in the thread as `queued` at once. Rejects only if trust is broken. */
  send(text: string): Promise<void>;
  /** Resolves when it is sealed and kept, and in the thread as `queued`. Rejects if it cannot be read, kept or sent at all. */
  sendFile(file: Picked, progress: (share: number) => void, signal?: AbortSignal): Promise<void>;
  /** A person, please: takes the robot out at once, or when the connection is back; before the first message, from the start. */
  requestPerson(): void;
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
  /** Ends it as soon as there is a connection and what was written before is sent. Rejects if the server refuses. */
  close(): Promise<void>;
  /** Says how a closed conversation went: 1 to 5 stars, which the server reads, and words, which it does not. Rejects if it is refused. */
  rate(stars: number, words: string): Promise<void>;
  /** The visitor wants the end, and it has not come yet. */
  closing: ReadonlySignal<boolean>;
  /** Gives that up; so does writing on. */
  keepOpen(): void;
  /** Forgets the closed conversation; the next message begins another. */
  startOver(): void;
  /**
   * Who the visitor is by the word of the page's backend: a token, or a function that has one made for this browser's keys. Null: nobody vouches.
   * Told to the conversation with its first words, at once if it has some and knows nobody, and when the visitor writes as somebody else.
   */
  setUser(user: VouchFor | string | null): void;
  /** What the page says about its visitor, in the place of what it said before; at most 32 texts of 512 characters. */
  setAttributes(attributes: Record<string, string | number | boolean>): void;
  /** The secret of a link by which another device of this person has their history, once and within ten minutes. Rejects without a connection. */
  handOver(): Promise<string>;
  /** Takes what another device left under that secret. */
  takeOver(secret: string): Promise<void>;
  /** Ends, and leaves nothing of this site's visitors in this browser: keys, conversations, files on their way. */
  forget(): Promise<void>;
  /** Tries again at once when `waiting`, or after `ended`. */
  reconnect(): void;
  dispose(): void;
}

/** What a token must name, and for whom it is. */
export interface AboutVisitor {
  ed_kid: string;
  x_kid: string;
  aud: string;
}
/** Has the page's backend vouch for its customer: resolves with a token (JWT). */
export type VouchFor = (about: AboutVisitor) => string | Promise<string>;

export interface VisitorOptions {
  /** Origin of the kefu server, e.g. `https://kefu.bank.cn`. */
  server: string;
  site: string;
  /** `k1-…` of the snippet; absent: trust on first use. */
  org?: string;
  /** The version in the address of the widget's own file. */
  widget?: string;
  lang: 'zh' | 'en';
  /** 32 bytes, b64u, of a person whom the customer's own application knows: the same on all of their devices. */
  seed?: string;
  /** Another customer writes with this browser's keys; what they wrote was not sent. The page forgets the one before. */
  otherPerson?: (text: string | null) => void;
}
