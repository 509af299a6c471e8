/** The widget's entry: reads its own script tag, makes a shadow root in the customer's page, starts. */
import { render } from 'preact';
import { createVisitorClient } from '../client/visitor';
import { lang } from '../i18n/core';
import { signal } from '../signals';
import '../ui/signals';
import { startClock } from '../ui/time';
import { makeApi } from './api';
import { App } from './App';
import { mount } from './mount';
import { readSettings } from './settings';

// Only while the script runs; a later task would find null.
const settings = readSettings(document.currentScript as HTMLScriptElement | null);

function start(): void {
  // Two snippets in one page are one widget.
  if (!settings || window.kefu) return;
  lang.value = settings.lang;
  const open = signal(false);
  const client = createVisitorClient({
    server: settings.server,
    site: settings.site,
    org: settings.org,
    widget: settings.widget,
    lang: settings.lang === 'en' ? 'en' : 'zh',
  });
  window.kefu = makeApi(open, client);
  startClock();
  render(<App client={client} open={open} position={settings.position} />, mount(settings.color));
}

if (document.body) start();
else document.addEventListener('DOMContentLoaded', start);
