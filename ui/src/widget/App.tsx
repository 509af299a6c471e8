/** Launcher and panel. The panel is made when it is first opened and then kept. */
import { useEffect, useRef } from 'preact/hooks';
import type { VisitorClient } from '../model';
import { t } from '../i18n/widget';
import type { Signal } from '../signals';
import { Badge } from '../ui/Badge';
import { useFocusTrap } from '../ui/focus';
import { Icon } from '../ui/Icon';
import { keepFocus } from '../ui/keepFocus';
import { Panel } from './Panel';
import * as icon from '../ui/icons';

interface AppProps {
  client: VisitorClient;
  open: Signal<boolean>;
  position: 'left' | 'right';
}

export function App({ client, open, position }: AppProps) {
  const made = useRef(false);
  if (open.value) made.current = true;
  const trap = useFocusTrap<HTMLDivElement>(open.value, () => (open.value = false));
  useKeyboardHeight(trap);
  useEffect(() => {
    if (!open.value || !trap.current) return;
    const stops = [client.watch(), keepFocus(trap.current)];
    return () => stops.forEach((stop) => stop());
  }, [open.value]);
  const unread = client.unread.value;
  const launcher = (
    <button
      type="button"
      class="w-launcher"
      aria-label={open.value ? t('closeChat') : t('openChat') + (unread ? ` · ${t('unread', { n: unread })}` : '')}
      aria-expanded={open.value}
      onClick={() => (open.value = !open.value)}
    >
      <Icon d={open.value ? icon.down : icon.chat} size={28} />
      {!open.value && <Badge n={unread} />}
    </button>
  );
  return (
    <div class={`w-root w-${position}${open.value ? ' w-open' : ''}`}>
      {launcher}
      <div
        ref={trap}
        class="w-panel"
        role="dialog"
        aria-label={t('title')}
        tabIndex={-1}
        data-hidden={!open.value}
        data-drop
      >
        {made.current && <Panel client={client} open={open} />}
      </div>
    </div>
  );
}

/** Phones lay the keyboard over the page; the panel then is as high as what is still seen. */
function useKeyboardHeight(ref: { current: HTMLElement | null }): void {
  useEffect(() => {
    const view = window.visualViewport;
    if (!view) return;
    const fit = () => {
      const covered = window.innerHeight - view.height > 80;
      ref.current?.style.setProperty('--w-height', covered ? `${view.height}px` : '100dvh');
      ref.current?.style.setProperty('--w-top', covered ? `${view.offsetTop}px` : '0px');
    };
    view.addEventListener('resize', fit);
    view.addEventListener('scroll', fit);
    return () => {
      view.removeEventListener('resize', fit);
      view.removeEventListener('scroll', fit);
    };
  }, []);
}
