/** The HTTP side of the bench's server. */
import { hex, unb64u } from '../../src/crypto/bytes';
import { Code, type SignedJson } from '../../src/proto';
import { SITE } from '../support/company';
import { hashOf } from './company';
import type { HostileServer, Load } from './server';

/** As much of a `Response` as the clients use. */
function response(status: number, body: unknown): Response {
  const text = body instanceof Uint8Array ? '' : JSON.stringify(body);
  const bytes = body instanceof Uint8Array ? body : new Uint8Array();
  return {
    ok: status < 300,
    status,
    headers: new Headers(),
    json: async () => JSON.parse(text) as unknown,
    text: async () => text,
    arrayBuffer: async () => bytes.slice().buffer,
  } as unknown as Response;
}

const seqOf = (j: SignedJson | null): number => {
  try {
    return j ? (JSON.parse(new TextDecoder().decode(unb64u(j.raw))) as { seq: number }).seq : -1;
  } catch {
    return -1;
  }
};

function headIsGenuine(server: HostileServer, j: SignedJson | null): boolean {
  const entry = server.log.entries[seqOf(j)];
  return (
    entry !== undefined &&
    (JSON.parse(new TextDecoder().decode(unb64u(j!.raw))) as { head: string }).head === hex(hashOf(entry))
  );
}

export async function answer(server: HostileServer, load: Load, url: string, init?: RequestInit): Promise<Response> {
  const path = url.replace(/^https:\/\/[^/]*\/api\/v1/, '');
  if (init?.body) server.said.push({ who: load.who, text: init.body as string });
  const honest = await route(
    server,
    load,
    path,
    init?.body ? (JSON.parse(init.body as string) as Record<string, unknown>) : {},
  );
  const told = honest === undefined ? undefined : await server.hooks.applyHttp(load.who, path, honest);
  if (told === undefined) return response(404, { code: Code.not_found, name: 'not_found', text: '' });
  const entries =
    (told as { entries?: SignedJson[] }).entries ?? (told as { directory?: { tail: SignedJson[] } }).directory?.tail;
  const snapshot = (told as { directory?: { snapshot: SignedJson | null } }).directory?.snapshot ?? null;
  const genuine =
    entries?.every((e) => server.log.entries[seqOf(e)]?.sig === e.sig) &&
    (!snapshot || headIsGenuine(server, snapshot));
  // an answer with one false entry in it is refused as a whole
  if (genuine) load.served = Math.max(load.served, ...entries!.map(seqOf), seqOf(snapshot));
  return response(200, told);
}

async function route(server: HostileServer, load: Load, path: string, body: Record<string, unknown>): Promise<unknown> {
  const { log } = server;
  if (path.startsWith(`/site/${SITE}`)) return log.site();
  if (path.startsWith('/directory?'))
    return { entries: log.entries.slice(Number(/after=(-?\d+)/.exec(path)![1]) + 1), snapshot: log.snapshot };
  if (path === '/directory') {
    log.posted.push(...(body.entries as SignedJson[]));
    log.entries.push(...(body.entries as SignedJson[]));
    if (body.snapshot) log.snapshot = body.snapshot as SignedJson;
    server.tellDirectory();
    return {};
  }
  if (path === '/snapshot') {
    log.snapshot = body as unknown as SignedJson;
    log.posted.push(log.snapshot);
    return {};
  }
  if (path === '/boxes') return { boxes: await log.boxes(load.who) };
  if (path === '/widgets') return { latest: '', old: [] };
  const records = /^\/conversations\/([0-9a-f]{32})\/records\?after=(\d+)/.exec(path);
  if (records) return server.paged(load, records[1]!, Number(records[2]));
  if (path.startsWith('/conversations?')) return { convs: [...server.convs.values()].map((c) => c.conv), more: false };
  return undefined;
}
