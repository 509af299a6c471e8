/** What a visitor wrote on another device: only who could read it can show it here, and nobody can show something else. */
import { beforeEach, expect, it } from 'vitest';
import { exportKeys } from '../src/client/agent-log';
import { readEarlier, type EarlierHost } from '../src/client/earlier';
import type { Engine } from '../src/client/engine';
import type { Keys } from '../src/client/opening';
import type { SigningKey } from '../src/crypto/backend';
import { b64u, cat, u32, unhex } from '../src/crypto/bytes';
import { grant } from '../src/crypto/grant';
import { BoxKind } from '../src/crypto/hash';
import { memoryStore } from '../src/storage/store';
import { texts, until } from './support/clients';
import { NOW } from './support/company';
import { agent, b, begin, co, li, server } from './support/world';

let keys: Keys;
let conv: string;
let all: { epoch: number; ek: Uint8Array }[];

beforeEach(async () => {
  keys = { ed: await b.newSigningKey(), x: await b.newBoxKey() };
  const phone = await begin('on the phone');
  conv = phone.client.thread.value!.id;
  const { client } = await agent();
  await client.take(conv);
  const thread = client.open(conv);
  await until(() => texts(thread).includes('on the phone'));
  await client.send(conv, 'an answer');
  await until(() => texts(phone.client.thread.value).includes('an answer'));
  const { engine } = client as unknown as { engine: Engine };
  all = await exportKeys(engine.context, thread.log);
});

const granted = (by: SigningKey, to: Uint8Array = keys.x.pk, of = conv): Promise<Uint8Array> =>
  grant(b, unhex(of), all, { kind: BoxKind.visitor, pk: to }, by);

/** What the new device shows if the server names this grant. */
async function shown(bytes: Uint8Array): Promise<string[]> {
  const directory = await co.directory();
  const records = server.convs.get(conv)!.records;
  let asked = false;
  const host = {
    backend: b,
    store: memoryStore(),
    storagePrefix: 'v/',
    sync: { directory, refresh: async () => undefined },
    keys,
    token: () => '',
    now: () => NOW,
    turn: async () => undefined,
    http: {
      get: async () => ({ earlier: [{ conv, grant: b64u(bytes) }] }),
      bytes: async () => {
        const page = asked ? [] : records.flatMap((r) => [u32(r.length), r]);
        asked = true;
        return cat(...page);
      },
    },
  } as unknown as EarlierHost;
  const messages = await readEarlier(host, new Set());
  expect(messages.every((m) => !m.canRecall() && m.state === undefined)).toBe(true);
  const said = messages.filter((m) => m.kind === 'text');
  // nothing, or all of it
  if (!said.length) expect(messages).toEqual([]);
  return said.map((m) => `${m.mine ? 'me' : m.author?.name}: ${m.text}`);
}

it('is shown by the grant of an agent of the team, to whom it was made for', async () => {
  expect(await shown(await granted(li.ed))).toEqual(['me: on the phone', 'Name of li: an answer']);
  // handed over by the person's own device: this browser granted it to itself
  expect(await shown(await granted(keys.ed))).toEqual(['me: on the phone', 'Name of li: an answer']);
});

it('is not shown by anybody else’s word: a stranger, an agent of another team, a changed grant, one for another key', async () => {
  const zhou = await co.enrol('zhou', 'agent', ['vip']);
  await co.renew();
  const changed = await granted(li.ed);
  changed[100]! ^= 1;
  for (const bytes of [await granted(await b.newSigningKey()), await granted(zhou.ed), changed])
    expect(await shown(bytes)).toEqual([]);
  expect(await shown(await granted(li.ed, (await b.newBoxKey()).pk))).toEqual([]);
  expect(await shown(await granted(li.ed, keys.x.pk, '00'.repeat(16)))).toEqual([]);
});

it('is not shown with other keys than those that were announced', async () => {
  all = all.map(({ epoch }) => ({ epoch, ek: new Uint8Array(32).fill(7) }));
  expect(await shown(await granted(li.ed))).toEqual([]);
});
