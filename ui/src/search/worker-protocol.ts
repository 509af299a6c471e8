/** What the console and the Worker of the index tell each other. */
import type { KeptKey } from '../crypto/backend';
import type { Conv } from '../proto';
import type { Found, SearchFilter } from './index';
import type { SearchState } from './indexer';

/** What the Worker needs to read as this person does. Keys are such that scripts can use and not read. */
export interface ReaderAccess {
  server: string;
  user: string;
  /** Own public key. */
  pk: Uint8Array;
  /** Fingerprint of the company. */
  fp: Uint8Array;
  /** Of what the page remembers of conversations. */
  storagePrefix: string;
  /** Name of the database with the index. */
  database: string;
  token: string;
  /** Keys of teams. */
  boxes: KeptKey[];
  teams: readonly string[];
}

export type ToWorker =
  | { t: 'open'; access: ReaderAccess }
  /** Keys, token or teams are others now. */
  | { t: 'access'; access: ReaderAccess }
  | { t: 'on'; on: boolean }
  | { t: 'typing' }
  | { t: 'changed'; convs: Conv[] }
  | { t: 'search'; id: number; typed: string; filter: SearchFilter; limit: number };

export type FromWorker =
  | { t: 'state'; state: SearchState }
  | { t: 'found'; id: number; found: Found }
  | { t: 'failed'; id: number };
