/** One run: the server, the pages, what people really wrote, and what the server's partners can do. */
import type { BoxKey, SigningKey } from '../../src/crypto/backend';
import { cat, hex, random, unb64u, unhex, utf8 } from '../../src/crypto/bytes';
import { BoxKind } from '../../src/crypto/hash';
import { benchBackend as b } from './backend';
import { until } from './clock';
import { hashOf, kidOfSecret, Log, type Cast } from './company';
import { annHash, announcement, message, type Announcement, type Place } from './forge';
import type { Hooks, Who } from './hooks';
import { AgentPage, VisitorPage, type Look } from './pages';
import { HostileServer } from './server';
import type { Stored } from './store';
import { eventOf, renumber, wire, type Rec, type Wire } from './wire';

/** What an honest person really wrote. Every text occurs once. */
export interface Said {
  by: Who;
  kind: 'text' | 'note' | 'form';
  conv: string;
  /** Message id, once a page showed it as its own. */
  msg?: string;
}
export type Partner = 'robot' | 'qi' | 'mo' | 'mallory';

export class World {
  readonly server: HostileServer;
  readonly hooks: Hooks;
  visitor!: VisitorPage;
  readonly agents = new Map<Who, AgentPage>();
  /** Who answers the visitor now. */
  agent: AgentPage | null = null;
  readonly said = new Map<string, Said>();
  /** Texts that their writers took back. */
  readonly recalled = new Set<string>();
  /** Pages as they stood before each load and at the end. */
  readonly looks: Look[] = [];
  /** Keys of epochs that partners made themselves. */
  readonly made: { ek: Uint8Array; by: Partner }[] = [];
  /** Entry by which a person was dismissed. */
  readonly dismissed = new Map<Who, number>();
  /** Announcements of partners that these readers cannot tell from rightful ones; some only as history. */
  readonly rightful = new Map<string, { readers: readonly Who[]; live: boolean }>();
  /** Everything that a dismissed person ever wrote. */
  readonly byQi = new Set<string>();
  private words = 0;

  private constructor(
    readonly cast: Cast,
    readonly log: Log,
  ) {
    this.server = new HostileServer(cast, log);
    this.hooks = this.server.hooks;
  }

  static async of(cast: Cast): Promise<World> {
    return new World(cast, await Log.of(cast));
  }

  // ---- the conversation

  /** Of the honest visitor; '' before it begins. */
  get conv(): string {
    return this.stored?.id ?? '';
  }
  get stored(): Stored | undefined {
    return [...this.server.convs.values()].find((c) => !this.planted.has(c.id));
  }
  /** Conversations that an attack made up, or of other visitors. */
  readonly planted = new Set<string>();

  /** A text that was never used before. */
  word(what: string): string {
    return `${what} ${++this.words}-${hex(random(4))}`;
  }

  /** An honest person writes something; resolves when it is on their own screen as sent, or cannot be. */
  async say(by: Who, what: string, note = false): Promise<string> {
    const text = this.word(`${by}: ${what}`);
    const page = by === 'visitor' ? this.visitor : this.agents.get(by)!;
    const said: Said = { by, kind: note ? 'note' : 'text', conv: this.conv };
    this.said.set(text, said);
    const send =
      page instanceof VisitorPage
        ? page.client.send(text)
        : note
          ? page.client.note(this.conv, text)
          : page.client.send(this.conv, text);
    await Promise.race([send.catch(() => undefined), until(() => false, 2_000)]);
    await until(
      () => page.shows(this.conv, (m) => m.text === text && m.state !== 'queued') || page.alarmed(this.conv),
      4_000,
    );
    said.msg = page.messages(this.conv).find((m) => m.text === text)?.id;
    said.conv ||= this.conv;
    return text;
  }

  /** Waits until `who` is shown it. */
  async hears(who: Who, text: string): Promise<void> {
    const page = who === 'visitor' ? this.visitor : this.agents.get(who)!;
    await until(() => page.shows(this.conv, (m) => m.text === text || m.kind === 'broken'), 2_000);
  }

  async openAgent(user: 'li' | 'wu' | 'zhao'): Promise<AgentPage> {
    const page = await AgentPage.of(this.server, this.cast[user]);
    this.agents.set(user, page);
    await until(() => page.online || page.alarmed(''), 4_000);
    return page;
  }

  look(user: Who): void {
    const page = this.agents.get(user);
    if (page) this.looks.push(page.look(this.conv));
  }

  /** Their part has ended. */
  leave(user: Who): void {
    this.agents.get(user)?.close();
    this.agents.delete(user);
  }

  /** The same browser loads the page again. */
  async reload(which: 'visitor' | 'agent'): Promise<boolean> {
    const page = which === 'visitor' ? this.visitor : this.agent && this.agents.get(this.agent.who);
    if (!page) return false;
    this.looks.push(page.look(this.conv));
    page.close();
    page.start();
    if (page instanceof VisitorPage) await until(() => page.client.site.value !== null || page.alarmed(), 4_000);
    else await until(() => page.online || page.alarmed(''), 4_000);
    const { conv } = this;
    const shown = (): boolean =>
      (page instanceof VisitorPage ? page.client.thread.value : page.thread(conv))?.synced.value === true;
    if (conv) await until(() => shown() || page.alarmed(conv), 4_000);
    return true;
  }

  end(): void {
    const pages = [this.visitor, ...this.agents.values()].filter(Boolean);
    for (const p of pages) this.looks.push(p.look(this.conv));
    for (const p of pages) p.close();
  }

  // ---- what partners can do

  /** The key of an epoch, opened with a box key; null if it is not for them. */
  async open(w: Wire, key: BoxKey, kid: string): Promise<Uint8Array | null> {
    const box = w.boxes.find((x) => x.kid === kid);
    if (!box) return null;
    const info = cat(utf8('kefu/1 ek\0'), new Uint8Array([box.kind]), unhex(kid));
    return key.open({ enc: box.enc, ct: box.ct }, info, w.bytes.subarray(0, 141)).catch(() => null);
  }

  /** The key of the newest epoch that this team's secret opens. */
  async teamKey(team: string, epoch: number, at = this.stored!.announcement()): Promise<Uint8Array | null> {
    const secret = this.log.teamSecret(team, epoch);
    return at && this.open(at, await b.boxKey(secret), await kidOfSecret(secret));
  }

  epochOf(n: number): Wire | null {
    return this.stored?.wires().find((w) => w.kind === 2 && w.epoch === n) ?? null;
  }

  /** The hash by which the next writer would name the last message. */
  lastHash(): string {
    return this.stored!.wires()
      .filter((w) => w.kind === 1 || w.kind === 2)
      .at(-1)!.hash;
  }

  /** An announcement that would follow the last; `over` makes it wrong. The key is known to `by`. */
  async announce(
    by: SigningKey,
    who: Partner,
    over: Partial<Announcement> & { team?: string } = {},
  ): Promise<Uint8Array> {
    const last = this.stored!.announcement()!;
    const ek = random(32);
    this.made.push({ ek, by: who });
    const { pk } = await b.boxKey(this.log.teamSecret(over.team ?? 'svc'));
    const dirSeq = over.dirSeq ?? this.log.entries.length - 1;
    const boxes = [
      { kind: BoxKind.team, pk },
      { kind: BoxKind.visitor, pk: unb64u(this.stored!.conv.x) },
    ];
    return announcement(by, {
      conv: this.conv,
      epoch: last.epoch + 1,
      prev: annHash(last.bytes),
      dirSeq,
      dirHead: hashOf(this.log.entries[dirSeq]!),
      boxes,
      ek,
      ...over,
    });
  }

  /** A text by a partner, in the current epoch unless another is named. */
  async partnerSays(
    by: SigningKey,
    ek: Uint8Array,
    what: string,
    over: Partial<Place> = {},
    body: Record<string, unknown> = {},
  ): Promise<{ text: string; bytes: Uint8Array }> {
    const text = this.word(what);
    if (by === this.cast.qi.ed) this.byQi.add(text);
    const place = {
      conv: this.conv,
      epoch: this.stored!.conv.epoch,
      prev: this.lastHash(),
      inst: 0x71000000 + this.words,
      ...over,
    };
    return { text, bytes: await message(by, place, ek, { t: 'text', text, ...body }) };
  }

  /** The robot speaks as long as it may. It is on the server, which holds its key. */
  async robotSays(what: string): Promise<string> {
    const first = this.epochOf(0);
    const ek =
      first && (await this.open(first, this.cast.day, first.boxes.find((x) => x.kind === BoxKind.bot)?.kid ?? ''));
    if (!ek) return '';
    const { text, bytes } = await this.partnerSays(this.cast.robot, ek, `robot: ${what}`, { epoch: 0 });
    this.said.set(text, { by: 'robot', kind: 'text', conv: this.conv });
    this.server.append(this.conv, bytes);
    return text;
  }

  /** Shows `who` these bodies as if they stood here: after all that is in the log now. */
  insert(attack: string, who: Who, ...bodies: Uint8Array[]): void {
    const at = this.stored!.records.length;
    const now = Date.now();
    const put = bodies.map((body) => ({ seq: 0, at: now, body }));
    this.hooks.records(attack, who, (list, conv) =>
      conv === this.conv && list.length >= at ? renumber([...list.slice(0, at), ...put, ...list.slice(at)]) : list,
    );
    this.server.flush();
  }

  /** Leaves out what fits, for `who`. */
  drop(attack: string, who: Who, fits: (w: Wire | null, r: Rec) => boolean): void {
    this.hooks.records(attack, who, (list, conv) => {
      if (conv !== this.conv) return list;
      const left = list.filter((r) => !fits(wire(r.body), r));
      return left.length === list.length ? list : renumber(left);
    });
  }

  /** Shows `who` something else in the place of what fits. */
  replace(attack: string, who: Who, change: (w: Wire | null, r: Rec) => Uint8Array | null): void {
    this.hooks.records(attack, who, (list, conv) => {
      if (conv !== this.conv) return list;
      const out = list.map((r) => {
        const body = change(wire(r.body), r);
        return body ? { ...r, body } : r;
      });
      return out.some((r, i) => r !== list[i]) ? out : list;
    });
  }

  /** Messages of the log, by who wrote them. */
  messagesOf(sender: string): Wire[] {
    return this.stored!.wires().filter((w) => w.kind === 1 && w.sender === sender);
  }
  get visitorKid(): string {
    return this.epochOf(0)!.sender;
  }
  ownerEvents(): Record<string, unknown>[] {
    return this.stored!.records.map((r) => eventOf(r.body)).filter(
      (e): e is Record<string, unknown> => e?.t === 'owner',
    );
  }
}
