/** What a company keeps beside conversations, as pages know it: canned replies, and what else is of its form. */
import type { Scope } from '../crypto/document';
import type { ReadonlySignal } from '../signals';

export type { Scope } from '../crypto/document';

/** A document that was verified and opened. */
export interface Doc {
  id: string;
  rev: number;
  scope: Scope;
  /** Name of who wrote this revision. */
  author: string;
  /** When, by the server's clock; ms. */
  at: number;
  /** Everyone at the server can read it: its author chose so. */
  public: boolean;
  /** As its author wrote it: what reads it must check it. */
  body: unknown;
  mayWrite: boolean;
  mayDelete: boolean;
}

/**
 * One that does not count. `older`: this browser saw a later revision, or its deletion; `false`: it is not what it should be, or by someone
 * else than it says; `left`: its author may no longer write it, and this browser did not know it; `locked`: no key of mine opens it.
 */
export interface DocProblem {
  id: string;
  why: 'older' | 'false' | 'left' | 'locked';
  /** What would be accepted by writing it again: of `older` and `left`. */
  doc?: Doc;
  rev: number;
  mayDelete: boolean;
}

export interface DocList {
  state: 'loading' | 'here' | 'failed';
  docs: readonly Doc[];
  problems: readonly DocProblem[];
}

/** A document that is about to be written. */
export interface DocDraft {
  /** Absent: a new one. */
  id?: string;
  scope: Scope;
  public: boolean;
  body: unknown;
}

/** What rejects, rejects with a `ClientError`; `error.conflict`: someone changed it first, and the list has it now. */
export interface DocumentsClient {
  /** All of a kind that this person has; loaded when it is first asked for, and kept up to date. */
  list(kind: string): ReadonlySignal<DocList>;
  mayWrite(scope: Scope): boolean;
  /** Its id. */
  save(kind: string, draft: DocDraft): Promise<string>;
  remove(kind: string, id: string): Promise<void>;
}
