/**
 * One tab of a browser calls the agent back, however many are open: the one that holds a lock, which the browser gives to the next one
 * when it goes. A second lock is held by the tab that the agent looks at, so that the leader knows. Browsers without locks: each tab for
 * itself.
 */
const BELL = 'kefu/console/bell';
const FOCUS = 'kefu/console/focus';

export interface Lead {
  /** Whether this tab calls. */
  leads(): boolean;
  /** Whether the agent looks at any tab of the console. */
  watched(): Promise<boolean>;
  dispose(): void;
}

export function createLead(): Lead {
  const locks = globalThis.isSecureContext ? navigator.locks : undefined;
  const focused = () => document.hasFocus?.() ?? false;
  if (!locks) return { leads: () => true, watched: async () => focused(), dispose: () => undefined };
  let leads = false;
  const over = new AbortController();
  const ended = new Promise<void>((done) => over.signal.addEventListener('abort', () => done()));
  const hold = (name: string, mode: LockMode, until: () => Promise<void>) =>
    // rejects when this tab no longer wants it
    void locks.request(name, { mode, signal: over.signal }, until).catch(() => undefined);
  hold(BELL, 'exclusive', () => {
    leads = true;
    return ended;
  });
  let leave: (() => void) | undefined;
  const look = () => {
    if (!focused()) return;
    leave?.();
    const left = new Promise<void>((done) => (leave = done));
    hold(FOCUS, 'shared', () => Promise.race([left, ended]));
  };
  const away = () => {
    leave?.();
    leave = undefined;
  };
  const on = { signal: over.signal };
  window.addEventListener('focus', look, on);
  window.addEventListener('blur', away, on);
  look();
  return {
    leads: () => leads,
    watched: async () => {
      if (focused()) return true;
      const { held } = await locks.query();
      return !!held?.some((lock) => lock.name === FOCUS);
    },
    dispose: () => {
      leads = false;
      over.abort();
    },
  };
}
