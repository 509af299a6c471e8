/** The widget around a made-up client, as the launcher and the panel show it together. */
import { lang } from '../src/i18n/core';
import type { VisitorClient } from '../src/model';
import { startClock } from '../src/ui/time';
import { attach } from '../src/widget/App';
import type { StartPanel } from '../src/widget/contract';
import CSS from '../src/widget/index.css?inline';
import { launch } from '../src/widget/launch';
import { STYLE } from '../src/widget/more-style';

interface Look {
  open?: boolean;
  position?: 'left' | 'right';
  color?: string;
}

export function showWidget(client: VisitorClient, { open = true, position = 'right', color }: Look = {}): void {
  startClock();
  const panel: StartPanel = (lent) => {
    for (const style of [CSS, STYLE]) lent.addStyle(style);
    return attach(lent, () => client);
  };
  launch({ server: '', site: '', lang: lang.value, load: 'now', position, color }, null, { panel, more: null });
  if (open) window.kefuWidget?.open();
}
