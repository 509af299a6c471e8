/** Puts a conversation aside until a day and a time of one's own choice. */
import type { AgentClient, ConvItem } from '../model';
import { t } from '../i18n/console';
import { t as more } from '../i18n/handling';
import { t as shared } from '../i18n/shared';
import { Button } from '../ui/Button';
import { Dialog } from '../ui/Dialog';
import { useSignal } from '../ui/signals';
import { snoozeUntil } from './handling';
import { useConsole } from './useConsole';

/** As a field of date and time has it: local, without seconds. */
export function fieldValue(at: number): string {
  const d = new Date(at);
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}T${two(d.getHours())}:${two(d.getMinutes())}`;
}

export function SnoozeDialog({ client, item, onClose }: { client: AgentClient; item: ConvItem; onClose: () => void }) {
  const state = useConsole();
  const at = useSignal(fieldValue(snoozeUntil('tomorrow', Date.now())));
  const until = new Date(at.value).getTime();
  const future = until > Date.now();
  const go = async (e: Event) => {
    e.preventDefault();
    if (future && (await state.acts.once('snooze', () => client.snooze(item.id, until)))) onClose();
  };
  return (
    <Dialog
      title={t('snooze')}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{shared('cancel')}</Button>
          <Button kind="primary" type="submit" form="c-snooze" disabled={!future} busy={state.acts.isBusy('snooze')}>
            {t('snooze')}
          </Button>
        </>
      }
    >
      <form id="c-snooze" class="k-field" onSubmit={(e) => void go(e)}>
        <label for="c-until">{more('until')}</label>
        <input
          id="c-until"
          class="k-input"
          type="datetime-local"
          data-autofocus
          min={fieldValue(Date.now())}
          value={at.value}
          aria-describedby="c-until-hint"
          onInput={(e) => (at.value = e.currentTarget.value)}
        />
        <span id="c-until-hint" class="k-hint">
          {more('snoozeHint')}
        </span>
      </form>
    </Dialog>
  );
}
