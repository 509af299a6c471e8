/** First login by invite code, login, password change: with the real OPAQUE on both sides. */
import { ready, server as opaqueServer } from '@serenity-kit/opaque';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { changePassword, enrol, isCertified, login, openBoxes, readCode, type AccountDeps } from '../src/client/account';
import { keeperFromLog } from '../src/client/log-keeper';
import { hex, unb64u } from '../src/crypto/bytes';
import { nativeBackend } from '../src/crypto/native';
import { localOpaque } from '../src/crypto/opaque-step';
import { createHttp } from '../src/link/http';
import { Code } from '../src/proto';
import { memoryStore } from '../src/storage/store';
import { Company, NOW } from './support/company';
import { FakeServer } from './support/server';

const b = nativeBackend();
const now = () => NOW;
const PASSWORD = 'correct horse battery';

describe('an account', () => {
  let setup: string;
  let co: Company;
  let server: FakeServer;
  let d: AccountDeps;
  let account: { user: string; record: string; keyring: string; version: number; boxes: unknown } | null;
  let claims: number;
  let conflict: boolean;

  beforeAll(() => ready);

  beforeEach(async () => {
    setup = opaqueServer.createSetup();
    co = await Company.create(b, opaqueServer.getPublicKey(setup));
    server = new FakeServer(co);
    d = { backend: b, http: createHttp('https://kefu.example', server.env()), opaque: localOpaque() };
    account = null;
    claims = 0;
    conflict = false;
    const identifiers = (user: string) => ({ client: user, server: `kefu/1 org:${hex(co.fp)}` });
    const states = new Map<string, string>();
    server.routes.set('/login/start', (body) => {
      const { user, m } = body as { user: string; m: string };
      const r = opaqueServer.startLogin({ serverSetup: setup, userIdentifier: user, registrationRecord: account?.user === user ? account.record : null, startLoginRequest: m, identifiers: identifiers(user) });
      states.set('1', JSON.stringify({ user, state: r.serverLoginState }));
      return { id: '1', m: r.loginResponse };
    });
    server.routes.set('/login/finish', (body) => {
      const { user, state } = JSON.parse(states.get(body.id as string)!) as { user: string; state: string };
      opaqueServer.finishLogin({ serverLoginState: state, finishLoginRequest: body.m as string, identifiers: identifiers(user) });
      const { keyring, version, boxes } = account!;
      return { token: 't', keyring, version, boxes };
    });
    server.routes.set('/password/start', (body) => ({
      m: opaqueServer.createRegistrationResponse({ serverSetup: setup, userIdentifier: account!.user, registrationRequest: body.m as string }).registrationResponse,
    }));
    server.routes.set('/password/finish', (body) => {
      account = { ...account!, record: body.record as string, keyring: body.keyring as string, version: body.version as number };
      return {};
    });
  });

  const keeper = () => keeperFromLog({ backend: b, store: memoryStore(), http: d.http, now, onChange() {}, onAlarm() {} }, co.fp);

  /** Serves one invite. */
  const invite = async (exp?: number) => {
    const i = await co.invite('li', ['svc'], exp);
    server.routes.set('/invite/open', (body) => {
      if (body.inv !== i.inv) throw Code.not_found;
      return { cert: i.cert, signer: i.signer, sig: i.sig, boxes: i.boxes };
    });
    server.routes.set('/invite/register', (body) => ({
      m: opaqueServer.createRegistrationResponse({ serverSetup: setup, userIdentifier: 'li', registrationRequest: body.m as string }).registrationResponse,
    }));
    server.routes.set('/invite/claim', async (body) => {
      claims++;
      if (conflict) {
        conflict = false;
        await co.team('vip');
        throw Code.conflict;
      }
      co.log.push(body.entry as Company['log'][number]);
      account = { user: 'li', record: body.record as string, keyring: body.keyring as string, version: 1, boxes: body.boxes };
      return {};
    });
    return i;
  };

  it('is made from a code, opens by password, changes its password; the server never holds a key', async () => {
    const i = await invite();
    conflict = true; // somebody else changed the directory at the same moment
    const k = await keeper();
    const me = await enrol(d, k, readCode(i.code.toLowerCase()), PASSWORD, now);
    expect(claims).toBe(2);
    expect(isCertified(k.directory, me)).toBe(true);
    const secret = co.teamSecrets.get('svc')![0]!.secret;
    const keys = await openBoxes(b, k.directory, me, account!.boxes as never);
    expect([...keys.values()].map((x) => hex(x.pk))).toEqual([hex((await b.boxKey(secret)).pk)]);
    expect(Buffer.from(unb64u(account!.keyring)).includes(Buffer.from(secret))).toBe(false);

    const again = await login(d, await keeper(), 'li', PASSWORD, NOW);
    expect(hex(again.ed.pk)).toBe(hex(me.ed.pk));
    await expect(login(d, k, 'li', `${PASSWORD}!`, NOW)).rejects.toMatchObject({ key: 'error.login' });
    await expect(login(d, k, 'nobody', PASSWORD, NOW)).rejects.toMatchObject({ key: 'error.login' });

    await expect(changePassword(d, k.directory, 'li', PASSWORD, 'short')).rejects.toMatchObject({ key: 'error.password_short' });
    await expect(changePassword(d, k.directory, 'li', 'wrong password', 'another password')).rejects.toMatchObject({ key: 'error.login' });
    await changePassword(d, k.directory, 'li', PASSWORD, 'another password');
    expect(account!.version).toBe(2);
    await expect(login(d, k, 'li', PASSWORD, NOW)).rejects.toMatchObject({ key: 'error.login' });
    expect(hex((await login(d, k, 'li', 'another password', NOW)).x.pk)).toBe(hex(me.x.pk));
  });

  it('a login server of another company is refused', async () => {
    const i = await invite();
    setup = opaqueServer.createSetup();
    await expect(enrol(d, await keeper(), readCode(i.code), PASSWORD, now)).rejects.toMatchObject({ key: 'error.server_key' });
    expect(claims).toBe(0);
  });

  it('codes: mistyped, of another company, used, expired, by somebody who may not invite', async () => {
    expect(() => readCode('ABCD-EFGH')).toThrow('error.invite_format');
    const i = await invite();
    const typo = i.code.replace(/.$/, (c) => (c === 'A' ? 'B' : 'A'));
    expect(() => readCode(typo)).toThrow('error.invite_format');
    const other = await Company.create(b);
    const foreign = await other.invite('li', ['svc']);
    await expect(keeperFromLog({ backend: b, store: memoryStore(), http: d.http, now, onChange() {}, onAlarm() {} }, readCode(foreign.code).org)).rejects.toMatchObject({ key: 'error.pin' });
    await expect(enrol(d, await keeper(), readCode(foreign.code), PASSWORD, now)).rejects.toMatchObject({ key: 'error.invite_used' });

    const late = await invite(NOW - 1);
    await expect(enrol(d, await keeper(), readCode(late.code), PASSWORD, now)).rejects.toMatchObject({ key: 'error.invite_expired' });
    const good = await invite();
    await enrol(d, await keeper(), readCode(good.code), PASSWORD, now);
    await expect(enrol(d, await keeper(), readCode(good.code), PASSWORD, now)).rejects.toMatchObject({ key: 'error.invite_used' });

    const mine = co.admin.ed;
    co.admin.ed = await b.newSigningKey();
    const forged = await invite();
    co.admin.ed = mine;
    await expect(enrol(d, await keeper(), readCode(forged.code), PASSWORD, now)).rejects.toMatchObject({ key: 'error.directory' });
  });
});
