/** A company of its own: the real executable, its data directory, its process and its log. Knows no browser. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const STOP_MS = 15_000;

function executable(): string {
  const path = process.env.KEFU;
  if (!path) throw new Error('KEFU must name the executable: make test-browser does it');
  return path;
}

/** A port nobody listens on now. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((done) => probe.listen(0, '127.0.0.1', done));
  const address = probe.address();
  await new Promise((done) => probe.close(done));
  if (!address || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

export class Kefu {
  readonly dir: string;
  /** Everything the server ever wrote to stdout and stderr, over all its restarts. */
  readonly log: string;
  /** Output of `init`; empty before. */
  org = '';
  adminCode = '';
  /** Configuration of the server and of commands, as environment variables. */
  config: Record<string, string> = {};
  private readonly root: string;
  private child: ChildProcess | null = null;

  /** `host` and `publicPort` are what pages call the server by. It listens on loopback, at `port`, in any case. */
  constructor(
    readonly port: number,
    private readonly host = '127.0.0.1',
    private readonly publicPort = port,
  ) {
    this.root = mkdtempSync(join(tmpdir(), 'kefu-browser-'));
    this.dir = join(this.root, 'data');
    this.log = join(this.root, 'server.log');
  }

  get origin(): string {
    return `http://${this.host}:${this.publicPort}`;
  }

  /** One command of the command line, as JSON. */
  async cli<T = Record<string, unknown>>(...args: string[]): Promise<T> {
    try {
      const { stdout } = await run(executable(), ['--data-dir', this.dir, '--json', ...args], {
        env: { ...process.env, ...this.config },
      });
      return JSON.parse(stdout) as T;
    } catch (e) {
      const { stdout, stderr } = e as { stdout?: string; stderr?: string };
      throw new Error(`kefu ${args.join(' ')} failed:\n${stdout ?? ''}\n${stderr ?? String(e)}`);
    }
  }

  /** The same company on another machine, with the same keys, as it is now. This one must not run. */
  async copy(): Promise<Kefu> {
    if (this.child) throw new Error('a running server cannot be copied');
    const copy = new Kefu(await freePort(), this.host);
    cpSync(this.dir, copy.dir, { recursive: true, filter: (path) => !path.endsWith('.sock') });
    return copy;
  }

  /** Another server of the company, which must be in a database that servers share; with what an administrator copies there. */
  async join(): Promise<Kefu> {
    const joined = new Kefu(await freePort(), this.host, this.publicPort);
    mkdirSync(joined.dir, { mode: 0o700 });
    for (const file of ['opaque.setup', 'cluster.key', 'kefu.toml'])
      copyFileSync(join(this.dir, file), join(joined.dir, file));
    joined.config = { ...this.config };
    return joined;
  }

  async init(name: string): Promise<void> {
    const made = await this.cli<{ org: string; invite: { code: string } }>('init', '--no-passphrase', '--name', name);
    this.org = made.org;
    this.adminCode = made.invite.code;
  }

  /** Invites a person; the code. */
  async invite(id: string, name: string, teams: string[], role = 'agent'): Promise<string> {
    const args = teams.flatMap((team) => ['--team', team]);
    const made = await this.cli<{ invite: { code: string } }>(
      'user',
      'add',
      id,
      '--name',
      name,
      '--role',
      role,
      ...args,
    );
    return made.invite.code;
  }

  async snippet(site: string, ...options: string[]): Promise<string> {
    return (await this.cli<{ snippet: string }>('site', 'snippet', site, ...options)).snippet;
  }

  /** Starts the server and waits until it answers. */
  async serve(): Promise<void> {
    if (this.child) throw new Error('the server runs already');
    const args = [
      '--data-dir',
      this.dir,
      'serve',
      '--plain-http',
      '--listen',
      `127.0.0.1:${this.port}`,
      '--public-url',
      this.origin,
    ];
    const child = spawn(executable(), args, {
      env: { ...process.env, ...this.config },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => appendFileSync(this.log, chunk));
    this.child = child;
    const until = Date.now() + STOP_MS;
    for (;;) {
      if (child.exitCode !== null) throw new Error(`the server ended by itself:\n${this.logText()}`);
      if (
        await fetch(`http://127.0.0.1:${this.port}/healthz`).then(
          (r) => r.ok,
          () => false,
        )
      )
        return;
      if (Date.now() > until) throw new Error(`the server does not answer:\n${this.logText()}`);
      await new Promise((done) => setTimeout(done, 50));
    }
  }

  /** SIGKILL: what a power cut does to a process. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** A graceful stop. Its exit code, which must be 0. */
  async stop(): Promise<number | null> {
    return this.end('SIGTERM');
  }

  logText(): string {
    try {
      return readFileSync(this.log, 'utf8');
    } catch {
      return '';
    }
  }

  /** A file with what the server's process holds in memory now. */
  memory(): string {
    const pid = this.child?.pid;
    if (!pid) throw new Error('the server does not run');
    const path = join(this.root, 'memory');
    const [from, to] = [openSync(`/proc/${pid}/mem`, 'r'), openSync(path, 'w')];
    for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
      const [, begin, end] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? [];
      if (!begin || !end) continue;
      const chunk = Buffer.alloc(1 << 20);
      for (let at = parseInt(begin, 16); at < parseInt(end, 16); at += chunk.length) {
        const most = Math.min(chunk.length, parseInt(end, 16) - at);
        try {
          writeSync(to, chunk, 0, readSync(from, chunk, 0, most, at));
        } catch {
          // a mapping that is gone meanwhile, or that nobody may read
        }
      }
    }
    closeSync(from);
    closeSync(to);
    return path;
  }

  async dispose(): Promise<void> {
    await this.kill();
    rmSync(this.root, { recursive: true, force: true });
  }

  private async end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.child;
    this.child = null;
    if (!child || child.exitCode !== null) return child?.exitCode ?? null;
    const ended = new Promise<number | null>((done) => child.once('exit', (code) => done(code)));
    child.kill(signal);
    return ended;
  }
}
