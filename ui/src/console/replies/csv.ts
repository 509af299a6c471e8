/**
 * Canned replies as a table for spreadsheets. Read in UTF-8, UTF-16 with a mark, or GBK, as spreadsheets write them; written so that no
 * cell is taken for a formula.
 */
import type { Scope } from '../../model';
import { bodyOf, MAX_TEXT, type Reply, type ReplyBody } from './reply';

/** Rows and bytes that are read. */
export const MAX_ROWS = 1_000;
export const MAX_BYTES = 4 * 1024 * 1024;

const COLUMNS = ['scope', 'group', 'shortcut', 'title', 'text', 'public'] as const;
type Column = (typeof COLUMNS)[number];
/** What people call the columns. */
const NAMES: Record<string, Column> = {
  scope: 'scope',
  范围: 'scope',
  group: 'group',
  分组: 'group',
  shortcut: 'shortcut',
  缩写: 'shortcut',
  title: 'title',
  标题: 'title',
  text: 'text',
  content: 'text',
  内容: 'text',
  public: 'public',
  公开: 'public',
};
/** A cell that begins so is a formula to a spreadsheet. */
const FORMULA = ['=', '+', '-', '@', '\t', '\r'];

export interface Row extends ReplyBody {
  /** As it is in the file; '' if it says nothing. */
  scope: string;
  public: boolean;
}

/** Null: not a table with a column for the text. */
export function readRows(bytes: Uint8Array): { rows: Row[]; skipped: number } | null {
  const [head, ...lines] = cells(decode(bytes));
  const columns = (head ?? []).map((name) => NAMES[name.trim().toLowerCase()]);
  if (!columns.includes('text')) return null;
  const rows: Row[] = [];
  let skipped = 0;
  for (const line of lines) {
    const cell = (name: Column): string => unguarded(line[columns.indexOf(name)] ?? '').trim();
    const body = cell('text').length <= MAX_TEXT ? bodyOf(Object.fromEntries(COLUMNS.map((c) => [c, cell(c)]))) : null;
    if (body && rows.length < MAX_ROWS) rows.push({ ...body, scope: cell('scope'), public: isYes(cell('public')) });
    else if (line.some((c) => c.trim())) skipped++;
  }
  return { rows, skipped };
}

const isYes = (cell: string): boolean => ['1', 'true', 'yes', 'TRUE', '是'].includes(cell);

/** `scopeName`: as people read it. */
export function writeRows(replies: readonly Reply[], scopeName: (scope: Scope) => string): string {
  const rows = replies.map((r) => [scopeName(r.scope), r.group, r.shortcut, r.title, r.text, r.public ? 'yes' : '']);
  return [COLUMNS as readonly string[], ...rows].map((row) => `${row.map(quoted).join(',')}\r\n`).join('');
}

const quoted = (cell: string): string => {
  const safe = FORMULA.some((c) => cell.startsWith(c)) ? `'${cell}` : cell;
  return `"${safe.replaceAll('"', '""')}"`;
};

const unguarded = (cell: string): string =>
  cell.startsWith("'") && FORMULA.some((c) => cell.startsWith(c, 1)) ? cell.slice(1) : cell;

/** Spreadsheets in China write GBK, which is hardly ever valid UTF-8. */
function decode(bytes: Uint8Array): string {
  const [a, b] = bytes;
  if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff))
    return new TextDecoder(a === 0xff ? 'utf-16le' : 'utf-16be').decode(bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('gb18030').decode(bytes);
  }
}

/** RFC 4180, with commas, semicolons or tabs, whichever is in the first line. */
function cells(text: string): string[][] {
  const end = text.indexOf('\n');
  const first = text.slice(0, end < 0 ? text.length : end);
  const separator = [',', '\t', ';'].find((c) => first.includes(c)) ?? ',';
  const rows: string[][] = [];
  let row: string[] = [];
  let [cell, quoted] = ['', false];
  const endCell = (): void => {
    row.push(cell);
    cell = '';
  };
  const endRow = (): void => {
    endCell();
    if (row.length > 1 || row[0] !== '') rows.push(row);
    row = [];
  };
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (quoted) {
      if (c !== '"') cell += c;
      else if (text[i + 1] === '"') cell += text[++i]!;
      else quoted = false;
    } else if (c === '"' && cell === '') quoted = true;
    else if (c === separator) endCell();
    else if (c === '\n') endRow();
    else if (c !== '\r') cell += c;
  }
  endRow();
  return rows;
}
