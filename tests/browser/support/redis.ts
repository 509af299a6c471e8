/** A Redis, or what KEFU_REDIS names, with the settings that kefu demands; in a temporary directory, on a free port of loopback. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './kefu';

const SETTINGS = {
  bind: '127.0.0.1',
  appendonly: 'yes',
  appendfsync: 'always',
  maxmemory: '256mb',
  'maxmemory-policy': 'noeviction',
  save: '',
};

export class Redis {
  private constructor(
    private readonly child: ChildProcess,
    private readonly dir: string,
    readonly url: string,
  ) {}

  /** Resolves when it takes connections. */
  static async start(): Promise<Redis> {
    const dir = mkdtempSync(join(tmpdir(), 'kefu-redis-'));
    const port = await freePort();
    const all = { ...SETTINGS, dir, port: String(port) };
    const args = Object.entries(all).flatMap(([name, value]) => [`--${name}`, value]);
    const child = spawn(process.env.KEFU_REDIS ?? 'redis-server', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let log = '';
    try {
      await new Promise<void>((ready, failed) => {
        child.once('error', (e) => failed(new Error(`no Redis, which make tools installs: ${e.message}`)));
        child.once('exit', () => failed(new Error(`Redis ended at once:\n${log}`)));
        for (const stream of [child.stdout, child.stderr])
          stream.on('data', (chunk: Buffer) => {
            log += chunk.toString();
            if (log.includes('Ready to accept connections')) ready();
          });
      });
    } catch (e) {
      rmSync(dir, { recursive: true, force: true });
      throw e;
    }
    return new Redis(child, dir, `redis://127.0.0.1:${port}`);
  }

  async dispose(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = new Promise((done) => this.child.once('exit', done));
      this.child.kill('SIGKILL');
      await ended;
    }
    rmSync(this.dir, { recursive: true, force: true });
  }
}
