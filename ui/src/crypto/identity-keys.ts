/** Keys with which a site's own backend vouches for its customers (protocol §8), as the directory's log has them over time. */
import { sized, unb64u } from './bytes';
import { isGoodKey } from './ed25519';
import { list, object, slug, str, type Span } from './state';

export interface IdentityKey extends Span {
  alg: 'ES256' | 'EdDSA';
  /** b64u. */
  pk: string;
}

/** By site. */
export type IdentityKeys = Readonly<Record<string, readonly IdentityKey[]>>;

/** Characters of a token. */
export const MAX_TOKEN = 4_096;
/** Most keys that a site can have. */
const MAX_KEYS = 8;

function keyOf(v: unknown): Pick<IdentityKey, 'alg' | 'pk'> | null {
  const { alg, pk } = object(v);
  const bytes = unb64u(str(pk));
  const good = alg === 'EdDSA' ? isGoodKey(sized(pk, 32)) : alg === 'ES256' && bytes.length === 65 && bytes[0] === 4;
  return good ? { alg: alg as IdentityKey['alg'], pk: pk as string } : null;
}

/** After the entry `seq`, which names all keys of a site. What does not have this form changes nothing, so that none can stop a company. */
export function withIdentity(all: IdentityKeys, entry: Record<string, unknown>, seq: number): IdentityKeys {
  try {
    const site = slug(entry.site);
    const keys = list(entry.keys, keyOf);
    if (keys.length > MAX_KEYS || keys.includes(null)) return all;
    const before = (all[site] ?? []).map((k) => (k.to === null ? { ...k, to: seq } : k));
    return { ...all, [site]: [...before, ...keys.map((k) => ({ ...k!, from: seq, to: null }))] };
  } catch {
    return all;
  }
}
