/**
 * What this browser remembers of documents, so that a server cannot show an older revision as the newest: the highest revision that
 * was accepted, and its hash.
 */
import type { Scope } from '../crypto/document';
import type { Store } from '../storage/store';

export interface KnownDocument {
  rev: number;
  hash: string;
  kind: string;
  scope: Scope;
  /** It was deleted after that. */
  gone?: true;
}

export class DocumentMemory {
  private known: Promise<Map<string, KnownDocument>> | null = null;

  /** `prefix`: of what is kept, ending in `/`. */
  constructor(
    private readonly store: Store,
    private readonly prefix: string,
  ) {}

  all(): Promise<Map<string, KnownDocument>> {
    return (this.known ??= this.store
      .list<KnownDocument>(`${this.prefix}doc/`)
      .catch(() => [])
      .then((rows) => new Map(rows.map((row) => [row.name.slice(this.prefix.length + 4), row.value]))));
  }

  /** Never less than before, whatever another tab kept meanwhile. */
  async keep(id: string, next: KnownDocument): Promise<void> {
    const known = await this.all();
    known.set(id, next);
    const later = (there: KnownDocument | undefined): KnownDocument => (there && there.rev > next.rev ? there : next);
    await this.store.update<KnownDocument>(`${this.prefix}doc/${id}`, later).catch(() => undefined);
  }
}
