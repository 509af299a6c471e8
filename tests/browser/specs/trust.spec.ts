/** What the widget claims and refuses: pins, changed files, pages without protection, old signatures, foreign pages. */
import { createServer, request, type Server } from 'node:http';
import { freePort } from '../support/kefu';
import { Shop, strictPolicy } from '../support/shop';
import { expect, test, type Stage } from '../support/test';
import type { Visitor } from '../support/visitor';

const DAY = 86_400_000;

/** Everything that leaves this page by socket. */
function watchSent(visitor: Visitor): string[] {
  const sent: string[] = [];
  visitor.page.on('websocket', (socket) => socket.on('framesent', (f) => sent.push(String(f.payload).slice(0, 40))));
  return sent;
}

/** The fail-closed screen, with its reason; nothing can be written. */
async function refuses(visitor: Visitor, code: string): Promise<void> {
  const alert = visitor.panel.getByRole('alert');
  await expect(alert).toContainText(code);
  await expect(visitor.panel.getByRole('textbox')).toHaveCount(0);
}

/** A proxy between page and server that may change the widget's file. */
async function proxy(stage: Stage, change: (js: Buffer) => Buffer): Promise<{ origin: string; server: Server }> {
  const port = await freePort();
  const server = createServer((from, to) => {
    const up = request(
      {
        host: '127.0.0.1',
        port: stage.kefu.port,
        path: from.url,
        method: from.method,
        headers: { ...from.headers, 'accept-encoding': 'identity' },
      },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () => {
          const body = Buffer.concat(chunks);
          const out = from.url?.endsWith('/kefu.js') ? change(body) : body;
          to.writeHead(answer.statusCode ?? 502, { ...answer.headers, 'content-length': String(out.length) }).end(out);
        });
      },
    );
    from.pipe(up);
  });
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
  return { origin: `http://127.0.0.1:${port}`, server };
}

test('a pinned page says who can read', async ({ stage }) => {
  const visitor = await stage.visitor();
  await visitor.visit(stage.shop.origin);
  await expect(visitor.panel.getByText('只有您和云杉银行的团队能看到此对话，服务器看不到。')).toBeVisible();
});

test('a wrong pin: switched off, with the reason; nothing is sent', async ({ stage }) => {
  stage.shop.snippet = stage.shop.snippet.replace(stage.kefu.org, `k1-${'0'.repeat(32)}`);
  const visitor = await stage.visitor();
  const sent = watchSent(visitor);
  await visitor.visit(stage.shop.origin);
  await refuses(visitor, 'error.pin');
  expect(sent).toEqual([]);
});

test('a changed widget file does not run; the unchanged one through the same proxy does', async ({ stage }) => {
  for (const changed of [false, true]) {
    const { origin, server } = await proxy(stage, (js) =>
      changed ? Buffer.concat([js, Buffer.from(';self.stolen=1')]) : js,
    );
    try {
      stage.shop.snippet = (await stage.kefu.snippet('web')).replace(stage.kefu.origin, origin);
      stage.shop.policy = strictPolicy(origin);
      const visitor = await stage.visitor();
      const told: string[] = [];
      visitor.page.on('console', (message) => told.push(message.text()));
      await visitor.page.goto(stage.shop.origin);
      if (changed) {
        await expect.poll(() => told.join('\n')).toMatch(/integrity/i);
        await expect(visitor.page.locator('kefu-widget')).toHaveCount(0);
        expect(await visitor.page.evaluate(() => 'stolen' in self)).toBe(false);
      } else await expect(visitor.launcher).toBeVisible();
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }
});

test('an unpinned snippet says that a false server would not be noticed', async ({ stage }) => {
  await stage.shop.paste(stage.kefu, 'web', '--unpinned');
  const visitor = await stage.visitor();
  await visitor.visit(stage.shop.origin);
  await expect(visitor.panel.getByText('不能识破假冒的服务器')).toBeVisible();
  await visitor.send('你好');
  await visitor.sees('你好');
});

test.describe('a page over plain http', () => {
  test.use({ kefuHost: 'kefu.test', shopHost: 'shop.test' });
  test("works without the browser's own cryptography, and says that the network could change it", async ({ stage }) => {
    const visitor = await stage.visitor();
    await visitor.visit(stage.shop.origin);
    expect(await visitor.page.evaluate(() => [isSecureContext, 'subtle' in crypto])).toEqual([false, false]);
    await expect(visitor.panel.getByText('网络上的人可能改动此窗口')).toBeVisible();
    await visitor.send('没有加密连接');
    await visitor.sees('没有加密连接');
    // The console refuses to take a password there; the same server by its loopback address is one.
    const lost = await stage.browserOfAgent();
    await lost.goto();
    await expect(lost.page.getByText('请通过 https 打开工作台')).toBeVisible();
    const code = await stage.kefu.invite('li', '李娜', ['svc']);
    const agent = await stage.browserOfAgent();
    Object.assign(agent, { console: `http://127.0.0.1:${stage.kefu.port}/console/` });
    await agent.enrol(code);
    await agent.open('没有加密连接');
    await agent.sees('没有加密连接');
    await agent.send('收到');
    await visitor.sees('收到');
  });
});

test('a signature that is too old: switched off, said whose turn it is', async ({ stage }) => {
  const visitor = await stage.visitor();
  const sent = watchSent(visitor);
  await visitor.page.clock.install({ time: Date.now() + 200 * DAY });
  // the server's clock advanced as well: otherwise the visitor's would be the wrong one
  await visitor.page.route(/\/api\/v1\/site\/[^/]+(\?|$)/, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...(await response.json()), now: Date.now() + 200 * DAY } });
  });
  await visitor.visit(stage.shop.origin);
  await refuses(visitor, 'error.snapshot_expired');
  expect(sent).toEqual([]);
});

test('a page that the site does not list: refused, with a word', async ({ stage }) => {
  const foreign = await Shop.open();
  try {
    await foreign.paste(stage.kefu);
    const visitor = await stage.visitor();
    const sent = watchSent(visitor);
    await visitor.visit(foreign.origin);
    await refuses(visitor, 'error.origin');
    expect(sent).toEqual([]);
  } finally {
    await foreign.close();
  }
});
