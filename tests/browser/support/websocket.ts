/** Frames of RFC 6455, as much of it as a proxy needs that reads and changes what passes: whole messages, either direction, no extensions. */

export const Op = { more: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** A whole message, or a control frame. */
export interface Message {
  op: number;
  payload: Buffer;
}

/** Puts a stream of bytes together into messages. Control frames may be between the parts of a message. */
export class Reader {
  private rest = Buffer.alloc(0);
  private parts: Buffer[] = [];
  private op = 0;

  push(chunk: Buffer): Message[] {
    this.rest = Buffer.concat([this.rest, chunk]);
    const out: Message[] = [];
    for (;;) {
      const frame = this.frame();
      if (!frame) return out;
      const { op, last, payload } = frame;
      if (op >= Op.close) {
        out.push({ op, payload });
        continue;
      }
      if (op !== Op.more) this.op = op;
      this.parts.push(payload);
      if (!last) continue;
      out.push({ op: this.op, payload: Buffer.concat(this.parts) });
      this.parts = [];
    }
  }

  private frame(): (Message & { last: boolean }) | null {
    const b = this.rest;
    if (b.length < 2) return null;
    const [first, second] = [b[0], b[1]];
    let length = second & 0x7f;
    let at = 2;
    if (length === 126) {
      if (b.length < 4) return null;
      length = b.readUInt16BE(2);
      at = 4;
    } else if (length === 127) {
      if (b.length < 10) return null;
      length = Number(b.readBigUInt64BE(2));
      at = 10;
    }
    const masked = (second & 0x80) !== 0;
    if (masked) at += 4;
    if (b.length < at + length) return null;
    const payload = Buffer.from(b.subarray(at, at + length));
    if (masked) for (let i = 0; i < length; i++) payload[i] ^= b[at - 4 + (i % 4)];
    this.rest = b.subarray(at + length);
    return { op: first & 0x0f, last: (first & 0x80) !== 0, payload };
  }
}

/** One frame with the whole message. `masked`: towards a server. A mask of zeros is a mask and changes nothing. */
export function frame({ op, payload }: Message, masked: boolean): Buffer {
  const n = payload.length;
  const bit = masked ? 0x80 : 0;
  let head: Buffer;
  if (n < 126) head = Buffer.from([0x80 | op, bit | n]);
  else if (n < 0x10000) {
    head = Buffer.from([0x80 | op, bit | 126, 0, 0]);
    head.writeUInt16BE(n, 2);
  } else {
    head = Buffer.from([0x80 | op, bit | 127, 0, 0, 0, 0, 0, 0, 0, 0]);
    head.writeBigUInt64BE(BigInt(n), 2);
  }
  return Buffer.concat([head, Buffer.alloc(masked ? 4 : 0), payload]);
}
