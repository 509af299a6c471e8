/** One conversation in the list: who, when, the last word, what is unread, what is being written. */
import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { AgentClient, ConvItem, Message } from '../model';
import { t } from '../i18n/console';
import { t as shared } from '../i18n/shared';
import { Avatar } from '../ui/Avatar';
import { Badge } from '../ui/Badge';
import { Icon } from '../ui/Icon';
import * as icon from '../ui/icons';
import { memo } from '../ui/memo';
import { fileLine } from '../ui/fileLine';
import { goneText } from '../ui/MessageItem';
import { plain } from '../ui/plain';
import { short } from '../ui/readable';
import { starred } from '../ui/stars';
import { full, now, relative } from '../ui/time';
import { nameOf } from './conversations';
import { dueAt, priorityOf, waitsSince } from './filters';
import { snoozedText } from './handling';
import { Tags } from './Tags';
import { Verified } from './Verified';
import { Wait } from './Wait';
import { useConsole } from './useConsole';

interface ItemProps {
  client: AgentClient;
  item: ConvItem;
  on: boolean;
  /** Whether it is where Tab enters the list; not said: each is. */
  stop?: boolean;
  onSelect: () => void;
}

export const ListItem = memo(Item, (a, b) => a.item === b.item && a.on === b.on && a.stop === b.stop);

function Item({ client, item, on, stop, onSelect }: ItemProps) {
  const state = useConsole();
  const name = nameOf(item);
  const closed = item.conv.state === 'closed';
  const at = item.tabs.missed && state.tab.value === 'missed' ? item.conv.missed! : item.lastAt;
  const since = waitsSince(item);
  const priority = priorityOf(item);
  const { snoozed, tags, rating } = item.conv;
  const row = useOnScreen(client, item);
  return (
    <button
      ref={row}
      type="button"
      class={`c-item${item.unread ? ' c-new' : ''}${closed ? ' c-closed' : ''}`}
      aria-current={on}
      tabIndex={stop === false ? -1 : 0}
      onClick={onSelect}
    >
      <Avatar name={name} />
      <span class="c-item-text">
        <span class="c-item-top">
          <span class="c-item-name">
            <bdi>{name}</bdi>
            <Verified item={item} />
          </span>
          {item.conv.owner === 'robot' && <span class="k-tag">{t('robotTag')}</span>}
          {closed && !item.tabs.missed && <span class="k-tag c-tag-closed">{t('ownerNone')}</span>}
          {item.tabs.missed && state.tab.value !== 'missed' && <span class="k-tag c-tag-missed">{t('missedTag')}</span>}
          {(priority === 'urgent' || priority === 'high') && (
            <span class={`k-tag c-priority c-${priority}`}>{t(`priority.${priority}`)}</span>
          )}
          {since !== null ? (
            <Wait since={since} due={dueAt(item, since, client.labels.value)} />
          ) : (
            <time title={full(at)}>{relative(at)}</time>
          )}
        </span>
        <span class="c-item-bottom">
          <Preview client={client} item={item} on={on} />
          <Owner item={item} me={client.me.value?.user} />
          <Badge n={item.unread} label={t('unread', { n: item.unread })} />
        </span>
        {(tags || rating || snoozed !== undefined) && (
          <span class="c-item-labels">
            {snoozed !== undefined && <span class="c-label">{snoozedText(snoozed, now.value)}</span>}
            {rating && <span class="c-label">{starred(rating)}</span>}
            {tags && <Tags ids={tags} labels={client.labels.value} most={3} />}
          </span>
        )}
      </span>
    </button>
  );
}

/** Whose it is, where that is not the whole list's. */
function Owner({ item, me }: { item: ConvItem; me: string | undefined }) {
  const state = useConsole();
  if (!item.ownerName || item.conv.state === 'closed' || state.tab.value === 'mine') return null;
  const name = item.conv.owner === `agent:${me}` ? t('ownerMe') : t('ownerOther', { name: item.ownerName });
  return (
    <span class="c-owner" title={name}>
      <Avatar name={item.ownerName} size="sm" />
      <span class="k-sr">{name}</span>
    </span>
  );
}

/** Tells the client which lines are on screen, so that these are read. Own conversations and the queue are anyway. */
function useOnScreen(client: AgentClient, { id, tabs }: ConvItem) {
  const row = useRef<HTMLButtonElement>(null);
  const followed = tabs.mine || tabs.queue;
  useEffect(() => {
    if (followed || !row.current) return;
    const watch = new IntersectionObserver(([entry]) =>
      entry!.isIntersecting ? client.watch(id) : client.unwatch(id),
    );
    watch.observe(row.current);
    return () => {
      watch.disconnect();
      client.unwatch(id);
    };
  }, [client, id, followed]);
  return row;
}

/** Characters of a message in a list. */
const PREVIEW = 160;

/** The beginning of a message, without the robot's marks. */
export function previewOf(last: Message | null): string {
  if (!last) return '';
  if (last.file && !last.text) return short(fileLine(last.file), PREVIEW);
  return short(last.side === 'robot' ? plain(last.text.slice(0, 4 * PREVIEW)) : last.text, PREVIEW);
}

function Preview({ client, item, on }: { client: AgentClient; item: ConvItem; on: boolean }) {
  const state = useConsole();
  const thread = item.tabs.mine ? client.peek(item.id) : null;
  const { last } = item;
  const text = useMemo(() => previewOf(last), [last?.text, last?.side, last?.file]);
  const draft = state.draftOf(item.id, 'reply') || state.draftOf(item.id, 'note');
  if (thread?.typing.value?.side === 'visitor') return <span class="c-preview c-typing">{shared('typing')}…</span>;
  if (draft && !on) {
    return (
      <span class="c-preview">
        <span class="c-draft">{t('draft')}</span>
        {draft.slice(0, PREVIEW)}
      </span>
    );
  }
  if (!last && item.empty) return <span class="c-preview">{t('noMessage')}</span>;
  if (!last) {
    return (
      <span class="c-preview">
        {item.name ? (
          t('noWords')
        ) : (
          <>
            <Icon d={icon.lock} size={14} /> {t('sealed')}
          </>
        )}
      </span>
    );
  }
  return (
    <span class="c-preview" dir="auto">
      {last.kind !== 'text'
        ? goneText(last)
        : `${last.side === 'agent' ? (last.mine ? t('you') : t('said', { name: short(last.author?.name ?? '') })) : ''}${text}`}
    </span>
  );
}
