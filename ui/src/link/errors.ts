/** What the server's numbers mean to a person. */
import { ClientError, type ErrorKey } from '../model';
import { Close, Code } from '../proto';

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

/** A refusal that still carries its number. */
export class Refused extends ClientError {
  constructor(
    readonly code: number,
    detail: string,
    readonly retryMs?: number,
  ) {
    super(keyOfCode(code), detail);
  }
}
