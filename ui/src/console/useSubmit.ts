/** A form's single action: never twice at the same time, with errors shown in the form. */
import type { Signal } from '../signals';
import { useSignal } from '../ui/signals';
import { sayError } from './acts';

export interface Submit {
  /** It is under way. */
  busy: boolean;
  /** What went wrong the last time, or ''. */
  wrong: Signal<string>;
  submit(e?: Event): Promise<void>;
}

export function useSubmit(work: () => Promise<unknown>): Submit {
  const busy = useSignal(false);
  const wrong = useSignal('');
  const submit = async (e?: Event): Promise<void> => {
    e?.preventDefault();
    if (busy.peek()) return;
    wrong.value = '';
    busy.value = true;
    try {
      await work();
    } catch (error) {
      console.error(error);
      wrong.value = sayError(error);
    } finally {
      busy.value = false;
    }
  };
  return { busy: busy.value, wrong, submit };
}
