/** What a person chose to send and has not sent yet: made ready, checked, and sealed when they say so. */
import { ClientError, type ErrorKey, type Picked } from '../model';
import { makePart } from '../part';
import { signal } from '../signals';

const preparing = makePart(() => import('./prepare'));

/** Files of one message box. */
export const MAX_PICKED = 20;

/** Why one cannot be sent: in words of the box (`over`: larger than `max`), or of the client. */
export type Unfit = { over: number } | 'empty' | 'off' | ErrorKey;

export interface TrayItem {
  id: number;
  name: string;
  size: number;
  state: 'preparing' | 'ready' | 'sealing' | 'unfit';
  /** Of what is sealed, 0 to 1. */
  share: number;
  why?: Unfit;
  picked?: Picked;
}

/** Seals and keeps one; it is in the thread then. */
export type SendFile = (file: Picked, progress: (share: number) => void, signal: AbortSignal) => Promise<void>;

export class Tray {
  readonly items = signal<readonly TrayItem[]>([]);
  /** More were given than there is room for. */
  readonly tooMany = signal(false);
  private nextId = 0;
  private readonly work = new Map<number, { ready: Promise<void>; stop: AbortController }>();

  /** `max`: the largest file, in bytes; rejects if it is not known, and then the server decides. `name`: of what has none. */
  add(files: Iterable<File>, max: () => number | Promise<number>, name: (file: File) => string): void {
    this.tooMany.value = false;
    for (const file of files) {
      if (this.items.peek().length >= MAX_PICKED) {
        this.tooMany.value = true;
        return;
      }
      const id = this.nextId++;
      const called = name(file);
      this.items.value = [...this.items.peek(), { id, name: called, size: file.size, state: 'preparing', share: 0 }];
      const ready = this.make(id, file, called, max);
      this.work.set(id, { ready, stop: new AbortController() });
    }
  }

  /** Something that is ready as it is. */
  give(picked: Picked): number {
    const id = this.nextId++;
    const { name, blob } = picked;
    this.items.value = [...this.items.peek(), { id, name, size: blob.size, state: 'ready', share: 0, picked }];
    this.work.set(id, { ready: Promise.resolve(), stop: new AbortController() });
    return id;
  }

  private async make(id: number, file: File, name: string, max: () => number | Promise<number>): Promise<void> {
    const most = await Promise.resolve(max()).catch(() => Infinity);
    if (most === 0) return this.set(id, { state: 'unfit', why: 'off' });
    // what a folder that was dropped looks like, too
    if (!file.size) return this.set(id, { state: 'unfit', why: 'empty' });
    const { prepare } = await preparing.wait();
    const picked = await prepare(file, name);
    const { size } = picked.blob;
    if (size > most) return this.set(id, { size, state: 'unfit', why: { over: most } });
    this.set(id, { state: 'ready', picked, name: picked.name, size });
  }

  private set(id: number, to: Partial<TrayItem>): void {
    this.items.value = this.items.peek().map((one) => (one.id === id ? { ...one, ...to } : one));
  }

  private get(id: number): TrayItem | undefined {
    return this.items.peek().find((one) => one.id === id);
  }

  /** It is not sent; one that is being sealed leaves nothing behind. */
  remove(id: number): void {
    this.work.get(id)?.stop.abort();
    this.work.delete(id);
    this.items.value = this.items.peek().filter((one) => one.id !== id);
    this.tooMany.value = false;
  }

  /** Whether anything here may be sent. */
  get some(): boolean {
    return this.items.value.some((one) => one.state === 'ready' || one.state === 'preparing');
  }

  /** All that may be sent, in their order; each leaves when it is in the thread. `only`: this one, again. */
  send(send: SendFile, only?: number): void {
    for (const { id, state } of this.items.peek()) {
      if (only === undefined ? state === 'ready' || state === 'preparing' : id === only) void this.sendOne(id, send);
    }
  }

  private async sendOne(id: number, send: SendFile): Promise<void> {
    const work = this.work.get(id);
    if (!work) return;
    await work.ready;
    const picked = this.get(id)?.picked;
    // unfit, or taken away
    if (!picked || this.get(id)?.state === 'sealing') return;
    this.set(id, { state: 'sealing', share: 0, why: undefined });
    try {
      await send(picked, (share) => this.set(id, { share }), work.stop.signal);
      this.remove(id);
    } catch (e) {
      this.set(id, { state: 'unfit', why: e instanceof ClientError ? e.key : 'error.refused' });
    }
  }
}
