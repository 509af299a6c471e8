/** Shows toasts. They stay long enough to be read and can be put away. */
import { t } from '../i18n/shared';
import { IconButton } from '../ui/Button';
import { Icon } from '../ui/Icon';
import * as icon from '../ui/icons';
import { useConsole } from './useConsole';

export function Toasts() {
  const { toasts } = useConsole();
  return (
    <div class="k-toasts" role="region" aria-live="polite">
      {toasts.shown.value.map((one) => (
        <div key={one.id} class={`k-toast k-toast-${one.kind}`} role={one.kind === 'error' ? 'alert' : 'status'}>
          <Icon d={one.kind === 'error' ? icon.alert : icon.info} />
          <span class="k-grow">{one.text()}</span>
          <IconButton icon={icon.close} size={16} label={t('dismiss')} onClick={() => toasts.close(one.id)} />
        </div>
      ))}
    </div>
  );
}
