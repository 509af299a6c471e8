/** A part of the console that is fetched when it is first shown. Until then, and if it can't be fetched, there is nothing. */
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { ClientError } from '../model';
import { sayError } from './acts';
import { useConsole } from './useConsole';

export function lazy<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
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
          state.toasts.show(() => sayError(new ClientError('error.network')));
        },
      );
    }, []);
    return Part && <Part {...props} />;
  };
}
