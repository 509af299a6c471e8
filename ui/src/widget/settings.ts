/** Settings of the snippet: attributes of our own script tag, parameters of its address, or `window.kefuSettings`. Read once, while the script runs. */
import { browserLangs, pickLang, type Lang } from '../i18n/core';

export interface Settings {
  server: string;
  site: string;
  org?: string;
  /** The version in the file's address: `/w/<version>/kefu.js`. */
  widget?: string;
  lang: Lang;
  color?: string;
  position: 'left' | 'right';
  /** Only in `window.kefuSettings`: it is a secret, and addresses and attributes are not. */
  seed?: string;
  /** Of a link by which another device handed its history over. */
  device?: string;
  /** When the panel is loaded; `idle` unless the snippet says otherwise. */
  load: 'intent' | 'idle' | 'now';
}

declare global {
  interface Window {
    /** For those who load the script where a tag keeps no attributes, or without a tag. */
    kefuSettings?: Partial<Settings>;
  }
}

/** How such a link ends. What follows `#` is sent to no server. */
export const DEVICE = '#kefu-device=';

/** The secret of the address, which it leaves at once. */
function takeDevice(): string | undefined {
  const { hash } = location;
  if (!hash.startsWith(DEVICE)) return undefined;
  history.replaceState(history.state, '', location.pathname + location.search);
  return hash.slice(DEVICE.length);
}

/** Our own tag. Modules have no `currentScript`, and an element of that name hides it. */
export function ownTag(): HTMLScriptElement | null {
  const current = document.currentScript;
  return current?.localName === 'script'
    ? (current as HTMLScriptElement)
    : document.querySelector('script[src*="/w/"][src*="/kefu.js"]');
}

/** Null, with a line in the browser's console that names what is missing, if it cannot work. */
export function readSettings(script: HTMLScriptElement | null): Settings | null {
  // An element of the name is no settings.
  const own: Record<string, unknown> = (Object.hasOwn(window, 'kefuSettings') && window.kefuSettings) || {};
  const url = script?.src ? new URL(script.src, location.href) : null;
  // Google Tag Manager leaves a tag nothing but its address. What follows `#` is not sent to the server.
  const [query, hash] = [url?.search, url?.hash.slice(1)].map((part) => new URLSearchParams(part));
  const said = (name: string): string | undefined => {
    const there = script?.dataset[name] || query!.get(name) || hash!.get(name) || own[name];
    return typeof there === 'string' ? there : undefined;
  };
  const server = url?.origin ?? said('server');
  const site = said('site');
  if (!server || !site) {
    const missing = server ? 'the site (data-site="…" at its script tag, or kefu.js?site=…)' : 'its own script tag';
    console.error(
      `kefu: cannot find ${missing}. Copy the snippet again (\`kefu site snippet\`), or set window.kefuSettings = { server, site, org } before it`,
    );
    return null;
  }
  const { seed } = own as Partial<Settings>;
  // nobody who looks later finds it
  delete own.seed;
  const load = said('load');
  return {
    seed,
    device: takeDevice(),
    server,
    widget: url?.pathname.split('/').at(-2) || undefined,
    site,
    org: said('org'),
    lang: pickLang(said('lang'), ...browserLangs()),
    color: said('color'),
    position: said('position') === 'left' ? 'left' : 'right',
    load: load === 'intent' || load === 'now' ? load : 'idle',
  };
}
