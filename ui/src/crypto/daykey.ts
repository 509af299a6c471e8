/** Day keys of a robot (protocol §6): what a visitor seals to when it lets the robot in. */
import type { DayKeyJson } from '../proto';
import type { Backend } from './backend';
import { hex, sized, unb64u } from './bytes';
import type { Directory } from './directory';
import { reject } from './error';
import { readJson } from './rules';
import { int, key32, slug, str } from './state';

/** Longest life of a day key: 48 hours. */
const MAX_LIFE_MS = 48 * 3_600_000;
/** How far ahead it may begin: clocks are set to wrong zones. */
const SKEW_MS = 24 * 3_600_000;

export interface DayKey {
  x: Uint8Array;
  /** When its private part is erased, ms. */
  until: number;
}

/**
 * Rejects unless it is of the site's own robot, which is on. What begins with `bot_` happens between honest people: it was switched
 * off, a clock is wrong. Anything else is no key that the company certified.
 */
export async function verifyDayKey(
  backend: Backend,
  dir: Directory,
  site: string,
  j: DayKeyJson,
  now: number,
): Promise<DayKey> {
  const bot = dir.botOf(site) ?? reject('bot_none');
  const raw = unb64u(j.raw);
  const b = readJson(raw, 1024);
  if (b.v !== 1) reject('version');
  if (str(b.org) !== hex(dir.fp) || slug(b.bot) !== bot.id) reject('other');
  if (!(await backend.verify('bot', sized(bot.ed, 32), raw, unb64u(j.sig)))) reject('signature');
  const [at, until] = [int(b.at), int(b.until)];
  if (until - at > MAX_LIFE_MS) reject('too_long');
  if (at > now + SKEW_MS) reject('bot_future');
  if (now >= until) reject('bot_over');
  return { x: sized(key32(b.x), 32), until };
}
