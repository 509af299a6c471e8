/**
 * Begins a conversation with its first messages, and has the server open it: tried again until it has it, with another first epoch if
 * it must be.
 */
import type { Backend } from '../crypto/backend';
import { b64u, hex, random } from '../crypto/bytes';
import type { Body } from '../crypto/envelope';
import { conversationId } from '../crypto/hash';
import { clocks } from '../link/clock';
import { passes, retryDelay, Refused } from '../link/errors';
import { ClientError, type VisitorOptions, type Wait } from '../model';
import { Code, Envelope } from '../proto';
import { signal, type ReadonlySignal, type Signal } from '../signals';
import type { Store } from '../storage/store';
import type { Conversation } from './conversation';
import type { Deps, Engine } from './engine';
import type { DirectorySync } from './directory-sync';
import { applyLocal, firstAnnouncement, type PendingConversation, type Keys } from './opening';
import type { Robot } from './robot';
import type { Tabs } from './tabs';

const RETRY_MS = 3_000;

/** What the visitor's client has by the time a conversation begins. */
export interface OpenerHost {
  readonly o: VisitorOptions;
  readonly deps: Deps;
  readonly backend: Backend;
  readonly sync: DirectorySync;
  keys: Keys | null;
  ownKeys(): Promise<Keys>;
  readonly store: Store;
  readonly storagePrefix: string;
  readonly engine: Engine | null;
  readonly tabs: Tabs;
  readonly bot: ReadonlySignal<Robot | null>;
  readonly thread: Signal<Conversation | null>;
  /** Before the first message: a person, please. */
  readonly personFirst: ReadonlySignal<boolean>;
  readonly over: boolean;
  /** Whether the company's statement about its directory still holds. */
  fresh(): Promise<boolean>;
  connect(): Engine;
  /** It cannot continue. */
  fail(e: unknown): void;
}

export class Opener {
  /** The conversation cannot be opened before. */
  readonly wait = signal<Wait | null>(null);
  pending: PendingConversation | null = null;
  private busy = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly h: OpenerHost) {}

  /** With the robot if there is one and nobody asked for a person. `fresh`: the server did not know its key. `without`: it was not let in before. */
  async announcement(id: string, fresh: boolean, without = false): Promise<Uint8Array> {
    const { h } = this;
    const person = without || h.personFirst.value || h.thread.value?.personAsked.value;
    const botX = person ? null : await h.bot.value!.key(fresh);
    return firstAnnouncement(h.backend, h.sync.directory, h.o.site, h.keys!, id, botX);
  }

  /** Begins a conversation with its first messages, all in one step; what is no text follows. False if another tab began one at this moment. */
  async begin(form: Body, text: Body | null): Promise<boolean> {
    const { h } = this;
    // a page that was open for weeks: by an old statement no new conversation begins
    if (!(await h.fresh())) {
      const over = new ClientError(
        clocks.value && h.sync.fresh(clocks.value.server) ? 'error.clock' : 'error.snapshot_expired',
      );
      h.fail(over);
      throw over;
    }
    const keys = await h.ownKeys();
    const nonce = random(16);
    const id = hex(conversationId(nonce, h.sync.directory.fp, h.o.site, keys.ed.pk, keys.x.pk));
    const mine: PendingConversation = {
      id,
      nonce,
      ann: await this.announcement(id, false),
      opened: false,
      form: hex(random(16)),
    };
    const engine = h.connect();
    const thread = await this.local(mine);
    await thread.outbox
      .first([[mine.form!, form], ...(text ? [[hex(random(16)), text] as const] : [])], async (kept) => {
        if ((await h.tabs.begin(mine, kept)).id !== id) return;
        this.pending = mine;
        h.thread.value = thread;
      })
      .finally(() => {
        // another tab was faster, or it can't be sealed: nothing of it stays
        if (this.pending?.id !== id) engine.forget(id);
      });
    if (this.pending?.id !== id) return false;
    thread.publish();
    // the welcome may have been before, and its try refused for the moment
    if (engine.link.online && !this.wait.value) void this.open();
    return true;
  }

  /** As this browser made it. */
  async local(pending: PendingConversation): Promise<Conversation> {
    const { h } = this;
    // the tab that began it may know a newer directory
    if (Envelope.parse(pending.ann)!.dirSeq > h.sync.directory.seq) await h.sync.refresh(h.deps.env.now());
    return applyLocal(h.engine!, h.backend, h.sync.directory, h.o.site, h.keys!, pending);
  }

  async show(): Promise<Conversation> {
    const thread = await this.local(this.pending!);
    this.h.thread.value = thread;
    thread.publish();
    return thread;
  }

  /** Requests it from the server. `again`: also if it has it, to get its present state. */
  async open(again = false): Promise<void> {
    const { h, pending } = this;
    const engine = h.engine!;
    if (!pending || (pending.opened && !again) || this.busy) return;
    this.busy = true;
    try {
      if (!engine.conversations.has(pending.id)) await this.show().catch(() => this.announceAgain());
      const { id, nonce, ann, form } = this.pending!;
      await engine.context.request({
        t: 'open',
        id,
        nonce: b64u(nonce),
        site: h.o.site,
        x: b64u(h.keys!.x.pk),
        ann: b64u(ann),
        form,
      });
      this.wait.value = null;
      await this.markOpened();
      engine.follow(id);
    } catch (e) {
      const thread = engine.conversations.get(pending.id);
      // it was opened before: another first epoch than the remembered one is no way back
      if (e instanceof Refused && thread && thread.log.memory.now.epoch >= 0 && !passes(e.code)) {
        return thread.end('error.conversation_gone');
      }
      if (
        e instanceof Refused &&
        (e.code === Code.epoch_stale || e.code === Code.directory_stale || e.code === Code.conflict)
      ) {
        await h.sync.refresh(h.deps.env.now()).catch(() => undefined);
        await this.announceAgain().catch(() => undefined);
      } else if (e instanceof Refused && !passes(e.code)) {
        // for good: another conversation may be begun, with what was written
        return thread?.end(e.code === Code.not_found ? 'error.site_unknown' : e.key);
      }
      const ms = retryDelay(e, RETRY_MS);
      this.wait.value = e instanceof Refused ? (e.wait ?? null) : null;
      // without a connection the next welcome opens it
      if (!h.over && engine.link.online) this.timer = setTimeout(() => this.openAgain(), ms);
    } finally {
      this.busy = false;
      // another took its place meanwhile
      if (this.pending && this.pending.id !== pending.id && engine.link.online) void this.open(true);
    }
  }

  /** The wait has ended; without a connection the next welcome opens it. */
  private openAgain(): void {
    this.wait.value = null;
    if (this.h.engine!.link.online) void this.open();
  }

  /** The team's key changed before the server had the first announcement. A robot that the first one left out stays out. */
  private async announceAgain(): Promise<void> {
    const pending = this.pending!;
    const without = Envelope.parse(pending.ann)?.flags === 0;
    const next = await this.h.tabs.change(pending, {
      ...pending,
      ann: await this.announcement(pending.id, true, without),
    });
    if (this.pending?.id !== pending.id) return;
    this.pending = next;
    await (await this.show()).outbox.reseal();
  }

  async markOpened(): Promise<void> {
    const { pending } = this;
    if (!pending || pending.opened) return;
    this.pending = { ...pending, opened: true };
    const now = await this.h.tabs.change(pending, this.pending);
    if (this.pending.id === pending.id) this.pending = now;
  }

  /** An answer of the server is awaited. */
  get opening(): boolean {
    return this.busy;
  }

  /** The page is done with it. */
  drop(): void {
    clearTimeout(this.timer);
    this.wait.value = null;
    this.pending = null;
  }
}
