/** What a signed-in agent sees and does: the lists, the dispatch of frames, and the acts on a conversation. No keys here. */
import type { Http } from '../link/http';
import {
  ClientError,
  type AgentState,
  type Dropped,
  type HistoryFilter,
  type HistoryPage,
  type IntentFeedback,
  type Picked,
  type SiteKnowledge,
  type Tab,
} from '../model';
import { hex } from '../crypto/bytes';
import { envelopeHash } from '../crypto/hash';
import {
  RECALL_MS,
  type Block,
  type BlockReason,
  type Conv,
  type Label,
  type MissedCount,
  type Priority,
  type Request,
  type ServerFrame,
  type SiteReply,
  type Welcome,
} from '../proto';
import type { Body } from '../crypto/envelope';
import type { ReadonlySignal } from '../signals';
import { asClientError, type AgentDeps } from './agent-session';
import { AgentSignals } from './agent-signals';
import type { Conversation } from './conversation';
import type { Documents } from './documents';
import type { Drafts } from './drafts';
import { examplesIn, type Example } from './intent-feedback';
import type { Engine } from './engine';
import { ConvList } from './list';
import { maxFileOf } from './site';
import type { KnowledgeCache } from './knowledge-cache';
import { noteBefore, transfer } from './transfer';
import { PreviewQueue } from './preview-queue';
import { ReadQueue } from './read-queue';

const PAGE = 50;
/** Conversations of the lists that are followed, so that unread counts and previews are right: as many as an agent can have. */
const FOLLOWED = 1_000;

export abstract class AgentDesk extends AgentSignals {
  protected readonly list = new ConvList(
    () => this.me.value,
    (id) => this.engine?.conversations.get(id),
    (user) => this.engine?.context.directory().nameOf(user) ?? user,
  );
  /** Timeline on screen, of conversations that are followed only for that. */
  private readonly previews = new PreviewQueue((id, on) => this.readLine(id, on));
  /** Own conversations and the queue, after each sign-in. */
  private readonly toRead = new ReadQueue((id) => this.readListed(id));
  readonly conversations = this.list.items;
  /** Null unless signed in. */
  protected engine: Engine | null = null;
  /** What is kept beside conversations; null unless signed in. */
  documents: Documents | null = null;
  drafts: Drafts | null = null;
  /** Conversations on screen. */
  private readonly shown = new Set<string>();
  /** Largest files of sites, as the server named them. */
  private readonly maxFiles = new Map<string, number>();
  /** Conversations that this page hands on just now. */
  private readonly handing = new Set<string>();
  /** How often the password was set, when this page last heard of it; null: it does not know, or changes it itself. */
  protected passwordSet: number | null = null;
  /** Where the next page begins. */
  private cursor: Partial<Record<Tab, string>> = {};

  protected abstract readonly http: Http;
  protected abstract readonly knowledgeCache: KnowledgeCache;

  constructor(protected readonly deps: AgentDeps) {
    super();
  }

  /** The keys and the directory may be old by now. */
  protected abstract cameOnline(): void;

  /** Nothing of the one who leaves stays. */
  protected clearDesk(): void {
    this.me.value = null;
    this.offers.value = [];
    this.agents.value = [];
    this.storageIs('ok');
    this.shown.clear();
    this.handing.clear();
    this.previews.clear();
    this.toRead.clear();
    this.passwordSet = null;
    this.cursor = {};
    this.maxFiles.clear();
    this.countMissed([], true, this.deps.env.now());
    this.knowledgeCache.clear();
    this.list.clear();
  }

  // ---- from the server

  protected welcomed(w: Welcome): void {
    const now = new Set(w.convs.map((c) => c.id));
    const teams = Array.isArray(w.config.teams) ? (w.config.teams as string[]) : this.me.value?.teams;
    for (const { id, conv, tabs } of this.conversations.value) {
      if (teams && !teams.includes(conv.team)) this.drop(id, 'team');
      // someone else has it, or it has ended, since this page was offline; for one on screen the server sends its present state
      else if (w.config.more !== true && (tabs.mine || tabs.queue) && !now.has(id) && !this.shown.has(id))
        this.drop(id, 'elsewhere');
    }
    this.readRights(w);
    for (const c of w.convs) this.list.put(c);
    this.stateIs(w.config.status);
    // what is listed beyond these may be old: it is asked for again, from the first page
    this.cursor = {};
    this.storageIs(w.storage);
    this.labelsAre(w.config.labels);
    this.more.value = { mine: w.config.more === true, queue: w.config.more === true, missed: false, all: true };
    this.readMissed(w);
    this.cameOnline();
    let followed = 0;
    for (const c of [...w.convs].sort((a, b) => b.last_at - a.last_at)) {
      const tabs = this.list.tabsOf(c);
      if ((tabs.mine || tabs.queue) && followed++ < FOLLOWED) this.toRead.add(c.id);
    }
  }

  /** Changes that will also be in the directory, so that it is fetched now; and whether the password was changed elsewhere. */
  private readRights({ config }: Welcome): void {
    const { me } = this;
    const mine = me.value?.teams ?? [];
    const said = Array.isArray(config.teams) ? (config.teams as string[]) : mine;
    const other = said.length !== mine.length || said.some((team) => !mine.includes(team));
    if (other || (config.role !== undefined && config.role !== me.value?.role))
      void this.engine!.context.refreshDirectory().catch(() => undefined);
    const set = typeof config.password === 'number' ? config.password : null;
    if (set !== null && this.passwordSet !== null && set > this.passwordSet) this.notice('error', 'notice.password');
    this.passwordSet = set;
  }

  /** This agent's teams changed in the directory: what they may no longer see is removed at once. */
  protected teamsChanged(teams: readonly string[]): void {
    for (const { id, conv } of this.conversations.value) if (!teams.includes(conv.team)) this.drop(id, 'team');
    this.list.changed();
  }

  /** It is not theirs to see or to answer any more: it goes, and what they had not sent is given back. */
  private drop(id: string, why: Dropped['why']): void {
    this.giveBack(id, why);
    this.list.remove(id);
    this.dropOffer(id);
    this.shown.delete(id);
    this.handing.delete(id);
    this.engine!.forget(id);
  }

  /** `conv`: one of the list. */
  protected giveBack(id: string, why: Dropped['why']): void {
    const c = this.list.get(id);
    if (!c) return;
    const queue = this.engine?.conversations.get(id)?.outbox;
    // all that was not acknowledged goes back to its writer; nothing of it is sent from here on
    const texts = queue ? [...queue.items].flatMap((o) => (o.body ? queue.takeOut(o) : [])) : [];
    const name = this.conversations.value.find((item) => item.id === id)?.name ?? '';
    const team = this.teams.value.find((t) => t.id === c.team)?.name ?? c.team;
    this.dropped.value = [...this.dropped.value, { conv: id, name, why, team, texts }];
  }

  /** Missed conversations now; those that this page still marks may have been handled while it was offline. */
  private readMissed(w: Welcome): void {
    for (const { conv, tabs } of this.conversations.value) if (tabs.missed) this.known({ ...conv, missed: undefined });
    this.countMissed(
      Array.isArray(w.config.missed) ? (w.config.missed as MissedCount[]) : [],
      true,
      this.deps.env.now(),
    );
    if (!this.missed.value.count) return;
    this.more.value = { ...this.more.value, missed: true };
    // who opens the tab finds them there; without an answer the page offers to load them
    void this.loadMore('missed').catch(() => undefined);
  }

  /** A conversation as it is now, in the list and, if it is open here, on screen. */
  private known(c: Conv): void {
    this.engine!.conversations.get(c.id)?.update(c);
    this.list.put(c);
  }

  private followQuietly(c: Conv): void {
    this.engine!.conversation(c.id, c);
    this.engine!.follow(c.id);
  }

  protected convChanged(c: Conv): void {
    this.list.put(c);
    const tabs = this.list.tabsOf(c);
    if (tabs.mine || tabs.queue) this.followQuietly(c);
    else if (!this.shown.has(c.id) && !this.previews.has(c.id)) {
      if (this.engine!.conversations.get(c.id)?.outbox.items.length) this.giveBack(c.id, 'elsewhere');
      this.engine!.forget(c.id);
    }
    if (c.owner !== 'queue') this.dropOffer(c.id);
  }

  protected heard(f: ServerFrame): void {
    switch (f.t) {
      case 'gone':
        this.drop(
          f.conv,
          this.handing.has(f.conv)
            ? 'handed'
            : this.me.value?.teams.includes(this.list.get(f.conv)?.team ?? '')
              ? 'elsewhere'
              : 'team',
        );
        return;
      case 'offer':
        if (f.auto) void this.accept(f.conv).catch(() => undefined);
        else this.addOffer({ conv: f.conv, until: f.until - this.engine!.link.now() + this.deps.env.now() });
        return;
      case 'offer_gone':
        if (f.why === 'late' && this.offers.value.some((o) => o.conv === f.conv))
          this.notice('info', 'notice.offer_missed');
        this.dropOffer(f.conv);
        return;
      case 'storage':
        this.storageIs(f.state);
        return;
      case 'labels':
        this.labelsAre(f);
        return;
      case 'missed':
        this.countMissed([f], false, this.deps.env.now());
        return;
      case 'status':
        this.stateIs(f.state);
        if (f.why === 'missed') this.notice('info', 'notice.made_busy');
        return;
      case 'agents':
        this.agents.value = f.list;
        return;
      case 'mention': {
        const name = this.engine!.context.directory().nameOf(f.by) ?? f.by;
        const conv = this.conversations.value.find((item) => item.id === f.conv);
        this.notice('info', 'notice.mention', { name, visitor: conv?.name || f.conv.slice(0, 4) });
        return;
      }
      case 'documents':
        this.documents?.announced(f.kind);
        return;
      default:
        // an error that names no request and no envelope answers `typing` or `seen`: nothing a person could do about it
        return;
    }
  }

  // ---- conversations

  private thread(id: string): Conversation {
    if (!this.engine) throw new ClientError('error.unauthorised');
    return this.engine.conversation(id, this.list.get(id) ?? null);
  }

  open(conv: string): Conversation {
    const t = this.thread(conv);
    this.shown.add(conv);
    this.engine!.follow(conv);
    if (!t.synced.peek()) this.toRead.after(this.wasRead(t));
    return t;
  }

  /** Settles when it is read, or will not be for the moment. */
  private wasRead(t: Conversation): Promise<void> {
    return t.until(() => t.synced.value || !!t.ended || !this.engine?.link.online).catch(() => undefined);
  }

  have(conv: string): number {
    return this.engine?.conversations.get(conv)?.have ?? 0;
  }

  leave(conv: string): void {
    this.shown.delete(conv);
    const c = this.list.get(conv);
    const tabs = c && this.list.tabsOf(c);
    // a note that is on its way goes first
    const waits = this.engine?.conversations.get(conv)?.outbox.items.some((o) => !o.error);
    if (tabs && !tabs.mine && !tabs.queue && !waits && !this.previews.has(conv)) this.engine?.forget(conv);
  }

  /** It was read for something else than a look at it. */
  protected leaveUnseen(conv: string): void {
    if (!this.shown.has(conv)) this.leave(conv);
  }

  watch(conv: string): void {
    this.previews.add(conv);
  }

  unwatch(conv: string): void {
    this.previews.remove(conv);
  }

  /** The thread of a line on screen, if it is read anyway. */
  peek(conv: string): Conversation | null {
    const t = this.engine?.conversations.get(conv);
    if (!t) return null;
    this.shown.add(conv);
    return t;
  }

  /** Follows one of the lists. Resolves when it has been read. */
  private async readListed(id: string): Promise<void> {
    const c = this.list.get(id);
    const tabs = c && this.list.tabsOf(c);
    if (!c || !this.engine || !(tabs!.mine || tabs!.queue)) return;
    this.followQuietly(c);
    await this.wasRead(this.thread(id));
  }

  /** Follows what a line shows, or no more. Resolves when it has been read. */
  private async readLine(id: string, on: boolean): Promise<void> {
    const c = this.list.get(id);
    if (!c || !this.engine) return;
    const tabs = this.list.tabsOf(c);
    if (tabs.mine || tabs.queue || this.shown.has(id)) return;
    if (!on) return this.leave(id);
    this.followQuietly(c);
    const t = this.thread(id);
    await t.until(() => t.synced.value).catch(() => undefined);
    this.list.changed();
  }

  send(conv: string, text: string, re?: string): Promise<void> {
    return this.thread(conv).send({ t: 'text', ts: this.deps.env.now(), text, re });
  }

  async edit(conv: string, id: string, text: string): Promise<void> {
    const t = this.thread(conv);
    const e = t.log.lines.find(id);
    const late = !e || this.engine!.context.now() - e.at >= RECALL_MS;
    if (late || e.kind !== 'message' || !e.env) throw new ClientError('error.too_late');
    const edit = { msg: id, hash: hex(envelopeHash(e.env.bytes)) };
    const re = e.body?.t === 'text' ? e.body.re : undefined;
    await t.send({ t: 'text', ts: this.deps.env.now(), text, re, edit });
  }

  sendFile(conv: string, file: Picked, progress: (share: number) => void, signal?: AbortSignal): Promise<void> {
    return this.thread(conv).sendFile(file, progress, signal);
  }

  async maxFile(site: string): Promise<number> {
    let known = this.maxFiles.get(site);
    if (known === undefined) {
      known = maxFileOf(await this.http.get<SiteReply>(`/site/${encodeURIComponent(site)}`));
      this.maxFiles.set(site, known);
    }
    return known;
  }

  async note(conv: string, text: string, fix?: IntentFeedback, at: readonly string[] = []): Promise<void> {
    const users = [...at];
    await this.thread(conv).send(
      { t: 'note', ts: this.deps.env.now(), text, fix, ...(at.length && { at: users }) },
      true,
    );
    // the note is what counts; who hears of it later finds it
    if (at.length) void this.request({ t: 'mention', conv, users }).catch(() => undefined);
  }
  readonly retry = (conv: string, id: string): void => this.thread(conv).outbox.retry(id);
  readonly takeBack = (conv: string, id: string): string => this.thread(conv).outbox.takeBack(id);
  async recall(conv: string, id: string): Promise<void> {
    const t = this.thread(conv);
    // its later texts go with it, and first
    for (const e of t.log.lines.find(id)?.edits ?? []) await t.recall(e.msg);
    await t.recall(id);
  }
  // a closing page sends these, too, for conversations that may be gone
  readonly typing = (conv: string, on: boolean): void => this.engine?.conversations.get(conv)?.typingNow(on);
  readonly markRead = (conv: string): void => this.engine?.conversations.get(conv)?.markRead();

  knowledge(site: string): ReadonlySignal<SiteKnowledge> {
    return this.knowledgeCache.of(site);
  }

  private request(r: Request): Promise<void> {
    return this.engine ? this.engine.context.request(r) : Promise.reject(new ClientError('error.unauthorised'));
  }

  accept(conv: string): Promise<void> {
    this.dropOffer(conv);
    return this.request({ t: 'accept', conv });
  }
  decline(conv: string): Promise<void> {
    this.dropOffer(conv);
    return this.request({ t: 'decline', conv });
  }
  readonly take = (conv: string): Promise<void> => this.request({ t: 'take', conv });
  readonly close = (conv: string, reason?: string): Promise<void> => this.request({ t: 'close', conv, reason });
  readonly tag = (conv: string, add: readonly string[], remove: readonly string[]): Promise<void> =>
    this.request({ t: 'tag', conv, add: [...add], remove: [...remove] });
  readonly setPriority = (conv: string, priority: Priority): Promise<void> =>
    this.request({ t: 'priority', conv, priority });
  readonly snooze = (conv: string, until: number | null): Promise<void> =>
    this.request({ t: 'snooze', conv, until: until ?? undefined });
  readonly block = (conv: string, until: number | null, reason?: BlockReason): Promise<void> =>
    this.request({ t: 'block', conv, until: until ?? undefined, reason });
  readonly defineLabel = (kind: 'tag' | 'reason', label: Label): Promise<void> =>
    this.request({ t: 'label', kind, label });
  readonly reopen = (conv: string): Promise<void> => this.request({ t: 'reopen', conv });
  readonly dismissMissed = (conv: string): Promise<void> => this.request({ t: 'dismiss', conv });

  async transfer(conv: string, to: { agent: string } | { team: string }, reason = ''): Promise<void> {
    const move = async (): Promise<void> => {
      if ('team' in to) this.handing.add(conv);
      await this.request({ t: 'transfer', conv, ...to }).catch((e: unknown) => {
        this.handing.delete(conv);
        throw e;
      });
    };
    const t = this.thread(conv);
    const here = this.list.get(conv)?.team;
    this.engine!.follow(conv);
    // before the epoch is another team's, in which this agent may write nothing
    const note: Body = { t: 'note', ts: this.deps.env.now(), text: reason, for: 'transfer' };
    if (reason)
      await noteBefore(t, note, 'team' in to && to.team !== here ? to.team : undefined).catch((e: unknown) =>
        Promise.reject(asClientError(e)),
      );
    // a transfer that was announced and never came about has left the epoch elsewhere
    if (!('team' in to) || (to.team === here && (t.log.epochs.current?.team ?? here) === here)) return move();
    await transfer(this.engine!.context, t, to.team, move).catch((e: unknown) => Promise.reject(asClientError(e)));
  }

  async status(state: AgentState): Promise<void> {
    await this.request({ t: 'status', state });
    this.stateIs(state);
  }

  /** This agent's state, as the server stores it; nobody is online before they choose to be. */
  private stateIs(state: unknown): void {
    const known = state === 'online' || state === 'busy' ? state : 'offline';
    if (this.me.value && this.me.value.state !== known) this.me.value = { ...this.me.value, state: known };
  }

  async loadMore(tab: Tab): Promise<void> {
    if (!this.engine) return;
    const before = this.cursor[tab];
    const query = `tab=${tab}&limit=${PAGE}${before === undefined ? '' : `&before=${before}`}`;
    const reply = await this.page(query);
    this.cursor[tab] = reply.next ?? this.cursor[tab];
    this.more.value = { ...this.more.value, [tab]: reply.more };
  }

  /** A page of a list; its conversations are known from here on. */
  private async page(query: string): Promise<{ convs: Conv[]; more: boolean; next?: string }> {
    if (!this.engine) throw new ClientError('error.unauthorised');
    const reply = await this.http.get<{ convs: Conv[]; more: boolean; next?: string }>(
      `/conversations?${query}`,
      this.engine.link.token(),
    );
    for (const c of reply.convs) {
      const here = this.list.get(c.id);
      if (!here) this.list.put(c);
      // whatever makes one missed, or ends that, leaves a record: an older answer has a lower number
      else if (c.last >= here.last) this.known(c);
    }
    return reply;
  }

  async history(filter: HistoryFilter, before?: string): Promise<HistoryPage> {
    const query = new URLSearchParams({ tab: 'all', limit: String(PAGE) });
    for (const [name, value] of Object.entries({ ...filter, before }))
      if (value !== undefined) query.set(name, String(value));
    const { convs, more, next } = await this.page(query.toString());
    return { convs, ...(more && { next }) };
  }

  protected token(): string {
    if (!this.engine) throw new ClientError('error.unauthorised');
    return this.engine.link.token();
  }

  async blocks(): Promise<readonly Block[]> {
    return (await this.http.get<{ blocks: Block[] }>('/blocks', this.token())).blocks;
  }

  async find(conv: string): Promise<boolean> {
    if (this.list.get(conv)) return true;
    if (!/^[0-9a-f]{32}$/.test(conv)) return false;
    try {
      const found = await this.http.get<{ conv: Conv }>(`/conversations/${conv}`, this.token());
      if (!this.list.get(conv)) this.list.put(found.conv);
      return true;
    } catch (e) {
      if (e instanceof ClientError && e.key === 'error.not_found') return false;
      throw e;
    }
  }

  async others(conv: string): Promise<readonly Conv[]> {
    const { convs } = await this.http.get<{ convs: Conv[] }>(`/conversations/${conv}/others`, this.token());
    for (const c of convs) if (!this.list.get(c.id)) this.list.put(c);
    return convs;
  }

  async intentFeedback(): Promise<Example[]> {
    const { engine } = this;
    if (!engine) throw new ClientError('error.unauthorised');
    do await this.loadMore('all');
    while (this.more.value.all);
    const out: Example[] = [];
    for (const { id } of this.conversations.value) {
      const known = engine.conversations.has(id);
      const t = this.thread(id);
      engine.follow(id);
      await t.until(() => t.synced.value);
      out.push(...examplesIn(t.messages.value));
      if (!known && !this.shown.has(id)) engine.forget(id);
    }
    return out;
  }
}
