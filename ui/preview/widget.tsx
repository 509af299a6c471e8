import { lang } from '../src/i18n/core';
import { fakeVisitor } from './fake-visitor';
import { showWidget } from './shell';

const query = new URLSearchParams(location.search);
const scene = query.get('scene') ?? 'chat';
lang.value = query.get('lang') === 'en' ? 'en' : 'zh-CN';
showWidget(fakeVisitor(scene, lang.value === 'en'), {
  open: scene !== 'closed',
  position: query.get('pos') === 'left' ? 'left' : 'right',
  color: query.get('color') ?? undefined,
});
