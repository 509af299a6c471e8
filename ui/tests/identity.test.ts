/** Visitors for whom the site's backend vouches: what agents are shown, and every way to look like somebody else. */
import { beforeEach, describe, expect, it } from 'vitest';
import { personIn } from '../src/client/list';
import { b64u, unb64u, utf8 } from '../src/crypto/bytes';
import { audience, judge, type Occasion } from '../src/crypto/identity';
import type { AboutVisitor, Message } from '../src/model';
import { memoryStore, type Store } from '../src/storage/store';
import { stateOf, texts, until, type Tab } from './support/clients';
import { NOW, SITE } from './support/company';
import { SiteBackend } from './support/tokens';
import { agent, co, li, server, stored, visitor } from './support/world';

const about: AboutVisitor = { ed_kid: '11'.repeat(16), x_kid: '22'.repeat(16), aud: 'k1-00/shop' };
const iat = NOW / 1_000;
const claims = { ...about, sub: '10042', name: '王小明', iat, exp: iat + 300 };

for (const alg of ['ES256', 'EdDSA'] as const) {
  describe(`a token with ${alg}`, () => {
    let backend: SiteBackend;
    let occasion: Occasion;
    beforeEach(() => {
      backend = new SiteBackend(alg);
      occasion = { aud: about.aud, edKid: about.ed_kid, xKid: about.x_kid, at: NOW, keys: [backend.certified] };
    });
    const why = async (token: string, o: Partial<Occasion> = {}) => (await judge(token, { ...occasion, ...o })).why;

    it('proves who the visitor is', async () => {
      expect(await judge(backend.token(claims), occasion)).toEqual({ person: { sub: '10042', name: '王小明' } });
      const { name: _, ...nameless } = claims;
      const token = backend.token({ ...nameless, aud: ['elsewhere', about.aud] });
      expect(await judge(token, occasion)).toEqual({ person: { sub: '10042' } });
    });

    it('proves nothing in another conversation: replayed by another visitor, with swapped keys, at another site or company', async () => {
      const token = backend.token(claims);
      expect(await why(token, { edKid: '33'.repeat(16) })).toBe('visitor');
      expect(await why(token, { xKid: '33'.repeat(16) })).toBe('visitor');
      expect(await why(token, { edKid: about.x_kid, xKid: about.ed_kid })).toBe('visitor');
      expect(await why(token, { aud: 'k1-00/other' })).toBe('audience');
      expect(await why(token, { aud: 'k1-01/shop' })).toBe('audience');
      for (const missing of ['ed_kid', 'x_kid', 'aud'] as const) {
        const { [missing]: _, ...rest } = claims;
        expect(await why(backend.token(rest)), missing).toBe(missing === 'aud' ? 'audience' : 'visitor');
      }
    });

    it('proves nothing at another time: expired, from the future, valid for longer than it may be', async () => {
      const token = backend.token(claims);
      expect(await why(token, { at: NOW + 359_000 })).toBe(undefined);
      expect(await why(token, { at: NOW + 361_000 })).toBe('time');
      expect(await why(token, { at: NOW - 59_000 })).toBe(undefined);
      expect(await why(token, { at: NOW - 61_000 })).toBe('time');
      for (const times of [
        { exp: iat + 301 },
        { exp: iat },
        { exp: undefined },
        { iat: undefined },
        { exp: '9' },
        { nbf: iat + 90 },
      ])
        expect(await why(backend.token({ ...claims, ...times })), JSON.stringify(times)).toBe('time');
    });

    it('proves nothing by a key that the company does not certify, or that it certifies for another algorithm', async () => {
      const token = new SiteBackend(alg).token(claims);
      expect(await why(token)).toBe('unknown_key');
      expect(await why(backend.token(claims), { keys: [] })).toBe('unknown_key');
      const other = alg === 'ES256' ? 'EdDSA' : 'ES256';
      expect(await why(backend.token(claims), { keys: [{ ...backend.certified, alg: other }] })).toBe('unknown_key');
      expect(await why(backend.token(claims, { alg: other }))).toBe('unknown_key');
    });

    it('proves nothing with HMAC, with no algorithm, or with an extension that nobody knows', async () => {
      for (const head of [
        { alg: 'HS256' },
        { alg: 'none' },
        { alg: 'RS256' },
        {},
        { alg: [alg] },
        { alg, crit: ['exp'] },
      ])
        expect(await why(backend.token(claims, head)), JSON.stringify(head)).toBe('algorithm');
      // the oldest trick: the public key as the secret
      const head = [{ alg: 'HS256' }, claims].map((part) => b64u(utf8(JSON.stringify(part)))).join('.');
      const secret = await crypto.subtle.importKey(
        'raw',
        backend.pk as Uint8Array<ArrayBuffer>,
        { name: 'HMAC', hash: 'SHA-256' },
        false,
        ['sign'],
      );
      const mac = await crypto.subtle.sign('HMAC', secret, utf8(head) as Uint8Array<ArrayBuffer>);
      expect(await why(`${head}.${b64u(new Uint8Array(mac))}`)).toBe('algorithm');
      expect(await why(`${backend.token(claims, { alg: 'none' }).replace(/\.[^.]*$/, '')}.`)).toBe('algorithm');
    });

    it('proves nothing when any part of it was changed', async () => {
      const token = backend.token(claims);
      const [head, body, sig] = token.split('.') as [string, string, string];
      const forged = b64u(utf8(JSON.stringify({ ...claims, sub: '1' })));
      expect(await why([head, forged, sig].join('.'))).toBe('unknown_key');
      for (let i = 0; i < 64; i += 7) {
        const bytes = unb64u(sig);
        bytes[i]! ^= 1;
        expect(await why([head, body, b64u(bytes)].join('.'))).toBe('unknown_key');
      }
      for (const bad of [
        '',
        '.',
        '..',
        head,
        `${head}.${body}`,
        `${token}.x`,
        `${head}.${body}.`,
        `${head}.!.${sig}`,
        '[].[].',
      ]) {
        expect(await judge(bad, occasion), bad).toMatchObject({ person: null });
      }
      expect(await why('x'.repeat(5_000))).toBe('malformed');
    });

    it('names somebody, in so many characters', async () => {
      for (const said of [
        { sub: '' },
        { sub: ' ' },
        { sub: 42 },
        { sub: 'x'.repeat(129) },
        { name: '' },
        { name: 'x'.repeat(129) },
      ])
        expect(await why(backend.token({ ...claims, ...said })), JSON.stringify(said)).toBe('malformed');
    });
  });
}

describe('an agent', () => {
  let backend: SiteBackend;
  const certify = async (...keys: SiteBackend[]): Promise<void> => {
    await co.add({ t: 'identity', site: SITE, keys: keys.map((k) => k.certified) });
    await co.renew();
  };
  beforeEach(async () => {
    backend = new SiteBackend('EdDSA');
    await certify(backend);
  });

  const write = async (tab: Tab, text: string): Promise<string> => {
    tab.client.start({});
    void tab.client.send(text);
    const done = () => ['sent', 'delivered', 'read'].includes(stateOf(tab.client.thread.value, text) ?? '');
    await until(done, `${text} is stored`);
    return tab.client.thread.value!.id;
  };
  const known = (sub: string, name?: string) => (a: AboutVisitor) => backend.vouch(a, sub, name);
  /** What an agent of the team reads. */
  const read = async (id: string, text: string): Promise<readonly Message[]> => {
    const { client } = await agent(li);
    const thread = client.open(id);
    await until(() => texts(thread).includes(text), `the agent reads ${text}`);
    return thread.messages.value;
  };

  it('sees whom the backend vouched for, from the first words on', async () => {
    const tab = visitor();
    tab.client.setUser(known('10042', '王小明'));
    const id = await write(tab, 'hello');
    expect(personIn(await read(id, 'hello'))).toEqual({ sub: '10042', name: '王小明' });
    const { client } = await agent(li);
    await client.take(id);
    client.open(id);
    const item = () => client.conversations.value.find((c) => c.id === id);
    await until(() => item()?.person?.sub === '10042', 'the list has the person');
    expect(item()!.name).toBe('王小明');
  });

  it('learns it in the middle, when the customer signs in, and the server reads none of it', async () => {
    const tab = visitor();
    const id = await write(tab, 'who am I');
    tab.client.setUser(known('customer-4711', 'Erika Mustermann'));
    tab.client.setAttributes({ plan: 'gold-plan-secret', orders: 3 });
    await until(() => stored().length >= 4, 'form, text, identity, attributes');
    const messages = await read(id, 'who am I');
    expect(personIn(messages)?.sub).toBe('customer-4711');
    expect(messages.filter((m) => m.form?.attributes).at(-1)!.form!.attributes).toEqual({
      plan: 'gold-plan-secret',
      orders: '3',
    });
    const seen = server.received.map((bytes) => Buffer.from(bytes).toString('latin1')).join();
    for (const secret of ['customer-4711', 'Mustermann', 'gold-plan-secret']) expect(seen).not.toContain(secret);
    // it is no message: nothing to read
    expect(messages.filter((m) => m.kind === 'text')).toHaveLength(1);
  });

  it('is told once for each conversation, however many pages are loaded', async () => {
    const store = memoryStore();
    let asked = 0;
    const page = (of: Store): Tab => {
      const tab = visitor(of);
      tab.client.setUser((a) => {
        asked++;
        return backend.vouch(a, '10042');
      });
      return tab;
    };
    await write(page(store), 'one');
    expect(asked).toBe(1);
    const again = page(store);
    await until(() => texts(again.client.thread.value).includes('one'));
    await write(again, 'two');
    expect(stored().length).toBe(3);
    await write(again, 'three');
    expect([asked, stored().length]).toEqual([2, 4]);
  });

  it('is not told what another visitor stole, and what is false looks false', async () => {
    let stolen = '';
    const victim = visitor();
    victim.client.setUser((a) => (stolen = backend.vouch(a, '10042', '王小明')));
    await write(victim, 'mine');
    const thief = visitor();
    thief.client.setUser(() => stolen);
    const messages = await read(await write(thief, 'I am them'), 'I am them');
    expect(personIn(messages)).toBe(null);
    expect(messages.find((m) => m.form?.judged)!.form!.judged).toEqual({ person: null, why: 'visitor' });
  });

  it('does not believe a key that was removed before the conversation began, and still believes what it signed before', async () => {
    const before = visitor();
    before.client.setUser(known('10042'));
    const first = await write(before, 'before');
    await certify();
    const after = visitor();
    after.client.setUser(known('10042'));
    const second = await write(after, 'after');
    expect(personIn(await read(first, 'before'))?.sub).toBe('10042');
    expect(personIn(await read(second, 'after'))).toBe(null);
  });

  it('does not believe what nobody with the right certified, and no such entry stops the company', async () => {
    await certify();
    const own = new SiteBackend('EdDSA');
    backend = own;
    for (const keys of [
      [{ alg: 'HS256', pk: own.certified.pk }],
      [{ alg: 'EdDSA', pk: 'AA' }],
      'x',
      Array(9).fill(own.certified),
    ])
      await co.add({ t: 'identity', site: SITE, keys });
    await co.add({ t: 'identity', site: 'elsewhere', keys: [own.certified] });
    await co.renew();
    const tab = visitor();
    tab.client.setUser(known('10042'));
    expect(personIn(await read(await write(tab, 'hello'), 'hello'))).toBe(null);
  });

  it('a message is sent when the backend fails, lies, or never answers', async () => {
    for (const user of [
      () => Promise.reject(new Error('down')),
      () => 'no token',
      () => new Promise<string>(() => undefined),
    ]) {
      const tab = visitor();
      tab.client.setUser(user);
      await write(tab, 'still here');
    }
    expect(server.convs.size).toBe(3);
  });

  it('another customer in the same browser is nobody that wrote there before', async () => {
    const store = memoryStore();
    const one = visitor(store);
    one.client.setUser(known('10042'));
    await write(one, 'of the first');
    const two = visitor(store);
    const given: (string | null)[] = [];
    Object.assign(two.client, { o: { ...two.client['o'], otherPerson: (text: string | null) => given.push(text) } });
    two.client.setUser(known('20000'));
    await until(() => texts(two.client.thread.value).includes('of the first'));
    await two.client.send('of the second');
    expect(given).toEqual(['of the second']);
    expect(texts(two.client.thread.value)).toEqual(['of the first']);
    await two.client.forget();
    expect(await store.list('v/')).toEqual([]);
  });
});

it('names the site and the company that a token is for', () => {
  expect(audience(new Uint8Array(16).fill(1), 'web')).toBe(`k1-${'01'.repeat(16)}/web`);
});
