/** Which tags a conversation has. What is chosen is sent when the dialog is left by its button. */
import type { AgentClient, ConvItem } from '../model';
import { t } from '../i18n/console';
import { t as more } from '../i18n/handling';
import { t as shared } from '../i18n/shared';
import { Button } from '../ui/Button';
import { Dialog } from '../ui/Dialog';
import { useSignal } from '../ui/signals';
import { useConsole } from './useConsole';

export function TagDialog({ client, item, onClose }: { client: AgentClient; item: ConvItem; onClose: () => void }) {
  const state = useConsole();
  const had = item.conv.tags ?? [];
  const chosen = useSignal<readonly string[]>(had);
  const known = client.labels.value.tags.filter((tag) => !tag.retired || had.includes(tag.id));
  const leads = client.me.value?.role !== 'agent';
  const save = async () => {
    const now = chosen.peek();
    const add = now.filter((id) => !had.includes(id));
    const remove = had.filter((id) => !now.includes(id));
    if (!add.length && !remove.length) return onClose();
    if (await state.acts.once('tags', () => client.tag(item.id, add, remove))) onClose();
  };
  return (
    <Dialog
      title={t('tags')}
      onClose={onClose}
      actions={
        <>
          {leads && <Button onClick={() => (state.dialog.value = 'labels')}>{more('manage')}</Button>}
          <Button onClick={onClose}>{shared('cancel')}</Button>
          <Button kind="primary" busy={state.acts.isBusy('tags')} onClick={() => void save()}>
            {t('save')}
          </Button>
        </>
      }
    >
      {!known.length && <p class="k-hint">{more(leads ? 'noTagsLead' : 'noTags')}</p>}
      <div class="c-choices" role="group" aria-label={t('tags')}>
        {known.map((tag) => (
          <label key={tag.id} class="c-choice">
            <input
              type="checkbox"
              checked={chosen.value.includes(tag.id)}
              onChange={(e) =>
                (chosen.value = e.currentTarget.checked
                  ? [...chosen.peek(), tag.id]
                  : chosen.peek().filter((id) => id !== tag.id))
              }
            />
            <span class="c-label" data-color={tag.color}>
              <bdi>{tag.name}</bdi>
            </span>
          </label>
        ))}
      </div>
    </Dialog>
  );
}
