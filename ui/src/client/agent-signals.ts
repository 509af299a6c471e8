/** What the console shows besides conversations, as signals. No rules, no keys, no network. */
import { hex, sized } from '../crypto/bytes';
import type { Directory } from '../crypto/directory';
import { kidOf } from '../crypto/hash';
import type {
  AgentInfo,
  AgentState,
  Dropped,
  Label,
  Me,
  Notice,
  Offer,
  StorageState,
  Labels,
  Tab,
  TeamInfo,
  WaitingPerson,
} from '../model';
import type { MissedCount } from '../proto';
import { signal } from '../signals';
import type { OldWidgets } from './renew';

/** Shortest time between two words about missed conversations, ms. */
const TELL_MISSED_MS = 60_000;

export class AgentSignals {
  readonly session = signal<'loading' | 'signed-out' | 'locked' | 'signed-in'>('loading');
  readonly lastUser = signal('');
  readonly me = signal<Me | null>(null);
  readonly more = signal<Record<Tab, boolean>>({ mine: false, queue: false, missed: false, all: true });
  readonly missed = signal<{ count: number; more: boolean }>({ count: 0, more: false });
  readonly offers = signal<readonly Offer[]>([]);
  readonly agents = signal<readonly AgentInfo[]>([]);
  readonly teams = signal<readonly TeamInfo[]>([]);
  readonly people = signal<readonly { user: string; name: string }[]>([]);
  readonly sites = signal<Record<string, string>>({});
  readonly waiting = signal<readonly WaitingPerson[]>([]);
  readonly notices = signal<readonly Notice[]>([]);
  readonly storage = signal<StorageState>('ok');
  readonly labels = signal<Labels>({ tags: [], reasons: [], targets: {} });
  readonly dropped = signal<readonly Dropped[]>([]);
  private nextNotice = 1;
  private toldOfWidgets = false;
  private readonly missedOf = new Map<string, MissedCount>();
  private toldOfMissed = -Infinity;

  protected notice(kind: Notice['kind'], key: Notice['key'], params?: Notice['params']): void {
    if (this.notices.value.some((n) => n.key === key)) return;
    this.notices.value = [...this.notices.value, { id: this.nextNotice++, kind, key, params }];
  }

  protected tellOfSnapshot(said: 'renewed' | 'expires' | null, days: number): void {
    if (said === 'renewed') this.notice('info', 'notice.snapshot_renewed');
    if (said === 'expires') this.notice('error', 'notice.snapshot_expires', { days });
  }

  /** Once for each time the page is opened: it can wait. */
  protected tellOfWidgets({ unsafe, old }: { unsafe: OldWidgets | null; old: OldWidgets | null }): void {
    if (unsafe && !this.toldOfWidgets) this.notice('error', 'notice.unsafe_widgets', { ...unsafe });
    if (old && !this.toldOfWidgets) this.notice('info', 'notice.old_widgets', { ...old });
    this.toldOfWidgets ||= (unsafe ?? old) !== null;
  }

  /** The server's word: what is not as it should be counts as nothing. */
  protected labelsAre(said: unknown): void {
    const { tags, reasons, targets, hours } = (said ?? {}) as Partial<Labels>;
    const list = (of: unknown): Label[] =>
      Array.isArray(of) ? (of as Label[]).filter(isLabel).slice(0, MAX_LABELS).map(shortened) : [];
    this.labels.value = {
      tags: list(tags),
      reasons: list(reasons),
      targets: targets ?? {},
      hours: Array.isArray(hours) ? hours : [],
    };
  }

  protected storageIs(state: unknown): void {
    this.storage.value = state === 'low' || state === 'full' ? state : 'ok';
  }

  /** `all`: of every team; otherwise of those that changed. Announced when it grew, once a minute: many come together. */
  protected countMissed(counts: readonly MissedCount[], all: boolean, now: number): void {
    if (all) this.missedOf.clear();
    for (const c of counts) this.missedOf.set(c.team, c);
    const known = [...this.missedOf.values()];
    const next = { count: known.reduce((sum, c) => sum + c.count, 0), more: known.some((c) => c.more === true) };
    const before = this.missed.value;
    if (next.count === before.count && next.more === before.more) return;
    this.missed.value = next;
    if (next.count <= before.count || now - this.toldOfMissed < TELL_MISSED_MS) return;
    this.toldOfMissed = now;
    this.notice('error', 'notice.missed', { n: next.count });
  }

  /** What changed about this agent's rights while the page was open. */
  protected tellOfRights(before: Me, after: Me): void {
    const named = (ids: readonly string[]): string =>
      ids.map((id) => this.teams.value.find((t) => t.id === id)?.name ?? id).join(' · ');
    const [left, joined] = [
      before.teams.filter((t) => !after.teams.includes(t)),
      after.teams.filter((t) => !before.teams.includes(t)),
    ];
    if (left.length) this.notice('error', 'notice.teams_left', { teams: named(left) });
    if (joined.length) this.notice('info', 'notice.teams_joined', { teams: named(joined) });
    if (before.role !== after.role) this.notice('error', 'notice.role', { role: after.role });
  }

  forgetDropped(): void {
    this.dropped.value = [];
  }

  dismiss(notice: number): void {
    this.notices.value = this.notices.value.filter((n) => n.id !== notice);
  }

  protected addOffer(offer: Offer): void {
    this.offers.value = [...this.offers.value.filter((o) => o.conv !== offer.conv), offer];
  }

  protected dropOffer(conv: string): void {
    if (this.offers.value.some((o) => o.conv === conv))
      this.offers.value = this.offers.value.filter((o) => o.conv !== conv);
  }

  protected readDirectory(directory: Directory): void {
    const { teams, sites, users, waiting } = directory.state;
    const people = Object.entries({ ...users, ...waiting }).map(([user, { name }]) => ({ user, name }));
    this.people.value = people.sort((a, b) => a.name.localeCompare(b.name));
    this.teams.value = Object.entries(teams).flatMap(([id, t]) => (t.on ? [{ id, name: t.name }] : []));
    this.sites.value = Object.fromEntries(Object.entries(sites).map(([id, s]) => [id, s.name]));
    this.waiting.value = directory.waiting().map(({ user, name, teams, at, exp, signer }) => ({
      user,
      name,
      teams,
      at,
      until: exp,
      invitedBy: signer === null ? '' : inviter(directory, signer),
    }));
  }
}

/** As many as a company may have, and characters of a name. */
const MAX_LABELS = 200;
const MAX_LABEL_NAME = 40;

const shortened = (l: Label): Label => ({ ...l, name: l.name.slice(0, MAX_LABEL_NAME) });
const isLabel = (l: Label): boolean => typeof l?.id === 'string' && typeof l.name === 'string';

/** Name of whose key this is; null for the company's root key. */
const inviter = (directory: Directory, signer: string): string | null =>
  directory.keyOf(hex(kidOf(sized(signer, 32))))?.name ?? null;

/** The signed-in agent as the directory knows them. */
export function meOf(directory: Directory | undefined, user: string | undefined, state: AgentState): Me | null {
  const u = user === undefined ? undefined : (directory?.state.waiting?.[user] ?? directory?.state.users[user]);
  return user !== undefined && u ? { user, name: u.name, role: u.role, teams: u.teams, state } : null;
}
