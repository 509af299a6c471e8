/** How far the index is, and what the person can do about it. */
import type { AgentClient } from '../../model';
import { errorText } from '../../i18n/console';
import { lang } from '../../i18n/core';
import { t } from '../../i18n/history';
import type { SearchState } from '../../search/client';
import { Button } from '../../ui/Button';
import { day } from '../../ui/time';
import { keepIndex, search, startSearch } from '../search';

const number = (n: number): string => n.toLocaleString(lang.value);

function sentence(s: SearchState): string {
  const messages = number(s.messages);
  switch (s.phase) {
    case 'reading':
      return s.back === null ? t('indexBegins') : t('indexReading', { messages, date: day(s.back) });
    case 'paused':
      return t('indexPaused', { messages });
    case 'waiting':
      return t('indexWaiting', { messages });
    case 'done':
      return t('indexDone', { messages });
    case 'full':
      return t('indexFull', { messages });
    case 'elsewhere':
      return t('indexElsewhere', { messages });
    case 'failed':
      return t('indexFailed', { why: errorText(s.error) });
    case 'off':
      return t('indexAsk');
  }
}

export function IndexStatus({ client }: { client: AgentClient }) {
  const index = search.value;
  const s = index?.state.value;
  const build = async () => {
    keepIndex();
    (await startSearch(client)).build(true);
  };
  if (!s)
    return (
      <p class="h-index" role="status">
        {t('indexOpening')}
      </p>
    );
  const { phase } = s;
  return (
    <div class={`h-index${phase === 'off' ? ' h-index-ask' : ''}`}>
      <p role="status">{sentence(s)}</p>
      {phase === 'off' && <p class="k-hint">{t('indexWhy')}</p>}
      {s.locked > 0 && phase !== 'off' && <p class="k-hint">{t('indexLocked', { n: s.locked })}</p>}
      {phase === 'off' && (
        <Button size="sm" kind="primary" onClick={() => void build()}>
          {t('indexStart')}
        </Button>
      )}
      {(phase === 'reading' || phase === 'waiting') && (
        <Button size="sm" kind="plain" onClick={() => index!.build(false)}>
          {t('pause')}
        </Button>
      )}
      {phase === 'paused' && (
        <Button size="sm" kind="plain" onClick={() => void build()}>
          {t('resume')}
        </Button>
      )}
    </div>
  );
}
