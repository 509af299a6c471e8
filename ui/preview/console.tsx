import { render } from 'preact';
import '../src/ui/tokens.css';
import '../src/console/tokens.css';
import '../src/ui/components.css';
import '../src/ui/thread.css';
import '../src/ui/layers.css';
import '../src/console/console.css';
import '../src/console/overlays.css';
import { App } from '../src/console/App';
import { dialog, mode, select, setDraft, showVisitor, startLang, tab } from '../src/console/state';
import { lang } from '../src/i18n/core';
import { startClock } from '../src/ui/time';
import { fakeAgent } from './fake-agent';

const query = new URLSearchParams(location.search);
const scene = query.get('scene') ?? 'desk';
startLang();
lang.value = query.get('lang') === 'en' ? 'en' : 'zh-CN';
startClock();
const client = fakeAgent(scene, lang.value === 'en');
if (!['list', 'login', 'locked', 'insecure', 'empty', 'missed-empty', 'missed-list'].includes(scene))
  select(scene === 'queue' || scene === 'offer' ? 'c8d1'.padEnd(32, '0') : '3f2a'.padEnd(32, '0'));
if (scene === 'queue') tab.value = 'queue';
if (scene === 'missed' || scene === 'missed-empty') tab.value = 'missed';
if (scene === 'missed') select('ab10'.padEnd(32, '0'));
if (scene === 'note') mode.value = 'note';
if (scene === 'transfer' || scene === 'close' || scene === 'shortcuts' || scene === 'password' || scene === 'waiting')
  dialog.value = scene;
if (scene === 'visitor') showVisitor.value = true;
setDraft('77be'.padEnd(32, '0'), 'reply', lang.value === 'en' ? 'I looked it up' : '我查了一下');
render(<App client={client} />, document.getElementById('app')!);
