/**
 * What must hold after every run, whatever the server sent: nobody reads without the right to, no message is forged, moved, doubled or gone
 * without a mark, and a server that contradicts what a page remembers is not trusted.
 */
import { MAX_SENT, type Load } from './server';
import { kidHex } from './forge';
import type { Line, Look } from './pages';
import { secrecy } from './secrecy';
import { K, wire, ZEROS, type Wire } from './wire';
import type { World } from './world';

const WORDS: readonly string[] = ['text', 'form', 'note'];
const HAS_NUMBER: readonly number[] = [K.message, K.note, K.recall, K.noteRecall, K.tombstone, K.noteTombstone];
const good = (l: Line): boolean => WORDS.includes(l.kind) && l.marks.length === 0 && l.seq !== null;
const wordsOf = (l: Line): string => (l.kind === 'form' ? (l.fields?.name ?? '') : l.text);

export async function violations(w: World): Promise<string[]> {
  const out: string[] = [...(await secrecy(w))];
  for (const look of w.looks) {
    const name = `${look.who} in load ${look.load.n}`;
    for (const v of [...authenticity(w, look), ...order(w, look), ...alarm(w, look)]) out.push(`${name}: ${v}`);
  }
  out.push(...loss(w));
  for (const l of w.server.loads) if (l.sent > MAX_SENT) out.push(`rest: ${l.who} sends without end`);
  return [...new Set(out)];
}

/** What this load was given of the conversation on its screen. */
const shownRecords = (look: Look): Load['delivered'] => look.load.delivered.filter((d) => d.conv === look.conv);

// ---- authenticity

/** What is shown as a person's message was written by them, here, and is shown once. */
function authenticity(w: World, look: Look): string[] {
  const out: string[] = [];
  const seen = new Set<string>();
  let robotOut = false;
  for (const l of look.lines) {
    if (l.epoch && !l.epoch.bot) robotOut = true;
    if (l.epoch && l.marks.length === 0 && !rightfulEpoch(w, look, l))
      out.push('authenticity: an epoch of nobody who might make one is accepted');
    if (l.kind === 'recalled' && l.marks.length === 0 && !recalledBy(w, l.id))
      out.push(`authenticity: "taken back", but nobody did: line ${l.seq}`);
    if (!good(l)) continue;
    const words = wordsOf(l);
    if (seen.has(words)) out.push(`authenticity: shown twice: ${words}`);
    seen.add(words);
    if (l.side === 'robot') {
      if (robotOut) out.push(`authenticity: the robot speaks after its end: ${words}`);
      continue;
    }
    const said = w.said.get(words);
    const by = l.side === 'visitor' ? 'visitor' : l.user;
    if (!said) {
      if (!w.byQi.has(words) || !qiMaySpeak(w, look, l)) out.push(`authenticity: nobody honest wrote: ${words}`);
    } else if (said.by !== by || said.kind !== l.kind || said.conv !== w.conv)
      out.push(`authenticity: shown as ${l.kind} of ${by}: ${words}`);
  }
  return out;
}

/**
 * A person who was in the team writes something. Valid while they are in, in an epoch of that team that is current there and has no robot;
 * after their dismissal only as history, where it cannot be told from what they wrote in time, or to a page that was not told of it.
 */
function qiMaySpeak(w: World, look: Look, l: Line): boolean {
  // a page that no longer trusts its server has reported it, and may not have learned of that end
  if (look.alarm) return true;
  const records = shownRecords(look);
  const at = records.findIndex((d) => d.rec.seq === l.seq && wire(d.rec.body)?.msg === l.id);
  const begun = new Set(look.lines.filter((x) => x.epoch && x.marks.length === 0).map((x) => x.seq));
  const earlier = records
    .slice(0, at)
    .filter((d) => begun.has(d.rec.seq))
    .map((d) => wire(d.rec.body));
  const epoch = earlier.filter((e): e is Wire => e?.kind === K.announcement && accepted(w, e)).at(-1);
  if (at < 0 || !epoch || epoch.flags || wire(records[at]!.rec.body)!.epoch !== epoch.epoch) return false;
  const end = w.dismissed.get('qi') ?? Infinity;
  const knows = w.server.loads.some((k) => k.who === look.who && k.n <= look.load.n && k.served >= end);
  // in a log that went back, or is claimed to be gone, the page is still catching up
  const live = records[at]!.live && !look.load.rewound && look.says.length === 0;
  return !knows || !live;
}

const accepted = (w: World, e: Wire): boolean =>
  w.rightful.has(e.hash) || w.server.sent.some((s) => s.w.hash === e.hash);

function rightfulEpoch(w: World, look: Look, l: Line): boolean {
  const made = shownRecords(look).find((d) => d.rec.seq === l.seq && wire(d.rec.body)?.kind === K.announcement);
  const hash = made && wire(made.rec.body)!.hash;
  if (!made || w.server.sent.some((s) => s.w.hash === hash)) return true;
  // it has reported it, and may not have learned that they were dismissed
  if ((look.alarm || look.says.length > 0) && wire(made.rec.body)!.sender === kidHex(w.cast.qi.ed)) return true;
  const known = w.rightful.get(hash!);
  // in a log that went back, which the page shows, all is history again
  return known !== undefined && known.readers.includes(look.who) && (known.live || !made.live || look.load.rewound);
}

function recalledBy(w: World, msg: string): boolean {
  return [...w.recalled].some((text) => w.said.get(text)?.msg === msg);
}

// ---- order

interface View {
  /** Message id → place of its line. */
  lines: Map<string, { at: number; line: Line }>;
  /** Announcements (by hash) → position of their line. */
  epochs: Map<string, number>;
  /** The envelope under a message id, as it was first delivered to this load; and by its hash. */
  envelopes: Map<string, Wire>;
  byHash: Map<string, Wire>;
}

function view(look: Look): View {
  const lines = new Map(look.lines.map((line, at) => [line.id, { at, line }]));
  const v: View = { lines, epochs: new Map(), envelopes: new Map(), byHash: new Map() };
  // the line about a log that went back is at a position of another record
  const bySeq = new Map(
    look.lines
      .map((line, at) => [line.seq, { at, line }] as const)
      .filter(([, x]) => !x.line.marks.includes('rewound')),
  );
  for (const { rec } of shownRecords(look)) {
    const e = wire(rec.body);
    if (!e) continue;
    if (!v.envelopes.has(e.msg)) v.envelopes.set(e.msg, e);
    v.byHash.set(e.hash, e);
    const known = bySeq.get(rec.seq);
    if (e.kind === K.announcement && known?.line.epoch) v.epochs.set(e.hash, known.at);
    // lines that show no words have no message id
    if (known && !lines.has(e.msg)) lines.set(e.msg, known);
  }
  return v;
}

/** Nothing unmarked precedes what its writer had seen, or after something of the same writer that is missing. */
function order(w: World, look: Look): string[] {
  const out: string[] = [];
  const v = view(look);
  const sent = new Map(w.server.sent.map((s) => [s.w.hash, s.w]));
  for (const [at, l] of look.lines.entries()) {
    const e = v.envelopes.get(l.id);
    if (!good(l) || !e || !sent.has(e.hash)) continue;
    const wrong = before(w, v, e, at, sent) ?? chain(v, e, at, w);
    if (wrong) out.push(`order: ${wrong}: ${wordsOf(l)}`);
  }
  return out;
}

/** `prev` precedes it. */
function before(w: World, v: View, e: Wire, at: number, sent: Map<string, Wire>): string | null {
  if (e.prev === ZEROS) {
    const others = [...v.lines.values()].some(
      (x) => x.at < at && good(x.line) && v.envelopes.get(x.line.id)?.sender !== e.sender,
    );
    return others ? 'its writer had seen nothing, yet others stand before it' : null;
  }
  const p =
    sent.get(e.prev) ??
    v.byHash.get(e.prev) ??
    w.server.convs
      .get(e.conv)
      ?.wires()
      .find((x) => x.hash === e.prev);
  if (!p) return 'what its writer had seen is nowhere';
  if (p.kind === K.announcement)
    return (v.epochs.get(p.hash) ?? Infinity) < at
      ? null
      : `epoch ${p.epoch}, which its writer had seen, does not stand before it`;
  if (p.kind === K.note || p.kind === K.grant || p.kind === K.noteRecall)
    return 'it names what the other side is not shown';
  return stands(v, p.msg, at) || (p.kind === K.recall && stands(v, p.target!.msg, at))
    ? null
    : 'what its writer had seen does not stand before it';
}

/** It has its place on the screen: with its words, as taken back, as what this reader has no key to, or as removed after it was read. */
function stands(v: View, msg: string, at: number): boolean {
  const known = v.lines.get(msg);
  if (!known || known.at >= at) return false;
  const { kind, marks } = known.line;
  return (
    WORDS.includes(kind) ||
    kind === 'recalled' ||
    marks.includes('error.no_key') ||
    (kind === 'removed' && v.envelopes.get(msg)?.kind === K.message)
  );
}

/** The one before it of the same page run is there. */
function chain(v: View, e: Wire, at: number, w: World): string | null {
  if (e.ctr === 0) return null;
  // a number that was refused is used again, so only what was stored counts
  const last = w.server.convs
    .get(e.conv)
    ?.wires()
    .find((x) => HAS_NUMBER.includes(x.kind) && x.sender === e.sender && x.inst === e.inst && x.ctr === e.ctr - 1);
  return !last || stands(v, last.msg, at) || (last.target && stands(v, last.target.msg, at))
    ? null
    : 'the one before it of the same writer is missing';
}

// ---- alarm

/** Announcements as they were accepted: from honest makers, in their order, in records whose number came next. */
function epochsOf(w: World, load: Load): Map<number, string> {
  const out = new Map<number, string>();
  let have = 0;
  for (const { conv, rec } of load.delivered) {
    if (conv !== w.conv || rec.seq !== have + 1) continue;
    have++;
    const e = wire(rec.body);
    if (e?.kind === K.announcement && accepted(w, e) && e.epoch === out.size) out.set(e.epoch, e.hash);
  }
  return out;
}

/** A page that was shown less than it remembers, without a reason, no longer trusts the server. */
function alarm(w: World, look: Look): string[] {
  const { load } = look;
  const complete = load.synced.some((s) => s.conv === w.conv);
  if (look.alarm || load.rewound || !complete || look.says.length > 0) return [];
  const earlier = w.server.loads.filter((l) => l.who === load.who && l.n < load.n);
  const now = epochsOf(w, load);
  for (const l of earlier)
    for (const [n, hash] of epochsOf(w, l))
      if (now.get(n) !== hash) return [`alarm: epoch ${n}, which an earlier load was shown, is not there`];
  return [];
}

// ---- loss

/** What a page once showed is shown later, too, or a mark shows that it is not. */
function loss(w: World): string[] {
  const out: string[] = [];
  const shown = new Map<string, Map<string, string>>();
  for (const look of w.looks) {
    const once = shown.get(look.who) ?? new Map<string, string>();
    shown.set(look.who, once);
    const told = look.alarm || look.load.rewound || look.says.length > 0 || look.lines.some((l) => l.marks.length > 0);
    const ids = new Set(look.lines.map((l) => l.id));
    const loaded = look.load.synced.some((s) => s.conv === w.conv);
    if (!told && loaded)
      for (const [id, words] of once)
        if (!ids.has(id)) out.push(`loss: ${look.who} was shown it once and is not any more: ${words}`);
    for (const l of look.lines) if (good(l)) once.set(l.id, wordsOf(l));
  }
  return out;
}

/** Whether any page reports that something is wrong. */
export const anyMark = (w: World): boolean =>
  w.looks.some((k) => k.says.length > 0 || k.lines.some((l) => l.marks.length > 0 && !othersNote(k, l)));
/** Notes are for the team that wrote them; the next team sees that there are some. */
const othersNote = (k: Look, l: Line): boolean =>
  l.marks.every((m) => m === 'broken' || m === 'error.no_key') &&
  shownRecords(k).some((d) => d.rec.seq === l.seq && wire(d.rec.body)?.kind === K.note);
export const anyAlarm = (w: World): boolean => w.looks.some((k) => k.alarm);
