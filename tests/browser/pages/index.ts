/**
 * Pages of customers that are hard for a widget: each is a few lines of HTML around the snippet, with scripts from this directory. What
 * holds on every one of them is in specs/pages.spec.ts.
 */
import type { Page } from '@playwright/test';

/** What a page may paste. */
export interface Snippet {
  /** As `kefu site snippet` prints it. */
  tag: string;
  /** As it prints it with `--single`. */
  single: string;
  src: string;
  site: string;
  org: string;
}

export interface HostPage {
  name: string;
  /** Attributes of `<html>` and `<body>`. */
  html?: string;
  body?: string;
  head?: string;
  before?: string;
  after?: string;
  /** Where the snippet is pasted: last in the body unless it says `head`. */
  place?: 'head' | 'nowhere';
  paste?: (snippet: Snippet) => string;
  /** Without a document type: quirks mode. */
  quirks?: true;
  /** `NONCE` and `KEFU` are replaced; so is `nonce` in the page's own scripts. */
  csp?: string;
  /** Attributes of the frame in which the page is shown. */
  frame?: string;
  left?: true;
  /** All of the page is this much larger, the widget with it. */
  zoom?: number;
  /** Makes the page what it is about, once it is loaded. */
  then?: (page: Page) => Promise<unknown>;
  /** How the visitor goes to the next page; a reload by default. */
  next?: (page: Page) => Promise<unknown>;
  /** Firefox paints the top layer like the root element, so that colours prove nothing. */
  rooted?: true;
  /** Expected output in the browser's console. */
  says?: RegExp;
}

const style = (css: string): string => `<style>${css}</style>`;
const script = (file: string): string => `<script src="/pages/${file}"></script>`;
const lib = (file: string): string => `<script src="/lib/${file}"></script>`;
const bare = ({ src }: Snippet): string => src;

/** A link that the page's own router follows; where it leads is the same page again. */
const byLink = async (page: Page): Promise<void> => {
  await page.evaluate(() => ((window as { marked?: boolean }).marked = true));
  await page.getByRole('link', { name: 'next' }).click();
  await page.waitForURL(/\?2/);
  if (!(await page.evaluate(() => (window as { marked?: boolean }).marked)))
    throw new Error('the page was loaded anew: its router is not at work');
};
const replaced = (what: string) => (page: Page) => page.evaluate(what);

const SPA: HostPage[] = [
  { name: 'Turbo, snippet in the body', head: lib('turbo.js'), next: byLink },
  { name: 'Turbo, snippet in the head', head: lib('turbo.js'), place: 'head', next: byLink },
  { name: 'hx-boost', head: lib('htmx.js'), body: 'hx-boost:inherited="true"', next: byLink },
  { name: 'body replaced by innerHTML', next: replaced(`document.body.innerHTML = '<main>next page</main>'`) },
  { name: 'body element exchanged', next: replaced(`document.body.replaceWith(document.createElement('body'))`) },
  {
    name: 'everything beside head and body is removed',
    next: replaced(
      `[...document.documentElement.children].forEach((e) => /^(head|body)$/.test(e.localName) || e.remove())`,
    ),
  },
  {
    name: 'html element exchanged',
    next: replaced(`document.documentElement.replaceWith(document.documentElement.cloneNode(true))`),
  },
  {
    name: 'what is unknown is taken out again and again',
    after:
      '<script>let left = 5; new MutationObserver(() => { const e = document.querySelector("html > kefu-widget"); if (e && left-- > 0) e.remove(); }).observe(document, { childList: true, subtree: true })</script>',
  },
];

const NAMES: HostPage[] = [
  { name: 'an element kefu', before: '<div id="kefu">客服</div>' },
  { name: 'two elements kefu', before: '<div id="kefu">客服</div><div id="kefu">客服</div>' },
  { name: 'a form kefu', before: '<form name="kefu"><input name="toggle"></form>' },
  { name: 'a frame kefu', before: '<iframe name="kefu" srcdoc="" hidden></iframe>' },
  { name: 'a function kefu', before: '<script>function kefu() { return 1; }</script>', says: /window\.kefuWidget/ },
  {
    name: 'a service box kefu',
    before: '<script>window.kefu = { open() {}, close() {}, toggle() {}, on() {} }</script>',
    says: /window\.kefuWidget/,
  },
  {
    name: 'a constant kefu',
    before: `<script>Object.defineProperty(window, 'kefu', { value: undefined, writable: false })</script>`,
    says: /window\.kefuWidget/,
  },
  { name: 'a lexical kefu', before: '<script>const kefu = 1;</script>' },
  {
    name: 'elements named as settings and as the current script',
    before:
      '<form id="kefuSettings" name="kefuSettings"><input name="org" value="k1-wrong"></form><img name="currentScript" alt="">',
  },
  { name: 'the snippet twice', paste: ({ tag }) => tag + tag },
  { name: 'the snippet twice, as one file', paste: ({ single }) => single + single },
  { name: 'the launcher and the single file', paste: ({ tag, single }) => tag + single },
];

const SCRIPTS: HostPage[] = [
  { name: 'snippet in the head', place: 'head' },
  { name: 'in the head, neither async nor defer', place: 'head', paste: ({ tag }) => tag.replace(' defer', '') },
  { name: 'async', place: 'head', paste: ({ tag }) => tag.replace('defer', 'async') },
  { name: 'type=module', paste: ({ tag }) => tag.replace('<script', '<script type="module"') },
  { name: 'one file', place: 'head', paste: ({ single }) => single },
  { name: 'loaded at once', place: 'head', paste: ({ tag }) => tag.replace('defer', 'data-load="now" defer') },
  { name: 'loaded on intent', place: 'head', paste: ({ tag }) => tag.replace('defer', 'data-load="intent" defer') },
  {
    name: 'Google Tag Manager: an element with an address and nothing else',
    paste: (s) =>
      `<script>const s = document.createElement('script'); s.async = true; s.src = '${s.src}?site=${s.site}#org=${s.org}'; document.head.append(s)</script>`,
  },
  {
    name: 'window.kefuSettings',
    paste: (s) =>
      `<script>window.kefuSettings = { site: '${s.site}', org: '${s.org}', position: 'left' }</script><script src="${bare(s)}" defer></script>`,
    left: true,
  },
  {
    name: 'no tag at all: fetched and run',
    paste: (
      s,
    ) => `<script>window.kefuSettings = { server: '${new URL(s.src).origin}', site: '${s.site}', org: '${s.org}' };
      fetch('${s.src}').then((r) => r.text()).then((text) => (0, eval)(text))</script>`,
  },
  { name: 'on the left', paste: ({ tag }) => tag.replace('defer', 'data-position="left" defer'), left: true },
];

const EVENTS: HostPage[] = [
  { name: 'hotkeys on keydown, keypress, paste, mousedown', after: script('hotkeys.js') },
  { name: 'wheel and touch are the page’s', after: script('fullpage.js') },
];

const PROTOTYPES: HostPage[] = [
  { name: 'Prototype 1.6', head: script('prototype-1.6.js') },
  { name: 'Prototype 1.6, loaded later', after: script('prototype-1.6.js') },
  { name: 'MooTools', head: script('mootools-like.js') },
  { name: 'enumerable additions with toJSON on everything', head: script('enumerable.js') },
];

const tall = '<div style="height: 4000px">tall</div>';
const STYLES: HostPage[] = [
  ...[
    'transform: translateZ(0)',
    'filter: grayscale(1)',
    'contain: paint',
    'opacity: 0',
    'will-change: transform',
    'perspective: 800px',
    'contain: strict; height: 600px',
    'visibility: hidden',
  ].flatMap((css, i) =>
    // the root element has what the top layer may depend on
    (i < 4 ? (['body', 'html'] as const) : (['body'] as const)).map(
      (element): HostPage => ({
        name: `${css} on ${element}`,
        head: style(`${element} { ${css} }`),
        before: tall,
        rooted: element === 'html' || undefined,
      }),
    ),
  ),
  { name: 'display: none on body', head: style('body { display: none }') },
  { name: 'zoom and a font size of 62.5 % on html', head: style('html { font-size: 62.5%; zoom: 1.1 }'), zoom: 1.1 },
  { name: 'right to left', html: 'dir="rtl"', head: style('* { direction: rtl }') },
  ...['visibility: hidden', 'display: none', 'opacity: 0'].map((css) => ({
    name: `:not(:defined) { ${css} }`,
    head: style(`:not(:defined) { ${css} }`),
  })),
  {
    name: 'body:has(:not(:defined))',
    head: style('body:has(:not(:defined)), html:has(:not(:defined)) { visibility: hidden }'),
  },
  {
    name: 'body > :not(main) { display: none }',
    head: style('body > :not(main), html > :not(head, body) { display: none }'),
  },
  { name: 'pointer-events: none', head: style('body, body :not(.app), kefu-widget { pointer-events: none }') },
  { name: '* { all: unset }', head: style('* { all: unset } style, script, head, title { display: none }') },
  {
    name: 'everything !important',
    head: style(`* { all: revert; display: inline-block !important; position: static !important; transform: scale(2) !important; width: 100% !important; height: auto !important; inset: 0 auto auto 0 !important;
      opacity: 0.1 !important; pointer-events: none !important; visibility: hidden !important; overflow: hidden !important; font: 40px serif !important; z-index: -1 !important; contain: paint !important }
      kefu-widget { display: none !important } script, style, head, title { display: none !important }`),
  },
  {
    name: 'everything on top',
    head: style(
      '.war { position: fixed; inset: auto 0 0 0; height: 200px; background: #fed; z-index: 2147483647 !important }',
    ),
    after: '<div class="war">cookies</div>',
  },
  {
    name: 'an inline style of the page',
    after:
      '<script>setInterval(() => document.querySelector("kefu-widget")?.style.setProperty("display", "none"), 20)</script>',
  },
  { name: 'quirks mode', quirks: true, before: '<table width=100% height=100%><tr><td>old' },
];

const dialog = (at: string) => `<script>history.replaceState(null, '', '?dialog=${at}')</script>${script('dialog.js')}`;
const DIALOGS: HostPage[] = [
  { name: 'a modal dialog, open before the widget', before: dialog('light') },
  { name: 'a modal dialog in a shadow root', before: dialog('shadow') },
  {
    name: 'a modal dialog that opens afterwards',
    before: dialog('later'),
    then: (page) => page.evaluate('dialog.showModal()'),
    next: (page) => page.evaluate('dialog.close()'),
  },
  {
    name: 'a modal dialog that is taken out while it is open',
    before: dialog('later'),
    then: (page) => page.evaluate('dialog.showModal()'),
    next: (page) => page.evaluate('dialog.remove()'),
  },
  {
    name: 'a modal dialog that opens in another',
    before:
      dialog('light') +
      `<script>const inner = document.createElement('dialog'); inner.innerHTML = '<button>inner</button>'; dialog.append(inner)</script>`,
    then: (page) => page.evaluate('inner.showModal()'),
    next: (page) => page.evaluate('inner.close()'),
  },
];

/** What browsers of a few years ago lack. */
const OLDER = `<script>delete Element.prototype.moveBefore; for (const name of ['popover', 'showPopover', 'hidePopover', 'togglePopover']) delete HTMLElement.prototype[name]</script>`;
const OLD: HostPage[] = [
  {
    name: 'an older browser',
    head: OLDER + style('body { transform: translateZ(0) }'),
    before: tall,
    next: replaced(`document.body.replaceWith(document.createElement('body'))`),
  },
  {
    name: 'an older browser and a modal dialog',
    head: OLDER,
    before: dialog('plain'),
    then: (page) => page.evaluate('dialog.showModal()'),
    next: (page) => page.evaluate('dialog.close()'),
  },
];

const STRICT = `default-src 'none'; script-src KEFU 'nonce-NONCE'; connect-src KEFU WS; style-src 'none'; worker-src blob:; base-uri 'none'; form-action 'none'`;
const NONCE_ONLY = STRICT.replace('script-src KEFU', 'script-src');
const withNonce = (tag: string): string => tag.replace('<script', '<script nonce="NONCE"');
const POLICIES: HostPage[] = [
  {
    name: 'a strict policy with a nonce and Trusted Types',
    csp: `${NONCE_ONLY}; require-trusted-types-for 'script'; trusted-types kefu`,
    paste: ({ tag }) => withNonce(tag),
  },
  {
    name: 'a strict policy with a nonce, which allows no policy of Trusted Types: one file',
    csp: `${NONCE_ONLY}; require-trusted-types-for 'script'; trusted-types 'none'`,
    paste: ({ single }) => withNonce(single),
  },
  {
    name: 'strict-dynamic',
    csp: STRICT.replace('script-src KEFU', `script-src 'strict-dynamic'`),
    paste: ({ tag }) => withNonce(tag),
  },
  { name: 'a sandboxed frame of the same origin', frame: 'sandbox="allow-scripts allow-same-origin"' },
];

const OTHERS: HostPage[] = [
  { name: 'a translation of the page', after: script('translate.js') },
  {
    name: 'away and back through the history',
    next: async (page) => {
      await page.goto('about:blank');
      await page.goBack();
    },
  },
  {
    name: 'kept by the browser while away (bfcache)',
    next: (page) =>
      page.evaluate(
        `dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true })); dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))`,
      ),
  },
];

export const PAGES: HostPage[] = [
  ...NAMES,
  ...SCRIPTS,
  ...SPA,
  ...EVENTS,
  ...PROTOTYPES,
  ...STYLES,
  ...DIALOGS,
  ...OLD,
  ...POLICIES,
  ...OTHERS,
];
