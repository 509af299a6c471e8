/** Visitors and agents on a fake server, under false time. */
import { expect, vi } from 'vitest';
import { Agent } from '../../src/client/agent-client';
import { Visitor } from '../../src/client/visitor-client';
import type { Backend } from '../../src/crypto/backend';
import { hex } from '../../src/crypto/bytes';
import { printFingerprint } from '../../src/crypto/hash';
import type { Opaque } from '../../src/crypto/opaque';
import type { Message, Thread } from '../../src/model';
import { memoryStore, type Store } from '../../src/storage/store';
import { SITE, type Company, type Person } from './company';
import type { FakeServer } from './server';
import type { FakeEnv } from './socket';

export const SERVER = 'https://kefu.example';

/** Lets time pass until it holds; fails loudly if it never does. */
export async function until(holds: () => boolean, what = holds.toString()): Promise<void> {
  for (let i = 0; i < 3000; i++) {
    if (holds()) return;
    await vi.advanceTimersByTimeAsync(10);
  }
  expect.fail(`never: ${what}`);
}

/** Lets everything that is under way come to rest. */
export const rest = (ms = 1000): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

export interface Tab {
  client: Visitor;
  env: FakeEnv;
}

/** Another tab of the same browser if the store is the same. */
export function visitorTab(
  server: FakeServer,
  b: Backend,
  store: Store = memoryStore(),
  org: string | undefined = printFingerprint(server.co.fp),
  seed?: string,
): Tab {
  const env = server.env();
  const client = new Visitor(
    { server: SERVER, site: SITE, org, lang: 'zh', seed },
    { env, openStore: async () => store, backend: b, secure: true },
  );
  return { client, env };
}

/** Signed in as `p`, as if by an earlier visit. */
export async function agentTab(
  server: FakeServer,
  b: Backend,
  p: Person,
  teams: string[],
  store: Store = memoryStore(),
): Promise<{ client: Agent; env: FakeEnv }> {
  const env = server.env();
  server.routes.set('/boxes', async () => ({ boxes: await server.co.boxes(teams, p.x.pk) }));
  await store.set(`a/${SERVER}/session`, { user: p.user, ed: await p.ed.keep(), x: await p.x.keep(), locked: false });
  await store.set(`a/${SERVER}/pin`, printFingerprint(server.co.fp));
  const opaque = (): Opaque => expect.fail('no password was asked for');
  const client = new Agent({ server: SERVER }, { env, openStore: async () => store, backend: b, secure: true, opaque });
  await until(() => client.connection.value.state === 'online', 'the agent is online');
  return { client, env };
}

export const texts = (t: Thread | null): string[] =>
  lines(t)
    .filter((m) => m.kind === 'text')
    .map((m) => m.text);
export const lines = (t: Thread | null): readonly Message[] => t?.messages.value ?? [];
export const stateOf = (t: Thread | null, text: string): string | undefined =>
  lines(t).find((m) => m.text === text)?.state;
export const company = (co: Company): string => hex(co.fp);
