/** The panel in the launcher's frame. It is made when the frame is first opened and then kept. */
import { render } from 'preact';
import { useEffect } from 'preact/hooks';
import type { VisitorClient } from '../model';
import { effect, signal, type Signal } from '../signals';
import '../ui/signals';
import { keepFocus } from '../ui/keepFocus';
import { announce } from './announce';
import type { Asked, Lent, StartedPanel } from './contract';
import { Panel } from './Panel';
import { resetChannel } from './remembered';

/** `make`: a client for a visitor of whom nothing is known, the first time and after a reset. */
export function attach(lent: Lent, make: (otherPerson: (text: string | null) => void) => VisitorClient): StartedPanel {
  const { frame } = lent;
  const open = signal(false);
  const device = signal(lent.settings.device ?? null);
  const asked: Partial<Asked> = {};
  const channel = resetChannel(lent.settings);
  let client!: VisitorClient;
  let stop: () => void = () => undefined;
  let generation = 0;
  let made = false;

  const draw = () => render(<App key={generation} client={client} open={open} frame={frame} device={device} />, frame);
  function begin(): void {
    generation++;
    client = make(changeOver);
    stop = announce(client, lent.tell);
    if (made) draw();
  }
  async function anew(): Promise<void> {
    stop();
    await client.forget();
    begin();
  }
  /** Another customer signed in without a sign-out of the one before; what they wrote is theirs. */
  function changeOver(text: string | null): void {
    void reset({ ...asked }).then(() => {
      if (text !== null) client.send(text).catch(console.error);
    });
  }
  async function reset(keep: Partial<Asked> = {}): Promise<void> {
    delete asked.user;
    delete asked.attributes;
    await anew();
    channel?.postMessage(0);
    for (const what of ['user', 'attributes'] as const) if (keep[what] !== undefined) tell(what, keep[what]);
  }
  function tell<K extends keyof Asked>(what: K, value: Asked[K]): void {
    asked[what] = value;
    if (what === 'user') client.setUser(value as Asked['user']);
    else client.setAttributes(value as Asked['attributes']);
  }
  // another tab did
  if (channel) channel.onmessage = () => void anew();
  begin();
  let was = false;
  effect(() => {
    const now = open.value;
    if (was && !now) lent.closeFrame();
    was = now;
  });
  return {
    asked: tell,
    reset: () => reset(),
    frameOpened(on) {
      open.value = on;
      if (!on || made) return;
      made = true;
      fitToKeyboard(frame);
      draw();
    },
  };
}

interface AppProps {
  client: VisitorClient;
  open: Signal<boolean>;
  frame: HTMLElement;
  /** The secret of the link that was followed. */
  device: Signal<string | null>;
}

function App({ client, open, frame, device }: AppProps) {
  useEffect(() => {
    if (!open.value) return;
    const stops = [client.watch(), keepFocus(frame)];
    return () => stops.forEach((stop) => stop());
  }, [open.value]);
  return <Panel client={client} open={open} device={device} />;
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
