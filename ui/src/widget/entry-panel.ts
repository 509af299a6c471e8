/** The entry of `panel.js`, which the launcher loads: everything behind the button. */
import CSS from './index.css?inline';
import { createVisitorClient } from '../client/visitor';
import { lang } from '../i18n/core';
import { startClock } from '../ui/time';
import { attach } from './App';
import { offerPanel } from './contract';
import { lendMore } from './more';

offerPanel((lent) => {
  const { settings } = lent;
  lang.value = settings.lang;
  const client = createVisitorClient({
    server: settings.server,
    site: settings.site,
    org: settings.org,
    widget: settings.widget,
    seed: settings.seed,
    lang: settings.lang === 'en' ? 'en' : 'zh',
  });
  lendMore(lent);
  lent.addStyle(CSS);
  startClock();
  return attach(lent, client);
});
