/** The mark beside a name that the site's backend vouched for. A name that a visitor gave has none. */
import { t } from '../i18n/console';
import type { ConvItem } from '../model';
import { Icon } from '../ui/Icon';
import * as icon from '../ui/icons';

export function Verified({ item }: { item: Pick<ConvItem, 'person'> }) {
  if (!item.person?.name) return null;
  return (
    <span class="c-vouched" role="img" aria-label={t('vouchedName')} title={t('vouchedName')}>
      <Icon d={icon.check} size={14} />
    </span>
  );
}
