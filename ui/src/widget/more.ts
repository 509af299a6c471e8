/**
 * The third file of the widget: what the sources of the panel fetch by `import()` (build/parts.mjs). The launcher loads it as it loaded
 * the panel, with the hash that is compiled into the panel, so the pin of the snippet covers it too.
 */
import type { Lent } from './contract';

/** Written around the panel by the build: what it lends the third file, and who answers its `import()`. */
declare const parts: { own: object; get: (() => Promise<object>) | null };
/** Of the file that was built with this panel. */
declare const __MORE_FILE__: string;
declare const __MORE_INTEGRITY__: string;

export function lendMore(lent: Lent): void {
  // chunks of the bundler, in a preview
  if (typeof parts === 'undefined') return;
  let under: Promise<object> | null = null;
  parts.get = () =>
    (under ??= lent.fetchMore(__MORE_FILE__, __MORE_INTEGRITY__).then(
      (make) => {
        void import('./more-style').then(({ STYLE }) => lent.addStyle(STYLE));
        return make(parts.own);
      },
      (e: unknown) => {
        under = null;
        console.error('kefu:', e);
        throw e;
      },
    ));
}
