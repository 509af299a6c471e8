/** The files of a small kefu server, as the contract has them; and those of clients that have none. */
import type { ConversationContext } from '../../src/client/context';
import { FileAccess } from '../../src/client/file-access';
import { pureBackend } from '../../src/crypto/pure';
import type { FileTransfer } from '../../src/link/file-transfer';
import { Code } from '../../src/proto';

interface Blob {
  size: number;
  bytes: Uint8Array;
  posted: boolean;
}

const PART = 1_048_832;
const json = (v: unknown, status = 200): Response => new Response(JSON.stringify(v), { status });
const fail = (code: number, status: number, more: object = {}): Response =>
  json({ code, name: '', text: '', ...more }, status);

export class FakeFiles {
  readonly all = new Map<string, Blob>();
  /** Requests as they came: method, file, what of it. */
  readonly log: string[] = [];
  /** Answers in place of the server's own. */
  answer: (method: string, at: number) => Response | Promise<Response> | null = () => null;
  /** What a reader gets instead. */
  given: (bytes: Uint8Array, from: number) => Uint8Array = (bytes) => bytes;

  private readonly waiting: (() => void)[] = [];

  /** Until so much of it is there, for a second at most. */
  private stored(file: Blob, length: number): Promise<void> {
    return new Promise((done) => {
      const late = setTimeout(done, 1_000);
      const look = (): void => {
        if (file.bytes.length < length) return void this.waiting.push(look);
        clearTimeout(late);
        done();
      };
      look();
    });
  }

  isWhole(conv: string, msg: string): boolean {
    const file = this.all.get(`${conv}/${msg}`);
    return !file || file.bytes.length === file.size;
  }

  posted(conv: string, msg: string): void {
    const file = this.all.get(`${conv}/${msg}`);
    if (file) file.posted = true;
  }

  async http(path: string, init: RequestInit = {}): Promise<Response | null> {
    const [, conv, msg, query = ''] = /^\/conversations\/(\w+)\/files\/(\w+)(?:\?at=(\d+))?$/.exec(path) ?? [];
    if (msg === undefined) return null;
    if (init.signal?.aborted) throw new TypeError('aborted');
    const name = `${conv}/${msg}`;
    const method = init.method ?? 'GET';
    this.log.push(`${method} ${query}`.trim());
    // a page that gives up waits for nothing
    const aborted = new Promise<never>((_, no) =>
      init.signal?.addEventListener('abort', () => no(new TypeError('aborted'))),
    );
    // nobody may be waiting any more
    aborted.catch(() => undefined);
    const own = await Promise.race([this.answer(method, Number(query)), aborted]);
    if (own) return own;
    const file = this.all.get(name);
    switch (method) {
      case 'POST': {
        const { size } = JSON.parse(init.body as string) as { size: number };
        if (file && file.size !== size) return fail(Code.malformed, 400);
        if (!file) this.all.set(name, { size, bytes: new Uint8Array(0), posted: false });
        return json({ have: file?.bytes.length ?? 0 });
      }
      case 'PUT': {
        if (!file) return fail(Code.not_found, 404);
        // a part waits for the one before, not for long
        if (Number(query) > file.bytes.length) await Promise.race([this.stored(file, Number(query)), aborted]);
        const have = file.bytes.length;
        if (Number(query) !== have) return fail(Code.conflict, 409, { have });
        const part = init.body as Uint8Array;
        if (part.length !== Math.min(PART, file.size - have)) throw new Error(`a part of ${part.length} bytes`);
        const bytes = new Uint8Array(have + part.length);
        bytes.set(file.bytes);
        bytes.set(part, have);
        file.bytes = bytes;
        for (const look of this.waiting.splice(0)) look();
        return json({ have: bytes.length });
      }
      case 'DELETE':
        if (file && !file.posted) this.all.delete(name);
        return json({});
      default: {
        if (!file?.posted) return fail(Code.not_found, 404);
        const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(new Headers(init.headers).get('range') ?? '')!;
        const bytes = this.given(file.bytes.slice(Number(from), Number(to) + 1), Number(from));
        return new Response(bytes as Uint8Array<ArrayBuffer>, { status: 206 });
      }
    }
  }
}

const none = (): never => {
  throw new Error('no file is sent or fetched here');
};
const transfer: FileTransfer = { begin: none, put: none, cancel: none, get: none };
export const noFiles: Pick<ConversationContext, 'files' | 'opened'> = {
  files: transfer,
  opened: new FileAccess(pureBackend(), transfer),
};
