/** The widget around a made-up client, as the launcher and the panel show it together. */
import { lang } from '../src/i18n/core';
import type { VisitorClient } from '../src/model';
import { startClock } from '../src/ui/time';
import { attach } from '../src/widget/App';
import CSS from '../src/widget/index.css?inline';
import { launch } from '../src/widget/launch';

interface Look {
  open?: boolean;
  position?: 'left' | 'right';
  color?: string;
}

export function showWidget(client: VisitorClient, { open = true, position = 'right', color }: Look = {}): void {
  startClock();
  launch({ server: '', site: '', lang: lang.value, load: 'now', position, color }, null, (lent) => {
    lent.addStyle(CSS);
    return attach(lent, client);
  });
  if (open) window.kefuWidget?.open();
}
