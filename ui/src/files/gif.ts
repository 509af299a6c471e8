/** A GIF without what is written in it beside its pictures. */

const isLoop = (b: Uint8Array, i: number): boolean => String.fromCharCode(...b.subarray(i, i + 11)) === 'NETSCAPE2.0';

/** Null if it is no whole GIF. */
export async function withoutRemarks(file: Blob): Promise<Blob | null> {
  const b = new Uint8Array(await file.arrayBuffer());
  const out: Uint8Array<ArrayBuffer>[] = [];
  const colours = (flags: number): number => (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0);
  /** Behind the sub-blocks that begin at `i`. */
  const behind = (i: number): number => {
    let at = i;
    while (at < b.length && b[at] !== 0) at += b[at]! + 1;
    return at + 1;
  };
  let at = 13 + colours(b[10]!);
  out.push(b.slice(0, at));
  while (at < b.length) {
    const from = at;
    if (b[at] === 0x3b) {
      out.push(b.slice(at, at + 1));
      return new Blob(out, { type: 'image/gif' });
    }
    if (b[at] === 0x2c) at = behind(at + 11 + colours(b[at + 9]!));
    else if (b[at] === 0x21) at = behind(at + 2);
    else return null;
    // how long a picture stays, and that they are shown again and again; no comments, no other programs' data
    const kept = b[from] === 0x2c || b[from + 1] === 0xf9 || (b[from + 1] === 0xff && isLoop(b, from + 3));
    if (kept) out.push(b.slice(from, at));
  }
  return null;
}
