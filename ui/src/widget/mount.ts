/** The widget's place in a foreign page: a shadow root with its own style sheet, allowed by a strict content security policy. */
import { accentTokens } from '../ui/contrast';
import { makeHost } from './host';

interface Mounted {
  root: ShadowRoot;
  /** One more style sheet, which wins over those before. */
  addStyle: (css: string) => void;
}

export function mount(style: string, color?: string): Mounted {
  const { host, root, place } = makeHost();
  const sheets: CSSStyleSheet[] = [];
  const addStyle = (css: string): void => {
    try {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(css);
      sheets.push(sheet);
      root.adoptedStyleSheets = sheets;
    } catch {
      // Safari before 16.4.
      root.appendChild(document.createElement('style')).textContent = css;
    }
  };
  addStyle(style);
  if (color) paint(host, color);
  place();
  return { root, addStyle };
}

function paint(host: HTMLElement, color: string): void {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const apply = () => {
    for (const [name, value] of Object.entries(accentTokens(color, dark.matches) ?? {}))
      host.style.setProperty(name, value);
  };
  apply();
  dark.addEventListener('change', apply);
}
