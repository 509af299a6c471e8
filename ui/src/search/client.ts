/** The page's side of the search: starts the Worker, tells it what changes, and asks it. Loaded when somebody searches first. */
import type { AgentClient } from '../model';
import type { Conv } from '../proto';
import { signal } from '../signals';
import type { Found, SearchFilter } from './index';
import type { SearchState } from './indexer';
import type { FromWorker, ToWorker } from './worker-protocol';

export type { Found, Hit, SearchFilter } from './index';
export type { Phase, SearchState } from './indexer';

export class SearchClient {
  /** Null until the Worker has opened the index. */
  readonly state = signal<SearchState | null>(null);
  private readonly worker: Worker;
  private readonly waiting = new Map<number, { done(f: Found): void; fail(e: Error): void }>();
  private next = 0;
  private readonly ends: (() => void)[] = [];
  private readonly told = new Map<string, string>();

  constructor(
    private readonly client: AgentClient,
    makeWorker: () => Worker = () => new Worker(new URL('./indexer.worker.ts', import.meta.url), { type: 'module' }),
  ) {
    this.worker = makeWorker();
    this.worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.heard(data);
    this.worker.onerror = (e) => {
      console.error(e.message);
      this.state.value = {
        phase: 'failed',
        messages: 0,
        conversations: 0,
        back: null,
        locked: 0,
        error: 'error.server',
      };
    };
    let opened = false;
    const update = async (): Promise<void> => {
      const access = await client.readerAccess();
      if (!access) return;
      this.tell({ t: opened ? 'access' : 'open', access });
      opened = true;
    };
    this.ends.push(client.keys.subscribe(() => void update()));
    this.ends.push(client.conversations.subscribe((items) => this.changed(items.map((item) => item.conv))));
    const typed = (): void => this.tell({ t: 'typing' });
    document.addEventListener('keydown', typed, true);
    this.ends.push(() => document.removeEventListener('keydown', typed, true));
  }

  private tell(m: ToWorker): void {
    this.worker.postMessage(m);
  }

  /** Tells of those that are not as they were. Of conversations that are followed, the page knows more than the list says. */
  private changed(convs: readonly Conv[]): void {
    const some: Conv[] = [];
    for (const conv of convs) {
      const last = Math.max(conv.last, this.client.have(conv.id));
      const now = `${last} ${conv.team}`;
      if (this.told.get(conv.id) !== now) some.push({ ...conv, last });
      this.told.set(conv.id, now);
    }
    if (some.length) this.tell({ t: 'changed', convs: some });
  }

  private heard(m: FromWorker): void {
    if (m.t === 'state') {
      this.state.value = m.state;
      return;
    }
    const asked = this.waiting.get(m.id);
    this.waiting.delete(m.id);
    if (m.t === 'found') asked?.done(m.found);
    else asked?.fail(new Error('the search failed'));
  }

  /** Builds the index, also after a reload, until it is paused. */
  build(on: boolean): void {
    this.tell({ t: 'on', on });
  }

  search(typed: string, filter: SearchFilter, limit: number): Promise<Found> {
    return new Promise((done, fail) => {
      const id = this.next++;
      this.waiting.set(id, { done, fail });
      this.tell({ t: 'search', id, typed, filter, limit });
    });
  }

  dispose(): void {
    for (const end of this.ends) end();
    this.worker.terminate();
    for (const { fail } of this.waiting.values()) fail(new Error('the search has ended'));
    this.waiting.clear();
  }
}
