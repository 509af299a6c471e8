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
  // a person with a seed is gone after a reset
  let { seed } = settings;
  const make = (otherPerson: (text: string | null) => void) => {
    const given = seed;
    seed = undefined;
    return createVisitorClient({
      server: settings.server,
      site: settings.site,
      org: settings.org,
      widget: settings.widget,
      seed: given,
      lang: settings.lang === 'en' ? 'en' : 'zh',
      otherPerson,
    });
  };
  lendMore(lent);
  lent.addStyle(CSS);
  startClock();
  return attach(lent, make);
});
