/**
 * How long a file takes from the key that sends it until its message is acknowledged, beside a plain PUT of as many bytes by the same page
 * over the same line, in turn. `benches/uploads.sh` runs it where the loopback device has the rates below.
 */
import { execFileSync } from 'node:child_process';
import { createWriteStream, fsyncSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Page } from '@playwright/test';
import { F } from '../support/files';
import { expect, test } from '../support/test';

/** Mbit/s; 0: as fast as it goes. */
const RATES = (process.env.RATES ?? '20,100,0').split(',').map(Number);
const ROUNDS = Number(process.env.ROUNDS ?? 5);
const MB = Number(process.env.MB ?? 20);
const BYTES = MB * 2 ** 20;
/** Of the file, sealed: 20 MiB need no padding, and each chunk has a tag. */
const SEALED = BYTES + (BYTES / 65_536) * 16;

/** A queue of 50 ms, as routers have. */
function shape(rate: number): void {
  const line = rate ? ['tbf', 'rate', `${rate}mbit`, 'burst', '64kb', 'latency', '50ms'] : ['pfifo_fast'];
  execFileSync('tc', ['qdisc', 'replace', 'dev', 'lo', 'root', ...line]);
}

/** What a plain server does with a PUT: writes it to a file, and says so when that is on the disk. */
async function plainServer(): Promise<{ url: string; close(): void }> {
  const dir = mkdtempSync(join(tmpdir(), 'kefu-plain-'));
  const allow = { 'access-control-allow-origin': '*', 'access-control-allow-methods': 'PUT' };
  let n = 0;
  const server = createServer((request, response) => {
    if (request.method !== 'PUT') return void response.writeHead(204, allow).end();
    const fd = openSync(join(dir, `${n++}`), 'w');
    void pipeline(request, createWriteStream('', { fd, autoClose: false })).then(() => {
      fsyncSync(fd);
      response.writeHead(204, allow).end();
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const close = (): void => {
    server.closeAllConnections();
    server.close();
    rmSync(dir, { recursive: true });
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, close };
}

const plainPut = (page: Page, url: string): Promise<number> =>
  page.evaluate(
    async ([to, length]) => {
      const body = new Blob([new Uint8Array(length)]);
      const from = performance.now();
      await fetch(to, { method: 'PUT', body });
      return performance.now() - from;
    },
    [url, SEALED] as const,
  );

/** From the next key that is pressed until the file of this name is acknowledged. */
const sent = (page: Page, name: string): Promise<number> =>
  page.evaluate((wanted) => {
    const root = document.querySelector('kefu-widget')!.shadowRoot!;
    const log = root.querySelector('[role=log]')!;
    return new Promise<number>((done) => {
      const begin = (): void => {
        const from = performance.now();
        const look = (): void => {
          const waits = log.querySelector('progress') || log.textContent!.includes('等待发送');
          if (!waits && log.textContent!.includes(wanted)) return done(performance.now() - from);
          requestAnimationFrame(look);
        };
        look();
      };
      addEventListener('keydown', begin, { capture: true, once: true });
    });
  }, name);

const median = (all: number[]): number => [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)]!;
const seconds = (all: number[]): string =>
  `${(median(all) / 1000).toFixed(2)} s (${all.map((ms) => (ms / 1000).toFixed(2)).join(' ')})`;

const largest = `${MB + 1}`;
const enough = `${MB * ROUNDS * RATES.length * 3}`;
test.use({
  config: {
    KEFU_FILES__MAX_MB: largest,
    KEFU_FILES__VISITOR_MB_PER_DAY: enough,
    KEFU_FILES__ADDRESS_MB_PER_DAY: enough,
  },
});

test('a file against a plain PUT of as many bytes', async ({ stage }) => {
  test.setTimeout(1_800_000);
  stage.shop.policy = '';
  const plain = await plainServer();
  const visitor = await stage.visitor();
  await visitor.visit(stage.shop.origin);
  await visitor.send('hello');
  await visitor.sees('hello');
  const { page } = visitor;
  const dir = mkdtempSync(join(tmpdir(), 'kefu-upload-'));
  const bytes = Uint8Array.from({ length: BYTES }, (_, i) => (i * 2_654_435_761) >>> 24);
  let n = 0;
  for (const rate of RATES) {
    shape(rate);
    const [puts, files]: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
      puts.push(await plainPut(page, plain.url));
      const name = `file-${n++}.bin`;
      writeFileSync(join(dir, name), bytes);
      await visitor.panel.locator('input[type=file]').setInputFiles(join(dir, name));
      await expect(visitor.panel.getByRole('list', { name: F.picked })).toContainText('MB');
      const [time] = await Promise.all([sent(page, name), visitor.field.press('Enter')]);
      files.push(time);
      if (process.env.VERBOSE) console.log(rate, puts.at(-1), files.at(-1));
    }
    const more = (median(files) / median(puts) - 1) * 100;
    const line = rate ? `${rate} Mbit/s` : 'no limit';
    console.log(`${MB} MiB, ${line}: plain PUT ${seconds(puts)}, file ${seconds(files)}, ${more.toFixed(1)} % more`);
  }
  plain.close();
  rmSync(dir, { recursive: true });
});
