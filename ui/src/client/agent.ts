/** The agent's client with what a browser offers. */
import { workerOpaque } from '../crypto/opaque';
import { browserEnv } from '../link/env';
import type { AgentClient, AgentOptions } from '../model';
import { openStore } from '../storage/store';
import { Agent } from './agent-client';

export function createAgentClient(o: AgentOptions = {}): AgentClient {
  const secure = globalThis.isSecureContext === true;
  return new Agent(o, { env: browserEnv(), openStore: () => openStore('kefu-console'), secure, opaque: workerOpaque });
}
