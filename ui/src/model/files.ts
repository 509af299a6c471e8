/** Files of a conversation, as pages show, send and fetch them. Keys and hashes stay in the client. */
import type { ReadonlySignal } from '../signals';
import type { Wait } from './errors';

/** What the sender says of a file. Only its size is proven, and by the time it is fetched. What it is, its bytes tell. */
export interface FileInfo {
  /** As it was written: to be shown by parts (`files/names.ts`), never as it is. */
  name: string;
  size: number;
  /** Pixels of a picture. */
  w?: number;
  h?: number;
  /** A few bytes of a JPEG or WebP, not looked at yet. */
  thumb?: Uint8Array;
  /** Length of a voice note. */
  secs?: number;
}

/** Something to be sent. */
export interface Picked extends Omit<FileInfo, 'size'> {
  blob: Blob;
  type: string;
}

/** One that is on its way. Bytes as they are sealed. `paused` waits for its person, `waiting` for its turn, the connection, or the server (`wait`). */
export interface Upload {
  state: 'waiting' | 'sending' | 'paused' | 'done';
  sent: number;
  size: number;
  wait?: Wait;
}

export interface LoadOptions {
  /** 0 to 1. */
  progress?(share: number): void;
  signal?: AbortSignal;
}

/** The files of one conversation, by the ids of their messages. */
export interface ThreadFiles {
  /** Null for what is not on its way from here. */
  upload(id: string): ReadonlySignal<Upload> | null;
  pause(id: string): void;
  resume(id: string): void;
  /** It is not sent, and nothing of it stays here or on the server. */
  cancel(id: string): void;
  /** All of it, once it is proven to be what was sent. Its type is not set. Rejects with a `ClientError`, or as `signal` says. */
  load(id: string, o?: LoadOptions): Promise<Blob>;
}
