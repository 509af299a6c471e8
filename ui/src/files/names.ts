/**
 * Names of files, which strangers give: shown so that nothing in them can pass for something else, and saved so that they are names and
 * nothing more.
 */

/** Characters of a name that are looked at; the client lets none through that is longer. */
const MAX_NAME = 255;
/** Longest ending that counts as one, with its dot. */
const MAX_ENDING = 12;

/** Controls, what is not visible, and what turns the direction of other characters: none of them is a letter of a name. */
const isHidden = (c: number): boolean =>
  c < 0x20 ||
  (c >= 0x7f && c < 0xa0) ||
  c === 0xad ||
  c === 0x61c ||
  c === 0x180e ||
  (c >= 0x200b && c <= 0x200f) ||
  (c >= 0x2028 && c <= 0x202e) ||
  (c >= 0x2060 && c <= 0x206f) ||
  c === 0xfeff ||
  (c >= 0xfff9 && c <= 0xfffb) ||
  (c >= 0xe0000 && c <= 0xe007f);

function mapped(text: string, one: (c: number, char: string) => string): string {
  let out = '';
  for (const char of text.slice(0, MAX_NAME)) out += one(char.codePointAt(0)!, char);
  return out;
}

/** `exe` of `a.exe`; '' if there is none. */
export function endingOf(name: string): string {
  const end = name.slice(-MAX_ENDING);
  const dot = end.lastIndexOf('.');
  return dot < 0 ? '' : end.slice(dot + 1);
}

/** The name in two parts, in the order in which they are written: the second, with the ending, is never shortened. Hidden characters are visible: `[U+202E]`. */
export function shownName(name: string): [start: string, end: string] {
  const ending = endingOf(name);
  const cut = ending ? name.length - ending.length - 1 : Math.max(0, name.length - 6);
  const show = (text: string): string =>
    mapped(text, (c, char) => (isHidden(c) ? `[U+${c.toString(16).toUpperCase().padStart(4, '0')}]` : char));
  return [show(name.slice(0, cut)), show(name.slice(cut))];
}

/** The same in one. */
export const plainName = (name: string): string => shownName(name).join('');

/** Names that Windows has for devices, with any ending. */
const DEVICES =
  ' con prn aux nul com0 com1 com2 com3 com4 com5 com6 com7 com8 com9 lpt0 lpt1 lpt2 lpt3 lpt4 lpt5 lpt6 lpt7 lpt8 lpt9 ';
/** Letters of a saved name without its ending. */
const MAX_SAVED = 100;

/** Under which it is saved: no path, no device, nothing hidden, on any system. */
export function savedName(name: string): string {
  const clean = mapped(name, (c, char) => (isHidden(c) ? '' : '/\\:*?"<>|'.includes(char) ? '_' : char));
  let from = 0;
  let to = clean.length;
  // a leading dot hides it, Windows cuts off trailing ones
  while (from < to && ' .'.includes(clean[from]!)) from++;
  while (to > from && ' .'.includes(clean[to - 1]!)) to--;
  const whole = clean.slice(from, to);
  const ending = endingOf(whole);
  const stem = [...(ending ? whole.slice(0, -ending.length - 1) : whole)].slice(0, MAX_SAVED).join('');
  const device = DEVICES.includes(
    ` ${stem
      .slice(0, stem.indexOf('.') < 0 ? undefined : stem.indexOf('.'))
      .trim()
      .toLowerCase()} `,
  );
  return `${device ? '_' : ''}${stem || 'file'}${ending ? `.${ending}` : ''}`;
}

/** `1.5 MB`: the unit is chosen so that there are one to three digits before the point. */
export function sizeText(bytes: number): string {
  let n = bytes;
  let unit = 0;
  while (n >= 999.5 && unit < 3) {
    n /= 1024;
    unit++;
  }
  return `${unit && n < 9.95 ? n.toFixed(1) : Math.round(n)} ${['B', 'KB', 'MB', 'GB'][unit]}`;
}
