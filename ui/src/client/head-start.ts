/**
 * Sends the first parts of a file while the rest is still being sealed. It is a gain and nothing more: the upload goes on from there or
 * from wherever the server says it is, reports what is refused, and sends the last part.
 */
import { PART } from '../crypto/file';
import type { ConversationContext } from './context';
import type { UploadStore } from './upload-store';

export class HeadStart {
  private sealed = 0;
  private have: number | null = null;
  private work: Promise<void> | null = null;
  private readonly stop = new AbortController();

  constructor(
    private readonly files: ConversationContext['files'],
    private readonly store: UploadStore,
    private readonly conv: string,
    private readonly msg: string,
    private readonly size: number,
  ) {}

  /** One part more is sealed. */
  advance(): void {
    this.sealed++;
    this.work ??= this.run()
      .catch(() => this.stop.abort())
      .finally(() => {
        this.work = null;
      });
  }

  /** No more parts are begun; resolves when none is on its way, with what the server has, null if it does not know the file. */
  async end(): Promise<number | null> {
    this.sealed = 0;
    await this.work;
    return this.have;
  }

  /** The same at once. */
  abort(): Promise<number | null> {
    this.stop.abort();
    return this.end();
  }

  private async run(): Promise<void> {
    const { files, conv, msg, size, stop } = this;
    if (stop.signal.aborted) return;
    let have = (this.have ??= await files.begin(conv, msg, size));
    while (have % PART === 0 && have / PART < this.sealed && size - have > PART && !stop.signal.aborted) {
      const part = await this.store.part(msg, have / PART);
      if (!part) return;
      const now = await files.put(conv, msg, have, part, () => undefined, stop.signal);
      // a server that says something else is asked by the upload
      if (now !== have + PART) return stop.abort();
      this.have = have = now;
    }
  }
}
