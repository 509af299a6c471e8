/** The state of the console that a component belongs to. */
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { ConsoleState } from './state';

export const ConsoleContext = createContext<ConsoleState | null>(null);

export function useConsole(): ConsoleState {
  const state = useContext(ConsoleContext);
  if (!state) throw new Error('outside of a console');
  return state;
}
