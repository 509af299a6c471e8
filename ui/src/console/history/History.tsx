/** All conversations of one's teams: by date, team, site, agent and state, and by what was said in them. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { AgentClient } from '../../model';
import { t } from '../../i18n/history';
import { IconButton } from '../../ui/Button';
import { Empty } from '../../ui/Empty';
import * as icon from '../../ui/icons';
import { isComposing } from '../../ui/keys';
import { narrow } from '../narrow';
import { deskHash, go } from '../route';
import { useConsole } from '../useConsole';
import { search, startSearch } from '../search';
import { Filters } from './Filters';
import { filtersNow, HistoryState, openNow } from './history';
import { IndexStatus } from './IndexStatus';
import { ReadThread } from './ReadThread';
import { Conversations, Hits } from './Results';
import './history.css';

/** After a key was pressed, ms. */
const SETTLE_MS = 150;

export default function History({ client }: { client: AgentClient }) {
  const desk = useConsole();
  const [state] = useState(() => new HistoryState(client));
  const filters = JSON.stringify(filtersNow());
  const open = openNow();
  const online = client.connection.value.state === 'online';
  useEffect(() => {
    if (online) void state.begin();
  }, [filters, online]);
  useEffect(() => void startSearch(client), [client]);
  const index = search.value?.state.value;
  const size = index && `${index.messages} ${index.phase}`;
  const typed = state.query.value;
  // what was found is looked for again when there is more to search in
  useEffect(() => void state.again(), [filters, size]);
  const searching = typed.trim() !== '' && index !== null && index !== undefined && index.phase !== 'off';
  return (
    <div class="h-panes" data-view={open ? 'thread' : 'list'}>
      {/* the whole page on a phone */}
      <div class="h-listcol" role={narrow.value && !open ? 'main' : undefined}>
        <nav class="h-list" aria-label={t('history')}>
          <header class="h-head">
            <IconButton icon={icon.back} label={t('back')} onClick={() => go(deskHash(desk.selected.peek()))} />
            <h1>{t('history')}</h1>
          </header>
          <SearchField state={state} ready={!!index && index.phase !== 'off'} />
          <IndexStatus client={client} />
          <Filters client={client} state={state} searching={searching} />
          {searching ? <Hits client={client} state={state} /> : <Conversations client={client} state={state} />}
        </nav>
      </div>
      {open ? (
        <ReadThread key={open} client={client} state={state} conv={open} />
      ) : (
        <main class="c-thread c-none">
          <Empty icon={icon.chat} title={t('pick')}>
            {t('pickText')}
          </Empty>
        </main>
      )}
    </div>
  );
}

function SearchField({ state, ready }: { state: HistoryState; ready: boolean }) {
  const field = useRef<HTMLInputElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>();
  const find = (text: string): void => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => void state.find(text), text.trim() ? SETTLE_MS : 0);
  };
  useEffect(() => () => clearTimeout(timer.current), []);
  return (
    <div class="h-search" role="search">
      <input
        ref={field}
        class="k-input"
        type="search"
        maxLength={200}
        disabled={!ready}
        aria-label={t('searchLabel')}
        aria-describedby="h-search-hint"
        placeholder={t('searchLabel')}
        onInput={(e) => !isComposing(e as unknown as KeyboardEvent) && find(e.currentTarget.value)}
        onCompositionEnd={(e) => find(e.currentTarget.value)}
        onKeyDown={(e) => {
          if (e.key !== 'Escape' || isComposing(e) || !field.current?.value) return;
          field.current.value = '';
          find('');
          e.preventDefault();
          e.stopPropagation();
        }}
      />
      <p id="h-search-hint" class="k-hint">
        {t('searchHint')}
      </p>
    </div>
  );
}
