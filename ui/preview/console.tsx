import { render } from 'preact';
import { App } from '../src/console/App';
import { startLang } from '../src/console/settings';
import { createConsoleState } from '../src/console/state';
import { ConsoleContext } from '../src/console/useConsole';
import { lang } from '../src/i18n/core';
import { startClock } from '../src/ui/time';
import { fakeAgent } from './fake-agent';
import '../src/console/index.css';

const query = new URLSearchParams(location.search);
const scene = query.get('scene') ?? 'desk';
startLang();
const state = createConsoleState();
lang.value = query.get('lang') === 'en' ? 'en' : 'zh-CN';
startClock();
const client = fakeAgent(scene, lang.value === 'en');
if (!['list', 'login', 'locked', 'insecure', 'empty', 'missed-empty', 'missed-list'].includes(scene))
  state.select(scene === 'queue' || scene === 'offer' ? 'c8d1'.padEnd(32, '0') : '3f2a'.padEnd(32, '0'));
if (scene === 'queue') state.tab.value = 'queue';
if (scene === 'missed' || scene === 'missed-empty') state.tab.value = 'missed';
if (scene === 'missed') state.select('ab10'.padEnd(32, '0'));
if (scene === 'note') state.mode.value = 'note';
if (scene === 'transfer' || scene === 'close' || scene === 'shortcuts' || scene === 'password' || scene === 'waiting')
  state.dialog.value = scene;
if (scene === 'visitor') state.showVisitor.value = true;
state.setDraft('77be'.padEnd(32, '0'), 'reply', lang.value === 'en' ? 'I looked it up' : '我查了一下');
render(
  <ConsoleContext.Provider value={state}>
    <App client={client} />
  </ConsoleContext.Provider>,
  document.getElementById('app')!,
);
