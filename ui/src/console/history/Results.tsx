/** The list of the history: conversations by day, or the messages that a search found. */
import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { RefObject } from 'preact';
import type { AgentClient, ConvItem } from '../../model';
import { t } from '../../i18n/history';
import { t as shared } from '../../i18n/shared';
import type { Hit } from '../../search/client';
import { Avatar } from '../../ui/Avatar';
import { Button } from '../../ui/Button';
import { Empty } from '../../ui/Empty';
import * as icon from '../../ui/icons';
import { short } from '../../ui/readable';
import { clock, day, dayOf, full } from '../../ui/time';
import { nameOf } from '../conversations';
import { ListItem } from '../ListItem';
import { openNow, type HistoryState } from './history';

interface ListProps {
  client: AgentClient;
  state: HistoryState;
}

/** How far before its end the next page is asked for, px. */
const AHEAD_PX = 600;

/** Pieces of a list that are of one day. */
function byDay<T>(items: readonly T[], at: (item: T) => number): { at: number; items: T[] }[] {
  const days: { at: number; items: T[] }[] = [];
  for (const item of items) {
    const last = days[days.length - 1];
    if (last && dayOf(last.at) === dayOf(at(item))) last.items.push(item);
    else days.push({ at: at(item), items: [item] });
  }
  return days;
}

/** Arrow keys go through a list of buttons. */
function onArrow(e: KeyboardEvent): void {
  const by = e.key === 'ArrowDown' ? 1 : e.key === 'ArrowUp' ? -1 : 0;
  if (!by) return;
  const all = [...(e.currentTarget as HTMLElement).querySelectorAll<HTMLElement>('.c-item')];
  const at = all.indexOf(document.activeElement as HTMLElement);
  if (at < 0) return;
  all[Math.min(all.length - 1, Math.max(0, at + by))]!.focus();
  e.preventDefault();
}

export function Conversations({ client, state }: ListProps) {
  const list = useRef<HTMLDivElement>(null);
  const ids = state.ids.value;
  const all = client.conversations.value;
  const known = useMemo(() => new Map(all.map((item) => [item.id, item])), [all]);
  const items = ids.flatMap((id) => known.get(id) ?? []);
  const phase = state.phase.value;
  const open = openNow();
  return (
    <div ref={list} class="c-items" role="region" aria-label={t('list')} onKeyDown={onArrow}>
      {byDay(items, (item: ConvItem) => item.conv.created).map((one) => (
        <section key={one.at} aria-label={day(one.at)}>
          <h2 class="h-day">{day(one.at)}</h2>
          {one.items.map((item) => (
            <ListItem
              key={item.id}
              client={client}
              item={item}
              on={item.id === open}
              onSelect={() => state.select(item.id)}
            />
          ))}
        </section>
      ))}
      {phase === 'end' && !items.length && (
        <Empty icon={icon.inbox} title={t('none')}>
          {t('noneText')}
        </Empty>
      )}
      {phase === 'failed' && (
        <div class="c-more" role="alert">
          <p>{t('failed')}</p>
          <Button kind="plain" onClick={() => void state.load()}>
            {t('retry')}
          </Button>
        </div>
      )}
      {(phase === 'loading' || phase === 'more') && <More list={list} state={state} />}
    </div>
  );
}

/** Loads the next page when the end of the list comes near. */
function More({ list, state }: { list: RefObject<HTMLElement>; state: HistoryState }) {
  const end = useRef<HTMLDivElement>(null);
  const phase = state.phase.value;
  useEffect(() => {
    if (!end.current || phase !== 'more') return;
    const watch = new IntersectionObserver(([entry]) => entry!.isIntersecting && void state.load(), {
      root: list.current,
      rootMargin: `${AHEAD_PX}px`,
    });
    watch.observe(end.current);
    return () => watch.disconnect();
  }, [phase, state.ids.value]);
  return (
    <div ref={end} class="c-more">
      <span class="k-spin" role="status" aria-label={t('loading')} />
    </div>
  );
}

export function Hits({ client, state }: ListProps) {
  const found = state.found.value;
  if (state.searchFailed.value)
    return (
      <div class="c-items c-more" role="alert">
        <p>{t('searchFailed')}</p>
        <Button kind="plain" onClick={() => void state.again()}>
          {t('retry')}
        </Button>
      </div>
    );
  if (!found) return <div class="c-items" />;
  const n = found.hits.length;
  return (
    <div class="c-items" role="region" aria-label={t('results')} onKeyDown={onArrow}>
      <p class="h-count" role="status">
        {n > 0 && t(found.more ? 'hitsMore' : 'hits', { n })}
      </p>
      {byDay(found.hits, (hit: Hit) => hit.at).map((one) => (
        <section key={one.at} aria-label={day(one.at)}>
          <h2 class="h-day">{day(one.at)}</h2>
          {one.items.map((hit) => (
            <HitRow key={`${hit.conv}/${hit.seq}`} client={client} state={state} hit={hit} />
          ))}
        </section>
      ))}
      {!n && !found.more && (
        <Empty icon={icon.inbox} title={t('noHits')}>
          {t('noHitsText')}
        </Empty>
      )}
      {found.more && (
        <Button kind="plain" wide onClick={() => void state.moreHits()}>
          {t('moreHits')}
        </Button>
      )}
    </div>
  );
}

function HitRow({ client, state, hit }: ListProps & { hit: Hit }) {
  const { conv, msg, who } = hit;
  const name = nameOf({ id: conv, name: hit.name });
  const writer =
    who === 'visitor'
      ? ''
      : who === 'robot'
        ? t('robot')
        : short(client.people.value.find((p) => p.user === who.user)?.name ?? who.user);
  const target = state.target.value;
  return (
    <button
      type="button"
      class="c-item h-hit"
      aria-current={target?.conv === conv && target.msg === msg}
      onClick={() => state.select(conv, msg)}
    >
      <Avatar name={name} />
      <span class="c-item-text">
        <span class="c-item-top">
          <bdi class="c-item-name">{name}</bdi>
          <span class="h-site">{client.sites.value[hit.site] ?? hit.site}</span>
          {hit.note && <span class="k-tag k-tag-note">{t('note')}</span>}
          <time title={full(hit.at)}>{clock(hit.at)}</time>
        </span>
        <span class="h-snippet" dir="auto">
          {writer && <span class="k-sr">{shared('agent')} </span>}
          {writer && `${writer}: `}
          <Marked {...hit.snippet} />
        </span>
      </span>
    </button>
  );
}

function Marked({ text, marks }: Hit['snippet']) {
  const parts = [];
  let at = 0;
  for (const [from, to] of marks) {
    parts.push(text.slice(at, from), <mark key={from}>{text.slice(from, to)}</mark>);
    at = to;
  }
  return (
    <>
      {parts}
      {text.slice(at)}
    </>
  );
}
