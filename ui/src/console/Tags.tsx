/** Tags as coloured names. Colours are those of the style sheet; an unknown one is plain. */
import type { Labels } from '../model';
import { t } from '../i18n/console';
import { tagName } from './handling';

/** `most`: of more than these only the number is shown. */
export function Tags({ ids, labels, most = Infinity }: { ids: readonly string[]; labels: Labels; most?: number }) {
  const shown = ids.slice(0, ids.length === most + 1 ? most + 1 : most);
  return (
    <>
      <span class="k-sr">{t('tagsOf')}</span>
      {shown.map((id) => (
        <span key={id} class="c-label" data-color={labels.tags.find((tag) => tag.id === id)?.color}>
          <bdi>{tagName(labels, id)}</bdi>
        </span>
      ))}
      {ids.length > shown.length && <span class="c-label">+{ids.length - shown.length}</span>}
    </>
  );
}
