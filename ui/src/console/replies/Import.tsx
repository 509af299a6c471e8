/** Canned replies from a table that somebody made in a spreadsheet. What has the shortcut of one that is there replaces it. */
import { useId } from 'preact/hooks';
import { keyOf } from '../acts';
import type { AgentClient, Scope } from '../../model';
import { errorText } from '../../i18n/console';
import { t } from '../../i18n/replies';
import { t as shared } from '../../i18n/shared';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { useSignal } from '../../ui/signals';
import { useConsole } from '../useConsole';
import { MAX_BYTES, readRows, type Row } from './csv';
import { scopesOf } from './Manager';
import { KIND, repliesOf } from './reply';
import { ScopeField } from './ScopeField';

export function Import({ client, onDone, onClose }: { client: AgentClient; onDone: () => void; onClose: () => void }) {
  const state = useConsole();
  const scopes = scopesOf(client);
  const scope = useSignal<Scope>(scopes[0]?.scope ?? 'company');
  const rows = useSignal<{ rows: Row[]; skipped: number } | null>(null);
  const wrong = useSignal('');
  const id = useId();

  const read = async (file: File | undefined) => {
    if (!file) return;
    const found = file.size <= MAX_BYTES ? readRows(new Uint8Array(await file.arrayBuffer())) : null;
    wrong.value = found ? '' : t(file.size > MAX_BYTES ? 'importLarge' : 'importBad');
    rows.value = found;
  };
  const write = async () => {
    const all = rows.peek()!.rows;
    const to = scope.peek();
    let n = 0;
    try {
      for (const { title, shortcut, group, text, public: open } of all) {
        const here = repliesOf(client).filter((r) => r.scope === to);
        const same = here.find((r) => (shortcut ? r.shortcut === shortcut : r.title === title && r.text === text));
        await client.documents!.save(KIND, {
          ...(same && { id: same.id }),
          scope: to,
          public: open,
          body: { title, shortcut, group, text },
        });
        n++;
      }
      state.toasts.show(() => t('importDone', { n }), 'info');
      onDone();
    } catch (e) {
      console.error(e);
      state.toasts.show(() => t('importPart', { n, rest: all.length - n, why: errorText(keyOf(e)) }));
      rows.value = { rows: all.slice(n), skipped: 0 };
    }
  };
  const found = rows.value;
  return (
    <Dialog
      wide
      title={t('import')}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onDone}>{shared('cancel')}</Button>
          <Button
            kind="primary"
            disabled={!found?.rows.length}
            busy={state.acts.isBusy('reply-import')}
            onClick={() => void state.acts.once('reply-import', write)}
          >
            {t('importGo', { n: found?.rows.length ?? 0 })}
          </Button>
        </>
      }
    >
      <div class="k-field">
        <label for={`${id}f`}>CSV</label>
        <input
          id={`${id}f`}
          type="file"
          accept=".csv,text/csv"
          class="k-input"
          data-autofocus
          onChange={(e) => void read(e.currentTarget.files?.[0])}
        />
        {wrong.value && (
          <p class="k-error" role="alert">
            {wrong.value}
          </p>
        )}
        {found && found.skipped > 0 && <p class="k-hint">{t('importSkipped', { n: found.skipped })}</p>}
      </div>
      <ScopeField label={t('importTo')} scopes={scopes} value={scope.value} onValue={(s) => (scope.value = s)} />
    </Dialog>
  );
}
