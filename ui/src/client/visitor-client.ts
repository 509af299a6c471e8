/** The visitor's client as pages know it: what they show, and what a visitor does. How it comes about is in `visitor-session.ts`. */
import type { Body } from '../crypto/envelope';
import { hex, random } from '../crypto/bytes';
import { createHttp } from '../link/http';
import {
  ClientError,
  type Picked,
  type Thread,
  type VisitorClient,
  type VisitorOptions,
  type VouchFor,
} from '../model';
import { makePart } from '../part';
import { computed, signal, when } from '../signals';
import type { Deps } from './engine';
import { watchPresence } from './presence';
import type { Introduction } from './introduction';
import { pageNow } from './page-now';
import { VisitorSession } from './visitor-session';

const devicesPart = makePart(() => import('./devices'));

/** For the first message, while other tabs begin conversations, too. */
const MAX_TRIES = 2;

/** Its person may leave it so for ever. */
const isPaused = (thread: Thread, id: string): boolean => thread.files.upload(id)?.value.state === 'paused';

export class Visitor implements VisitorClient {
  private readonly session = new VisitorSession(this.o, this.deps);
  readonly connection = this.session.connection;
  readonly trust = this.session.trust;
  readonly site = this.session.site;
  readonly presence = this.session.presence;
  readonly opens = this.session.opens;
  readonly thread = this.session.thread;
  readonly queue = this.session.queue;
  readonly earlier = this.session.earlier;
  readonly ahead = signal(0);
  readonly other = computed(() => this.session.second.value?.thread.value ?? null);
  readonly unread = computed(() => (this.thread.value?.unread.value ?? 0) + (this.other.value?.unread.value ?? 0));
  readonly robot = computed(() => {
    const thread = this.thread.value;
    const conv = thread?.conv.value;
    if (conv) return conv.owner === 'robot' && !thread!.personAsked.value && !thread!.blocked.value;
    return !this.session.personFirst.value && (this.session.bot.value?.available.value ?? false);
  });
  readonly hasRobot = computed(() => this.session.bot.value?.available.value ?? false);
  readonly robotRefused = computed(() => this.session.bot.value?.refused.value ?? false);
  readonly personAsked = computed(() => {
    const thread = this.thread.value;
    return thread ? thread.personAsked.value && thread.conv.value?.owner === 'robot' : this.session.personFirst.value;
  });
  readonly wait = computed(() => this.session.opener.wait.value ?? this.thread.value?.wait.value ?? null);
  readonly needsForm = computed(
    () => !this.thread.value && !this.session.formGiven.value && (this.site.value?.form.length ?? 0) > 0,
  );
  /** Names the end that is wanted; null: none is. */
  private readonly ending = signal<object | null>(null);
  readonly closing = computed(() => this.ending.value !== null);
  private fields: Record<string, string> = {};
  private sending: Promise<void> = Promise.resolve();

  constructor(
    private readonly o: VisitorOptions,
    private readonly deps: Deps,
  ) {}

  start(fields: Record<string, string>): void {
    this.fields = fields;
    this.session.formGiven.value = true;
  }

  send(text: string): Promise<void> {
    return this.inTurn(() => this.sendNow({ t: 'text', ts: this.deps.env.now(), text }));
  }

  sendFile(file: Picked, progress: (share: number) => void, signal?: AbortSignal): Promise<void> {
    // texts do not wait until it is sealed
    return this.inTurn(() => this.sendNow(null)).then(() => {
      const thread = this.thread.value;
      if (!thread) throw new ClientError('error.conflict', 'left meanwhile');
      return thread.sendFile(file, progress, signal);
    });
  }

  /** `written`: by the visitor, who then does not want to end. */
  private inTurn(fn: () => Promise<void>, written = true): Promise<void> {
    if (written) this.keepOpen();
    const done = this.sending.then(fn);
    this.sending = done.catch(() => undefined);
    return done;
  }

  /** Null: only sees to it that there is a conversation. */
  private async sendNow(body: Body | null): Promise<void> {
    await this.session.loading;
    const reason = this.trust.value;
    if (reason.mode === 'broken') throw new ClientError(reason.reason ?? 'error.directory');
    await this.session.look();
    if (!(await this.introduce(body))) return;
    for (let tries = 0; !this.thread.value; tries++) {
      // another tab began one that this one can't join
      if (tries === MAX_TRIES) throw new ClientError('error.conflict');
      const mode = this.o.org === undefined ? 'unpinned' : 'pinned';
      const form: Body = {
        t: 'form',
        ts: this.deps.env.now(),
        fields: this.fields,
        page: pageNow(),
        lang: this.o.lang,
        mode,
        after: this.session.predecessor.id,
      };
      const news = await this.session.introduction.news(null, true);
      if (await this.session.opener.begin({ ...form, ...news?.fields }, body)) {
        news?.told(this.session.opener.pending!.id);
        this.session.predecessor.clear();
        return;
      }
      await this.session.look();
    }
    if (body) await this.thread.value.send(body);
  }

  /** Tells the conversation what is new about its visitor. False: `body` is somebody else's, and is not sent. */
  private async introduce(body: Body | null, written = true): Promise<boolean> {
    const { session } = this;
    const thread = session.thread.value;
    const news = await session.introduction.news(thread?.id ?? null, written);
    if (news?.otherPerson) {
      this.o.otherPerson?.(body?.t === 'text' ? body.text : null);
      return false;
    }
    if (thread && news && session.thread.value === thread) {
      await thread.send({ t: 'form', ts: this.deps.env.now(), fields: {}, update: true, ...news.fields });
      news.told(thread.id);
    }
    return true;
  }

  setUser(user: VouchFor | string | null): void {
    this.introduceNow((i) => i.setUser(user));
    void this.inTurn(async () => this.session.readEarlier(), false);
  }

  setAttributes(attributes: Record<string, string | number | boolean>): void {
    this.introduceNow((i) => i.setAttributes(attributes));
  }

  /** In a conversation that goes on and has words of this visitor; any other is told when they write. */
  private introduceNow(change: (introduction: Introduction) => void): void {
    void this.inTurn(async () => {
      await this.session.loading;
      change(this.session.introduction);
      const thread = this.thread.value;
      const goesOn =
        thread?.conv.value?.state === 'open' && thread.messages.value.some((m) => m.mine && m.kind === 'text');
      if (goesOn) await this.introduce(null, false);
    }, false).catch((e: unknown) => console.error('kefu:', e));
  }

  async handOver(): Promise<string> {
    const { handOver } = await devicesPart.fetch();
    const shown = [this.thread.value, this.session.second.value?.thread.value].flatMap((t) => t ?? []);
    return handOver(this.session.earlierHost, this.session.engine!, shown);
  }

  async takeOver(secret: string): Promise<void> {
    await this.session.loading;
    const { takeOver } = await devicesPart.fetch();
    await this.session.ownKeys();
    this.session.connect();
    await when(() => (this.connection.value.state === 'online' ? true : null));
    const newest = await takeOver(this.session.earlierHost, secret);
    // agents find the way back from the next one
    if (newest && !this.thread.value) this.session.predecessor.set(newest, false);
    this.session.readEarlier();
  }

  async forget(): Promise<void> {
    this.keepOpen();
    await this.session.forget();
  }

  requestPerson(): void {
    const thread = this.thread.value;
    if (thread) thread.requestPerson();
    else this.session.personFirst.value = true;
  }

  /** The robot is to be had again, in a conversation of its own: this one stays where it waits. */
  askRobot(): void {
    const thread = this.thread.value;
    if (!thread || !this.session.opener.pending?.opened || !this.session.bot.value?.available.value) return;
    this.swap();
    this.session.predecessor.set(thread.id, false);
    // answers that were given to people alone stay with them
    this.fields = (thread.log.epochs.get(0)?.bot && thread.messages.value.find((m) => m.form)?.form?.fields) || {};
    this.session.formGiven.value = true;
    this.session.personFirst.value = false;
  }

  swap(): void {
    if (this.session.opener.opening) return;
    const { shown, kept } = this.session.second.value!.exchange({
      thread: this.thread.value,
      pending: this.session.opener.pending,
    });
    const { thread, pending } = shown;
    this.session.opener.drop();
    this.session.opener.pending = pending;
    this.thread.value = thread;
    this.queue.value = (thread?.conv.value?.owner === 'queue' && this.session.places.get(thread.id)) || null;
    this.session.tabs.show(pending, kept);
    if (pending && !pending.opened && this.session.engine?.link.online) void this.session.opener.open();
  }

  retry(id: string): void {
    this.thread.value?.outbox.retry(id);
  }
  drop(id: string): void {
    this.thread.value?.outbox.takeBack(id);
  }
  async recall(id: string): Promise<void> {
    await this.thread.value?.recall(id);
  }
  typing(on: boolean): void {
    this.thread.value?.typingNow(on);
  }
  markRead(): void {
    this.thread.value?.markRead();
  }
  async rate(stars: number, words: string): Promise<void> {
    const thread = this.thread.value;
    if (!thread) return;
    const msg = words ? hex(random(16)) : undefined;
    await this.session.engine!.context.request({ t: 'rate', conv: thread.id, stars, msg });
    if (msg) await thread.outbox.addAs(msg, { t: 'text', ts: this.deps.env.now(), text: words });
  }

  /** After what was written before: a message that came later would open it again. */
  async close(): Promise<void> {
    const thread = this.thread.value;
    if (!thread) return;
    const wanted = (this.ending.value = {});
    try {
      // what was written a moment ago is not in the thread yet
      await this.sending;
      while (await this.mayEnd(thread, wanted)) {
        try {
          return await this.session.engine!.context.request({ t: 'close', conv: thread.id });
        } catch (e) {
          // no answer came: once there is a connection, it is asked for again
          if (!(e instanceof ClientError) || e.key !== 'error.network') throw e;
        }
      }
    } finally {
      if (this.ending.value === wanted) this.keepOpen();
    }
  }

  /** True as soon as the server can be asked to end it, false as soon as there is nothing more to end. */
  private mayEnd(thread: Thread, wanted: object): Promise<boolean> {
    return when(() => {
      if (this.ending.value !== wanted || this.thread.value !== thread || thread.conv.value?.state !== 'open')
        return false;
      const waits = thread.messages.value.some((m) => m.state === 'queued' && !isPaused(thread, m.id));
      return this.connection.value.state === 'online' && !waits ? true : null;
    });
  }

  keepOpen(): void {
    this.ending.value = null;
  }
  startOver(): void {
    const thread = this.thread.value;
    if (!thread) return;
    const { id } = thread;
    // one that the server calls full continues in the next like one that was lost
    const lost = thread.ended !== null || thread.outbox.full;
    this.session.hide();
    // a server that hid a conversation with people gains no robot by it
    this.session.personFirst.value = lost && (thread.log.epochs.robotLeft || thread.log.memory.now.left);
    if (lost) this.session.predecessor.set(id, this.session.personFirst.value);
    else this.session.predecessor.clear();
    this.session.tabs.leave(id);
  }

  watch(): () => void {
    return watchPresence({
      http: createHttp(this.o.server, this.deps.env),
      site: this.o.site,
      // before the site has been fetched there is nothing to report
      told: () => !this.site.value || (this.session.engine?.link.online ?? false),
      say: (state, waiting, opens) => {
        this.presence.value = state;
        this.opens.value = opens;
        this.ahead.value = waiting;
      },
    });
  }
  reconnect(): void {
    this.session.reconnect();
  }
  dispose(): void {
    this.keepOpen();
    this.session.dispose();
  }
}
