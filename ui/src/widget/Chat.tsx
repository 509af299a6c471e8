/** The conversation: what to expect, the log, and where to write. */
import { useEffect, useState } from 'preact/hooks';
import type { Tray } from '../files/tray';
import type { Message, SiteInfo, VisitorClient } from '../model';
import { fieldLabel } from '../i18n/fields';
import { errorText, t, widget } from '../i18n/widget';
import { makePart } from '../part';
import type { Signal } from '../signals';
import { Banner } from '../ui/Banner';
import { RichText } from '../ui/RichText';
import { Button } from '../ui/Button';
import { Composer } from '../ui/Composer';
import { lastWhere } from '../ui/group';
import { Icon } from '../ui/Icon';
import { MessageList } from '../ui/MessageList';
import { WaitBanner } from '../ui/WaitBanner';
import { usePart } from '../ui/usePart';
import { short } from '../ui/readable';
import { eventText } from './events';
import { siteName } from './Header';
import { greetingOf, labelOf } from './StartForm';
import { ExpectBanner, OtherBanner } from './Status';
import * as icon from '../ui/icons';

interface ChatProps {
  client: VisitorClient;
  site: SiteInfo;
  open: Signal<boolean>;
  /** What is being written. */
  draft: Signal<string>;
  /** Files that are about to be sent. */
  tray: Tray;
}

export function Chat({ client, site, open, draft, tray }: ChatProps) {
  const thread = client.thread.value;
  const messages = wordsFirst(thread?.messages.value ?? []);
  // other conversations than this one: nothing here is about them
  const earlier = client.earlier.value;
  const closed = thread?.conv.value?.state === 'closed';
  const blocked = thread?.blocked.value ?? null;
  const [again, setAgain] = useState(false);
  const [asking, setAsking] = useState(false);
  useEffect(() => setAgain(false), [closed, thread?.id]);

  const labels = Object.fromEntries(site.form.map((field) => [field.id, labelOf(field)]));
  const robot = client.robot.value;
  const away = client.presence.value === 'away' && !thread?.agentName.value && !robot;
  const newest = robot ? lastWhere(messages, (m) => m.kind !== 'event') : undefined;

  const wait = client.connection.value.state === 'online' ? client.wait.value : null;

  /** What this conversation did not take any more is written into the field for the next one. */
  const fresh = () => {
    const left = messages.filter((m) => m.state === 'failed').map((m) => m.text);
    draft.value = joined([...left, draft.value]);
    client.startOver();
  };

  /** With nobody there the visitor decides first: the robot is out when a person was asked for. */
  const person = () => (client.presence.value === 'away' ? setAsking(true) : client.requestPerson());
  const leave = () => {
    setAsking(false);
    // one message waits already
    if (client.other.value?.conv.value?.state === 'open') client.swap();
    else client.requestPerson();
  };

  const edit = (m: Message) => {
    draft.value = joined([m.text, draft.value]);
    client.drop(m.id);
  };

  const send = (text: string, typed = true) => {
    if (typed) draft.value = '';
    // It rejects only when trust is broken; the panel then shows it. The text must not be lost.
    client.send(text).catch((e) => {
      if (typed) draft.value = text;
      console.error(e);
    });
  };

  return (
    <>
      <OtherBanner client={client} />
      {!blocked && <ExpectBanner client={client} />}
      <MessageList
        messages={earlier.length ? [...earlier, ...messages] : messages}
        viewer="visitor"
        fieldLabel={(id) => labels[id] ?? fieldLabel(id)}
        eventText={eventText}
        errorText={(m) => errorText(m.error)}
        errorOf={errorText}
        files={thread?.files}
        typing={thread?.typing.value?.side === 'agent' ? thread.typing.value : null}
        onSeen={() => open.peek() && client.markRead()}
        retry={(id) => client.retry(id)}
        recall={(id) => client.recall(id).catch(console.error)}
        edit={edit}
        below={(m) => m === newest && <Quick message={m} onPick={(text) => send(text, false)} />}
        head={<Greeting text={greetingOf(site)} name={siteName(site)} />}
        seenKey={open.value}
      />
      {/* without a connection the banner above shows it */}
      {blocked && !closed && client.connection.value.state !== 'ended' && (
        <Banner
          kind="warn"
          icon={icon.alert}
          action={
            <Button size="sm" onClick={fresh}>
              {t('fresh')}
            </Button>
          }
        >
          {errorText(blocked)}
        </Banner>
      )}
      {wait && !blocked && <WaitBanner wait={wait} then={unsent(messages) ? 'sent' : 'asked'} />}
      {robot && asking && (
        <div class="w-closed">
          <p>
            <strong>{t('awayLead')}</strong> {t('personAway')}
          </p>
          <Button kind="primary" size="sm" data-autofocus onClick={leave}>
            {t('leave')}
          </Button>
          <Button size="sm" onClick={() => setAsking(false)}>
            {t('askRobot')}
          </Button>
        </div>
      )}
      {robot && !asking && (
        <div class="w-person">
          <Button size="sm" onClick={person}>
            <Icon d={icon.person} size={16} /> {t('person')}
          </Button>
        </div>
      )}
      {closed && !again ? (
        <div class="w-closed">
          <p>{t(missed(messages) ? 'closedMissed' : 'closed')}</p>
          {site.rating && rateable(messages) && <RatingSlot client={client} />}
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
          files={
            site.maxFile
              ? {
                  tray,
                  max: () => site.maxFile,
                  send: (file, progress, signal) => client.sendFile(file, progress, signal),
                  errorText,
                }
              : undefined
          }
        />
      )}
    </>
  );
}

/** The person who answers is named after the first message, although they may have been assigned before. */
export function wordsFirst(messages: readonly Message[]): readonly Message[] {
  const first = messages.findIndex((m) => m.kind === 'text');
  const early = messages.filter((m, i) => i < first && m.event?.t === 'owner');
  if (!early.length) return messages;
  return [...messages.slice(0, first + 1).filter((m) => !early.includes(m)), ...early, ...messages.slice(first + 1)];
}

const joined = (texts: readonly string[]): string => texts.filter(Boolean).join('\n');

/** Something of this visitor waits to be sent. */
const unsent = (messages: readonly Message[]): boolean => messages[messages.length - 1]?.state === 'queued';

/** Whether the conversation ended because nobody had answered. */
export function missed(messages: readonly Message[]): boolean {
  const last = lastWhere(messages, (m) => m.event?.t === 'closed')?.event;
  return last?.t === 'closed' && last.by === '@missed';
}

/** Whether its visitor has not said yet how it went. */
export function rateable(messages: readonly Message[]): boolean {
  const last = lastWhere(messages, (m) => m.event?.t === 'closed' || m.event?.t === 'rated')?.event;
  return last?.t === 'closed' && last.by !== '@missed' && messages.some((m) => !m.mine && m.kind === 'text');
}

const ratingPart = makePart(async () => (await import('./Rating')).Rating);

function RatingSlot({ client }: { client: VisitorClient }) {
  const Rating = usePart(ratingPart);
  return Rating && <Rating client={client} />;
}

/** Answers the robot proposes; pressing one sends it like a text that was typed. */
function Quick({ message, onPick }: { message: Message; onPick: (text: string) => void }) {
  // the button for a person is below, and does more
  const buttons = message.buttons?.filter((b) => b.label !== widget.zh.person && b.label !== widget.en.person);
  if (!buttons?.length) return null;
  return (
    <div class="w-quick">
      {buttons.map((b, i) => (
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
            <RichText text={text} as="markdown" />
          </div>
        </div>
      </div>
    </div>
  );
}
