/** A part that is loaded when it is first shown: it counts towards no first load. */
import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';
import { t } from '../i18n/console';
import { useSignal } from '../ui/signals';
import { useConsole } from './useConsole';

interface LaterProps<P extends object> {
  load: () => Promise<ComponentType<P>>;
  props: P;
  /** It can't be loaded: the page says so and goes on without it. */
  onFail: () => void;
}

export function Later<P extends object>({ load, props, onFail }: LaterProps<P>) {
  const { toasts } = useConsole();
  const part = useSignal<{ Part: ComponentType<P> } | null>(null);
  useEffect(() => {
    load().then(
      (Part) => (part.value = { Part }),
      () => {
        toasts.show(() => t('partFailed'), 'error');
        onFail();
      },
    );
  }, []);
  const Part = part.value?.Part;
  return Part ? <Part {...props} /> : null;
}
