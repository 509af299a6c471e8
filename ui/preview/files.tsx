/**
 * The real clients of a visitor and an agent with a server that lives in the page; one of them is shown (`?side=visitor`, `?side=agent`,
 * `?lang=en`; `?later`: when `show` is called). `window.pair` is what the browser tests drive: the other side, and the server's files.
 */
import { render } from 'preact';
import '../src/ui/signals';
import { Agent } from '../src/client/agent-client';
import { Visitor } from '../src/client/visitor-client';
import { App as Console } from '../src/console/App';
import { createConsoleState } from '../src/console/state';
import { ConsoleContext } from '../src/console/useConsole';
import { printFingerprint } from '../src/crypto/hash';
import { nativeBackend } from '../src/crypto/native';
import { lang } from '../src/i18n/core';
import { browserEnv } from '../src/link/env';
import type { Picked, Thread } from '../src/model';
import { memoryStore } from '../src/storage/store';
import { startClock } from '../src/ui/time';
import { showWidget } from './shell';
import { Company, SITE } from '../tests/support/company';
import { FakeServer } from '../tests/support/server';
import '../src/console/index.css';

const SERVER = 'https://kefu.example';
const query = new URLSearchParams(location.search);
const side = query.get('side') === 'agent' ? 'agent' : 'visitor';
// the server is in this page: only `fetch` is led there
Object.assign(window, { XMLHttpRequest: undefined });

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((done) => setTimeout(done, 5));
}

async function start() {
  lang.value = query.get('lang') === 'en' ? 'en' : 'zh-CN';
  const b = nativeBackend();
  const co = await Company.create(b);
  const li = await co.enrol('li', 'agent', ['svc']);
  await co.renew(Date.now() + 30 * 86_400_000, undefined, Date.now());
  const server = new FakeServer(co);
  server.maxFile = Number(query.get('max') ?? 20 * 2 ** 20);
  await server.learnKeys();
  const deps = { openStore: async () => memoryStore(), backend: b, secure: true };
  // time and turns are the browser's
  const env = () => ({ ...server.env(), turn: browserEnv().turn });
  const visitor = new Visitor(
    { server: SERVER, site: SITE, org: printFingerprint(co.fp), lang: 'zh' },
    { ...deps, env: env() },
  );
  visitor.start({ name: '王' });
  await visitor.send('你好');
  const lines = (t: Thread | null) => t?.messages.value ?? [];
  await until(() => lines(visitor.thread.value).some((m) => m.text === '你好' && m.seq !== null));
  const { id } = visitor.thread.value!;
  server.own(id, 'agent:li', 'take');

  server.routes.set('/boxes', async () => ({ boxes: await co.boxes(['svc'], li.x.pk) }));
  const store = memoryStore();
  await store.set(`a/${SERVER}/session`, { user: 'li', ed: await li.ed.keep(), x: await li.x.keep(), locked: false });
  await store.set(`a/${SERVER}/pin`, printFingerprint(co.fp));
  const agent = new Agent(
    { server: SERVER },
    {
      ...deps,
      env: env(),
      openStore: async () => store,
      opaque: () => Promise.reject(new Error('no password here')) as never,
    },
  );
  await until(() => agent.connection.value.state === 'online' && agent.conversations.value.length > 0);
  const there = agent.open(id);
  await until(() => there.synced.value);

  const show = (): void => {
    startClock();
    if (side === 'visitor') return showWidget(visitor);
    const state = createConsoleState();
    render(
      <ConsoleContext.Provider value={state}>
        <Console client={agent} />
      </ConsoleContext.Provider>,
      document.getElementById('app')!,
    );
    state.select(id);
  };
  if (!query.has('later')) show();

  const other: Thread = side === 'visitor' ? there : visitor.thread.value!;
  const own: Thread = side === 'visitor' ? visitor.thread.value! : there;
  return {
    server,
    /** Of `?later`: the page, once everything is there. */
    show,
    /** Of what the other side got, once it has all of it. */
    async sizes(): Promise<number[]> {
      const files = lines(other).filter((m) => m.file && !m.mine);
      return Promise.all(files.map(async (m) => (await other.files.load(m.id)).size));
    },
    /** Sent by the side that is not shown. */
    async send(bytes: readonly number[], file: Omit<Picked, 'blob'>): Promise<void> {
      const picked = {
        ...file,
        thumb: file.thumb && Uint8Array.from(file.thumb),
        blob: new Blob([Uint8Array.from(bytes)]),
      };
      const sent =
        side === 'visitor' ? agent.sendFile(id, picked, () => undefined) : visitor.sendFile(picked, () => undefined);
      await sent;
      await until(() => lines(own).some((m) => m.file?.name === file.name));
    },
    /** What the other side got: names, sizes, and the first bytes of each. */
    async got() {
      const files = lines(other).filter((m) => m.file && !m.mine);
      return Promise.all(
        files.map(async (m) => ({
          name: m.file!.name,
          w: m.file!.w,
          h: m.file!.h,
          thumb: m.file!.thumb?.length,
          bytes: [...new Uint8Array(await (await other.files.load(m.id)).arrayBuffer())],
        })),
      );
    },
    state: (name: string) => lines(own).find((m) => m.file?.name === name)?.state ?? null,
  };
}

export type Pair = Awaited<ReturnType<typeof start>>;
declare global {
  interface Window {
    pair: Promise<Pair>;
  }
}
window.pair = start();
