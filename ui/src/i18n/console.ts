/** Lookup of the agents' console: its own texts (console-zh.ts, console-en.ts) and those of all errors. */
import type { ErrorKey } from '../model';
import { translator, type Texts } from './core';
import { en } from './console-en';
import { agentErrors } from './console-errors';
import { zh } from './console-zh';
import { clockVars, visitorErrors } from './errors';

type OwnKey = keyof typeof zh;

export const console_: Texts<OwnKey | ErrorKey> = {
  zh: { ...visitorErrors.zh, ...agentErrors.zh, ...zh },
  en: { ...visitorErrors.en, ...agentErrors.en, ...en },
};
export const t = translator(console_);
export type ConsoleKey = OwnKey;

export function errorText(key: ErrorKey | undefined): string {
  return t(key ?? 'error.refused', clockVars());
}
