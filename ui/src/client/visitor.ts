/** The visitor's client with what a browser offers. */
import { browserEnv } from '../link/env';
import type { VisitorClient, VisitorOptions } from '../model';
import { DATABASE, openStore } from '../storage/store';
import { Visitor } from './visitor-client';

export function createVisitorClient(o: VisitorOptions): VisitorClient {
  const secure = globalThis.isSecureContext === true;
  return new Visitor(o, { env: browserEnv(), openStore: () => openStore(DATABASE), secure, origin: self.origin });
}
