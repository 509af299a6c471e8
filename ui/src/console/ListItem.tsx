/** One conversation in the list: who, when, the last word, what is unread, what is being written. */
import { useMemo } from 'preact/hooks';
import type { AgentClient, ConvItem, Message } from '../model';
import { t } from '../i18n/console';
import { t as shared } from '../i18n/shared';
import { Avatar, Badge } from '../ui/bits';
import { Icon } from '../ui/Icon';
import * as icon from '../ui/icons';
import { memo } from '../ui/memo';
import { goneText } from '../ui/MessageItem';
import { plain } from '../ui/plain';
import { short } from '../ui/readable';
import { duration, full, now, relative } from '../ui/time';
import { draftOf, nameOf, tab } from './state';

interface ItemProps {
  client: AgentClient;
  item: ConvItem;
  on: boolean;
  onSelect: () => void;
}

export const ListItem = memo(Item, (a, b) => a.item === b.item && a.on === b.on);

function Item({ client, item, on, onSelect }: ItemProps) {
  const name = nameOf(item);
  const closed = item.conv.state === 'closed';
  const at = item.tabs.missed && tab.value === 'missed' ? item.conv.missed! : item.lastAt;
  const waits = item.tabs.queue && item.waitingSince !== null;
  return (
    <button type="button" class={`c-item${item.unread ? ' c-new' : ''}${closed ? ' c-closed' : ''}`} aria-current={on} onClick={onSelect}>
      <Avatar name={name} />
      <span class="c-item-text">
        <span class="c-item-top">
          <bdi class="c-item-name">{name}</bdi>
          {item.conv.owner === 'robot' && <span class="k-tag">{t('robotTag')}</span>}
          {item.tabs.missed && tab.value !== 'missed' && <span class="k-tag c-tag-missed">{t('missedTag')}</span>}
          {waits ? (
            <span class="c-wait">{t('waiting', { time: duration(now.value - item.waitingSince!) })}</span>
          ) : (
            <time title={full(at)}>{relative(at)}</time>
          )}
        </span>
        <span class="c-item-bottom">
          <Preview client={client} item={item} on={on} />
          <Badge n={item.unread} label={t('unread', { n: item.unread })} />
        </span>
      </span>
    </button>
  );
}

/** Characters of a message in a list. */
const PREVIEW = 160;

/** The beginning of a message, without the robot's marks. */
export function previewOf(last: Message | null): string {
  if (!last) return '';
  return short(last.side === 'robot' ? plain(last.text.slice(0, 4 * PREVIEW)) : last.text, PREVIEW);
}

function Preview({ client, item, on }: { client: AgentClient; item: ConvItem; on: boolean }) {
  // Own conversations are followed anyway; the same thread comes back for the same id.
  const thread = useMemo(() => (item.tabs.mine ? client.open(item.id) : null), [client, item.id, item.tabs.mine]);
  const { last } = item;
  const text = useMemo(() => previewOf(last), [last?.text, last?.side]);
  const draft = draftOf(item.id, 'reply') || draftOf(item.id, 'note');
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
        <Icon d={icon.lock} size={14} /> {t('sealed')}
      </span>
    );
  }
  return (
    <span class="c-preview" dir="auto">
      {last.kind !== 'text' ? goneText(last) : `${last.side === 'agent' ? t('you') : ''}${text}`}
    </span>
  );
}
