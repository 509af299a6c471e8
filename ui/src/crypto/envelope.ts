/** Messages (kind 1) and notes (kind 4): header, padding, sealing, opening. Whether a sender may speak is decided elsewhere. */
import { stringify } from '../json';
import { type Envelope, Kind, MAX_BODY, MAX_ENVELOPE, MESSAGE_HEADER } from '../proto';
import type { Backend, BoxKey, EpochKey, SigningKey } from './backend';
import { cat, equal, hex, sized, text, u32, unb64u, utf8 } from './bytes';
import { reject } from './error';
import { MAX_FILE } from './file';
import { BoxKind, boxKid, kidOf } from './hash';
import { MAX_TOKEN } from './identity-keys';

/** Fields of a header other than kind and sender. */
export interface HeaderFields {
  conv: Uint8Array;
  epoch: number;
  msg: Uint8Array;
  inst: number;
  ctr: number;
  prev: Uint8Array;
}

/** A quick reply. */
export interface BotButton {
  label: string;
  send: string;
}

/** What the robot understood. `p`: 0 to 1. `why`: a code with its values, or words, as older robots wrote; nobody checked it. */
export interface BotThought {
  intent: string | null;
  p: number;
  entry?: string;
  why?: unknown;
}

/** An agent's judgement: the question before the robot's message `msg` (hex) has this intent. */
export interface IntentFeedback {
  msg: string;
  intent: string;
}

/** What a text replaces: the message with this id, whose envelope has this hash; both hex. Nobody checked it. */
export interface Edited {
  msg: string;
  hash: string;
}

/** A file: what it is called, and how to open what lies on the server under the id of this message. `type` is its sender's word. */
export interface FileBody {
  t: 'file';
  ts: number;
  name: string;
  type: string;
  /** Bytes of the plaintext. */
  size: number;
  /** 32 bytes, base64url. */
  key: string;
  /** SHA-256 of the plaintext, base64url. */
  sha: string;
  /** Pixels of a picture. */
  w?: number;
  h?: number;
  /** A small JPEG or WebP, base64url. */
  thumb?: string;
  /** Length of a voice note. */
  secs?: number;
  /** Words written with it. */
  text?: string;
}

/** Characters of a file's name and type. */
export const MAX_FILE_NAME = 255;
const MAX_TYPE = 127;
/** Bytes of a small picture. */
export const MAX_THUMB = 6 * 1024;

/** Inside the seal. `buttons` and `bot` count only if a robot wrote it. */
export type Body =
  | { t: 'text'; ts: number; text: string; re?: string; edit?: Edited; buttons?: BotButton[]; bot?: BotThought }
  | {
      t: 'form';
      ts: number;
      fields: Record<string, string>;
      page?: { url: string; title: string; referrer: string };
      lang?: string;
      mode?: 'pinned' | 'unpinned';
      after?: string;
      /** The word of the site's backend about who writes (crypto/identity.ts). Nobody checked it. */
      identity?: string;
      /** What the site's page says about its visitor. Nobody checked it. */
      attributes?: Record<string, string>;
      /** It only adds to what an earlier one said. */
      update?: true;
    }
  | FileBody
  | { t: 'note'; ts: number; text: string; fix?: IntentFeedback; for?: 'transfer'; at?: string[] }
  | { t: 'ctl'; ts: number; text: string; re?: string; why: string; team?: string; bot?: BotThought };

export function header(kind: number, sender: Uint8Array, f: HeaderFields): Uint8Array {
  return cat(
    utf8('K1'),
    new Uint8Array([kind, 1]),
    f.conv,
    u32(f.epoch),
    kidOf(sender),
    f.msg,
    u32(f.inst),
    u32(f.ctr),
    f.prev,
  );
}

/** Appends 0x80 and zeros, so that lengths reveal little. */
export function pad(body: Uint8Array): Uint8Array {
  const n = body.length + 1;
  const step = n <= 256 ? 32 : n <= 4096 ? 256 : 1024;
  const out = new Uint8Array(Math.ceil(n / step) * step);
  out.set(body);
  out[body.length] = 0x80;
  return out;
}

export function unpad(padded: Uint8Array): Uint8Array {
  let i = padded.length - 1;
  while (i >= 0 && padded[i] === 0) i--;
  if (i < 0 || padded[i] !== 0x80) reject('padding');
  return padded.subarray(0, i);
}

/** Rejects with `too_large`. */
export function encodeBody(body: Body): Uint8Array {
  const bytes = utf8(stringify(body));
  if (bytes.length + 1 > MAX_BODY) reject('too_large');
  return bytes;
}

/** The body, or null for a type this version does not know. Rejects what is no body at all. */
export function decodeBody(bytes: Uint8Array): Body | null {
  let b: Record<string, unknown>;
  try {
    b = JSON.parse(text(bytes)) as Record<string, unknown>;
  } catch {
    return reject('body');
  }
  if (typeof b !== 'object' || b === null || typeof b.t !== 'string') return reject('body');
  if (b.t === 'text' || b.t === 'note') {
    return typeof b.text === 'string' ? ({ ...b, ts: Number(b.ts) || 0 } as Body) : reject('body');
  }
  if (b.t === 'file') return fileOf(b);
  if (b.t === 'ctl' && b.do === 'handoff') return { ...b, ts: Number(b.ts) || 0, text: '', why: String(b.why) } as Body;
  if (b.t === 'form') {
    const fields: Record<string, string> = {};
    if (typeof b.fields === 'object' && b.fields !== null) {
      for (const [k, v] of Object.entries(b.fields)) if (typeof v === 'string') fields[k] = v;
    }
    const mode = b.mode === 'pinned' || b.mode === 'unpinned' ? b.mode : undefined;
    return {
      t: 'form',
      ts: Number(b.ts) || 0,
      fields,
      page: pageOf(b.page),
      lang: typeof b.lang === 'string' ? b.lang : undefined,
      mode,
      after: typeof b.after === 'string' ? b.after : undefined,
      identity: typeof b.identity === 'string' && b.identity.length <= MAX_TOKEN ? b.identity : undefined,
      attributes: attributesOf(b.attributes),
      update: b.update === true || undefined,
    };
  }
  return null;
}

/** Most attributes, and characters of a name and of a value. */
const MAX_ATTRIBUTES = 32;
const MAX_ATTRIBUTE_NAME = 64;
const MAX_ATTRIBUTE = 512;

/** As they are sent and shown: texts, within these bounds. What does not fit is left out. */
export function attributesOf(v: unknown): Record<string, string> | undefined {
  if (typeof v !== 'object' || v === null || Array.isArray(v)) return undefined;
  const out: Record<string, string> = {};
  for (const [name, value] of Object.entries(v).slice(0, MAX_ATTRIBUTES)) {
    if (!['string', 'number', 'boolean'].includes(typeof value) || name.length > MAX_ATTRIBUTE_NAME) continue;
    Object.defineProperty(out, name, { value: String(value).slice(0, MAX_ATTRIBUTE), enumerable: true });
  }
  return out;
}

/** Rejects what can be no file. Nothing but the known fields is passed on. */
function fileOf(b: Record<string, unknown>): FileBody {
  const whole = (v: unknown, most: number): number =>
    Number.isSafeInteger(v) && (v as number) >= 0 && (v as number) <= most ? (v as number) : reject('body');
  const string = (v: unknown, most: number): string => (typeof v === 'string' && v.length <= most ? v : reject('body'));
  const bytes = (v: unknown, n: number): string => {
    try {
      sized(v, n);
    } catch {
      return reject('body');
    }
    return v as string;
  };
  const out: FileBody = {
    t: 'file',
    ts: Number(b.ts) || 0,
    name: string(b.name, MAX_FILE_NAME),
    type: string(b.type, MAX_TYPE),
    size: whole(b.size, MAX_FILE),
    key: bytes(b.key, 32),
    sha: bytes(b.sha, 32),
  };
  // both or neither
  if (b.w !== undefined || b.h !== undefined) {
    out.w = whole(b.w, MAX_SIDE) || reject('body');
    out.h = whole(b.h, MAX_SIDE) || reject('body');
  }
  if (b.secs !== undefined) out.secs = whole(b.secs, 86_400);
  if (b.text !== undefined) out.text = string(b.text, MAX_BODY);
  if (b.thumb !== undefined) {
    out.thumb = string(b.thumb, Math.ceil((MAX_THUMB * 4) / 3));
    try {
      unb64u(out.thumb);
    } catch {
      return reject('body');
    }
  }
  return out;
}

/** Pixels of a side that a sender may name; what is drawn is decided by the picture itself. */
const MAX_SIDE = 2 ** 31 - 1;

function pageOf(p: unknown): { url: string; title: string; referrer: string } | undefined {
  if (typeof p !== 'object' || p === null) return undefined;
  const s = (v: unknown): string => (typeof v === 'string' ? v : '');
  const { url, title, referrer } = p as Record<string, unknown>;
  return { url: s(url), title: s(title), referrer: s(referrer) };
}

async function finish(unsigned: Uint8Array, signer: SigningKey): Promise<Uint8Array> {
  const env = cat(unsigned, await signer.sign('sig', unsigned));
  if (env.length > MAX_ENVELOPE) reject('too_large');
  return env;
}

export async function sealMessage(
  f: HeaderFields,
  key: EpochKey,
  body: Uint8Array,
  signer: SigningKey,
): Promise<Uint8Array> {
  const head = header(Kind.message, signer.pk, f);
  return finish(cat(head, await key.seal(head, pad(body))), signer);
}

/** Verifies that `sender` signed it, then opens it. */
export async function openMessage(
  backend: Backend,
  env: Envelope,
  key: EpochKey,
  sender: Uint8Array,
): Promise<Uint8Array> {
  if (env.kind !== Kind.message) reject('kind');
  await checkSender(backend, env, sender);
  const head = env.bytes.subarray(0, MESSAGE_HEADER);
  return unpad(await key.open(head, env.signed.subarray(MESSAGE_HEADER)));
}

const noteInfo = (kid: Uint8Array): Uint8Array => cat(utf8('kefu/1 note\0'), kid);

export async function sealNote(
  backend: Backend,
  f: HeaderFields,
  teamPk: Uint8Array,
  body: Uint8Array,
  signer: SigningKey,
): Promise<Uint8Array> {
  const head = header(Kind.note, signer.pk, f);
  const kid = boxKid(BoxKind.team, teamPk);
  const sealed = await backend.seal(teamPk, noteInfo(kid), head, pad(body));
  return finish(cat(head, kid, sealed.enc, sealed.ct), signer);
}

/** Which team key a note is for: box kid, hex. */
export const noteRecipient = (env: Envelope): string => hex(env.bytes.subarray(MESSAGE_HEADER, MESSAGE_HEADER + 16));

export async function openNote(backend: Backend, env: Envelope, team: BoxKey, sender: Uint8Array): Promise<Uint8Array> {
  if (env.kind !== Kind.note) reject('kind');
  await checkSender(backend, env, sender);
  const kid = boxKid(BoxKind.team, team.pk);
  const at = MESSAGE_HEADER + 16;
  if (!equal(env.bytes.subarray(MESSAGE_HEADER, at), kid)) reject('recipient');
  const sealed = { enc: env.bytes.subarray(at, at + 32), ct: env.signed.subarray(at + 32) };
  return unpad(await team.open(sealed, noteInfo(kid), env.bytes.subarray(0, MESSAGE_HEADER)));
}

async function checkSender(backend: Backend, env: Envelope, sender: Uint8Array): Promise<void> {
  if (hex(kidOf(sender)) !== env.sender) reject('sender');
  if (!(await backend.verify('sig', sender, env.signed, env.signature))) reject('signature');
}
