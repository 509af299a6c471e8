/** The connection to the server, and what may be claimed about secrecy. */
import type { ErrorKey, Wait } from './errors';

/** The socket, as far as people care. `retryAt` is local time in ms. `ended` does not come back by itself. */
export interface Connection {
  state: 'connecting' | 'online' | 'waiting' | 'ended';
  reason?: ErrorKey;
  retryAt?: number;
  /** The server is there and asks for patience. */
  wait?: Wait;
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
