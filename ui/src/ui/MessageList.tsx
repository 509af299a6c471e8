/** The log of a thread: days, groups, events; stays at the end unless the reader went up. */
import { useLayoutEffect, useEffect, useRef, useState } from 'preact/hooks';
import type { Message } from '../model';
import { t } from '../i18n/shared';
import { layOut, type Row } from './group';
import { Icon } from './Icon';
import { MessageGroup, type MessageActs } from './MessageItem';
import { day } from './time';
import * as icon from './icons';

const PAGE = 120;
const NEAR_END_PX = 60;

interface ListProps extends MessageActs {
  messages: readonly Message[];
  firstUnread?: string | null;
  viewer: 'visitor' | 'agent';
  visitorName?: string;
  fieldLabel: (id: string) => string;
  /** A sentence for an event, or null if this page does not tell it. */
  eventText: (message: Message) => string | null;
  errorText: (message: Message) => string;
  typing: { name: string } | null;
  /** The end is on screen and the page is visible. */
  onSeen: () => void;
  /** Changes when the list comes into view. */
  seenKey?: unknown;
  head?: preact.ComponentChildren;
}

export function MessageList(props: ListProps) {
  const { messages, typing, onSeen } = props;
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const heightBefore = useRef(0);
  const [limit, setLimit] = useState(PAGE);
  const [below, setBelow] = useState(false);
  const lastId = useRef<string>();
  const rows = layOut(messages, props.firstUnread);
  const shown = rows.slice(-limit);
  const last = messages[messages.length - 1];

  useLayoutEffect(() => {
    const el = box.current;
    // Gone already when the page changed in the same breath.
    if (!el) return;
    if (last?.mine && last.state === 'queued') atEnd.current = true;
    if (atEnd.current) el.scrollTop = el.scrollHeight;
    else if (last?.id !== lastId.current) setBelow(true);
    lastId.current = last?.id;
  }, [last?.id, typing === null]);

  // Earlier rows came in above: keep what is being read where it is.
  useLayoutEffect(() => {
    const el = box.current;
    if (!el) return;
    if (heightBefore.current) el.scrollTop += el.scrollHeight - heightBefore.current;
    heightBefore.current = 0;
  }, [limit]);

  useEffect(() => {
    const el = box.current;
    if (!el) return;
    const stay = () => atEnd.current && (el.scrollTop = el.scrollHeight);
    const watch = new ResizeObserver(stay);
    watch.observe(el);
    if (el.firstElementChild) watch.observe(el.firstElementChild);
    return () => watch.disconnect();
  }, []);

  useEffect(() => {
    const seen = () => atEnd.current && document.visibilityState === 'visible' && onSeen();
    seen();
    document.addEventListener('visibilitychange', seen);
    return () => document.removeEventListener('visibilitychange', seen);
  }, [last?.id, last?.seq, below, props.seenKey]);

  const onScroll = () => {
    const el = box.current;
    // Its removal scrolls it, too.
    if (!el) return;
    atEnd.current = el.scrollHeight - el.scrollTop - el.clientHeight < NEAR_END_PX;
    if (atEnd.current && below) setBelow(false);
    if (el.scrollTop < NEAR_END_PX && rows.length > limit) {
      heightBefore.current = el.scrollHeight;
      setLimit(limit + PAGE);
    }
  };

  return (
    <div class="k-list-wrap">
      <div ref={box} class="k-list" onScroll={onScroll} tabIndex={0} role="log" aria-live="polite" aria-relevant="additions" aria-label={t('messages')}>
        <div class="k-list-inner">
          {props.head}
          {shown.map((row) => (
            <RowView key={row.key} row={row} {...props} />
          ))}
          {typing && <TypingBubble name={typing.name} />}
        </div>
      </div>
      {below && (
        <button
          type="button"
          class="k-below"
          onClick={() => {
            box.current!.scrollTop = box.current!.scrollHeight;
          }}
        >
          <Icon d={icon.down} size={16} /> {t('newBelow')}
        </button>
      )}
    </div>
  );
}

function RowView({ row, ...props }: ListProps & { row: Row }) {
  switch (row.kind) {
    case 'day':
      return (
        <p class="k-day">
          <span>{day(row.at)}</span>
        </p>
      );
    case 'unread':
      return (
        <p class="k-unread">
          <span>{t('unreadFrom')}</span>
        </p>
      );
    case 'event': {
      const text = props.eventText(row.message);
      return text ? (
        <>
          <p class="k-event">{text}</p>
          {props.below?.(row.message)}
        </>
      ) : null;
    }
    case 'group':
      return <MessageGroup {...props} messages={row.messages} visitorName={props.visitorName ?? t('visitor')} />;
  }
}

function TypingBubble({ name }: { name: string }) {
  return (
    <div class="k-group k-left k-typing">
      <div class="k-stack">
        <div class="k-bubble">
          <span class="k-sr">
            {name || t('robot')} {t('typing')}
          </span>
          <i />
          <i />
          <i />
        </div>
      </div>
    </div>
  );
}
