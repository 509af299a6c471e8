/**
 * A proxy between real browsers and the real server that can lie: it changes, drops, repeats and makes up what passes, in either
 * direction, over HTTP and over sockets, and it cuts sockets. Without a lie everything passes as it is.
 */
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { frame, Op, Reader, type Message } from './websocket';

export type Role = 'visitor' | 'agent';
/** A text frame. */
export interface Text {
  t: string;
  [field: string]: unknown;
}
/** A text frame, or the bytes of a binary one: an envelope on its way up, a record on its way down. */
export type Said = Text | Buffer;
/** What becomes of a frame: it, another, several, none. */
export type Filter = (said: Said, line: Line) => Said | Said[] | null;
type Json = Record<string, unknown>;

export const isText = (said: Said): said is Text => !Buffer.isBuffer(said);

/** One socket through the proxy. */
export class Line {
  constructor(
    readonly role: Role,
    private readonly browser: Socket,
    private readonly server: Socket,
  ) {}

  /** To the browser, as if from the server. */
  say(said: Said): void {
    this.write(this.browser, said, false);
  }

  /** To the server, as if from the browser. */
  tell(said: Said): void {
    this.write(this.server, said, true);
  }

  pass(message: Message, up: boolean): void {
    (up ? this.server : this.browser).write(frame(message, up));
  }

  /** The network is gone, on both sides. */
  cut(): void {
    this.browser.destroy();
    this.server.destroy();
  }

  private write(to: Socket, said: Said, masked: boolean): void {
    if (to.destroyed) return;
    to.write(
      frame(
        isText(said) ? { op: Op.text, payload: Buffer.from(JSON.stringify(said)) } : { op: Op.binary, payload: said },
        masked,
      ),
    );
  }
}

export class Hostile {
  readonly lines = new Set<Line>();
  /** In order; what one leaves over is what the next sees. */
  readonly down: Filter[] = [];
  readonly up: Filter[] = [];
  /** Rewrites JSON answers whose path, with its query, matches. */
  readonly json: { path: RegExp; change: (body: Json, role: Role) => unknown }[] = [];
  /** Rewrites pages of records. */
  readonly pages: ((page: Buffer, of: { conv: string; after: number; role: Role }) => Buffer)[] = [];
  /** Answers a path itself, with a script. */
  readonly scripts = new Map<string, Buffer>();
  /** Frames of browsers, before any attack, in order. */
  readonly heard: { role: Role; said: Said }[] = [];

  private constructor(
    private readonly server: Server,
    readonly port: number,
    private readonly upstream: number,
  ) {}

  /** `upstream`: port of the real server on this machine. */
  static async open(upstream: number): Promise<Hostile> {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const address = server.address();
    if (!address || typeof address === 'string') throw new Error('the proxy has no port');
    const proxy = new Hostile(server, address.port, upstream);
    server.on('request', (from, to) => proxy.request(from, to));
    server.on('upgrade', (from, socket, head) => proxy.upgrade(from, socket as Socket, head));
    return proxy;
  }

  /** Behaves honestly from now on. */
  honest(): void {
    for (const lies of [this.down, this.up, this.json, this.pages]) lies.length = 0;
  }

  /** Cuts the sockets of one side; the pages come back by themselves. */
  cut(role: Role): void {
    for (const line of this.lines) if (line.role === role) line.cut();
  }

  async close(): Promise<void> {
    for (const line of this.lines) line.cut();
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }

  private request(from: IncomingMessage, to: ServerResponse): void {
    const path = from.url ?? '/';
    const script = this.scripts.get(path.split('?')[0]!);
    if (script) {
      to.writeHead(200, {
        'content-type': 'text/javascript; charset=utf-8',
        'access-control-allow-origin': '*',
        'cache-control': 'public, max-age=31536000, immutable',
        'x-content-type-options': 'nosniff',
      });
      return void to.end(script);
    }
    const role: Role =
      from.headers.origin === undefined || from.headers.origin === `http://${from.headers.host}` ? 'agent' : 'visitor';
    const headers = path.startsWith('/api/') ? { ...from.headers, 'accept-encoding': 'identity' } : from.headers;
    const up = request({ host: '127.0.0.1', port: this.upstream, path, method: from.method, headers }, (answer) => {
      const rewrite = answer.statusCode === 200 ? this.rewriter(path, role) : null;
      if (!rewrite) {
        to.writeHead(answer.statusCode ?? 502, answer.headers);
        return void answer.pipe(to);
      }
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => {
        const body = rewrite(Buffer.concat(chunks));
        const { 'transfer-encoding': _, ...rest } = answer.headers;
        to.writeHead(200, { ...rest, 'content-length': String(body.length) }).end(body);
      });
    });
    // the server is away: so is everything behind it
    up.on('error', () => to.destroy());
    from.pipe(up);
  }

  private rewriter(path: string, role: Role): ((body: Buffer) => Buffer) | null {
    const conv = /^\/api\/v1\/conversations\/([0-9a-f]{32})\/records/.exec(path)?.[1];
    if (conv !== undefined && this.pages.length) {
      const after = Number(new URL(path, 'http://x').searchParams.get('after') ?? 0);
      return (body) => this.pages.reduce((page, change) => change(page, { conv, after, role }), body);
    }
    const lies = this.json.filter((lie) => lie.path.test(path));
    if (!lies.length) return null;
    return (body) =>
      Buffer.from(
        JSON.stringify(
          lies.reduce<unknown>((json, lie) => lie.change(json as Json, role), JSON.parse(body.toString())),
        ),
      );
  }

  private upgrade(from: IncomingMessage, browser: Socket, head: Buffer): void {
    const { 'sec-websocket-extensions': _, ...headers } = from.headers;
    const up = request({ host: '127.0.0.1', port: this.upstream, path: from.url, headers });
    browser.on('error', () => up.destroy());
    up.on('error', () => browser.destroy());
    up.on('response', (answer) => {
      // refused before the socket exists
      browser.end(
        `HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`,
      );
      answer.resume();
    });
    up.on('upgrade', (answer, server: Socket, rest: Buffer) => {
      const lines = [`HTTP/1.1 101 Switching Protocols`];
      for (let i = 0; i < answer.rawHeaders.length; i += 2)
        lines.push(`${answer.rawHeaders[i]}: ${answer.rawHeaders[i + 1]}`);
      browser.write(`${lines.join('\r\n')}\r\n\r\n`);
      this.join(from.url?.includes('/ws/agent') ? 'agent' : 'visitor', browser, server, head, rest);
    });
    up.end();
  }

  private join(role: Role, browser: Socket, server: Socket, head: Buffer, rest: Buffer): void {
    const line = new Line(role, browser, server);
    this.lines.add(line);
    const end = (): void => {
      this.lines.delete(line);
      browser.destroy();
      server.destroy();
    };
    const listen = (socket: Socket, up: boolean, first: Buffer): void => {
      const reader = new Reader();
      const hear = (chunk: Buffer): void => {
        for (const message of reader.push(chunk)) this.message(line, message, up);
      };
      socket.on('data', hear).on('close', end).on('error', end);
      if (first.length) hear(first);
    };
    listen(browser, true, head);
    listen(server, false, rest);
  }

  private message(line: Line, message: Message, up: boolean): void {
    if (message.op !== Op.text && message.op !== Op.binary) return line.pass(message, up);
    const said: Said = message.op === Op.text ? (JSON.parse(message.payload.toString()) as Text) : message.payload;
    if (up) this.heard.push({ role: line.role, said });
    const filters = up ? this.up : this.down;
    // nothing may change on its way through an honest proxy, not even the order of fields
    if (!filters.length) return line.pass(message, up);
    let now: Said[] = [said];
    for (const filter of filters) now = now.flatMap((one) => filter(one, line) ?? []);
    for (const one of now) {
      if (one === said) line.pass(message, up);
      else if (up) line.tell(one);
      else line.say(one);
    }
  }
}
