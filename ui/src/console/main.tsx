/** The console's entry. */
import { render } from 'preact';
import { createAgentClient } from '../client/agent';
import '../ui/signals';
import { startClock } from '../ui/time';
import { App } from './App';
import { registerShell } from './app/install';
import { fitToKeyboard } from './keyboard';
import { startLang } from './settings';
import { createConsoleState } from './state';
import { ConsoleContext } from './useConsole';
import './index.css';

startLang();
startClock();
fitToKeyboard();
render(
  <ConsoleContext.Provider value={createConsoleState()}>
    <App client={createAgentClient({})} />
  </ConsoleContext.Provider>,
  document.getElementById('app')!,
);
registerShell();
