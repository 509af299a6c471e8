/** The widget's entry: reads its own script tag, makes a shadow root in the customer's page, starts. */
import { render } from 'preact';
import { createVisitorClient } from '../client/visitor';
import { lang } from '../i18n/core';
import { signal } from '../signals';
import '../ui/signals';
import { startClock } from '../ui/time';
import { makeApi, publish, running } from './api';
import { App } from './App';
import { mount } from './mount';
import { ownTag, readSettings, type Settings } from './settings';

function start(settings: Settings | null): void {
  if (!settings || running()) return;
  lang.value = settings.lang;
  const open = signal(false);
  const client = createVisitorClient({
    server: settings.server,
    site: settings.site,
    org: settings.org,
    widget: settings.widget,
    seed: settings.seed,
    lang: settings.lang === 'en' ? 'en' : 'zh',
  });
  publish(makeApi(open, client));
  startClock();
  render(<App client={client} open={open} position={settings.position} />, mount(settings.color));
}

// Only while the script runs; a later task would find no tag.
const settings = readSettings(ownTag());
if (document.body) start(settings);
else document.addEventListener('DOMContentLoaded', () => start(settings));
