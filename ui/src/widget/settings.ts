/** What the snippet says: the attributes of our own script tag. Read once, while the script runs. */
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
}

/** Null, with a line in the browser's console, if the tag cannot work. */
export function readSettings(script: HTMLScriptElement | null): Settings | null {
  const data = script?.dataset;
  if (!script?.src || !data?.site) {
    console.error('kefu: the script tag needs src and data-site; copy the snippet again (`kefu site snippet`)');
    return null;
  }
  const url = new URL(script.src, location.href);
  return {
    server: url.origin,
    widget: url.pathname.split('/').at(-2) || undefined,
    site: data.site,
    org: data.org || undefined,
    lang: pickLang(data.lang, ...browserLangs()),
    color: data.color,
    position: data.position === 'left' ? 'left' : 'right',
  };
}
