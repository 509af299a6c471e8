/** The HTTP side of the server: JSON requests and pages of records. Every failure is a `ClientError`. */
import { stringify } from '../json';
import { ClientError } from '../model';
import { compareClocks } from './clock';
import type { Env } from './env';
import { Refused, type Refusal } from './errors';

/** Longest wait for an answer, ms. */
const TIMEOUT_MS = 20_000;

export interface Http {
  get<T>(path: string, token?: string): Promise<T>;
  /** `invite`: key of the invite it is about; the server looks for it before it reads a body that may be large. */
  post<T>(path: string, body: unknown, token?: string, invite?: string): Promise<T>;
  delete(path: string, token: string): Promise<void>;
  bytes(path: string, token: string): Promise<Uint8Array>;
}

/** `server`: origin of the kefu server. */
export function createHttp(server: string, env: Env): Http {
  const call = async (path: string, init: RequestInit, token?: string): Promise<Response> => {
    const headers = { ...(init.headers as Record<string, string> | undefined) };
    if (token !== undefined) headers.Authorization = `Bearer ${token}`;
    if (init.body !== undefined) headers['Content-Type'] = 'application/json';
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), TIMEOUT_MS);
    try {
      const r = await env.fetch(`${server}/api/v1${path}`, { ...init, headers, signal: stop.signal });
      // of the console's own origin; a visitor's page may not read it
      const date = r.headers?.get('date');
      if (date) compareClocks(Date.parse(date), env.now());
      if (!r.ok) throw await refusal(r);
      return r;
    } catch (e) {
      if (e instanceof ClientError) throw e;
      throw new ClientError((await env.forbidden?.(server)) ? 'error.csp' : 'error.network', String(e));
    } finally {
      clearTimeout(timer);
    }
  };
  const json = async <T>(r: Promise<Response>): Promise<T> => {
    const response = await r;
    try {
      const text = await response.text();
      return (text ? JSON.parse(text) : {}) as T;
    } catch (e) {
      throw new ClientError('error.server', String(e));
    }
  };
  return {
    get: (path, token) => json(call(path, { method: 'GET' }, token)),
    post: (path, body, token, invite) =>
      json(
        call(
          path,
          { method: 'POST', body: stringify(body), headers: invite === undefined ? {} : { 'Kefu-Invite': invite } },
          token,
        ),
      ),
    delete: (path, token) => call(path, { method: 'DELETE' }, token).then(() => undefined),
    async bytes(path, token) {
      const r = await call(path, { method: 'GET' }, token);
      try {
        return new Uint8Array(await r.arrayBuffer());
      } catch (e) {
        throw new ClientError('error.network', String(e));
      }
    },
  };
}

/** What an answer that is no success means. */
export async function refusal(r: Response): Promise<ClientError> {
  try {
    const b = (await r.json()) as Refusal;
    if (typeof b.code === 'number') return new Refused(b);
  } catch {
    // a proxy answered, not kefu
  }
  return new ClientError(r.status >= 500 ? 'error.network' : 'error.server', `HTTP ${r.status}`);
}
