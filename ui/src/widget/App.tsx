/** The panel in the launcher's frame. It is made when the frame is first opened and then kept. */
import { render } from 'preact';
import { useEffect } from 'preact/hooks';
import type { VisitorClient } from '../model';
import { effect, signal, type Signal } from '../signals';
import '../ui/signals';
import { keepFocus } from '../ui/keepFocus';
import { announce } from './announce';
import type { Lent, StartedPanel } from './contract';
import { Panel } from './Panel';

export function attach(lent: Lent, client: VisitorClient): StartedPanel {
  const { frame } = lent;
  const open = signal(false);
  announce(client, lent.tell);
  let was = false;
  effect(() => {
    const now = open.value;
    if (was && !now) lent.closeFrame();
    was = now;
  });
  let made = false;
  return {
    frameOpened(on) {
      open.value = on;
      if (!on || made) return;
      made = true;
      fitToKeyboard(frame);
      render(<App client={client} open={open} frame={frame} />, frame);
    },
  };
}

interface AppProps {
  client: VisitorClient;
  open: Signal<boolean>;
  frame: HTMLElement;
}

function App({ client, open, frame }: AppProps) {
  useEffect(() => {
    if (!open.value) return;
    const stops = [client.watch(), keepFocus(frame)];
    return () => stops.forEach((stop) => stop());
  }, [open.value]);
  return <Panel client={client} open={open} />;
}

/** Phones lay the keyboard over the page; the panel then is as high as what is still seen. */
function fitToKeyboard(frame: HTMLElement): void {
  const view = window.visualViewport;
  if (!view) return;
  const fit = () => {
    const covered = window.innerHeight - view.height > 80;
    frame.style.setProperty('--w-height', covered ? `${view.height}px` : '100dvh');
    frame.style.setProperty('--w-top', covered ? `${view.offsetTop}px` : '0px');
  };
  view.addEventListener('resize', fit);
  view.addEventListener('scroll', fit);
}
