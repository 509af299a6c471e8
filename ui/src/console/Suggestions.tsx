/** Above the field: up to three answers from the knowledge to what the visitor wrote. One press puts one into the reply. */
import type { AgentClient, ConvItem, Thread } from '../model';
import { t } from '../i18n/console';
import { Icon } from '../ui/Icon';
import * as icon from '../ui/icons';
import { plain } from '../ui/plain';
import { suggestionsFor, takeSuggestion, unanswered } from './assist';
import { useConsole } from './useConsole';

/** Of a long answer nobody reads more in a line. */
const PREVIEW = 160;

export function Suggestions({ client, item, thread }: { client: AgentClient; item: ConvItem; thread: Thread }) {
  const state = useConsole();
  if (!state.assist.value) return null;
  const messages = thread.messages.value;
  const knowledge = unanswered(messages).length ? client.knowledge(item.conv.site).value.state : 'none';
  const found = suggestionsFor(state, client, item, messages);
  const trouble = knowledge === 'too-large' ? t('assistTooLarge') : knowledge === 'failed' ? t('assistFailed') : '';
  return (
    <section class="c-assist" aria-label={t('assist')}>
      {/* always present, so that a change is announced */}
      <p class={trouble ? 'c-assist-trouble' : 'k-sr'} role="status">
        {trouble || (found.length ? t('assistFound', { n: found.length }) : '')}
      </p>
      {found.length > 0 && (
        <ol>
          {found.map((one, n) => (
            <li key={one.entry.id}>
              <button
                type="button"
                aria-keyshortcuts={`Alt+${n + 1}`}
                title={plain(one.entry.answer)}
                onClick={() => takeSuggestion(state, item.id, one)}
              >
                <kbd aria-hidden="true">
                  <Icon d={icon.knowledge} size={16} /> {n + 1}
                </kbd>
                <span class="c-assist-text" dir="auto">
                  <strong>{one.entry.question}</strong> <span>{plain(one.entry.answer).slice(0, PREVIEW)}</span>
                </span>
              </button>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
