/** A file in one line of a list or a notice, in the place of a text. */
import { plainName } from '../files/names';
import { secondsText } from '../files/seconds';
import { t } from '../i18n/shared';
import type { FileInfo } from '../model';

export function fileLine({ name, w, secs }: FileInfo): string {
  if (secs !== undefined) return `[${t('voice')}] ${secondsText(secs)}`;
  return w ? `[${t('picture')}]` : `[${t('file')}] ${plainName(name)}`;
}
