/** A part of the page is not here, with a button for another try; nothing unless the last one failed. */
import { t } from '../i18n/shared';
import type { Part } from '../part';

export function PartFailed({ part }: { part: Part<unknown> }) {
  if (!part.failed.value) return null;
  return (
    <p class="k-error k-wide" role="alert">
      {t('partFailed')}{' '}
      <button type="button" class="k-link" onClick={() => void part.fetch().catch(() => undefined)}>
        {t('retry')}
      </button>
    </p>
  );
}
