/** The widget's place in a foreign page: a shadow root with its own style sheet, allowed by a strict content security policy. */
import CSS from './index.css?inline';
import { accentTokens } from '../ui/contrast';
import { makeHost } from './host';

export function mount(color?: string): ShadowRoot {
  const { host, root, place } = makeHost();
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
    root.adoptedStyleSheets = [sheet];
  } catch {
    // Safari before 16.4.
    root.appendChild(document.createElement('style')).textContent = CSS;
  }
  if (color) paint(host, color);
  place();
  return root;
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
