/** Fail closed: the other side is not the one that the page names. Nothing can be written; shows why and what to do. */
import type { ErrorKey } from '../model';
import { errorText, t } from '../i18n/widget';
import { Icon } from '../ui/Icon';
import * as icon from '../ui/icons';

/** Reasons that speak of a false server; the others are about the browser, the page or the site. */
const ALARMS: readonly (ErrorKey | undefined)[] = [
  'error.pin',
  'error.directory',
  'error.directory_fork',
  'error.history',
  undefined,
];

export function Broken({ reason }: { reason?: ErrorKey }) {
  return (
    <div class="w-broken" role="alert">
      <Icon d={icon.alert} size={40} />
      <h2>{t(ALARMS.includes(reason) ? 'brokenTitle' : 'brokenBad')}</h2>
      <p>{errorText(reason)}</p>
      <p class="w-code">
        {t('brokenCode')} <code>{reason ?? 'trust'}</code>
      </p>
    </div>
  );
}
