/** What an agent sends beyond a visitor: notes; and nothing while a transfer changes the epoch. */
import { decodeBody, openNote, sealNote, type Body, type HeaderFields } from '../crypto/envelope';
import type { Unsent } from '../model';
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

  /** All that was not acknowledged goes back to its writer; nothing of it is sent from here on. */
  giveBack(): Unsent[] {
    return [...this.items].flatMap((o) => (o.body ? this.takeOut(o) : []));
  }

  /** It is not wanted any more. */
  remove(msg: string): void {
    const o = this.items.find((x) => x.msg === msg);
    if (o) this.takeOut(o);
    this.h.changed();
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
