/** Why sockets are refused: a browser does not tell a page, but the server answers requests of any page. */
import type { Env } from '../link/env';
import { Refused } from '../link/errors';
import type { Http } from '../link/http';
import { ClientError, type ErrorKey } from '../model';
import { Code } from '../proto';
import type { DirectorySync } from './directory-sync';

/** What is found out is not asked again sooner, ms. */
const EVERY_MS = 30_000;

export interface SocketRefusal {
  why: ErrorKey;
  /** Trying again would not help. */
  over: boolean;
}

export interface DiagnosisDeps {
  http: Http;
  env: Env;
  sync: DirectorySync;
  site: string;
  /** Origin of the server; its own pages need no place in the list. */
  server: string;
  /** Origin of the page. */
  page?: string;
}

/** The page's origin is one that the site lists. */
export function isListed(d: Pick<DiagnosisDeps, 'sync' | 'site' | 'server' | 'page'>): boolean {
  const origins = d.sync.directory.state.sites[d.site]?.origins;
  const is = d.page === undefined || d.page === d.server || !!origins?.includes(d.page);
  if (!is) {
    // `null`: a sandboxed frame, or a file
    console.error(`kefu: site ${d.site} does not list ${d.page}; its administrator adds it with: kefu site change`);
  }
  return is;
}

/** Asks when it is called, and then not for a while. */
export function diagnoseSocket(d: DiagnosisDeps, say: (found: SocketRefusal | null) => void): () => void {
  let next = 0;
  return () => {
    if (d.env.now() < next) return;
    next = d.env.now() + EVERY_MS;
    void find(d).then(
      (found) => {
        // a server that was not there may be in a moment
        if (!found) next = 0;
        say(found);
      },
      () => undefined,
    );
  };
}

async function find(d: DiagnosisDeps): Promise<SocketRefusal | null> {
  try {
    await d.http.get(`/site/${encodeURIComponent(d.site)}`);
    await d.sync.refresh(d.env.now());
  } catch (e) {
    if (e instanceof Refused && e.code === Code.not_found) return { why: 'error.site_unknown', over: true };
    // anything else passes, or is reported where it occurs
    return e instanceof ClientError && e.key === 'error.csp' ? { why: e.key, over: true } : null;
  }
  if (await d.env.forbidden?.(d.server)) return { why: 'error.csp', over: true };
  if (!isListed(d)) return { why: 'error.origin', over: true };
  return { why: 'error.socket', over: false };
}
