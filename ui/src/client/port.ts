/** What a conversation needs of the engine around it. */
import type { Backend, BoxKey, SigningKey } from '../crypto/backend';
import type { Directory } from '../crypto/directory';
import type { ErrorKey } from '../model';
import type { ClientFrame, Request } from '../proto';
import type { Store } from '../storage/store';

/** Records read, or lines opened, before the page gets its turn. */
export const BATCH = 32;

export interface Port {
  readonly backend: Backend;
  readonly role: 'visitor' | 'agent';
  readonly me: SigningKey;
  /** Own kid, hex. */
  readonly kid: string;
  /** Fingerprint of the company. */
  readonly fp: Uint8Array;
  readonly store: Store;
  /** Prefix of everything this engine keeps, ending in `/`. */
  readonly space: string;
  /** Names this page's run of the counter; notes have one of their own. */
  readonly inst: number;
  readonly noteInst: number;
  directory(): Directory;
  /** Fetches what is new. Rejects on a directory that must not be believed, after raising the alarm. */
  refreshDirectory(): Promise<void>;
  /** Own box keys by `boxKid` hex. */
  boxes(): ReadonlyMap<string, BoxKey>;
  /** Server's clock, ms. */
  now(): number;
  /** Lets the page do what waits. For every `BATCH` steps of something long. */
  turn(): Promise<void>;
  online(): boolean;
  envelope(bytes: Uint8Array): boolean;
  frame(f: ClientFrame): boolean;
  request(r: Request): Promise<void>;
  /** Why nothing may be sent at all, or null. */
  broken(): ErrorKey | null;
  /** Day key of the site's robot to seal to, or null: then people answer. `fresh`: the server did not know the last one. */
  robot?(fresh: boolean): Promise<Uint8Array | null>;
  /** Somebody is shown something false: trust is broken from here on. */
  alarm(why: ErrorKey): void;
  /** This browser keeps nothing, from now on. */
  notKept(): void;
  /** Which opening of the server's database this connection reads; '' from a server that does not say. */
  gen(): string;
  /** Asks for the records of a conversation once more, from the start if `all`. */
  again(conv: string, all?: boolean): void;
  /** Whether the company's statement about its directory still holds; asks for a newer one if not. Agents hold the log itself. */
  fresh(): Promise<boolean>;
}
