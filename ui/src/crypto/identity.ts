/**
 * Who a visitor is, by the word of the site's own backend: a JWT that names the visitor's keys (protocol §8). Readers judge it by the keys
 * that the company's directory certifies, by the conversation it came in, and by the time of the message that brought it.
 */
import { hex, text, unb64u, utf8 } from './bytes';
import { verifyStrict } from './ed25519';
import { MAX_TOKEN, type IdentityKey } from './identity-keys';

/** Characters of what a token says. */
const MAX_SAID = 128;
/** Longest life of a token, and by how much clocks may differ, s. */
const MAX_LIFE_S = 300;
const SKEW_S = 60;

/** Which conversation, when, and whose keys: what a token must be about. */
export interface Occasion {
  /** `k1-<32 hex>/<site>`. */
  aud: string;
  /** Kid of the visitor's signing key, and box kid of their X25519 key, hex. */
  edKid: string;
  xKid: string;
  /** Time of the record, ms. */
  at: number;
  /** Certified for the site. */
  keys: readonly Pick<IdentityKey, 'alg' | 'pk'>[];
}

export interface Person {
  sub: string;
  name?: string;
}

/** Why a token proves nothing. */
export type Refusal = 'malformed' | 'algorithm' | 'unknown_key' | 'audience' | 'visitor' | 'time';
export type Judgement = { person: Person; why?: undefined } | { person: null; why: Refusal };

const no = (why: Refusal): Judgement => ({ person: null, why });

export const audience = (fp: Uint8Array, site: string): string => `k1-${hex(fp)}/${site}`;

function part(b64u: string): Record<string, unknown> | null {
  try {
    const v: unknown = JSON.parse(text(unb64u(b64u)));
    return typeof v === 'object' && v !== null && !Array.isArray(v) ? (v as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

const isSaid = (v: unknown): v is string => typeof v === 'string' && v.trim() !== '' && v.length <= MAX_SAID;
const isTime = (v: unknown): v is number => typeof v === 'number' && Number.isFinite(v);

/** `now`: time of the record, s. */
const holds = (iat: unknown, exp: unknown, now: number): boolean =>
  isTime(iat) && isTime(exp) && exp > iat && exp - iat <= MAX_LIFE_S && now >= iat - SKEW_S && now <= exp + SKEW_S;

/** Nothing in a token is used before its signature was right. Never rejects. */
export async function judge(token: string, o: Occasion): Promise<Judgement> {
  const parts = token.length <= MAX_TOKEN ? token.split('.', 4) : [];
  const [head, body] = [part(parts[0] ?? ''), part(parts[1] ?? '')];
  let sig: Uint8Array;
  try {
    sig = unb64u(parts[2] ?? '');
  } catch {
    return no('malformed');
  }
  if (parts.length !== 3 || !head || !body) return no('malformed');
  const { alg } = head;
  if ((alg !== 'ES256' && alg !== 'EdDSA') || head.crit !== undefined) return no('algorithm');
  const signed = utf8(`${parts[0]}.${parts[1]}`);
  let known = false;
  for (const key of o.keys) known ||= key.alg === alg && (await verify(key, signed, sig));
  if (!known) return no('unknown_key');
  const { aud, sub, name, ed_kid, x_kid, iat, exp, nbf } = body;
  if (aud !== o.aud && !(Array.isArray(aud) && aud.includes(o.aud))) return no('audience');
  if (ed_kid !== o.edKid || x_kid !== o.xKid) return no('visitor');
  const now = o.at / 1_000;
  if (!holds(iat, exp, now) || (nbf !== undefined && (!isTime(nbf) || now < nbf - SKEW_S))) return no('time');
  if (!isSaid(sub) || (name !== undefined && !isSaid(name))) return no('malformed');
  return { person: name === undefined ? { sub } : { sub, name } };
}

async function verify({ alg, pk }: Pick<IdentityKey, 'alg' | 'pk'>, m: Uint8Array, sig: Uint8Array): Promise<boolean> {
  if (sig.length !== 64) return false;
  const bytes = unb64u(pk);
  if (alg === 'EdDSA') return verifyStrict(bytes, m, sig);
  try {
    const of = (b: Uint8Array): BufferSource => b as Uint8Array<ArrayBuffer>;
    const ecdsa = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
    const key = await crypto.subtle.importKey('raw', of(bytes), ecdsa, false, ['verify']);
    return await crypto.subtle.verify(ecdsa, key, of(sig), of(m));
  } catch {
    return false;
  }
}
