/** The list of shortcuts, on `?`. */
import { t } from '../i18n/console';
import { Dialog } from '../ui/Dialog';
import { SHORTCUTS } from './hotkeys';

export function Shortcuts({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title={t('shortcuts')} onClose={onClose}>
      <dl class="c-keys">
        {SHORTCUTS.map(([keys, text]) => (
          <div key={keys}>
            <dt>
              {keys.split('+').map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{t(text)}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
