/** What the server's numbers mean to a person. */
import { ClientError, type ErrorKey, type Wait } from '../model';
import { Close, Code, LIMITS, type Limit } from '../proto';

const KEYS: Record<number, ErrorKey> = {
  [Code.malformed]: 'error.protocol',
  [Code.too_large]: 'error.too_large',
  [Code.rate_limited]: 'error.rate_limited',
  [Code.unauthorised]: 'error.unauthorised',
  [Code.forbidden]: 'error.forbidden',
  [Code.not_found]: 'error.not_found',
  [Code.conflict]: 'error.conflict',
  [Code.epoch_stale]: 'error.refused',
  [Code.directory_stale]: 'error.refused',
  [Code.closed]: 'error.closed',
  [Code.not_owner]: 'error.not_owner',
  [Code.too_late]: 'error.too_late',
  [Code.storage]: 'error.storage',
  [Code.plaintext_refused]: 'error.protocol',
  [Code.unsupported]: 'error.unsupported',
};

export const keyOfCode = (code: number): ErrorKey => KEYS[code] ?? 'error.refused';

/** Why a socket does not come back; null for codes after which it does. */
export function endOf(code: number): ErrorKey | null {
  if (code < 4500 || code > 4999) return null;
  if (code === Close.unauthorised) return 'error.unauthorised';
  if (code === Close.disabled) return 'error.disabled';
  if (code === Close.unsupported) return 'error.unsupported';
  return 'error.protocol';
}

/** A refusal of the server; in a frame or over HTTP. */
export interface Refusal {
  code: number;
  text?: string;
  retry_ms?: unknown;
  limit?: unknown;
  have?: unknown;
}

/** Longest wait that is believed, ms. */
const MAX_WAIT_MS = 7 * 24 * 3_600_000;

/** Refusals that pass: the same is taken later. */
export const passes = (code: number): boolean => code === Code.rate_limited || code === Code.storage;

const limitOf = ({ limit }: Refusal): Limit | undefined => LIMITS.find((l) => l === limit);

export const keyOf = (f: Refusal): ErrorKey =>
  f.code === Code.too_large && limitOf(f) === 'conversation' ? 'error.full' : keyOfCode(f.code);

/** How long the server asks to wait, ms; undefined if it does not say. */
export function retryMsOf({ retry_ms: ms }: Refusal): number | undefined {
  return typeof ms === 'number' && ms >= 0 ? Math.min(ms, MAX_WAIT_MS) : undefined;
}

/** For people: what they wait for, and until when. */
export function waitOf(f: Refusal, ms: number, now = Date.now()): Wait {
  return { why: f.code === Code.storage ? 'storage' : (limitOf(f) ?? 'rate'), until: now + ms };
}

/** A refusal that still carries its number. */
export class Refused extends ClientError {
  readonly code: number;
  readonly retryMs?: number;
  /** Of an upload at another place: how much of it is there. */
  readonly have?: number;

  constructor(f: Refusal) {
    const ms = retryMsOf(f);
    super(keyOf(f), f.text, ms !== undefined && passes(f.code) ? waitOf(f, ms) : undefined);
    this.code = f.code;
    this.retryMs = ms;
    if (typeof f.have === 'number') this.have = f.have;
  }
}

/** How long to wait after a failure, ms: as the server asks, or `ms` if it does not. */
export const retryDelay = (e: unknown, ms: number): number =>
  e instanceof Refused ? Math.max(ms, e.retryMs ?? 0) : ms;
