/** The agent's client with what a browser offers. */
import { localOpaque, workerOpaque, type Opaque } from '../crypto/opaque';
import { browserEnv } from '../link/env';
import type { AgentClient, AgentOptions } from '../model';
import { openStore } from '../storage/store';
import { Agent } from './agent';

export function createAgentClient(o: AgentOptions = {}): AgentClient {
  return new Agent(o, { env: browserEnv(), openStore: () => openStore('kefu-console'), secure: globalThis.isSecureContext === true, opaque });
}

/** A browser that refuses Workers waits a second with a still page. */
function opaque(): Opaque {
  try {
    return workerOpaque();
  } catch {
    return localOpaque();
  }
}
