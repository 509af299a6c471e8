/** Reads the settings of a site. They are not signed: for appearance only, never for keys. */
import { MAX_FILE } from '../crypto/file';
import type { FormField, Localised, SiteInfo } from '../model';
import type { PresenceState, SiteReply } from '../proto';

const TYPES = ['text', 'email', 'tel', 'select', 'textarea'] as const;
type Json = Record<string, unknown>;
const isObject = (v: unknown): v is Json => typeof v === 'object' && v !== null && !Array.isArray(v);

/** A plain text is used for both languages. */
function localised(v: unknown, otherwise = ''): Localised {
  if (typeof v === 'string' && v) return { zh: v, en: v };
  if (!isObject(v)) return otherwise ? { zh: otherwise, en: otherwise } : {};
  const s = (x: unknown): string | undefined => (typeof x === 'string' ? x : undefined);
  return { zh: s(v.zh), en: s(v.en) };
}

function field(v: unknown): FormField[] {
  if (!isObject(v)) return [];
  const id = v.id ?? v.name;
  if (typeof id !== 'string' || !id) return [];
  const options = Array.isArray(v.options)
    ? v.options.flatMap((o: unknown) => {
        if (typeof o === 'string') return [{ value: o, label: localised(o) }];
        return isObject(o) && typeof o.value === 'string'
          ? [{ value: o.value, label: localised(o.label, o.value) }]
          : [];
      })
    : undefined;
  return [
    {
      id,
      label: localised(v.label, id),
      type: TYPES.find((t) => t === v.type) ?? 'text',
      required: v.required === true,
      options,
    },
  ];
}

/** Servers from before there were files name none. */
export const maxFileOf = ({ max_file: n }: Pick<SiteReply, 'max_file'>): number =>
  Number.isSafeInteger(n) && n! > 0 ? Math.min(n!, MAX_FILE) : 0;

/** `signedName`, `org`: from the directory. */
export function siteInfo(reply: SiteReply, id: string, signedName: string, orgName: string): SiteInfo {
  const form: unknown = isObject(reply.form) ? (reply.form as Json).fields : reply.form;
  return {
    id,
    name: signedName,
    org: reply.org,
    orgName,
    form: Array.isArray(form) ? form.flatMap(field) : [],
    greeting: localised(reply.greeting),
    away: localised(reply.away),
    rating: reply.rating === true,
    maxFile: maxFileOf(reply),
  };
}

/** When the team's hours begin, ms; null while they last. */
export const opensOf = (opens: unknown): number | null => (Number(opens) > 0 ? Number(opens) : null);

export function presenceOf(p: unknown): PresenceState | 'unknown' {
  return p === 'open' || p === 'busy' || p === 'away' ? p : 'unknown';
}
