/**
 * What the parts of a conversation are given by the engine around them. A part names the interfaces that it needs, and gets no more;
 * one object implements them all.
 */
import type { Backend, BoxKey, SigningKey } from '../crypto/backend';
import type { Directory } from '../crypto/directory';
import type { ErrorKey } from '../model';
import type { ClientFrame, Request } from '../proto';
import type { FileTransfer } from '../link/file-transfer';
import type { Store } from '../storage/store';
import type { FileAccess } from './file-access';

/** Records read, or lines opened, before the page gets its turn. */
export const BATCH = 32;

/** Who this page is, and what it signs and opens with. */
export interface Participant {
  readonly backend: Backend;
  readonly role: 'visitor' | 'agent';
  readonly me: SigningKey;
  /** Own kid, hex. */
  readonly kid: string;
  /** Own box keys by `boxKid` hex. */
  boxes(): ReadonlyMap<string, BoxKey>;
}

/** The company's signed directory, and what follows from it. */
export interface DirectoryAccess {
  /** Fingerprint of the company. */
  readonly fp: Uint8Array;
  directory(): Directory;
  /** Fetches what is new. Rejects on a directory that must not be believed, after raising the alarm. */
  refreshDirectory(): Promise<void>;
  /** Whether the company's statement about its directory still holds; asks for a newer one if not. Agents hold the log itself. */
  fresh(): Promise<boolean>;
  /** Day key of the site's robot to seal to, or null: then people answer. `fresh`: the server did not know the last one. */
  robot?(fresh: boolean): Promise<Uint8Array | null>;
}

/** What this browser keeps, and the runs of counters that make this page's envelopes unlike those of other tabs. */
export interface Persistence {
  readonly store: Store;
  /** Prefix of everything this engine keeps, ending in `/`. */
  readonly storagePrefix: string;
  /** Names this page's run of the counter (`inst` in headers); notes have one of their own. */
  readonly counterRun: number;
  readonly noteCounterRun: number;
  /** This browser keeps nothing, from now on. */
  notKept(): void;
}

/** The connection to the server. */
export interface Transport {
  online(): boolean;
  /** Server's clock, ms. */
  now(): number;
  envelope(bytes: Uint8Array): boolean;
  frame(f: ClientFrame): boolean;
  request(r: Request): Promise<void>;
  /** Which opening of the server's database this connection reads; '' from a server that does not send it. */
  gen(): string;
  /** Requests the records of a conversation again, from the start if `all`. */
  again(conv: string, all?: boolean): void;
  /** Sealed bytes of files. */
  readonly files: FileTransfer;
  /** Files that were opened here. */
  readonly opened: FileAccess;
  /** Lets the page do what waits. For every `BATCH` steps of something long. */
  turn(): Promise<void>;
}

/** Whether the server is believed. */
export interface TrustState {
  /** Why nothing may be sent at all, or null. */
  broken(): ErrorKey | null;
  /** Something false is being shown: trust is broken from here on. */
  alarm(why: ErrorKey): void;
}

export interface ConversationContext extends Participant, DirectoryAccess, Persistence, Transport, TrustState {}
