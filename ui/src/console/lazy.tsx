/** A part of the console that is fetched when it is first shown. Until then there is nothing; if it can't be fetched, the page says so and closes it. */
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { t } from '../i18n/console';
import { useConsole } from './useConsole';

export function lazy<P extends { onClose?: () => void }>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  let loaded: ComponentType<P> | null = null;
  return function Lazy(props: P) {
    const state = useConsole();
    const [Part, show] = useState<ComponentType<P> | null>(() => loaded);
    useEffect(() => {
      if (loaded) return;
      load().then(
        (part) => {
          loaded = part;
          show(() => part);
        },
        (e: unknown) => {
          console.error(e);
          // the server may have another version by now: a reload brings its pages
          state.toasts.show(() => t('partFailed'), 'error');
          props.onClose?.();
        },
      );
    }, []);
    return Part && <Part {...props} />;
  };
}
