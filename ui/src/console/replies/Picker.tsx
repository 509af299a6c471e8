/** Above the field, while it begins with a slash: the canned replies that fit. Arrows move, Enter or Tab takes one, Escape closes. */
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../../i18n/console';
import type { AgentClient, ConvItem } from '../../model';
import { isComposing } from '../../ui/keys';
import { useSignal } from '../../ui/signals';
import type { ConsoleState, Mode } from '../state';
import { filled, matching, queryIn, repliesOf, type Reply } from './reply';

/** Characters of a reply's text in the list. */
const PREVIEW = 120;
export const LIST_ID = 'c-replies';
const optionId = (n: number): string => `${LIST_ID}-${n}`;

export interface ReplyPicker {
  /** Null: closed. */
  found: readonly Reply[] | null;
  chosen: number;
  choose(n: number): void;
  take(reply: Reply): void;
  /** Whether the key was for the list. */
  onKey(e: KeyboardEvent): boolean;
  /** For the field: what a screen reader is told. */
  field: Record<string, string | undefined>;
}

export function useReplyPicker(state: ConsoleState, client: AgentClient, item: ConvItem, mode: Mode): ReplyPicker {
  const draft = state.draftOf(item.id, mode);
  const query = queryIn(draft);
  const closed = useSignal('');
  const at = useSignal(0);
  useEffect(() => {
    at.value = 0;
    if (query === null) closed.value = '';
  }, [query]);
  const open = query !== null && closed.value !== draft;
  const found = open ? matching(repliesOf(client), query) : null;
  const chosen = Math.min(at.value, (found?.length ?? 1) - 1);

  const take = (reply: Reply): void => {
    state.setDraft(item.id, mode, filled(reply.text, client, item));
    state.focusField.value++;
  };
  const onKey = (e: KeyboardEvent): boolean => {
    if (!found || isComposing(e) || e.ctrlKey || e.metaKey || e.altKey) return false;
    if (e.key === 'Escape') closed.value = draft;
    else if (!found.length) return false;
    else if (e.key === 'ArrowDown') at.value = (chosen + 1) % found.length;
    else if (e.key === 'ArrowUp') at.value = (chosen + found.length - 1) % found.length;
    else if ((e.key === 'Enter' || e.key === 'Tab') && !e.shiftKey) take(found[chosen]!);
    else return false;
    return true;
  };
  const field = found
    ? {
        'aria-autocomplete': 'list',
        'aria-haspopup': 'listbox',
        'aria-controls': LIST_ID,
        'aria-activedescendant': found.length ? optionId(chosen) : undefined,
      }
    : {};
  return { found, chosen, choose: (n) => (at.value = n), take, onKey, field };
}

export function Picker({ picker, onManage }: { picker: ReplyPicker; onManage: () => void }) {
  const { found, chosen } = picker;
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' });
  }, [chosen, found]);
  return (
    <div class="c-pick" hidden={!found}>
      <div ref={list} id={LIST_ID} class="c-pick-list" role="listbox" aria-label={t('replies')}>
        {found?.map((r, n) => (
          // the field keeps the focus and its keys
          <button
            key={r.id}
            id={optionId(n)}
            type="button"
            tabIndex={-1}
            role="option"
            aria-selected={n === chosen}
            class="c-pick-one"
            onMouseDown={(e) => e.preventDefault()}
            onMouseMove={() => picker.choose(n)}
            onClick={() => picker.take(r)}
          >
            <span class="c-pick-title">
              <strong dir="auto">{r.title || r.group || r.shortcut}</strong>
              {r.shortcut && <kbd>/{r.shortcut}</kbd>}
            </span>
            <span class="c-pick-text" dir="auto">
              {r.text.slice(0, PREVIEW)}
            </span>
          </button>
        ))}
      </div>
      <p class="c-pick-foot">
        <span role="status">{found && (found.length ? t('repliesFound', { n: found.length }) : t('repliesNone'))}</span>
        <button type="button" class="k-link" onMouseDown={(e) => e.preventDefault()} onClick={onManage}>
          {t('repliesManage')}
        </button>
      </p>
    </div>
  );
}
