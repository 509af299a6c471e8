/** Canned replies: documents of the kind `reply`. What is in one, how it is found, and what its variables become. */
import { t } from '../../i18n/console';
import type { AgentClient, ConvItem, Doc, Scope } from '../../model';
import { clock } from '../../ui/time';

export const KIND = 'reply';
/** Characters. */
export const MAX_TITLE = 80;
export const MAX_SHORTCUT = 32;
export const MAX_GROUP = 40;
export const MAX_TEXT = 4_000;
/** Replies that a list shows at once. */
const SHOWN = 30;
/** Characters of what is searched for: a list that opens while one types should be quick. */
const MAX_QUERY = 40;

/** What its author wrote. */
export interface ReplyBody {
  title: string;
  shortcut: string;
  group: string;
  text: string;
}

export interface Reply extends ReplyBody {
  id: string;
  scope: Scope;
  author: string;
  public: boolean;
  mayWrite: boolean;
  mayDelete: boolean;
  /** In lower case: shortcut, title, and everything that is searched. */
  words: { shortcut: string; title: string; all: string };
}

/** Null: it is not one that this version knows. */
export function bodyOf(body: unknown): ReplyBody | null {
  if (typeof body !== 'object' || body === null) return null;
  const { title, shortcut, group, text } = body as Record<string, unknown>;
  const word = (v: unknown, most: number): string => (typeof v === 'string' ? v.slice(0, most) : '');
  if (typeof text !== 'string' || !text) return null;
  return {
    title: word(title, MAX_TITLE),
    shortcut: word(shortcut, MAX_SHORTCUT),
    group: word(group, MAX_GROUP),
    text: text.slice(0, MAX_TEXT),
  };
}

const lower = (s: string): string => s.toLowerCase();

export function replyOf(doc: Doc): Reply | null {
  const body = bodyOf(doc.body);
  if (!body) return null;
  const { id, scope, author, mayWrite, mayDelete } = doc;
  const words = {
    shortcut: lower(body.shortcut),
    title: lower(body.title),
    all: lower(`${body.shortcut}\n${body.title}\n${body.group}\n${body.text}`),
  };
  return { ...body, id, scope, author, public: doc.public, mayWrite, mayDelete, words };
}

/** One's own come first, then the team's, then the company's; in a group by title. */
const ORDER = (r: Reply): number => (r.scope.startsWith('own:') ? 0 : r.scope.startsWith('team:') ? 1 : 2);

export function ordered(all: readonly Reply[]): Reply[] {
  const { compare } = new Intl.Collator();
  return [...all].sort(
    (a, b) => ORDER(a) - ORDER(b) || compare(a.group, b.group) || compare(a.title || a.text, b.title || b.text),
  );
}

/** All replies that this person has. */
export function repliesOf(client: AgentClient): Reply[] {
  const docs = client.documents?.list(KIND).value.docs ?? [];
  return ordered(docs.flatMap((doc) => replyOf(doc) ?? []));
}

/** Those in which every word occurs; a shortcut that begins so first, then a title. */
export function matching(all: readonly Reply[], query: string, most = SHOWN): Reply[] {
  const asked = lower(query.slice(0, MAX_QUERY)).trim();
  const words = asked.split(' ').filter(Boolean);
  const rank = ({ words: w }: Reply): number =>
    asked === '' ? 3 : w.shortcut === asked ? 0 : w.shortcut.startsWith(asked) ? 1 : w.title.startsWith(asked) ? 2 : 3;
  const found = all.filter((r) => words.every((w) => r.words.all.includes(w)));
  return [0, 1, 2, 3].flatMap((n) => found.filter((r) => rank(r) === n)).slice(0, most);
}

/** What `/…` at the beginning of a field asks for; null: it is no question for a reply. */
export function queryIn(field: string): string | null {
  return field.startsWith('/') && field.length <= MAX_QUERY && !field.includes('\n') ? field.slice(1) : null;
}

/** The text with its variables filled in. Those that are unknown stay, so that one sees them before sending. */
export function filled(text: string, client: AgentClient, item: ConvItem): string {
  const values = new Map<string, string | undefined>([
    ['visitor', item.name.trim() || t('replyYou')],
    ['agent', client.me.peek()?.name],
    ['site', client.sites.peek()[item.conv.site]],
    ['time', clock(Date.now())],
  ]);
  return text.replace(/\{([a-z]{1,16})\}/g, (whole, name: string) => values.get(name) ?? whole);
}
