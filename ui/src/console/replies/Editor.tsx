/** One canned reply: new, or changed. Other people to use it means another document: readers never change. */
import { ClientError, type AgentClient, type Scope } from '../../model';
import { t } from '../../i18n/replies';
import { t as console_ } from '../../i18n/console';
import { t as shared } from '../../i18n/shared';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { useSignal } from '../../ui/signals';
import { TextField } from '../../ui/TextField';
import { useConsole } from '../useConsole';
import { scopesOf } from './Manager';
import { KIND, MAX_GROUP, MAX_SHORTCUT, MAX_TEXT, MAX_TITLE, type Reply } from './reply';
import { ScopeField } from './ScopeField';

const VARIABLES = '{visitor} {agent} {site} {time}';

export function Editor({
  client,
  reply,
  onDone,
  onClose,
}: {
  client: AgentClient;
  reply: Reply | null;
  onDone: () => void;
  onClose: () => void;
}) {
  const state = useConsole();
  const scopes = scopesOf(client);
  const title = useSignal(reply?.title ?? '');
  const shortcut = useSignal(reply?.shortcut ?? '');
  const group = useSignal(reply?.group ?? '');
  const text = useSignal(reply?.text ?? '');
  const scope = useSignal<Scope>(reply?.scope ?? scopes[0]?.scope ?? 'company');
  const open = useSignal(reply?.public ?? false);
  const missing = useSignal(false);

  const write = async () => {
    const { documents } = client;
    const moved = reply !== null && reply.scope !== scope.peek();
    const body = {
      title: title.peek().trim().slice(0, MAX_TITLE),
      shortcut: bare(shortcut.peek()).slice(0, MAX_SHORTCUT),
      group: group.peek().trim().slice(0, MAX_GROUP),
      text: text.peek().slice(0, MAX_TEXT),
    };
    const same = reply && !moved ? { id: reply.id } : {};
    await documents!.save(KIND, { ...same, scope: scope.peek(), public: open.peek(), body });
    if (moved) await documents!.remove(KIND, reply.id);
  };
  const go = async () => {
    missing.value = !text.peek().trim();
    if (missing.value) return;
    const done = await state.acts.once('reply', () =>
      write().catch((e: unknown) => {
        if (!(e instanceof ClientError) || e.key !== 'error.conflict') throw e;
        state.toasts.show(() => t('conflict'));
      }),
    );
    if (done) onDone();
  };
  return (
    <Dialog
      wide
      title={t(reply ? 'edit' : 'add')}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onDone}>{shared('cancel')}</Button>
          <Button kind="primary" busy={state.acts.isBusy('reply')} onClick={() => void go()}>
            {console_('save')}
          </Button>
        </>
      }
    >
      <div class="c-replyform">
        <TextField label={t('fieldTitle')} value={title.value} onValue={(s) => (title.value = s)} autofocus />
        <TextField
          label={t('fieldShortcut')}
          value={shortcut.value}
          hint={t('shortcutHint')}
          onValue={(s) => (shortcut.value = s)}
        />
        <TextField label={t('fieldGroup')} value={group.value} onValue={(s) => (group.value = s)} />
        <ScopeField label={t('scope')} scopes={scopes} value={scope.value} onValue={(s) => (scope.value = s)} />
      </div>
      <TextField
        label={t('fieldText')}
        type="textarea"
        rows={6}
        required
        value={text.value}
        hint={t('textHint', { vars: VARIABLES })}
        error={missing.value ? t('textMissing') : undefined}
        onValue={(s) => (text.value = s)}
      />
      <label class="c-choice">
        <input type="checkbox" checked={open.value} onChange={(e) => (open.value = e.currentTarget.checked)} />
        <span class="k-grow">
          {t('public')} <small>{t('publicHint')}</small>
        </span>
      </label>
    </Dialog>
  );
}

/** People write the slash, too. */
const bare = (shortcut: string): string => {
  const s = shortcut.trim();
  return s.startsWith('/') ? s.slice(1) : s;
};
