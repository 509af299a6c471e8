/** Every envelope that honest pages sent is tried with every key that the server and its partners hold. */
import type { BoxKey } from '../../src/crypto/backend';
import { cat, hex, u32, unhex, utf8 } from '../../src/crypto/bytes';
import { BoxKind, boxKid } from '../../src/crypto/hash';
import { benchBackend as b } from './backend';
import { HEADER, K, type Box, type Wire } from './wire';
import type { Sent } from './server';
import type { Partner, World } from './world';

interface Held {
  by: Partner;
  key: BoxKey;
}

/** Box keys of partners, by kid. */
async function heldBy(w: World): Promise<Map<string, Held>> {
  const out = new Map<string, Held>();
  const put = (by: Partner, kind: number, key: BoxKey): void => void out.set(hex(boxKid(kind, key.pk)), { by, key });
  put('robot', BoxKind.bot, w.cast.day);
  for (const kind of Object.values(BoxKind)) put('mallory', kind, w.cast.malloryBox);
  put('mallory', BoxKind.team, await b.boxKey(w.cast.other.teamSecrets.get('svc')![0]!.secret));
  put('mo', BoxKind.team, await b.boxKey(w.log.teamSecret('ops')));
  // of svc the keys of qi's time
  put('qi', BoxKind.team, await b.boxKey(w.log.teamSecret('svc', 1)));
  return out;
}

/** The robot reads its own part; who was dismissed reads until the writer could know of it; others read nothing. */
function allowed(w: World, by: Partner, s: Sent): boolean {
  if (by === 'robot') return s.who === 'visitor' && !s.robotLeft;
  // the entry after their end gives the team another key
  if (by === 'qi') return s.dir <= (w.dismissed.get('qi') ?? Infinity);
  return false;
}

async function openBox(
  held: Map<string, Held>,
  w: Wire,
  box: Box,
): Promise<{ by: Partner; secret: Uint8Array } | null> {
  const h = held.get(box.kid);
  if (!h) return null;
  const kid = unhex(box.kid);
  const label = w.kind === K.announcement ? 'ek' : w.kind === K.grant ? 'grant' : 'note';
  const info =
    w.kind === K.note
      ? cat(utf8('kefu/1 note\0'), kid)
      : cat(utf8(`kefu/1 ${label}\0`), new Uint8Array([box.kind]), kid);
  const aad =
    w.kind === K.announcement
      ? w.bytes.subarray(0, 141)
      : w.kind === K.grant
        ? cat(w.bytes.subarray(0, 36), u32(box.epoch!))
        : w.bytes.subarray(0, HEADER);
  const secret = await h.key.open({ enc: box.enc, ct: box.ct }, info, aad).catch(() => null);
  return secret && { by: h.by, secret };
}

export async function secrecy(w: World): Promise<string[]> {
  const out: string[] = [];
  const held = await heldBy(w);
  const keys = await Promise.all(w.made.map(async (m) => ({ by: m.by, key: await b.epochKey(m.ek) })));
  for (const s of w.server.sent) {
    for (const box of s.w.boxes) {
      const opened = await openBox(held, s.w, box);
      if (!opened) continue;
      if (s.w.kind === K.note) {
        if (!allowed(w, opened.by, s)) out.push(`secrecy: ${opened.by} reads a note of ${s.who}`);
        continue;
      }
      keys.push({ by: opened.by, key: await b.epochKey(opened.secret) });
      if (!allowed(w, opened.by, s))
        out.push(`secrecy: ${s.who} seals the key of epoch ${box.epoch ?? s.w.epoch} to ${opened.by}`);
    }
  }
  for (const s of w.server.sent) {
    if (s.w.kind !== K.message) continue;
    const head = s.w.bytes.subarray(0, HEADER);
    for (const { by, key } of keys) {
      if (allowed(w, by, s)) continue;
      const text = await key.open(head, s.w.bytes.subarray(HEADER, -64)).catch(() => null);
      if (text) out.push(`secrecy: ${by} reads what ${s.who} wrote in epoch ${s.w.epoch}`);
    }
  }
  // messages must be in no text frame and in no request, in any encoding that needs no key
  const plain = w.server.said.map((x) => x.text).join('\n');
  for (const [text, said] of w.said)
    if (said.by !== 'robot' && plain.includes(text)) out.push(`secrecy: in plain text: ${text}`);
  return out;
}
