/** Documents: what a company keeps beside conversations, sealed to those who have it or public (protocol §7). No rights here. */
import { BOX_LEN, SIGNATURE_LEN, type BoxView } from '../proto';
import type { Backend, BoxKey, SigningKey } from './backend';
import { cat, equal, hex, random, text, u16, u32, utf8 } from './bytes';
import { pad, unpad } from './envelope';
import { reject } from './error';
import { BoxKind, boxKid, H, kidOf } from './hash';
import { hkdf } from './hkdf';

/** Largest document, in bytes. */
export const MAX_DOCUMENT = 64 * 1024;
/** The part of a header before kind and scope. */
const FIXED = 112;
const SLUG = /^[a-z0-9][a-z0-9._-]{0,31}$/;

/** Who has a document: one person, the members of a team, everyone who answers. */
export type Scope = `own:${string}` | `team:${string}` | 'company';

/** Whose key a document is sealed to. */
export interface Reader {
  kind: number;
  pk: Uint8Array;
}

export interface NewDocument {
  id: Uint8Array;
  kind: string;
  scope: Scope;
  rev: number;
  /** The newest entry of the directory that its author knows, and its hash. */
  dirSeq: number;
  dirHead: Uint8Array;
  body: Uint8Array;
  /** Null: public. */
  readers: readonly Reader[] | null;
}

/** A document whose layout was checked. */
export interface DocumentView {
  readonly bytes: Uint8Array;
  readonly id: string;
  readonly kind: string;
  readonly scope: Scope;
  readonly rev: number;
  /** Kid of who wrote this revision. */
  readonly author: string;
  readonly dirSeq: number;
  readonly dirHead: Uint8Array;
  readonly public: boolean;
  readonly header: Uint8Array;
  readonly boxes: readonly BoxView[];
}

const info = (kind: number, kid: Uint8Array): Uint8Array => cat(utf8('kefu/1 doc\0'), new Uint8Array([kind]), kid);
const u64 = (n: number): Uint8Array => cat(u32(Math.floor(n / 2 ** 32)), u32(n % 2 ** 32));
const named = (s: string): Uint8Array => cat(new Uint8Array([s.length]), utf8(s));
export const documentHash = (bytes: Uint8Array): string => hex(H('doc-hash', bytes));
const commitment = (id: Uint8Array, rev: number, dk: Uint8Array): Uint8Array => H('doc-commit', id, u64(rev), dk);

function bodyKey(dk: Uint8Array, id: Uint8Array): [key: Uint8Array, nonce: Uint8Array] {
  const okm = hkdf(dk, id, utf8('kefu/1 doc body'), 44);
  return [okm.subarray(0, 32), okm.subarray(32)];
}

function scopeBytes(scope: Scope): Uint8Array {
  const at = scope.indexOf(':');
  const code = scope === 'company' ? 3 : scope.startsWith('own:') ? 1 : 2;
  return cat(new Uint8Array([code]), named(at < 0 ? '' : scope.slice(at + 1)));
}

/** Rejects with `too_large`. */
export async function sealDocument(backend: Backend, d: NewDocument, author: SigningKey): Promise<Uint8Array> {
  const dk = random(32);
  const head = cat(
    utf8('KD'),
    new Uint8Array([1, d.readers ? 0 : 1]),
    d.id,
    u64(d.rev),
    kidOf(author.pk),
    u32(d.dirSeq),
    d.dirHead,
    d.readers ? commitment(d.id, d.rev, dk) : new Uint8Array(32),
    named(d.kind),
    scopeBytes(d.scope),
  );
  const parts = [head, u16(d.readers?.length ?? 0)];
  for (const { kind, pk } of d.readers ?? []) {
    const kid = boxKid(kind, pk);
    const sealed = await backend.seal(pk, info(kind, kid), head, dk);
    parts.push(new Uint8Array([kind]), kid, sealed.enc, sealed.ct);
  }
  parts.push(d.readers ? await backend.aes('encrypt', ...bodyKey(dk, d.id), head, pad(d.body)) : d.body);
  const unsigned = cat(...parts);
  if (unsigned.length + SIGNATURE_LEN > MAX_DOCUMENT) reject('too_large');
  return cat(unsigned, await author.sign('doc', unsigned));
}

/** Rejects with `document`. */
export function parseDocument(bytes: Uint8Array): DocumentView {
  const fail = (why: string): never => reject('document', why);
  if (bytes.length > MAX_DOCUMENT) fail('length');
  if (text(bytes.subarray(0, 2)) !== 'KD' || bytes[2] !== 1 || bytes[3]! > 1) fail('version');
  let at = FIXED;
  const take = (n: number): Uint8Array => {
    if (at + n > bytes.length) fail('length');
    return bytes.subarray(at, (at += n));
  };
  const kind = text(take(take(1)[0]!));
  const code = take(1)[0]!;
  const of = text(take(take(1)[0]!));
  const slug = (s: string): string => (SLUG.test(s) ? s : fail('name'));
  const scope: Scope =
    code === 1
      ? `own:${slug(of)}`
      : code === 2
        ? `team:${slug(of)}`
        : code === 3 && of === ''
          ? 'company'
          : fail('scope');
  const header = bytes.subarray(0, at);
  const count = take(2);
  const boxes: BoxView[] = [];
  for (let n = count[0]! * 256 + count[1]!; n > 0; n--) {
    const b = take(BOX_LEN);
    boxes.push({ kind: b[0]!, kid: b.subarray(1, 17), enc: b.subarray(17, 49), ct: b.subarray(49) });
  }
  const isPublic = bytes[3] === 1;
  if (isPublic !== (boxes.length === 0)) fail('readers');
  if (at + (isPublic ? 2 : 48) + SIGNATURE_LEN > bytes.length) fail('length');
  const number = new DataView(bytes.buffer, bytes.byteOffset);
  const rev = number.getUint32(20) * 2 ** 32 + number.getUint32(24);
  if (!Number.isSafeInteger(rev)) fail('revision');
  return {
    bytes,
    id: hex(bytes.subarray(4, 20)),
    kind: slug(kind),
    scope,
    rev,
    author: hex(bytes.subarray(28, 44)),
    dirSeq: number.getUint32(44),
    dirHead: bytes.subarray(48, 80),
    public: isPublic,
    header,
    boxes,
  };
}

/** Whether the key `ed`, which must be the author's, signed it. */
export async function isSigned(backend: Backend, d: DocumentView, ed: Uint8Array): Promise<boolean> {
  const end = d.bytes.length - SIGNATURE_LEN;
  if (hex(kidOf(ed)) !== d.author) return false;
  return backend.verify('doc', ed, d.bytes.subarray(0, end), d.bytes.subarray(end));
}

/** The body, or null if no box is for `mine` (own box keys by `boxKid` hex). Rejects what is not as its author sealed it. */
export async function openDocument(
  backend: Backend,
  d: DocumentView,
  mine: ReadonlyMap<string, BoxKey>,
): Promise<Uint8Array | null> {
  const body = d.bytes.subarray(d.header.length + 2 + d.boxes.length * BOX_LEN, d.bytes.length - SIGNATURE_LEN);
  if (d.public) return body;
  const id = d.bytes.subarray(4, 20);
  for (const box of d.boxes) {
    const key = mine.get(hex(box.kid));
    if (!key) continue;
    const dk = await key.open(box, info(box.kind, box.kid), d.header);
    if (!equal(commitment(id, d.rev, dk), d.bytes.subarray(80, FIXED))) reject('commitment');
    return unpad(await backend.aes('decrypt', ...bodyKey(dk, id), d.header, body).catch(() => reject('open')));
  }
  return null;
}

/** Whether it is sealed to exactly these. */
export function isSealedTo(d: DocumentView, readers: readonly Reader[]): boolean {
  const there = new Set(d.boxes.map((b) => hex(b.kid)));
  return there.size === readers.length && readers.every((r) => there.has(hex(boxKid(r.kind, r.pk))));
}

/** Own box keys with the one of a person. */
export function withOwn(boxes: ReadonlyMap<string, BoxKey>, own: BoxKey): Map<string, BoxKey> {
  return new Map(boxes).set(hex(boxKid(BoxKind.agent, own.pk)), own);
}
