/** Fail closed: the other side is not who the page names. Nothing can be written; says why and what to do. */
import type { ErrorKey } from '../model';
import { errorText, t } from '../i18n/widget';
import { Icon } from '../ui/Icon';
import * as icon from '../ui/icons';

/** Reasons that speak of the browser or the page, not of a false server. */
const HARMLESS: readonly (ErrorKey | undefined)[] = ['error.insecure', 'error.no_crypto', 'error.snapshot_expired', 'error.site_unknown'];

export function Broken({ reason }: { reason?: ErrorKey }) {
  return (
    <div class="w-broken" role="alert">
      <Icon d={icon.alert} size={40} />
      <h2>{t(HARMLESS.includes(reason) ? 'brokenBad' : 'brokenTitle')}</h2>
      <p>{errorText(reason)}</p>
      <p class="w-code">
        {t('brokenCode')} <code>{reason ?? 'trust'}</code>
      </p>
    </div>
  );
}
