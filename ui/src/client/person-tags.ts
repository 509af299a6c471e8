/**
 * Pseudonyms under which a team's consoles tell the server that conversations on several devices are one customer's. The key is a document
 * of the team (protocol §7): neither the server nor another team can make a tag, or find out whose one is.
 */
import { b64u, cat, hex, random, sized, utf8 } from '../crypto/bytes';
import { H } from '../crypto/hash';
import { hkdf } from '../crypto/hkdf';
import { ClientError } from '../model';
import { when } from '../signals';
import type { Documents } from './documents';

/** Kind of the document. */
const KIND = 'person-key';

export class PersonTags {
  private readonly keys = new Map<string, Promise<Uint8Array>>();

  constructor(
    private readonly fp: Uint8Array,
    private readonly documents: Documents,
  ) {}

  /** Of a customer of a site, for a team; hex. */
  async of(team: string, site: string, sub: string): Promise<string> {
    let key = this.keys.get(team);
    if (!key) {
      key = this.key(team);
      this.keys.set(team, key);
      key.catch(() => this.keys.delete(team));
    }
    const info = cat(utf8('kefu/1 person'), H('person', this.fp, utf8(site), utf8(sub)));
    return hex(hkdf(await key, new Uint8Array(), info, 16));
  }

  /** The team's key. Whoever needs it first makes it; all make it under the same id, so that there is one. */
  private async key(team: string): Promise<Uint8Array> {
    const id = hex(H('person-key', this.fp, utf8(team)).subarray(0, 16));
    const known = (await this.find(id)) ?? (await this.make(id, team));
    return sized((known as { key?: unknown }).key, 32);
  }

  private async make(id: string, team: string): Promise<unknown> {
    const body = { key: b64u(random(32)) };
    try {
      await this.documents.create(KIND, id, `team:${team}`, body);
      return body;
    } catch (e) {
      // a colleague may have been faster
      const theirs = await this.find(id);
      if (theirs === undefined) throw e;
      return theirs;
    }
  }

  private async find(id: string): Promise<unknown> {
    const list = this.documents.list(KIND);
    const here = await when(() => (list.value.state === 'loading' ? null : list.value));
    if (here.state === 'failed') throw new ClientError('error.network', 'the key of pseudonyms');
    return here.docs.find((d) => d.id === id)?.body;
  }
}
