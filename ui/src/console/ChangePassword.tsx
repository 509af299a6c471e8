/** Changing the password: the old one proves who asks, the key ring is sealed again under the next. */
import type { AgentClient } from '../model';
import { t } from '../i18n/console';
import { t as shared } from '../i18n/shared';
import { Button } from '../ui/Button';
import { Dialog } from '../ui/Dialog';
import { PasswordField } from '../ui/PasswordField';
import { useSignal } from '../ui/signals';
import { lengthOf, NewPassword, PASSWORD_FLOOR } from './FirstLogin';
import { useConsole } from './useConsole';
import { useSubmit } from './useSubmit';

export function ChangePassword({ client, onClose }: { client: AgentClient; onClose: () => void }) {
  const state = useConsole();
  const old = useSignal('');
  const next = useSignal('');
  const { busy, wrong, submit } = useSubmit(async () => {
    await client.changePassword(old.peek(), next.peek());
    state.toasts.show(() => t('passwordChanged'), 'info');
    onClose();
  });
  return (
    <Dialog
      title={t('changePassword')}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{shared('cancel')}</Button>
          <Button
            kind="primary"
            busy={busy}
            disabled={!old.value || lengthOf(next.value) < PASSWORD_FLOOR}
            onClick={() => void submit()}
          >
            {t('save')}
          </Button>
        </>
      }
    >
      <form onSubmit={submit}>
        <PasswordField
          name="old-password"
          label={t('oldPassword')}
          value={old.value}
          onValue={(v) => (old.value = v)}
          autocomplete="current-password"
          error={wrong.value}
          autofocus
        />
        <NewPassword label={t('nextPassword')} value={next.value} onValue={(v) => (next.value = v)} />
        <p class="k-hint">{t('passwordWarn')}</p>
        <button type="submit" hidden />
      </form>
    </Dialog>
  );
}
