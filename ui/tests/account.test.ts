/** First login by invite code, login, password change: with the real OPAQUE on both sides. */
import { ready, server as opaqueServer } from '@serenity-kit/opaque';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  changePassword,
  enrol,
  isCertified,
  login,
  openBoxes,
  readCode,
  type AccountDeps,
} from '../src/client/account';
import { syncFromLog } from '../src/client/log-sync';
import { b64u, hex, u32, unb64u, utf8 } from '../src/crypto/bytes';
import { H } from '../src/crypto/hash';
import { nativeBackend } from '../src/crypto/native';
import { localOpaque } from '../src/crypto/opaque-step';
import { createHttp } from '../src/link/http';
import { Code } from '../src/proto';
import { memoryStore } from '../src/storage/store';
import { Company, NOW } from './support/company';
import { FakeServer } from './support/server';

const b = nativeBackend();
let clock = NOW;
const now = () => clock;
const CHANGE = b64u(new Uint8Array(32).fill(7));
const PASSWORD = 'correct horse battery';

describe('an account', () => {
  let setup: string;
  let co: Company;
  let server: FakeServer;
  let d: AccountDeps;
  type Account = { user: string; record: string; keyring: string; version: number; boxes: unknown };
  let account: Account | null;
  /** As it was before a change of the password that nobody signed in with yet. */
  let before: Account | null;
  let finished: Record<string, unknown> | null;
  /** `old` of every start of a sign-in. */
  let starts: unknown[];
  let cutAfterChange: boolean;
  let claims: number;
  let conflict: boolean;

  beforeAll(() => ready);

  beforeEach(async () => {
    setup = opaqueServer.createSetup();
    co = await Company.create(b, opaqueServer.getPublicKey(setup));
    server = new FakeServer(co);
    const env = server.env();
    const http = env.http;
    env.http = async (url, init) => {
      if (!cutAfterChange || !finished) return http(url, init);
      cutAfterChange = false;
      throw new TypeError('cut');
    };
    d = { backend: b, http: createHttp('https://kefu.example', env), opaque: localOpaque(), now };
    clock = NOW;
    account = before = finished = null;
    starts = [];
    cutAfterChange = false;
    claims = 0;
    conflict = false;
    const identifiers = (user: string) => ({ client: user, server: `kefu/1 org:${hex(co.fp)}` });
    const states = new Map<string, string>();
    server.routes.set('/login/start', (body) => {
      const { user, m, old } = body as { user: string; m: string; old?: boolean };
      starts.push(old);
      const of = old ? before : account;
      const r = opaqueServer.startLogin({
        serverSetup: setup,
        userIdentifier: user,
        registrationRecord: of?.user === user ? of.record : null,
        startLoginRequest: m,
        identifiers: identifiers(user),
      });
      states.set('1', JSON.stringify({ user, old, state: r.serverLoginState }));
      return { id: '1', m: r.loginResponse };
    });
    server.routes.set('/login/finish', (body) => {
      const { user, old, state } = JSON.parse(states.get(body.id as string)!) as {
        user: string;
        old?: boolean;
        state: string;
      };
      opaqueServer.finishLogin({
        serverLoginState: state,
        finishLoginRequest: body.m as string,
        identifiers: identifiers(user),
      });
      const { keyring, version, boxes } = old ? before! : account!;
      if (!old) before = null;
      return { token: 't', keyring, version, boxes, change: CHANGE };
    });
    server.routes.set('/password/start', (body) => ({
      m: opaqueServer.createRegistrationResponse({
        serverSetup: setup,
        userIdentifier: account!.user,
        registrationRequest: body.m as string,
      }).registrationResponse,
    }));
    server.routes.set('/password/finish', (body) => {
      finished = body;
      before = account;
      account = {
        ...account!,
        record: body.record as string,
        keyring: body.keyring as string,
        version: body.version as number,
      };
      return {};
    });
  });

  const sync = () =>
    syncFromLog({ backend: b, store: memoryStore(), http: d.http, now, onChange() {}, onAlarm() {} }, co.fp);

  /** Serves one invite. */
  const invite = async (exp?: number) => {
    const i = await co.invite('li', ['svc'], exp);
    server.routes.set('/invite/open', (body) => {
      if (body.inv !== i.inv) throw Code.not_found;
      return { cert: i.cert, signer: i.signer, sig: i.sig, boxes: i.boxes };
    });
    server.routes.set('/invite/register', (body) => ({
      m: opaqueServer.createRegistrationResponse({
        serverSetup: setup,
        userIdentifier: 'li',
        registrationRequest: body.m as string,
      }).registrationResponse,
    }));
    server.routes.set('/invite/claim', async (body) => {
      claims++;
      if (conflict) {
        conflict = false;
        await co.team('vip');
        throw Code.conflict;
      }
      co.log.push(body.entry as Company['log'][number]);
      account = {
        user: 'li',
        record: body.record as string,
        keyring: body.keyring as string,
        version: 1,
        boxes: body.boxes,
      };
      return {};
    });
    return i;
  };

  it('is made from a code, opens by password, changes its password; the server never holds a key', async () => {
    const i = await invite();
    conflict = true; // the directory was changed at the same moment
    const k = await sync();
    const me = await enrol(d, k, readCode(i.code.toLowerCase()), PASSWORD);
    expect(claims).toBe(2);
    expect(isCertified(k.directory, me)).toBe(true);
    const secret = co.teamSecrets.get('svc')![0]!.secret;
    const keys = await openBoxes(b, k.directory, me, account!.boxes as never);
    expect([...keys.values()].map((x) => hex(x.pk))).toEqual([hex((await b.boxKey(secret)).pk)]);
    expect(Buffer.from(unb64u(account!.keyring)).includes(Buffer.from(secret))).toBe(false);

    const again = await login(d, await sync(), 'li', PASSWORD);
    expect(again.old).toBe(false);
    expect(hex(again.me.ed.pk)).toBe(hex(me.ed.pk));
    await expect(login(d, k, 'li', `${PASSWORD}!`)).rejects.toMatchObject({ key: 'error.login' });
    await expect(login(d, k, 'nobody', PASSWORD)).rejects.toMatchObject({ key: 'error.login' });

    await expect(changePassword(d, k.directory, 'li', PASSWORD, 'short')).rejects.toMatchObject({
      key: 'error.password_short',
    });
    await expect(changePassword(d, k.directory, 'li', 'wrong password', 'another password')).rejects.toMatchObject({
      key: 'error.login',
    });
    await changePassword(d, k.directory, 'li', PASSWORD, 'another password');
    expect(account!.version).toBe(2);
    expect(before, 'the sign-in with the new one ends it').toBeNull();
    await expect(login(d, k, 'li', PASSWORD)).rejects.toMatchObject({ key: 'error.login' });
    expect(hex((await login(d, k, 'li', 'another password')).me.x.pk)).toBe(hex(me.x.pk));
  });

  it('a change is signed by the own key and proves the sign-in; nothing less changes anything', async () => {
    const i = await invite();
    const me = await enrol(d, await sync(), readCode(i.code), PASSWORD);
    const k = await sync();
    await changePassword(d, k.directory, 'li', PASSWORD, 'another password');
    const { record, keyring, version, change, sig } = finished!;
    expect(change).toBe(CHANGE);
    const signed = (v: number, r = record!) =>
      H('pass', utf8('li'), u32(v), unb64u(r as string), unb64u(keyring as string));
    expect(await b.verify('pass', me.ed.pk, signed(version as number), unb64u(sig as string))).toBe(true);
    expect(await b.verify('pass', me.ed.pk, signed(3), unb64u(sig as string))).toBe(false);
    expect(await b.verify('auth', me.ed.pk, signed(2), unb64u(sig as string))).toBe(false);
  });

  it('cut off before the sign-in with the new one: the old one still opens the account, and that is said', async () => {
    const i = await invite();
    const me = await enrol(d, await sync(), readCode(i.code), PASSWORD);
    const k = await sync();
    cutAfterChange = true;
    await changePassword(d, k.directory, 'li', PASSWORD, 'another password');
    expect(before?.version).toBe(1);
    const again = await login(d, k, 'li', PASSWORD);
    expect([again.old, hex(again.me.ed.pk)]).toEqual([true, hex(me.ed.pk)]);
    await expect(
      changePassword(d, k.directory, 'li', PASSWORD, 'a third password'),
      'only the password of now changes it',
    ).rejects.toMatchObject({ key: 'error.login' });
    starts.length = 0;
    await expect(login(d, k, 'li', 'neither of them')).rejects.toMatchObject({ key: 'error.login' });
    expect(starts).toEqual([undefined, true]);
    starts.length = 0;
    expect((await login(d, k, 'li', 'another password')).old).toBe(false);
    expect(starts, 'a right password asks for nothing old').toEqual([undefined]);
    await expect(login(d, k, 'li', PASSWORD)).rejects.toMatchObject({ key: 'error.login' });
  });

  it('past the end of the invite somebody whom nobody confirmed hears that they wait for an admin', async () => {
    await co.revise();
    const i = await invite(NOW + 1000);
    const me = await enrol(d, await sync(), readCode(i.code), PASSWORD);
    clock = NOW + 1001;
    const k = await sync();
    expect(isCertified(k.directory, me)).toBe(false);
    await expect(login(d, k, 'li', PASSWORD)).rejects.toMatchObject({ key: 'error.unconfirmed' });
    await co.confirm({ ...me, inv: i.inv } as never);
    expect((await login(d, k, 'li', PASSWORD)).me.user, 'the directory is asked again').toBe('li');
    await co.add({ t: 'agent', user: 'li', on: false });
    await expect(login(d, await sync(), 'li', PASSWORD)).rejects.toMatchObject({ key: 'error.disabled' });
  });

  it('a login server of another company is refused', async () => {
    const i = await invite();
    setup = opaqueServer.createSetup();
    await expect(enrol(d, await sync(), readCode(i.code), PASSWORD)).rejects.toMatchObject({
      key: 'error.server_key',
    });
    expect(claims).toBe(0);
  });

  it('codes: mistyped, of another company, used, expired, by somebody who may not invite', async () => {
    expect(() => readCode('ABCD-EFGH')).toThrow('error.invite_format');
    const i = await invite();
    const typo = i.code.replace(/.$/, (c) => (c === 'A' ? 'B' : 'A'));
    expect(() => readCode(typo)).toThrow('error.invite_format');
    const other = await Company.create(b);
    const foreign = await other.invite('li', ['svc']);
    await expect(
      syncFromLog(
        { backend: b, store: memoryStore(), http: d.http, now, onChange() {}, onAlarm() {} },
        readCode(foreign.code).org,
      ),
    ).rejects.toMatchObject({ key: 'error.pin' });
    await expect(enrol(d, await sync(), readCode(foreign.code), PASSWORD)).rejects.toMatchObject({
      key: 'error.invite_used',
    });

    const late = await invite(NOW - 1);
    await expect(enrol(d, await sync(), readCode(late.code), PASSWORD)).rejects.toMatchObject({
      key: 'error.invite_expired',
    });
    const good = await invite();
    await enrol(d, await sync(), readCode(good.code), PASSWORD);
    await expect(enrol(d, await sync(), readCode(good.code), PASSWORD)).rejects.toMatchObject({
      key: 'error.invite_used',
    });

    const mine = co.admin.ed;
    co.admin.ed = await b.newSigningKey();
    const forged = await invite();
    co.admin.ed = mine;
    await expect(enrol(d, await sync(), readCode(forged.code), PASSWORD)).rejects.toMatchObject({
      key: 'error.directory',
    });
  });
});
