/** Envelopes that are no messages (announcements, grants), sent one by one and awaited until their record comes. */
import { Refused } from '../link/errors';
import { ClientError } from '../model';
import { Code, Envelope, type ErrorFrame } from '../proto';
import type { Transport } from './context';

/** Longest wait for a record, ms. */
const DELIVER_MS = 15_000;
const MAX_CONFLICTS = 8;

export class Deliveries {
  private readonly expected = new Map<string, (error: Error | null) => void>();

  constructor(private readonly transport: Transport) {}

  /** Sends it and waits for its record. Rejects as the server does. */
  send(bytes: Uint8Array): Promise<void> {
    const { msg } = Envelope.parse(bytes)!;
    return new Promise((done, fail) => {
      const timer = setTimeout(() => settle(new ClientError('error.network', 'no record came back')), DELIVER_MS);
      const settle = (error: Error | null): void => {
        clearTimeout(timer);
        this.expected.delete(msg);
        if (error) fail(error);
        else done();
      };
      let conflicts = 0;
      this.expected.set(msg, (error) => {
        // the conversation changed in the same instant: the same bytes again, at once
        if (
          error instanceof Refused &&
          error.code === Code.conflict &&
          ++conflicts <= MAX_CONFLICTS &&
          this.transport.envelope(bytes)
        )
          return;
        settle(error);
      });
      if (!this.transport.envelope(bytes)) settle(new ClientError('error.network', 'not connected'));
    });
  }

  /** A record came, of any envelope. */
  record(env: Envelope): void {
    this.expected.get(env.msg)?.(null);
  }

  /** An error that names an envelope. True if it was one of these. */
  refused(f: ErrorFrame): boolean {
    const waiting = f.msg === undefined ? undefined : this.expected.get(f.msg);
    waiting?.(new Refused(f));
    return !!waiting;
  }
}
