/** The conversation: what to expect, the log, and where to write. */
import { useEffect, useState } from 'preact/hooks';
import type { ErrorKey, Message, SiteInfo, VisitorClient } from '../model';
import { errorText, t } from '../i18n/widget';
import { signal, type Signal } from '../signals';
import { Banner, RichText } from '../ui/bits';
import { Button } from '../ui/Button';
import { Composer } from '../ui/Composer';
import { lastWhere } from '../ui/group';
import { Icon } from '../ui/Icon';
import { MessageList } from '../ui/MessageList';
import { WaitBanner } from '../ui/WaitBanner';
import { short } from '../ui/readable';
import { eventText } from './events';
import { localised } from './StartForm';
import { ExpectBanner } from './Status';
import * as icon from '../ui/icons';

// Kept outside the components: closing the panel must not lose what was being written.
const draft = signal('');

/** The conversation cannot go on; a new one can. */
const OVER: readonly ErrorKey[] = ['error.conversation_gone', 'error.conversation_lost', 'error.full'];

export function Chat({ client, site, open }: { client: VisitorClient; site: SiteInfo; open: Signal<boolean> }) {
  const thread = client.thread.value;
  const messages = thread?.messages.value ?? [];
  const closed = thread?.conv.value?.state === 'closed';
  const blocked = thread?.blocked.value ?? null;
  const [again, setAgain] = useState(false);
  useEffect(() => setAgain(false), [closed, thread?.id]);

  const labels = Object.fromEntries(site.form.map((field) => [field.id, localised(field.label)]));
  const robot = client.robot.value;
  const away = client.presence.value === 'away' && !thread?.agentName.value && !robot;
  const newest = robot ? lastWhere(messages, (m) => m.kind !== 'event') : undefined;
  const greeting = localised(site.greeting);

  const wait = client.connection.value.state === 'online' ? client.wait.value : null;

  /** What this conversation did not take any more is written into the field for the next one. */
  const fresh = () => {
    const left = messages.filter((m) => m.error === 'error.full' && m.text).map((m) => m.text);
    draft.value = [draft.value, ...left].filter(Boolean).join('\n');
    client.startOver();
  };

  const send = (text: string, typed = true) => {
    if (typed) draft.value = '';
    // It rejects only when trust is broken; the panel then says so. The text must not be lost.
    client.send(text).catch((e) => {
      if (typed) draft.value = text;
      console.error(e);
    });
  };

  return (
    <>
      <ExpectBanner client={client} />
      <MessageList
        messages={messages}
        viewer="visitor"
        fieldLabel={(id) => labels[id] || id}
        eventText={eventText}
        errorText={(m) => errorText(m.error)}
        typing={thread?.typing.value?.side === 'agent' ? thread.typing.value : null}
        onSeen={() => open.peek() && client.markRead()}
        retry={(id) => client.retry(id)}
        recall={(id) => client.recall(id).catch(console.error)}
        below={(m) => m === newest && <Quick message={m} onPick={(text) => send(text, false)} />}
        head={greeting && <Greeting text={greeting} name={site.name} />}
        seenKey={open.value}
      />
      {blocked && !closed && (
        <Banner
          kind="warn"
          icon={icon.alert}
          action={
            OVER.includes(blocked) && (
              <Button size="sm" onClick={fresh}>
                {t('fresh')}
              </Button>
            )
          }
        >
          {errorText(blocked)}
        </Banner>
      )}
      {wait && !blocked && <WaitBanner wait={wait} then={unsent(messages) ? 'sent' : 'asked'} />}
      {robot && (
        <div class="w-person">
          <Button size="sm" onClick={() => client.person()}>
            <Icon d={icon.person} size={16} /> {t('person')}
          </Button>
        </div>
      )}
      {closed && !again ? (
        <div class="w-closed">
          <p>{t(missed(messages) ? 'closedMissed' : 'closed')}</p>
          <Button kind="primary" size="sm" onClick={() => setAgain(true)}>
            {t('again')}
          </Button>
          <Button kind="plain" size="sm" onClick={fresh}>
            {t('fresh')}
          </Button>
        </div>
      ) : (
        <Composer
          value={draft.value}
          onValue={(text) => (draft.value = text)}
          onSend={send}
          onTyping={(on) => client.typing(on)}
          placeholder={t(away ? 'writeAway' : 'write')}
          disabled={!!blocked && !closed}
          focusKey={open.value ? `${again}` : undefined}
          autofocus
        />
      )}
    </>
  );
}

/** Something of this visitor waits to be sent. */
const unsent = (messages: readonly Message[]): boolean => messages[messages.length - 1]?.state === 'queued';

/** Whether the conversation ended because nobody had answered. */
export function missed(messages: readonly Message[]): boolean {
  const last = lastWhere(messages, (m) => m.event?.t === 'closed')?.event;
  return last?.t === 'closed' && last.by === '@missed';
}

/** Answers the robot proposes; pressing one sends it like a text that was typed. */
function Quick({ message, onPick }: { message: Message; onPick: (text: string) => void }) {
  if (!message.buttons?.length) return null;
  return (
    <div class="w-quick">
      {message.buttons.map((b, i) => (
        <Button key={i} size="sm" dir="auto" onClick={() => onPick(b.send)}>
          {short(b.label)}
        </Button>
      ))}
    </div>
  );
}

function Greeting({ text, name }: { text: string; name: string }) {
  return (
    <div class="k-group k-left w-hello">
      <div class="k-stack">
        <p class="k-author">
          <bdi>{name}</bdi>
        </p>
        <div class="k-bubble">
          <div class="k-text" dir="auto">
            <RichText text={text} as="links" />
          </div>
        </div>
      </div>
    </div>
  );
}
