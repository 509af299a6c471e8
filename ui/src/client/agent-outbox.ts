/** What an agent sends beyond a visitor: notes; and nothing while a transfer changes the epoch. */
import { decodeBody, openNote, sealNote, type Body, type HeaderFields } from '../crypto/envelope';
import type { Envelope } from '../proto';
import { Outbox } from './outbox';

export class AgentOutbox extends Outbox {
  /** While held nothing is sent (a transfer changes the epoch). */
  async hold<T>(fn: () => Promise<T>): Promise<T> {
    this.held = true;
    try {
      return await this.serial(fn);
    } finally {
      this.held = false;
      this.pump();
    }
  }

  protected override async readNote(env: Envelope): Promise<Body | null> {
    const { port } = this.h;
    for (const key of port.boxes().values()) {
      const bytes = await openNote(port.backend, env, key, port.me.pk).catch(() => null);
      if (bytes) return decodeBody(bytes);
    }
    return null;
  }

  protected override sealNote(fields: HeaderFields, body: Uint8Array, team: string): Promise<Uint8Array> {
    const { port } = this.h;
    return sealNote(port.backend, fields, port.directory().teamPk(team), body, port.me);
  }
}
