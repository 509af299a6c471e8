/** The middle pane: whose conversation it is and what can be done with it, its log, and where to write. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { feedbackIn } from '../client/intent-feedback';
import type { AgentClient, ConvItem, Message, Thread } from '../model';
import { errorText, t } from '../i18n/console';
import { t as shared } from '../i18n/shared';
import { Avatar } from '../ui/Avatar';
import { Button, IconButton } from '../ui/Button';
import * as icon from '../ui/icons';
import { MessageList } from '../ui/MessageList';
import { BotLine } from './BotLine';
import { eventText } from './events';
import { Fold, foldEvents } from './fold';
import { fieldLabel } from './fields';
import { Handling } from './Handling';
import { lazy } from './lazy';
import { ReplyBox } from './ReplyBox';
import { rightsOf } from './rights';
import { nameOf } from './conversations';
import { useSignal } from '../ui/signals';
import { useConsole } from './useConsole';
import { Verified } from './Verified';
import { begin } from './writing';

const Find = lazy(async () => (await import('./Find')).Find);

export function ThreadPane({ client, item }: { client: AgentClient; item: ConvItem }) {
  const state = useConsole();
  const thread = useMemo(() => client.open(item.id), [client, item.id]);
  useEffect(() => () => client.leave(item.id), [client, item.id]);
  const all = thread.messages.value;
  const { messages: said, fixes, turns } = useMemo(() => readThread(all), [all]);
  const target = useSignal<{ id: string } | null>(null);
  const synced = thread.synced.value;
  const firstUnread = useFirstUnread(thread);
  const name = nameOf(item);
  const typing = thread.typing.value;
  const textOf = (m: Message) =>
    eventText(m, (id) => client.teams.value.find((team) => team.id === id)?.name ?? id, name, client.labels.value);
  const { messages, folds } = useMemo(() => foldEvents(said, (m) => textOf(m) !== null), [said]);
  // what was refused is its writer's again, to be written otherwise; newer words stay
  const edit = (m: Message) => {
    const of = m.kind === 'note' ? 'note' : 'reply';
    const newer = state.draftOf(item.id, of);
    const text = client.takeBack(item.id, m.id);
    state.setDraft(item.id, of, newer && text ? `${text}\n${newer}` : text || newer);
    state.mode.value = of;
    state.focusField.value++;
  };

  return (
    <main class="c-thread" data-drop>
      <ThreadHead client={client} item={item} thread={thread} />
      <Handling client={client} item={item} />
      {state.finding.value && (
        <Find
          messages={messages}
          onGo={(id) => (target.value = { id })}
          onClose={() => {
            state.finding.value = false;
            state.focusField.value++;
          }}
        />
      )}
      {!synced && !messages.length ? (
        <p class="c-loading" role="status">
          <span class="k-spin" aria-hidden="true" /> {t('loadingThread')}
        </p>
      ) : (
        <MessageList
          messages={messages}
          firstUnread={firstUnread}
          viewer="agent"
          eventTimes
          visitorName={name}
          fieldLabel={fieldLabel}
          target={target.value}
          eventText={(m) => {
            const n = folds.get(m.id)?.length;
            return n ? t('folded', { n }) : textOf(m);
          }}
          errorText={(m) => errorText(m.error)}
          errorOf={errorText}
          files={thread.files}
          typing={typing && { name: typing.side === 'visitor' ? name : typing.name }}
          onSeen={() => client.markRead(item.id)}
          retry={(id) => client.retry(item.id, id)}
          recall={(id) => void state.acts.run(() => client.recall(item.id, id))}
          edit={edit}
          change={(m) => begin(state, item.id, 'edit', m)}
          quote={rightsOf(client, item).canReply ? (m) => begin(state, item.id, 'quote', m) : undefined}
          below={(m) => {
            const events = folds.get(m.id);
            if (events) return <Fold events={events} text={textOf} />;
            return (
              m.thought &&
              turns.get(m.thought?.re) === m && (
                <BotLine client={client} conv={item.id} message={m} fix={fixes.get(m.id)} />
              )
            );
          }}
        />
      )}
      <ReplyBox client={client} item={item} thread={thread} />
    </main>
  );
}

/** What of a thread is shown where. */
function readThread(all: readonly Message[]) {
  // a judgement is shown at the message it is about
  const messages = all.filter((m) => !m.fix || m.state === 'failed');
  // one line for all answers of the robot to the same question
  const turns = new Map<string | undefined, Message>();
  for (const m of all) if (m.thought && !turns.has(m.thought.re)) turns.set(m.thought.re, m);
  return { messages, fixes: feedbackIn(all), turns };
}

/** Where the reader left off when the thread was opened; stays until it is left. */
function useFirstUnread(thread: Thread): string | null {
  const [id, setId] = useState<string | null>(null);
  const done = useRef(false);
  const synced = thread.synced.value;
  if (!done.current && synced) {
    done.current = true;
    setId(firstUnreadOf(thread.messages.peek(), thread.unread.peek()));
  }
  return id;
}

/** The oldest of the `n` newest that count as unread (`Thread.unread`); null if all are, which is no news to mark. */
export function firstUnreadOf(messages: readonly Message[], n: number): string | null {
  const others = messages.filter((m) => !m.mine && m.kind === 'text' && m.side !== 'robot');
  return n > 0 && n < others.length ? others[others.length - n]!.id : null;
}

function ThreadHead({ client, item, thread }: { client: AgentClient; item: ConvItem; thread: Thread }) {
  const state = useConsole();
  const name = nameOf(item);
  const rights = rightsOf(client, item);
  const owner = rights.owner;
  const ownerLine =
    owner.kind === 'agent'
      ? owner.me
        ? t('ownerMe')
        : t('ownerOther', { name: thread.agentName.value ?? owner.user })
      : t(
          owner.kind === 'queue'
            ? 'ownerQueue'
            : owner.kind === 'robot'
              ? 'ownerRobot'
              : rights.missed
                ? 'missedTag'
                : 'ownerNone',
        );
  return (
    <header class="c-head">
      <span class="c-back">
        <IconButton icon={icon.back} label={shared('back')} onClick={() => state.select(null)} />
      </span>
      <Avatar name={name} />
      <div class="k-grow">
        <h1>
          <bdi>{name}</bdi>
          <Verified item={item} />
        </h1>
        <p>
          {client.sites.value[item.conv.site] ?? item.conv.site} · {ownerLine}
        </p>
      </div>
      {rights.canTransfer && (
        <Button size="sm" onClick={() => (state.dialog.value = 'transfer')}>
          {t('transfer')}
        </Button>
      )}
      {rights.canClose && (
        <Button size="sm" title="Alt+E" onClick={() => (state.dialog.value = 'close')}>
          {t('close')}
        </Button>
      )}
      <IconButton
        icon={icon.find}
        label={t('find')}
        title={`${t('find')} (Ctrl+Shift+F)`}
        onClick={() => (state.finding.value = !state.finding.peek())}
      />
      <span class="c-info">
        <IconButton
          icon={icon.person}
          label={t('info')}
          aria-expanded={state.showVisitor.value}
          on={state.showVisitor.value}
          onClick={() => (state.showVisitor.value = !state.showVisitor.peek())}
        />
      </span>
    </header>
  );
}
