/** The console's entry. */
import { render } from 'preact';
import { createAgentClient } from '../client/agent';
import '../ui/tokens.css';
import '../ui/components.css';
import '../ui/thread.css';
import '../ui/layers.css';
import '../ui/signals';
import { startClock } from '../ui/time';
import { App } from './App';
import './tokens.css';
import './console.css';
import './overlays.css';
import { startLang } from './settings';
import { createConsoleState } from './state';
import { ConsoleContext } from './useConsole';

startLang();
startClock();
render(
  <ConsoleContext.Provider value={createConsoleState()}>
    <App client={createAgentClient({})} />
  </ConsoleContext.Provider>,
  document.getElementById('app')!,
);
