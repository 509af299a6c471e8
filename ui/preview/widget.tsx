import { render } from 'preact';
import { lang } from '../src/i18n/core';
import { signal } from '../src/signals';
import { startClock } from '../src/ui/time';
import { makeApi } from '../src/widget/api';
import { App } from '../src/widget/App';
import { mount } from '../src/widget/mount';
import { fakeVisitor } from './fake-visitor';

const query = new URLSearchParams(location.search);
const scene = query.get('scene') ?? 'chat';
lang.value = query.get('lang') === 'en' ? 'en' : 'zh-CN';
const client = fakeVisitor(scene, lang.value === 'en');
const open = signal(scene !== 'closed');
window.kefu = makeApi(open, client);
startClock();
render(
  <App client={client} open={open} position={query.get('pos') === 'left' ? 'left' : 'right'} />,
  mount(query.get('color') ?? undefined),
);
