/** The Worker of the index: reads history, builds the index, and searches in it. One tab builds it, every tab searches. */
import { ClientError, type ErrorKey } from '../model';
import { SearchIndex } from './index';
import { Indexer, type SearchState } from './indexer';
import { makeReader, type MadeReader } from './make-reader';
import { SealedStore } from './sealed-store';
import type { FromWorker, ReaderAccess, ToWorker } from './worker-protocol';

const tell = (m: FromWorker): void => self.postMessage(m);
const NOTHING: SearchState = { phase: 'off', messages: 0, conversations: 0, back: null, locked: 0 };

class Host {
  private access!: ReaderAccess;
  private store!: SealedStore;
  private index!: SearchIndex;
  private reader: MadeReader | null = null;
  private indexer: Indexer | null = null;
  /** The reader of the lock lets go of it. */
  private release: (() => void) | null = null;

  async open(access: ReaderAccess): Promise<void> {
    this.access = access;
    this.store = await SealedStore.open(access.database, access.user, () => self.close());
    this.index = await SearchIndex.open(this.store);
    const on = await this.store.on();
    if (on || this.index.convs.size) void this.build(!on);
    else this.idle('off');
  }

  private idle(phase: SearchState['phase'], error?: ErrorKey): void {
    const { convs, size } = this.index ?? { convs: new Map(), size: 0 };
    tell({
      t: 'state',
      state: { ...NOTHING, phase, messages: size, conversations: convs.size, ...(error && { error }) },
    });
  }

  /** As soon as no other tab does. */
  private async build(paused: boolean): Promise<void> {
    if (this.indexer || this.release) return;
    const locks = self.navigator?.locks as LockManager | undefined;
    if (!locks) return this.run(paused);
    const name = this.access.database;
    const { held } = await locks.query();
    if (held?.some((l) => l.name === name)) this.idle('elsewhere');
    await locks.request(name, () => {
      const held = new Promise<void>((done) => (this.release = done));
      void this.run(paused);
      return held;
    });
  }

  private async run(paused: boolean): Promise<void> {
    try {
      // the tab that built it until now may have written
      if (await this.store.isOld()) await this.index.reload();
      this.reader ??= await makeReader(this.access);
      this.indexer = new Indexer(
        this.index,
        this.reader.reader,
        paused && !(await this.store.on()),
        Date.now,
        (state) => tell({ t: 'state', state }),
      );
      await this.indexer.run();
    } catch (e) {
      console.error(e);
      this.idle('failed', e instanceof ClientError ? e.key : 'error.server');
    } finally {
      this.indexer = null;
      this.release?.();
      this.release = null;
    }
  }

  async update(access: ReaderAccess): Promise<void> {
    this.access = access;
    await this.reader?.update(access);
    this.indexer?.keepTeams(access.teams);
    this.indexer?.refresh();
  }

  async on(on: boolean): Promise<void> {
    await this.store.setOn(on);
    if (this.indexer) this.indexer.pause(!on);
    else if (on) void this.build(false);
  }

  async heard(m: ToWorker): Promise<void> {
    switch (m.t) {
      case 'open':
        return this.open(m.access);
      case 'access':
        return this.update(m.access);
      case 'on':
        return this.on(m.on);
      case 'typing':
        return this.indexer?.typing();
      case 'changed':
        return m.convs.forEach((conv) => this.indexer?.note(conv));
      case 'search': {
        if (!this.indexer && (await this.store.isOld())) await this.index.reload();
        const found = await this.index.search(m.typed, m.filter, this.access.teams, m.limit);
        return tell({ t: 'found', id: m.id, found });
      }
    }
  }
}

const host = new Host();
/** What comes while it opens waits; a search does not wait for what is being read. */
let opened: Promise<void> = Promise.resolve();
self.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  const work = opened.then(() => host.heard(data));
  if (data.t === 'open') opened = work;
  work.catch((e: unknown) => {
    console.error(e);
    if (data.t === 'search') tell({ t: 'failed', id: data.id });
    else if (data.t === 'open') tell({ t: 'state', state: { ...NOTHING, phase: 'failed', error: 'error.server' } });
  });
};
