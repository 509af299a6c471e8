/** Asks before a conversation is closed. */
import type { AgentClient, ConvItem } from '../model';
import { t } from '../i18n/console';
import { t as shared } from '../i18n/shared';
import { Button } from '../ui/Button';
import { Dialog } from '../ui/Dialog';
import { nameOf } from './conversations';
import { useConsole } from './useConsole';

export function CloseDialog({ client, item, onClose }: { client: AgentClient; item: ConvItem; onClose: () => void }) {
  const state = useConsole();
  const go = async () => {
    if (await state.acts.once('close', () => client.close(item.id))) onClose();
  };
  return (
    <Dialog
      title={t('closeAsk', { name: nameOf(item) })}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{shared('cancel')}</Button>
          <Button kind="primary" data-autofocus busy={state.acts.isBusy('close')} onClick={() => void go()}>
            {t('close')}
          </Button>
        </>
      }
    >
      {t('closeText')}
    </Dialog>
  );
}
