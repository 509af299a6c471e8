/**
 * Above the field, while its words ask for something: canned replies after a slash at its beginning, in a note colleagues after an `@`.
 * Arrows move, Enter or Tab takes one, Escape closes.
 */
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../../i18n/console';
import type { AgentClient, ConvItem } from '../../model';
import { isComposing } from '../../ui/keys';
import { useSignal } from '../../ui/signals';
import type { ConsoleState, Mode } from '../state';
import { colleagues, fitting, mentionIn } from './mentions';
import { filled, KIND, matching, queryIn, repliesOf } from './reply';

/** Characters of a reply's text in the list. */
const PREVIEW = 120;
const LIST_ID = 'c-replies';
const optionId = (n: number): string => `${LIST_ID}-${n}`;

interface Option {
  id: string;
  title: string;
  key?: string;
  text: string;
  /** What the field says when it is taken. */
  field: () => string;
}

export interface FieldPicker {
  of: 'reply' | 'mention';
  /** Null: closed. */
  found: readonly Option[] | null;
  /** They are being fetched. */
  loading: boolean;
  chosen: number;
  choose(n: number): void;
  take(option: Option): void;
  /** Whether the key was for the list. */
  onKey(e: KeyboardEvent): boolean;
  /** For the field: what a screen reader is told. */
  field: Record<string, string | undefined>;
}

function replies(client: AgentClient, item: ConvItem, query: string): Option[] {
  return matching(repliesOf(client), query).map((r) => ({
    id: r.id,
    title: r.title || r.group || r.shortcut,
    key: r.shortcut && `/${r.shortcut}`,
    text: r.text.slice(0, PREVIEW),
    field: () => filled(r.text, client, item),
  }));
}

function people(client: AgentClient, item: ConvItem, draft: string, query: string): Option[] {
  const before = draft.slice(0, draft.length - query.length);
  return fitting(colleagues(client, item), query).map((a) => ({
    id: a.user,
    title: a.name,
    text: t(a.state),
    field: () => `${before}${a.name} `,
  }));
}

export function useFieldPicker(state: ConsoleState, client: AgentClient, item: ConvItem, mode: Mode): FieldPicker {
  const draft = state.draftOf(item.id, mode);
  const reply = queryIn(draft);
  const mention = reply === null && mode === 'note' ? mentionIn(draft) : null;
  const query = reply ?? mention;
  // before the first slash: what is pressed at once must find them
  useEffect(() => void client.documents?.list(KIND), [client]);
  const loading = reply !== null && client.documents?.list(KIND).value.state === 'loading';
  const closed = useSignal('');
  const at = useSignal(0);
  useEffect(() => {
    at.value = 0;
    if (query === null) closed.value = '';
  }, [query]);
  const open = query !== null && closed.value !== draft;
  const all = open && (mention === null ? replies(client, item, query) : people(client, item, draft, query));
  // nobody is disturbed by an address or a price
  const found = all && (all.length || mention === null) ? all : null;
  const chosen = Math.min(at.value, (found?.length ?? 1) - 1);

  const take = (option: Option): void => {
    state.setDraft(item.id, mode, option.field());
    state.focusField.value++;
  };
  const onKey = (e: KeyboardEvent): boolean => {
    if (!found || isComposing(e) || e.ctrlKey || e.metaKey || e.altKey) return false;
    const takes = (e.key === 'Enter' || e.key === 'Tab') && !e.shiftKey;
    if (e.key === 'Escape') closed.value = draft;
    // a shortcut is not sent to the visitor because its reply is not here yet
    else if (!found.length) return loading && takes;
    else if (e.key === 'ArrowDown') at.value = (chosen + 1) % found.length;
    else if (e.key === 'ArrowUp') at.value = (chosen + found.length - 1) % found.length;
    else if (takes) take(found[chosen]!);
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
  const of = mention === null ? 'reply' : 'mention';
  return { of, found, loading, chosen, choose: (n) => (at.value = n), take, onKey, field };
}

export function Picker({ picker, onManage }: { picker: FieldPicker; onManage: () => void }) {
  const { of, found, loading, chosen } = picker;
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' });
  }, [chosen, found]);
  const n = found?.length ?? 0;
  const said =
    of === 'mention'
      ? t('mentionsFound', { n })
      : n
        ? t('repliesFound', { n })
        : t(loading ? 'repliesLoading' : 'repliesNone');
  return (
    <div class="c-pick" hidden={!found}>
      <div
        ref={list}
        id={LIST_ID}
        class="c-pick-list"
        role="listbox"
        aria-label={t(of === 'reply' ? 'replies' : 'mentions')}
      >
        {found?.map((one, i) => (
          // the field keeps the focus and its keys
          <button
            key={one.id}
            id={optionId(i)}
            type="button"
            tabIndex={-1}
            role="option"
            aria-selected={i === chosen}
            class="c-pick-one"
            onMouseDown={(e) => e.preventDefault()}
            onMouseMove={() => picker.choose(i)}
            onClick={() => picker.take(one)}
          >
            <span class="c-pick-title">
              <strong dir="auto">{one.title}</strong>
              {one.key && <kbd>{one.key}</kbd>}
            </span>
            <span class="c-pick-text" dir="auto">
              {one.text}
            </span>
          </button>
        ))}
      </div>
      <p class="c-pick-foot">
        <span role="status">{found && said}</span>
        {of === 'reply' && (
          <button type="button" class="k-link" onMouseDown={(e) => e.preventDefault()} onClick={onManage}>
            {t('repliesManage')}
          </button>
        )}
      </p>
    </div>
  );
}
