/**
 * The log of a thread: days, groups, events; stays at the end unless the reader went up. However long the thread is, a few hundred
 * messages are in the page: the newest, or those around the place that is read.
 */
import { useLayoutEffect, useEffect, useRef, useState } from 'preact/hooks';
import type { Message } from '../model';
import { t } from '../i18n/shared';
import { around, held, layOut, moved, newest, type Row, type View } from './group';
import { fileParts } from './FileSlot';
import { Icon } from './Icon';
import { MessageGroup, type Below, type MessageActs } from './MessageItem';
import { clock, day } from './time';
import * as icon from './icons';

const NEAR_END_PX = 60;

/** Elements of messages and events, each with its id. */
const lines = (list: Element): HTMLElement[] => [...list.querySelectorAll<HTMLElement>('[data-line]')];

interface ListProps extends MessageActs {
  messages: readonly Message[];
  firstUnread?: string | null;
  viewer: 'visitor' | 'agent';
  visitorName?: string;
  /** A sentence for an event, or null if this page does not show it. */
  eventText: (message: Message) => string | null;
  /** Events are shown with the time of day. */
  eventTimes?: boolean;
  below?: Below;
  typing: { name: string } | null;
  /** The end is on screen and the page is visible. */
  onSeen: () => void;
  /** Shows the message with this id; a new object does it again. */
  target?: { id: string } | null;
  /** Changes when the list comes into view. */
  seenKey?: unknown;
  head?: preact.ComponentChildren;
}

export function MessageList(props: ListProps) {
  const { messages, typing, onSeen } = props;
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const view = useRef<View>(newest(messages.length));
  /** What is being read and where it is on screen, while the view moves. */
  const anchor = useRef<{ id?: string | null; top: number }>();
  const [moves, setMoves] = useState(0);
  /** How many came since the reader left the end. */
  const [below, setBelow] = useState(0);
  const lastId = useRef<string>();
  const [viewed, setViewed] = useState<string | null>(null);
  const acts = useRef<MessageActs>(props);
  acts.current = { ...props, view: setViewed, jump };
  const { length } = messages;
  const last = messages[length - 1];
  if (last?.id !== lastId.current && last?.mine && last.state === 'queued') atEnd.current = true;
  view.current = atEnd.current ? newest(length) : held(view.current, length);
  const { from, to } = view.current;
  // whoever opened a picture has it
  const Viewer = viewed && fileParts.here.value?.Viewer;
  const rows = layOut(messages.slice(from, to), props.firstUnread);

  useLayoutEffect(() => {
    const el = box.current;
    // Gone already when the page changed in the same breath.
    if (!el) return;
    if (atEnd.current) el.scrollTop = el.scrollHeight;
    else if (last?.id !== lastId.current) {
      const seen = messages.findIndex((m) => m.id === lastId.current);
      setBelow((n) => n + length - 1 - seen);
    }
    lastId.current = last?.id;
  }, [last?.id, typing === null]);

  // Rows came in above or went: keep what is being read where it is.
  useLayoutEffect(() => {
    const el = box.current;
    const was = anchor.current;
    anchor.current = undefined;
    if (!el || !was) return;
    const there = lines(el).find((one) => one.getAttribute('data-line') === was.id);
    if (there) el.scrollTop += there.getBoundingClientRect().top - was.top;
  }, [moves]);

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

  useEffect(() => {
    if (props.target) jump(props.target.id);
  }, [props.target]);

  /** One step towards the beginning or the end of the thread. */
  const move = (by: -1 | 1) => {
    const el = box.current!;
    const edge = el.getBoundingClientRect().top;
    // by its message: groups may be others afterwards, and so may their elements
    const line = lines(el).find((one) => one.getBoundingClientRect().bottom > edge);
    anchor.current = { id: line?.getAttribute('data-line'), top: line?.getBoundingClientRect().top ?? 0 };
    atEnd.current = false;
    view.current = moved(view.current, by, messages.length);
    setMoves(moves + 1);
  };

  /** Shows a message that is here, wherever it is. */
  function jump(id: string): void {
    const at = messages.findIndex((m) => m.id === id);
    if (at < 0) return;
    atEnd.current = false;
    view.current = around(at, messages.length);
    setMoves(moves + 1);
    requestAnimationFrame(() => {
      const line = lines(box.current!).find((one) => one.getAttribute('data-line') === id);
      line?.scrollIntoView({ block: 'center' });
      line?.animate?.([{ opacity: 0.3 }, {}], 900);
    });
  }

  /** The reader continues from the beginning of what was there, wherever the button was pressed. */
  const earlier = () => {
    box.current!.scrollTop = 0;
    move(-1);
  };

  const toEnd = () => {
    atEnd.current = true;
    setBelow(0);
    setMoves(moves + 1);
    // after the newest are there
    requestAnimationFrame(() => {
      const el = box.current;
      if (el) el.scrollTop = el.scrollHeight;
    });
  };

  const onScroll = () => {
    const el = box.current;
    // Its removal scrolls it, too. One step at a time.
    if (!el || anchor.current) return;
    const nearEnd = el.scrollHeight - el.scrollTop - el.clientHeight < NEAR_END_PX;
    if (nearEnd && to < length) return move(1);
    atEnd.current = nearEnd;
    if (nearEnd && below) setBelow(0);
    if (el.scrollTop < NEAR_END_PX && from > 0 && !nearEnd) move(-1);
  };

  return (
    <div class="k-list-wrap">
      <div
        ref={box}
        class="k-list"
        onScroll={onScroll}
        tabIndex={0}
        role="log"
        aria-live="polite"
        aria-relevant="additions"
        aria-label={t('messages')}
      >
        <div class="k-list-inner">
          {from === 0 && props.head}
          {from > 0 && (
            <button type="button" class="k-link k-earlier" onClick={earlier}>
              {t('earlier')}
            </button>
          )}
          {rows.map((row) => (
            <RowView key={row.key} row={row} acts={acts} {...props} />
          ))}
          {typing && <TypingBubble name={typing.name} />}
        </div>
      </div>
      {(below > 0 || to < length) && (
        <button type="button" class="k-below" onClick={toEnd}>
          <Icon d={icon.down} size={16} /> {t('newBelow')} {below || ''}
        </button>
      )}
      {Viewer && props.files && (
        <Viewer
          messages={messages}
          at={viewed}
          files={props.files}
          onMove={setViewed}
          onClose={() => setViewed(null)}
        />
      )}
    </div>
  );
}

function RowView({ row, acts, ...props }: ListProps & { row: Row; acts: { readonly current: MessageActs } }) {
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
          <p class="k-event" data-line={row.message.id}>
            {props.eventTimes && <time>{clock(row.message.at)} </time>}
            {text}
          </p>
          {props.below?.(row.message)}
        </>
      ) : null;
    }
    case 'group':
      return (
        <MessageGroup
          messages={row.messages}
          below={row.messages.map((m) => props.below?.(m))}
          viewer={props.viewer}
          visitorName={props.visitorName ?? t('visitor')}
          acts={acts}
        />
      );
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
