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
import { startLang } from './state';

startLang();
startClock();
render(<App client={createAgentClient({})} />, document.getElementById('app')!);
