/** Files that are about to be sent, above the field: each with its name, its size, and why it cannot go. */
import type { SendFile, Tray as Items, TrayItem, Unfit } from '../files/tray';
import { MAX_PICKED } from '../files/tray';
import { plainName, sizeText } from '../files/names';
import type { ErrorKey } from '../model';
import { t } from '../i18n/files';
import { IconButton } from './Button';
import { FileName } from './FileName';
import { Icon } from './Icon';
import * as icon from './icons';

interface TrayProps {
  tray: Items;
  send: SendFile;
  errorText: (key: ErrorKey) => string;
}

export function Tray({ tray, send, errorText }: TrayProps) {
  const items = tray.items.value;
  if (!items.length) return null;
  const why = (one: Unfit): string => {
    if (one === 'off') return t('filesOff');
    if (one === 'empty') return t('emptyFile');
    return typeof one === 'string' ? errorText(one) : t('fileOver', { size: sizeText(one.over) });
  };
  return (
    <div class="k-wide">
      <ul class="k-tray" aria-label={t('picked')}>
        {items.map((one) => (
          <li key={one.id} class={one.state === 'unfit' ? 'k-unfit' : undefined}>
            <Icon d={icon.file} />
            <span class="k-grow">
              <FileName name={one.name} />
              <small role={one.why ? 'alert' : undefined}>{one.why ? why(one.why) : stateText(one)}</small>
              {one.state === 'sealing' && <progress value={one.share} aria-label={t('sealing')} />}
            </span>
            {one.state === 'unfit' && one.picked && (
              <button type="button" class="k-link" onClick={() => tray.send(send, one.id)}>
                {t('retry')}
              </button>
            )}
            <IconButton
              icon={icon.close}
              label={`${t('remove')} ${plainName(one.name)}`}
              size={16}
              onClick={() => tray.remove(one.id)}
            />
          </li>
        ))}
      </ul>
      {tray.tooMany.value && (
        <p class="k-error" role="alert">
          {t('tooManyFiles', { n: MAX_PICKED })}
        </p>
      )}
    </div>
  );
}

function stateText({ state, size }: TrayItem): string {
  return state === 'preparing' ? t('preparing') : state === 'sealing' ? t('sealing') : sizeText(size);
}
