/** Asks before a conversation is closed, and why, if the company has a list of reasons. */
import type { AgentClient, ConvItem } from '../model';
import { t } from '../i18n/console';
import { t as shared } from '../i18n/shared';
import { Button } from '../ui/Button';
import { Dialog } from '../ui/Dialog';
import { useSignal } from '../ui/signals';
import { nameOf, nextAfter } from './conversations';
import { useConsole } from './useConsole';

export function CloseDialog({ client, item, onClose }: { client: AgentClient; item: ConvItem; onClose: () => void }) {
  const state = useConsole();
  const reason = useSignal('');
  const reasons = client.labels.value.reasons.filter((one) => !one.retired);
  const go = async (next: boolean) => {
    // the list changes with the close
    const after = next ? nextAfter(state, client, item.id) : null;
    if (!(await state.acts.once('close', () => client.close(item.id, reason.peek() || undefined)))) return;
    onClose();
    if (next) state.select(after);
  };
  const busy = state.acts.isBusy('close');
  return (
    <Dialog
      title={t('closeAsk', { name: nameOf(item) })}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{shared('cancel')}</Button>
          <Button busy={busy} onClick={() => void go(true)}>
            {t('closeNext')}
          </Button>
          <Button kind="primary" data-autofocus busy={busy} onClick={() => void go(false)}>
            {t('close')}
          </Button>
        </>
      }
    >
      {t('closeText')}
      {reasons.length > 0 && (
        <fieldset class="c-choices c-reasons">
          <legend>{t('closeReason')}</legend>
          {reasons.map((one) => (
            <label key={one.id} class="c-choice">
              <input
                type="radio"
                name="reason"
                checked={reason.value === one.id}
                onChange={() => (reason.value = one.id)}
              />
              <bdi>{one.name}</bdi>
            </label>
          ))}
        </fieldset>
      )}
    </Dialog>
  );
}
