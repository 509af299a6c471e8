/** The left pane: who I am and my state, the tabs, the conversations of one. */
import type { RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { AgentClient, ConvItem, Tab } from '../model';
import { t } from '../i18n/console';
import { Banner } from '../ui/Banner';
import { Button } from '../ui/Button';
import { Empty } from '../ui/Empty';
import * as icon from '../ui/icons';
import { useSignal } from '../ui/signals';
import { ListItem } from './ListItem';
import { MyStatus } from './MyStatus';
import { Rows } from './Rows';
import { listed } from './conversations';
import { FilterBar } from './FilterBar';
import { isIn, isOn, NO_FILTER, ofTab } from './filters';
import { WaitingBar } from './Waiting';
import { useConsole } from './useConsole';

const TABS: readonly Tab[] = ['mine', 'queue', 'missed', 'all'];
const EMPTY = {
  mine: ['emptyMine', 'emptyMineText'],
  queue: ['emptyQueue', 'emptyQueueText'],
  missed: ['emptyMissed', 'emptyMissedText'],
  all: ['emptyAll', 'emptyAllText'],
} as const;

/** Beyond it a number is not informative. */
const MOST_SHOWN = 999;

/** How far before its end the next page of a list is asked for, px. */
const AHEAD_PX = 600;

/** Pages that a list with a filter loads by itself. */
const MOST_PAGES = 4;

/** How many of a tab are put aside. */
const asideIn = (all: readonly ConvItem[], tab: Tab): number =>
  tab === 'mine' || tab === 'queue' ? all.filter((item) => item.tabs[tab] && isIn(item, 'snoozed')).length : 0;

/** Loads the next page when the end of the list comes near; a button only where that failed. */
function More({ client, list, filtered }: { client: AgentClient; list: RefObject<HTMLElement>; filtered: boolean }) {
  const state = useConsole();
  const end = useRef<HTMLDivElement>(null);
  const failed = useSignal(false);
  const loads = useSignal(0);
  // a filter that fits little must not load all there ever was by itself
  const tired = filtered && loads.value >= MOST_PAGES;
  const online = client.connection.value.state === 'online';
  const load = async () => {
    failed.value = !(await state.acts.once('more', () => client.loadMore(state.tab.peek())));
    // it may still be near: a page can be short
    loads.value++;
  };
  useEffect(() => {
    if (!end.current || !online || failed.value || tired) return;
    const watch = new IntersectionObserver(([entry]) => entry!.isIntersecting && void load(), {
      root: list.current,
      rootMargin: `${AHEAD_PX}px`,
    });
    watch.observe(end.current);
    return () => watch.disconnect();
  }, [loads.value, online, failed.value, tired]);
  return (
    <div ref={end} class="c-more">
      {failed.value || tired ? (
        <Button
          kind="plain"
          wide
          busy={state.acts.isBusy('more')}
          onClick={() => {
            loads.value = 0;
            void load();
          }}
        >
          {t(tired ? 'moreOlder' : 'more')}
        </Button>
      ) : (
        <span class="k-spin" role="status" aria-label={t('loadingMore')} />
      )}
    </div>
  );
}

export function ListPane({ client }: { client: AgentClient }) {
  const state = useConsole();
  const all = client.conversations.value;
  const items = listed(state, client);
  const filtered = isOn(state.filter.value);
  const aside = asideIn(all, state.tab.value);
  const more = client.more.value[state.tab.value];
  const list = useRef<HTMLDivElement>(null);

  const onArrow = (e: KeyboardEvent) => {
    const by = e.key === 'ArrowRight' ? 1 : e.key === 'ArrowLeft' ? -1 : 0;
    if (!by) return;
    state.tab.value = TABS[(TABS.indexOf(state.tab.value) + by + TABS.length) % TABS.length]!;
    (e.currentTarget as HTMLElement).querySelector<HTMLElement>(`[data-tab="${state.tab.value}"]`)?.focus();
  };

  return (
    <nav class="c-listpane" aria-label={t('tabs')}>
      <MyStatus client={client} />
      <WaitingBar client={client} />
      {client.me.value?.teams.length === 0 && (
        <Banner kind="warn">
          {t('noTeam')}{' '}
          <code>
            kefu user teams {client.me.value.user} --add {client.teams.value[0]?.id ?? t('teamId')}
          </code>
        </Banner>
      )}
      {client.me.value?.state === 'offline' &&
        client.me.value.teams.length > 0 &&
        client.connection.value.state === 'online' && (
          <Banner
            kind="warn"
            action={
              <Button
                size="sm"
                kind="primary"
                busy={state.acts.isBusy('online')}
                onClick={() => void state.acts.once('online', () => client.status('online'))}
              >
                {t('goOnline')}
              </Button>
            }
          >
            {t('offlineHint')}
          </Banner>
        )}
      <div class="c-tabs" role="tablist" onKeyDown={onArrow}>
        {TABS.map((one) => {
          // the server sends the number of missed ones; few of them may be loaded
          const n = one === 'missed' ? client.missed.value.count : ofTab(all, one).length;
          const plus = one === 'missed' ? client.missed.value.more : client.more.value[one];
          const on = state.tab.value === one;
          return (
            <button
              key={one}
              type="button"
              role="tab"
              data-tab={one}
              aria-selected={on}
              tabIndex={on ? 0 : -1}
              onClick={() => (state.tab.value = one)}
            >
              {t(one)}
              {/* how many there are in all, nobody counted: what is loaded is no number to show */}
              {one !== 'all' && (
                <span class={`c-count${one !== 'mine' && n ? ' c-count-hot' : ''}`}>
                  {n > MOST_SHOWN ? `${MOST_SHOWN}+` : plus ? `${n}+` : n}
                </span>
              )}
            </button>
          );
        })}
      </div>
      <FilterBar client={client} found={items.length} />
      <div ref={list} class="c-items" role="tabpanel" aria-label={t(state.tab.value)}>
        {items.length > 0 && (
          <Rows
            key={state.tab.value}
            items={items}
            scroller={list}
            kindOf={({ conv }) => (conv.tags || conv.snoozed !== undefined ? 'labels' : 'plain')}
            chosen={state.selected.value}
            row={(item, stop) => (
              <ListItem
                client={client}
                item={item}
                on={item.id === state.selected.value}
                stop={stop}
                onSelect={() => state.select(item.id)}
              />
            )}
          />
        )}
        {more && <More key={`${state.tab.value}${filtered}`} client={client} list={list} filtered={filtered} />}
        {!items.length && !more && filtered && (
          <Empty icon={icon.inbox} title={t('filterNone')}>
            <button type="button" class="k-link" onClick={() => (state.filter.value = NO_FILTER)}>
              {t('filterClear')}
            </button>
          </Empty>
        )}
        {!items.length && !more && !filtered && (
          <Empty icon={icon.inbox} title={t(EMPTY[state.tab.value][0])}>
            {t(EMPTY[state.tab.value][1])}
          </Empty>
        )}
        {aside > 0 && !filtered && (
          <button
            type="button"
            class="c-aside k-link"
            onClick={() => (state.filter.value = { ...NO_FILTER, states: ['snoozed'] })}
          >
            {t('snoozedMore', { n: aside })}
          </button>
        )}
      </div>
    </nav>
  );
}
