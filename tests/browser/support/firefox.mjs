#!/usr/bin/env node
// Firefox, started the way Playwright starts it. Between them passes WebDriver BiDi; commands that this Firefox does not know, because it is
// an ESR and Playwright is not, are answered here: they set what the tests leave as it is.
import { spawn } from 'node:child_process';
import { connect, createServer } from 'node:net';

const UNKNOWN = ['emulation.setMediaFeaturesOverride'];
const firefox = spawn(process.env.KEFU_FIREFOX ?? '/usr/bin/firefox-esr', process.argv.slice(2), {
  stdio: ['ignore', 'inherit', 'pipe'],
});
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => firefox.kill(signal));
process.on('exit', () => firefox.kill('SIGKILL'));
firefox.on('exit', (code) => process.exit(code ?? 1));

let said = '';
firefox.stderr.on('data', (chunk) => {
  said += chunk;
  for (let end = said.indexOf('\n'); end >= 0; end = said.indexOf('\n')) {
    const line = said.slice(0, end);
    said = said.slice(end + 1);
    const [, port] = /WebDriver BiDi listening on ws:\/\/127\.0\.0\.1:(\d+)/.exec(line) ?? [];
    if (port) between(Number(port));
    else process.stderr.write(`${line}\n`);
  }
});

function between(port) {
  const server = createServer((playwright) => {
    const up = connect(port, '127.0.0.1');
    for (const [a, b] of [
      [playwright, up],
      [up, playwright],
    ]) {
      a.on('close', () => b.destroy());
      a.on('error', () => b.destroy());
    }
    up.pipe(playwright);
    let rest = Buffer.alloc(0);
    let opened = false;
    playwright.on('data', (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      if (!opened) {
        const end = rest.indexOf('\r\n\r\n');
        if (end < 0) return;
        // no compression, so that the frames can be read; the host is the one that Firefox knows itself by
        const head = rest
          .toString('latin1', 0, end)
          .split('\r\n')
          .filter((line) => !/^sec-websocket-extensions:/i.test(line))
          .map((line) => (/^host:/i.test(line) ? `Host: 127.0.0.1:${port}` : line));
        up.write(`${head.join('\r\n')}\r\n\r\n`);
        rest = rest.subarray(end + 4);
        opened = true;
      }
      for (let frame = first(rest); frame; frame = first(rest)) {
        rest = rest.subarray(frame.size);
        const answer = frame.op === 1 && answerTo(frame.text());
        if (answer) playwright.write(answer);
        else up.write(frame.bytes);
      }
    });
  });
  server.listen(0, '127.0.0.1', () =>
    process.stderr.write(`WebDriver BiDi listening on ws://127.0.0.1:${server.address().port}\n`),
  );
}

/** The first whole frame of a client: masked, and a message of its own. */
function first(bytes) {
  if (bytes.length < 2) return null;
  const short = bytes[1] & 0x7f;
  const head = short === 127 ? 10 : short === 126 ? 4 : 2;
  if (bytes.length < head + 4) return null;
  const length = short === 127 ? Number(bytes.readBigUInt64BE(2)) : short === 126 ? bytes.readUInt16BE(2) : short;
  const size = head + 4 + length;
  if (bytes.length < size) return null;
  return {
    size,
    op: bytes[0] & 0x0f,
    bytes: bytes.subarray(0, size),
    text: () => Buffer.from(bytes.subarray(head + 4, size).map((byte, i) => byte ^ bytes[head + (i % 4)])).toString(),
  };
}

function answerTo(text) {
  if (!UNKNOWN.some((method) => text.includes(`"${method}"`))) return null;
  const { id, method } = JSON.parse(text);
  if (!UNKNOWN.includes(method)) return null;
  const payload = Buffer.from(JSON.stringify({ type: 'success', id, result: {} }));
  return Buffer.concat([Buffer.from([0x81, payload.length]), payload]);
}
