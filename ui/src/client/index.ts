/** The visitor's and the agent's client in a browser. Import the one you need: the widget must not carry the other. */
export { createVisitorClient } from './visitor';
export { createAgentClient } from './agent';
