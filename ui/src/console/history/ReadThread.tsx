/** A conversation to read: nothing is written here, and nothing counts as read. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { AgentClient, Thread } from '../../model';
import { errorText } from '../../i18n/console';
import { t } from '../../i18n/history';
import { t as shared } from '../../i18n/shared';
import { Avatar } from '../../ui/Avatar';
import { Banner } from '../../ui/Banner';
import { Button, IconButton } from '../../ui/Button';
import { Empty } from '../../ui/Empty';
import { Icon } from '../../ui/Icon';
import * as icon from '../../ui/icons';
import { MessageList } from '../../ui/MessageList';
import { full } from '../../ui/time';
import { nameOf } from '../conversations';
import { eventText } from '../events';
import { fieldLabel } from '../fields';
import { deskHash, go } from '../route';
import { useConsole } from '../useConsole';
import { ExportMenu } from './ExportMenu';
import type { HistoryState } from './history';

/** A conversation that the server never shows is not one's own. */
const PATIENCE_MS = 8_000;
/** Messages after the one that a result led to. */
const AFTER = 40;

const nothing = (): void => undefined;

export function ReadThread({ client, state, conv }: { client: AgentClient; state: HistoryState; conv: string }) {
  const desk = useConsole();
  const thread = useMemo(() => client.open(conv), [client, conv]);
  useEffect(() => () => client.leave(conv), [client, conv]);
  const item = client.conversations.value.find((one) => one.id === conv);
  const synced = thread.synced.value;
  const late = useLate(conv, synced || !!item);
  const box = useRef<HTMLElement>(null);
  const target = state.target.value;
  const { messages, later, showLater } = useUpTo(thread, target?.conv === conv ? target.msg : null, box);
  const name = nameOf({ id: conv, name: item?.name });
  const locked = messages.filter((m) => m.error === 'error.no_key').length;
  const teamName = (id: string) => client.teams.value.find((team) => team.id === id)?.name ?? id;

  if (late)
    return (
      <main class="c-thread c-none">
        <Empty icon={icon.lock} title={t('gone')} heading>
          {t('goneText')}
        </Empty>
      </main>
    );
  return (
    <main ref={box} class="c-thread">
      <header class="c-head">
        <span class="c-back">
          <IconButton icon={icon.back} label={shared('back')} onClick={() => state.select(null)} />
        </span>
        <Avatar name={name} />
        <div class="k-grow">
          <h1>
            <bdi>{name}</bdi>
          </h1>
          {item && (
            <p>
              {client.sites.value[item.conv.site] ?? item.conv.site} · {teamName(item.conv.team)} ·{' '}
              {t('began', { time: full(item.conv.created) })} · {t(item.conv.state === 'open' ? 'open' : 'closed')}
            </p>
          )}
        </div>
        <span class="k-tag">{t('readOnly')}</span>
        {item && <ExportMenu client={client} conv={conv} name={name} />}
        {item && (
          <Button size="sm" onClick={() => go(deskHash(conv))}>
            {t('openInDesk')}
          </Button>
        )}
      </header>
      {locked > 0 && (
        <Banner kind="info" icon={icon.lock}>
          {t('unreadable', { n: locked })}
        </Banner>
      )}
      {!synced && !messages.length ? (
        <p class="c-loading" role="status">
          <span class="k-spin" aria-hidden="true" /> {t('loading')}
        </p>
      ) : (
        <MessageList
          messages={messages}
          viewer="agent"
          eventTimes
          visitorName={name}
          fieldLabel={fieldLabel}
          eventText={(m) => eventText(m, teamName, name)}
          errorText={(m) => errorText(m.error)}
          errorOf={errorText}
          files={thread.files}
          typing={null}
          onSeen={nothing}
          retry={nothing}
          recall={(id) => void desk.acts.run(() => client.recall(conv, id))}
        />
      )}
      {later > 0 && (
        <button type="button" class="k-link h-later" onClick={showLater}>
          <Icon d={icon.down} size={16} /> {t('later')}
        </button>
      )}
    </main>
  );
}

/** Whether the server did not show it in time. */
function useLate(conv: string, there: boolean): boolean {
  const [late, setLate] = useState<string | null>(null);
  useEffect(() => {
    if (there) return;
    const timer = setTimeout(() => setLate(conv), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [conv, there]);
  return late === conv && !there;
}

/** The messages up to some after a target, which comes into view and has the focus. */
function useUpTo(thread: Thread, target: string | null, box: { readonly current: HTMLElement | null }) {
  const all = thread.messages.value;
  // judgements are shown at the desk, where they are made
  const messages = useMemo(() => all.filter((m) => !m.fix), [all]);
  const [whole, setWhole] = useState<string | null>(null);
  const at = target === null ? -1 : messages.findIndex((m) => m.id === target);
  const end = at >= 0 && whole !== target ? Math.min(messages.length, at + AFTER) : messages.length;
  const there = at >= 0;
  useEffect(() => {
    if (!there) return;
    // after the list has gone to its end
    const frame = requestAnimationFrame(() =>
      requestAnimationFrame(() => {
        const line = box.current?.querySelector<HTMLElement>(`[data-line="${target}"]`);
        if (!line) return;
        line.scrollIntoView({ block: 'center' });
        line.tabIndex = -1;
        line.focus({ preventScroll: true });
      }),
    );
    return () => cancelAnimationFrame(frame);
  }, [target, there]);
  return {
    messages: end === messages.length ? messages : messages.slice(0, end),
    later: messages.length - end,
    showLater: () => setWhole(target),
  };
}
