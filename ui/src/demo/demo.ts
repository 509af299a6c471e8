/** The demo page: a language switch and a button that opens the widget. Everything else is the widget's own snippet. */
import type { KefuApi } from '../widget/api';
import { browserLangs, pickLang } from '../i18n/core';

const root = document.documentElement;

function show(lang: 'zh' | 'en'): void {
  root.dataset.lang = lang;
  root.lang = lang === 'zh' ? 'zh-CN' : 'en';
}

show(pickLang(...browserLangs()) === 'en' ? 'en' : 'zh');
document.getElementById('lang')?.addEventListener('click', () => show(root.dataset.lang === 'en' ? 'zh' : 'en'));
document.getElementById('ask')?.addEventListener('click', () => (window as { kefu?: KefuApi }).kefu?.open());
