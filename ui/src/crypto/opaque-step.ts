/** OPAQUE as protocol §5 fixes it, one step at a time. Large: only the Worker and tests import it. */
import { client, ready } from '@serenity-kit/opaque';
import type { Opaque, OpaqueCall, OpaqueResult } from './opaque';

/** Compiled in, never negotiated: Argon2id 64 MiB, t = 3, p = 4. */
const KSF = 'memory-constrained' as const;

const identifiers = (user: string, org: string) => ({ client: user, server: `kefu/1 org:${org}` });

/** One step, wherever it runs. */
export async function opaqueStep(c: OpaqueCall): Promise<OpaqueResult> {
  await ready;
  switch (c.op) {
    case 'login_start': {
      const r = client.startLogin({ password: c.password });
      return { state: r.clientLoginState, m: r.startLoginRequest };
    }
    case 'login_finish': {
      const r = client.finishLogin({
        clientLoginState: c.state,
        loginResponse: c.m,
        password: c.password,
        identifiers: identifiers(c.user, c.org),
        keyStretching: KSF,
      });
      return r ? { m: r.finishLoginRequest, exportKey: r.exportKey, serverKey: r.serverStaticPublicKey } : null;
    }
    case 'register_start': {
      const r = client.startRegistration({ password: c.password });
      return { state: r.clientRegistrationState, m: r.registrationRequest };
    }
    case 'register_finish': {
      const r = client.finishRegistration({
        clientRegistrationState: c.state,
        registrationResponse: c.m,
        password: c.password,
        identifiers: identifiers(c.user, c.org),
        keyStretching: KSF,
      });
      return { m: r.registrationRecord, exportKey: r.exportKey, serverKey: r.serverStaticPublicKey };
    }
  }
}

/** On this thread, for tests. */
export const localOpaque = (): Opaque => ({ call: opaqueStep, close() {} });
