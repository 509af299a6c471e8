/**
 * The real client and page of one side, with a server that lives in the page and a peer who floods. `?side=agent`: the console, flooded
 * by a visitor; `?side=visitor`: the widget, flooded by an agent. `window.flood` is what `build/flood.mjs` and the browser tests drive.
 */
import { render } from 'preact';
import '../src/ui/signals';
import { Agent } from '../src/client/agent-client';
import { Visitor } from '../src/client/visitor-client';
import { App as Console } from '../src/console/App';
import { createConsoleState } from '../src/console/state';
import { ConsoleContext } from '../src/console/useConsole';
import { random, unhex } from '../src/crypto/bytes';
import type { SigningKey } from '../src/crypto/backend';
import { encodeBody, sealMessage } from '../src/crypto/envelope';
import { envelopeHash, printFingerprint } from '../src/crypto/hash';
import { nativeBackend } from '../src/crypto/native';
import { lang } from '../src/i18n/core';
import { browserEnv } from '../src/link/env';
import { memoryStore } from '../src/storage/store';
import { startClock } from '../src/ui/time';
import { showWidget } from './shell';
import { WORST } from '../tests/support/nasty';
import { Company, SITE } from '../tests/support/company';
import { FakeServer } from '../tests/support/server';
import '../src/console/index.css';

const SERVER = 'https://kefu.example';
const side = new URLSearchParams(location.search).get('side') === 'visitor' ? 'visitor' : 'agent';

async function start() {
  lang.value = 'zh-CN';
  const b = nativeBackend();
  const co = await Company.create(b);
  const li = await co.enrol('li', 'agent', ['svc']);
  await co.renew(Date.now() + 30 * 86_400_000, undefined, Date.now());
  const server = new FakeServer(co);
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
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await new Promise((done) => setTimeout(done, 5));
  };
  await until(() => (visitor.thread.value?.messages.value ?? []).some((m) => m.text === '你好' && m.seq !== null));
  const thread = visitor.thread.value!;
  const conv = thread.id;
  const epoch = thread.log.epochs.current!;

  /** Whoever floods: their key, and how many messages they wrote. */
  const visitors = (visitor as unknown as { session: { keys: { ed: SigningKey } } }).session;
  const by: SigningKey = side === 'agent' ? visitors.keys.ed : li.ed;
  const inst = 4711;
  let ctr = 0;
  let prev = thread.log.last;
  const seal = async (texts: readonly string[]): Promise<Uint8Array[]> => {
    const out: Uint8Array[] = [];
    for (const text of texts) {
      const head = { conv: unhex(conv), epoch: epoch.epoch, msg: random(16), inst, ctr: ctr++, prev };
      const bytes = await sealMessage(head, epoch.key!, encodeBody({ t: 'text', ts: 0, text }), by);
      prev = envelopeHash(bytes);
      out.push(bytes);
    }
    return out;
  };

  if (side === 'agent') visitor.dispose();
  server.own(conv, 'agent:li', 'take');
  let sealed: Uint8Array[] = [];
  let reader = thread;
  const flood = {
    side,
    worst: Object.keys(WORST),
    /** Is in the log before the page opens. */
    async before(texts: readonly string[]): Promise<void> {
      for (const bytes of await seal(texts)) server.append(conv, bytes);
    },
    /** Shows the page. */
    async open(): Promise<void> {
      startClock();
      if (side === 'visitor') {
        showWidget(visitor);
        await until(
          () =>
            visitor.thread.value?.synced.value === true &&
            visitor.thread.value.have >= server.convs.get(conv)!.records.length,
        );
        return;
      }
      server.routes.set('/boxes', async () => ({ boxes: await co.boxes(['svc'], li.x.pk) }));
      const store = memoryStore();
      await store.set(`a/${SERVER}/session`, {
        user: 'li',
        ed: await li.ed.keep(),
        x: await li.x.keep(),
        locked: false,
      });
      await store.set(`a/${SERVER}/pin`, printFingerprint(co.fp));
      const client = new Agent(
        { server: SERVER },
        {
          ...deps,
          env: env(),
          openStore: async () => store,
          opaque: () => Promise.reject(new Error('no password here')) as never,
        },
      );
      const state = createConsoleState();
      render(
        <ConsoleContext.Provider value={state}>
          <Console client={client} />
        </ConsoleContext.Provider>,
        document.getElementById('app')!,
      );
      await until(() => client.connection.value.state === 'online' && client.conversations.value.length > 0);
      state.select(conv);
      reader = client.open(conv);
      await until(() => reader.have >= server.convs.get(conv)!.records.length && reader.messages.value.length > 2);
    },
    /** Made ready, to be delivered by `deliver`. */
    async ready(texts: readonly string[]): Promise<void> {
      sealed = await seal(texts);
    },
    /** One record a task, as a socket brings them; resolves when all are shown as read by the client. */
    async deliver(): Promise<void> {
      const { port1, port2 } = new MessageChannel();
      const [before, n] = [server.convs.get(conv)!.records.length, sealed.length];
      await new Promise<void>((done) => {
        port1.onmessage = () => {
          const bytes = sealed.shift();
          if (!bytes) return done();
          server.append(conv, bytes);
          port2.postMessage(0);
        };
        port2.postMessage(0);
      });
      await until(() => reader.have >= before + n);
      await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 60)));
    },
    nasty: (name: string): string => WORST[name]!,
  };
  return flood;
}

declare global {
  interface Window {
    flood: Promise<Awaited<ReturnType<typeof start>>>;
  }
}
window.flood = start();
window.flood.catch((e) => console.error(e));
