/** Below a message of the robot: what it understood and why, folded; and an agent's judgement of it. */
import type { AgentClient, IntentFeedback, Message } from '../model';
import { t } from '../i18n/console';
import { Button } from '../ui/Button';
import { Icon } from '../ui/Icon';
import * as icon from '../ui/icons';
import { useSignal } from '../ui/signals';
import { intentId, intentName, INTENTS } from './intents';
import { reasonText } from './reasons';
import { useConsole } from './useConsole';

interface BotLineProps {
  client: AgentClient;
  conv: string;
  message: Message;
  fix?: IntentFeedback & { by: string };
}

export function BotLine({ client, conv, message, fix }: BotLineProps) {
  const state = useConsole();
  const choosing = useSignal(false);
  const { thought } = message;
  if (!thought) return null;
  const { intent, p, entry } = thought;
  const why = reasonText(thought.why);
  const percent = Math.round(p * 100);
  const judge = (right: string) => {
    choosing.value = false;
    const text = t(right === intent ? 'fixNoteRight' : 'fixNote', { intent: intentName(right) });
    void state.acts.run(() => client.note(conv, text, { msg: message.id, intent: right }));
  };
  return (
    <details class="c-bot">
      <summary>
        <span class="k-sr">{t('botLine')}: </span>
        {intent === null || percent === 0 ? t('botNone') : `${intentName(intent)} · ${percent}%`}
        {fix && (
          <span class="c-bot-fix">
            <Icon d={icon.check} size={14} />{' '}
            {t(fix.intent === intent ? 'fixedRight' : 'fixed', { intent: intentName(fix.intent) })}
          </span>
        )}
      </summary>
      {entry !== undefined && <p>{t('botEntry', { entry })}</p>}
      {why && <p>{t('botWhy', { why })}</p>}
      {choosing.value ? (
        <Choose conv={message.id} onSave={judge} />
      ) : (
        <p class="c-bot-acts">
          {intent !== null && (
            <Button size="sm" onClick={() => judge(intent)}>
              {t('fixRight')}
            </Button>
          )}
          <Button size="sm" onClick={() => (choosing.value = true)}>
            {t(intent === null ? 'fixPick' : 'fixWrong')}
          </Button>
        </p>
      )}
    </details>
  );
}

/** One of the default intents, or any other the company has. */
function Choose({ conv, onSave }: { conv: string; onSave: (intent: string) => void }) {
  const typed = useSignal('');
  const list = `intents-${conv}`;
  return (
    <form
      class="c-bot-acts"
      onSubmit={(e) => {
        e.preventDefault();
        const id = intentId(typed.peek());
        if (id) onSave(id);
      }}
    >
      <input
        class="k-input"
        list={list}
        aria-label={t('fixChoose')}
        placeholder={t('fixChoose')}
        value={typed.value}
        maxLength={64}
        autofocus
        onInput={(e) => (typed.value = e.currentTarget.value)}
      />
      <datalist id={list}>
        {Object.keys(INTENTS).map((id) => (
          <option key={id} value={intentName(id)} />
        ))}
      </datalist>
      <Button size="sm" kind="primary" type="submit" disabled={!typed.value.trim()}>
        {t('fixSave')}
      </Button>
    </form>
  );
}
