/** What a browser keeps of the files that one conversation is sending: sealed parts, and a line about each file. */
import { ClientError } from '../model';
import type { Persistence } from './context';

export interface KeptUpload {
  /** Of all that is sealed, in bytes. */
  size: number;
  parts: number;
  /** Page run that sends it. */
  by: number;
  /** When it was begun; local time, ms. */
  at: number;
  /** All parts are here. */
  sealed?: true;
  /** Given up; the server is to be told. */
  gone?: true;
}

export class UploadStore {
  constructor(
    private readonly context: Persistence,
    private readonly id: string,
  ) {}

  private name(msg: string): string {
    return `${this.context.storagePrefix}file/${this.id}/${msg}`;
  }

  private partName(msg: string, n: number): string {
    return `${this.context.storagePrefix}part/${this.id}/${msg}/${n}`;
  }

  private async set(name: string, value: unknown): Promise<void> {
    await this.context.store.set(name, value).catch((e: unknown) => {
      throw new ClientError('error.file_space', String(e));
    });
  }

  begin(msg: string, size: number, parts: number): Promise<void> {
    return this.set(this.name(msg), { size, parts, by: this.context.counterRun, at: Date.now() } satisfies KeptUpload);
  }

  putPart(msg: string, n: number, part: Uint8Array): Promise<void> {
    return this.set(this.partName(msg, n), part);
  }

  async complete(msg: string): Promise<void> {
    const kept = await this.get(msg);
    if (!kept) throw new ClientError('error.file_lost');
    await this.set(this.name(msg), { ...kept, sealed: true } satisfies KeptUpload);
  }

  get(msg: string): Promise<KeptUpload | undefined> {
    return this.context.store.get<KeptUpload>(this.name(msg)).catch(() => undefined);
  }

  part(msg: string, n: number): Promise<Uint8Array | undefined> {
    return this.context.store.get<Uint8Array>(this.partName(msg, n)).catch(() => undefined);
  }

  /** Of one tab only: the first that finds its page gone. */
  async claim(msg: string, kept: KeptUpload, alive: (run: number) => Promise<boolean>): Promise<boolean> {
    const me = this.context.counterRun;
    if (kept.by === me) return true;
    if (await alive(kept.by)) return false;
    const now = await this.context.store
      .update<KeptUpload | undefined>(this.name(msg), (there) =>
        there?.by === kept.by && !there.gone ? { ...there, by: me } : there,
      )
      .catch(() => undefined);
    return now?.by === me;
  }

  /** Nothing of its bytes stays; that it is gone stays until the server was told. False if there was nothing. */
  async abandon(msg: string): Promise<boolean> {
    const kept = await this.get(msg);
    if (!kept) return false;
    await this.context.store.set(this.name(msg), { ...kept, gone: true } satisfies KeptUpload).catch(() => undefined);
    await this.eraseParts(msg, kept.parts);
    return true;
  }

  async erase(msg: string, parts: number): Promise<void> {
    await this.eraseParts(msg, parts);
    await this.context.store.delete(this.name(msg)).catch(() => undefined);
  }

  private async eraseParts(msg: string, parts: number): Promise<void> {
    for (let n = 0; n < parts; n++) await this.context.store.delete(this.partName(msg, n)).catch(() => undefined);
  }

  async list(): Promise<[msg: string, kept: KeptUpload][]> {
    const start = this.name('');
    const all = await this.context.store.list<KeptUpload>(start).catch(() => []);
    return all.map(({ name, value }) => [name.slice(start.length), value]);
  }
}
