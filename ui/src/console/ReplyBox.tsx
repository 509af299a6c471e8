/** Where an agent writes: a reply for the visitor or a note for the team; or why not, and the way out. */
import { useEffect } from 'preact/hooks';
import type { AgentClient, ConvItem, Thread } from '../model';
import { errorText, t } from '../i18n/console';
import { t as shared } from '../i18n/shared';
import { Banner } from '../ui/Banner';
import { Button, IconButton } from '../ui/Button';
import { Composer } from '../ui/Composer';
import { Icon } from '../ui/Icon';
import { isComposing } from '../ui/keys';
import { short } from '../ui/readable';
import * as icon from '../ui/icons';
import { WaitBanner } from '../ui/WaitBanner';
import { sayError } from './acts';
import { dismissing, dismissMissed } from './missed';
import { narrow } from './narrow';
import { accept, decline } from './Offers';
import { EmojiButton } from './EmojiButton';
import { colleagues, named } from './replies/mentions';
import { Picker, useFieldPicker } from './replies/Picker';
import { rightsOf } from './rights';
import { Suggestions } from './Suggestions';
import { useConsole } from './useConsole';
import { begin, cancel, lastEditable, sendReply, writingIn } from './writing';

interface BoxProps {
  client: AgentClient;
  item: ConvItem;
  thread: Thread;
}

export function ReplyBox({ client, item, thread }: BoxProps) {
  const state = useConsole();
  const note = state.mode.value === 'note';
  const rights = rightsOf(client, item);
  const blocked = thread.blocked.value;
  const wait = client.connection.value.state === 'online' ? thread.wait.value : null;
  const picker = useFieldPicker(state, client, item, state.mode.value);
  // Also takes the focus when a conversation is opened, so that one can write at once.
  useEffect(() => {
    state.focusField.value++;
  }, [state.mode.value]);

  const writing = writingIn(state, item.id);
  const onKey = (e: KeyboardEvent): boolean => {
    if (picker.onKey(e)) return true;
    if (isComposing(e)) return false;
    if (e.key === 'Escape' && writing) cancel(state);
    else if (e.key === 'ArrowUp' && !note && !state.draftOf(item.id, 'reply') && !writing) {
      const last = lastEditable(thread.messages.peek());
      if (!last) return false;
      begin(state, item.id, 'edit', last);
    } else return false;
    return true;
  };

  const send = (text: string) => {
    state.setDraft(item.id, state.mode.peek(), '');
    const work = note
      ? client.note(item.id, text, undefined, named(colleagues(client, item), text))
      : sendReply(state, client, item.id, text);
    work.catch((e) => {
      console.error(e);
      state.toasts.show(() => sayError(e));
      // What was written must not be lost by a refusal; newer words stay.
      if (!state.draftOf(item.id, note ? 'note' : 'reply')) state.setDraft(item.id, note ? 'note' : 'reply', text);
    });
  };

  return (
    <section class={`c-reply${note ? ' c-noting' : ''}`}>
      <div class="c-modes" role="tablist">
        {(['reply', 'note'] as const).map((one) => (
          <button
            key={one}
            type="button"
            role="tab"
            aria-selected={state.mode.value === one}
            title={one === 'note' ? 'Alt+P' : 'Alt+L'}
            onClick={() => (state.mode.value = one)}
          >
            {t(one)}
          </button>
        ))}
        {note && (
          <span class="c-note-only">
            <Icon d={icon.lock} size={14} /> {t('noteOnly')}
          </span>
        )}
      </div>
      {!note && !rights.canReply ? (
        <>
          <Kept item={item} />
          <WhyNot client={client} item={item} thread={thread} />
        </>
      ) : (
        <>
          {blocked && !note && (
            <Banner kind="warn" icon={icon.alert}>
              {errorText(blocked)}
            </Banner>
          )}
          {wait && <WaitBanner wait={wait} then="sent" />}
          {!note && <Suggestions client={client} item={item} thread={thread} />}
          {writing && (
            <div class="c-writing">
              <p class="k-grow" dir="auto">
                <strong>{t(writing.as === 'edit' ? 'writingEdit' : 'writingQuote')}</strong> {short(writing.text, 80)}
              </p>
              <IconButton icon={icon.close} label={shared('cancel')} size={16} onClick={() => cancel(state)} />
            </div>
          )}
          <Picker picker={picker} onManage={() => (state.dialog.value = 'replies')} />
          <Composer
            key={state.mode.value}
            keys={onKey}
            field={picker.field}
            value={state.draftOf(item.id, state.mode.value)}
            onValue={(text) => state.setDraft(item.id, state.mode.peek(), text)}
            onSend={send}
            onTyping={note ? undefined : (on) => client.typing(item.id, on)}
            placeholder={hint(note, state.ctrlSends.value)}
            ctrlSends={state.ctrlSends.value}
            foot={<EmojiButton disabled={!note && !!blocked} />}
            label={t(note ? 'note' : 'reply')}
            disabled={!note && !!blocked}
            focusKey={state.focusField.value}
            autofocus
            files={
              note
                ? undefined
                : {
                    tray: state.trayOf(item.id),
                    max: () => client.maxFile(item.conv.site),
                    send: (file, progress, signal) => client.sendFile(item.id, file, progress, signal),
                    errorText,
                  }
            }
          />
        </>
      )}
    </section>
  );
}

/** On a phone there is space for little, and there are no keys to name. */
const hint = (note: boolean, ctrlSends: boolean): string =>
  note ? t('noteHint') : narrow.value ? `${t('reply')}…` : t(ctrlSends ? 'replyHintCtrl' : 'replyHint');

/** A reply that was begun while one could still write; it is not sent, and must not be hidden. */
function Kept({ item }: { item: ConvItem }) {
  const state = useConsole();
  const text = state.draftOf(item.id, 'reply');
  if (!text.trim()) return null;
  const asNote = () => {
    const note = state.draftOf(item.id, 'note');
    state.setDraft(item.id, 'note', note ? `${note}\n${text}` : text);
    state.setDraft(item.id, 'reply', '');
    state.mode.value = 'note';
  };
  return (
    <div class="c-kept">
      <p class="k-grow" dir="auto">
        <span class="c-draft">{t('draft')}</span>
        {text}
      </p>
      <Button size="sm" onClick={() => state.setDraft(item.id, 'reply', '')}>
        {t('draftDrop')}
      </Button>
      <Button size="sm" onClick={asNote}>
        {t('draftAsNote')}
      </Button>
    </div>
  );
}

function WhyNot({ client, item, thread }: BoxProps) {
  const state = useConsole();
  const rights = rightsOf(client, item);
  const { owner } = rights;
  const busy = state.acts.isBusy(`take ${item.id}`);
  const take = async () => {
    if (await state.acts.once(`take ${item.id}`, () => client.take(item.id))) state.tab.value = 'mine';
  };
  if (rights.missed) {
    return (
      <Bar text={t('missedBar')}>
        <Button
          size="sm"
          title="Alt+E"
          busy={state.acts.isBusy(dismissing(item.id))}
          onClick={() => void dismissMissed(state, client, item.id)}
        >
          {t('dismissMissed')}
        </Button>
        <Button
          size="sm"
          busy={state.acts.isBusy('reopen')}
          onClick={() => void state.acts.once('reopen', () => client.reopen(item.id))}
        >
          {t('requeue')}
        </Button>
        <Button kind="primary" size="sm" busy={busy} onClick={() => void take()}>
          {t('take')}
        </Button>
      </Bar>
    );
  }
  if (rights.canReopen) {
    return (
      <Bar text={t('closedBar')}>
        <Button
          kind="primary"
          size="sm"
          busy={state.acts.isBusy('reopen')}
          onClick={() => void state.acts.once('reopen', () => client.reopen(item.id))}
        >
          {t('reopen')}
        </Button>
      </Bar>
    );
  }
  if (rights.offered) {
    return (
      <Bar text={t('offeredBar')}>
        <Button size="sm" onClick={() => decline(state, client, item.id)}>
          {t('decline')}
        </Button>
        <Button kind="primary" size="sm" onClick={() => void accept(state, client, item.id)}>
          {t('accept')}
        </Button>
      </Bar>
    );
  }
  const text =
    owner.kind === 'agent'
      ? t('ownedBy', { name: thread.agentName.value ?? owner.user })
      : t(owner.kind === 'robot' ? 'ownedRobot' : 'inQueue');
  return (
    <Bar text={text}>
      {rights.canTake && (
        <Button kind="primary" size="sm" busy={busy} onClick={() => void take()}>
          {t(owner.kind === 'agent' ? 'takeOver' : 'take')}
        </Button>
      )}
    </Bar>
  );
}

function Bar({ text, children }: { text: string; children?: preact.ComponentChildren }) {
  return (
    <div class="c-bar">
      <p class="k-grow">{text}</p>
      {children}
    </div>
  );
}
