/**
 * What pages may know: types and signals, nothing else. The engine behind them is `client/`; a page never imports it except
 * for `createVisitorClient` and `createAgentClient`.
 *
 * Every text for people is a key of the pages' own dictionary (`ErrorKey`), with parameters where there are any.
 */
export type { BotButton, BotThought, IntentFeedback } from '../crypto/envelope';
export type {
  AgentInfo,
  AgentState,
  Block,
  BlockReason,
  Conv,
  Label,
  Labels,
  Limit,
  OwnerWhy,
  Priority,
  StorageState,
} from '../proto';
export * from './agent';
export * from './connection';
export * from './documents';
export * from './errors';
export * from './files';
export * from './thread';
export * from './visitor';
