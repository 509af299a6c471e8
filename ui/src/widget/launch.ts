/** The launcher at work: the button is there at once, the panel when it is wanted. */
import CSS from './launcher.css?inline';
import { makeApi, publish } from './api';
import { takeMore, type Asked, type MakeMore, type StartedPanel, type StartPanel } from './contract';
import { Forbidden, loadPanel, loadScript } from './load';
import { mount } from './mount';
import { forget } from './remembered';
import type { Settings } from './settings';
import { makeShell } from './shell';
import { whenWanted } from './when';

/** The other files, where they are part of the same one. */
export interface Joined {
  panel: StartPanel | null;
  more: MakeMore | null;
}

/** `own`: the script tag. */
export function launch(settings: Settings, own: HTMLScriptElement | null, joined: Joined): void {
  let panel: StartedPanel | null = null;
  let loading = false;
  let failed = false;
  let forbidden = false;
  let shown = false;
  const asked: Partial<Asked> = {};
  const api = makeApi({
    isOpen: () => shell.isOpen(),
    setOpen: (open) => shell.setOpen(open),
    ask(what, value) {
      asked[what] = value;
      panel?.asked(what, value);
    },
    async reset() {
      for (const what of ['user', 'attributes'] as const) delete asked[what];
      await (panel ? panel.reset() : forget(settings));
    },
  });
  publish(api.kefu);
  const { root, addStyle } = mount(CSS, settings.color);
  const place = { own, server: settings.server, into: root };
  const shell = makeShell(root, settings, {
    opened(open) {
      if (panel) return show(open);
      if (open) load();
    },
    retry: load,
  });

  /** What was in the frame before was the launcher's. */
  function show(open: boolean): void {
    const first = open && !shown;
    shown ||= open;
    if (first) shell.exchange(() => panel!.frameOpened(true));
    else panel!.frameOpened(open);
  }

  function begin(how: StartPanel): void {
    panel = how({
      settings,
      frame: shell.frame,
      addStyle,
      closeFrame: () => shell.setOpen(false),
      fetchMore: async (file, integrity) => joined.more ?? loadScript(place, file, integrity, takeMore),
      tell(event, detail) {
        if (event === 'unread') shell.setUnread(detail as number);
        api.tell(event, detail);
      },
    });
    const begun = panel;
    for (const what of ['user', 'attributes'] as const) if (what in asked) begun.asked(what, asked[what]!);
    if (shell.isOpen()) show(true);
  }

  function load(): void {
    // a page's policy stays what it is
    if (panel || loading || forbidden) return;
    loading = true;
    failed = false;
    shell.showWaiting();
    loadPanel(place)
      .then(begin)
      .catch((e: unknown) => {
        panel = null;
        forbidden = e instanceof Forbidden;
        failed = !forbidden;
        if (failed) console.error('kefu:', e);
        shell.showFailure(forbidden);
      })
      .finally(() => (loading = false));
  }

  // who followed such a link wants the chat
  if (settings.device) shell.setOpen(true);
  if (joined.panel) return begin(joined.panel);
  addEventListener('online', () => failed && load());
  whenWanted(settings, shell.button, load);
}
