/** The choice of filters with how many each would show, the order, and views that were saved. */
import type { AgentClient, ConvItem } from '../model';
import { t } from '../i18n/console';
import { t as more } from '../i18n/handling';
import { Button, IconButton } from '../ui/Button';
import * as icon from '../ui/icons';
import { useSignal } from '../ui/signals';
import { isIn, matches, ofTab, PRIORITIES, priorityOf, SORTS, STATES, type Filter, type View } from './filters';
import { useConsole } from './useConsole';
import { browserViews, MAX_NAME, MAX_VIEWS, type ViewStore } from './views';
import './FilterPanel.css';

const toggled = <T,>(list: readonly T[], one: T): T[] =>
  list.includes(one) ? list.filter((x) => x !== one) : [...list, one];

interface PanelProps {
  client: AgentClient;
  views?: ViewStore;
  /** It could not be fetched. */
  onClose?: () => void;
}

export function FilterPanel({ client, views = browserViews }: PanelProps) {
  const state = useConsole();
  const filter = state.filter.value;
  const tab = state.tab.value;
  const all = client.conversations.value;
  const labels = client.labels.value;
  const set = (change: Partial<Filter>) => (state.filter.value = { ...filter, ...change });
  // with the other filters as they are: what one would see
  const count = (without: Partial<Filter>, has: (item: ConvItem) => boolean, aside = false): number => {
    const rest = { ...filter, ...without };
    const within = aside || rest.states.length ? all.filter((item) => item.tabs[tab]) : ofTab(all, tab);
    return within.filter((item) => matches(item, rest) && has(item)).length;
  };
  const sites = [...new Set(all.map((item) => item.conv.site))].sort();
  const used = new Set(all.flatMap((item) => item.conv.tags ?? []));
  const tags = labels.tags.filter((tag) => !tag.retired || used.has(tag.id));
  const option = (key: string, text: string, n: number, on: boolean, flip: () => void, color?: string) => (
    <button key={key} type="button" class="c-option" aria-pressed={on} onClick={flip} data-color={color}>
      <bdi>{text}</bdi>
      <span class="c-count">{n}</span>
    </button>
  );
  return (
    <div class="c-filters">
      <fieldset>
        <legend>{more('states')}</legend>
        {STATES.map((s) =>
          option(
            s,
            t(`state.${s}`),
            count({ states: [] }, (item) => isIn(item, s), true),
            filter.states.includes(s),
            () => set({ states: toggled(filter.states, s) }),
          ),
        )}
      </fieldset>
      <fieldset>
        <legend>{t('priority')}</legend>
        {PRIORITIES.map((p) =>
          option(
            p,
            t(`priority.${p}`),
            count({ priorities: [] }, (item) => priorityOf(item) === p),
            filter.priorities.includes(p),
            () => set({ priorities: toggled(filter.priorities, p) }),
          ),
        )}
      </fieldset>
      {tags.length > 0 && (
        <fieldset>
          <legend>{t('tags')}</legend>
          {tags.map((tag) =>
            option(
              tag.id,
              tag.name,
              count({ tags: [] }, (item) => item.conv.tags?.includes(tag.id) ?? false),
              filter.tags.includes(tag.id),
              () => set({ tags: toggled(filter.tags, tag.id) }),
              tag.color,
            ),
          )}
        </fieldset>
      )}
      {sites.length > 1 && (
        <fieldset>
          <legend>{t('site')}</legend>
          {sites.map((id) =>
            option(
              id,
              client.sites.value[id] ?? id,
              count({ sites: [] }, (item) => item.conv.site === id),
              filter.sites.includes(id),
              () => set({ sites: toggled(filter.sites, id) }),
            ),
          )}
        </fieldset>
      )}
      <fieldset>
        <legend>{more('sort')}</legend>
        {SORTS.map((sort) => (
          <label key={sort} class="c-sort">
            <input
              type="radio"
              name="sort"
              checked={state.sort.value === sort}
              onChange={() => (state.sort.value = sort)}
            />
            {more(`sort.${sort}`)}
          </label>
        ))}
      </fieldset>
      <Views user={client.me.value?.user ?? ''} views={views} />
    </div>
  );
}

function Views({ user, views }: { user: string; views: ViewStore }) {
  const state = useConsole();
  const list = useSignal<readonly View[]>(views.load(user));
  const name = useSignal('');
  const keep = (next: readonly View[]) => {
    list.value = next;
    views.save(user, next);
  };
  const open = ({ name: _, tab, sort, ...filter }: View) => {
    state.tab.value = tab;
    state.sort.value = sort;
    state.filter.value = filter;
  };
  const save = (e: Event) => {
    e.preventDefault();
    const called = name.peek().trim();
    if (!called) return;
    const view = { ...state.filter.peek(), name: called, tab: state.tab.peek(), sort: state.sort.peek() };
    keep([...list.peek().filter((v) => v.name !== called), view].slice(-MAX_VIEWS));
    name.value = '';
  };
  return (
    <fieldset>
      <legend>{more('views')}</legend>
      {list.value.map((view) => (
        <span key={view.name} class="c-view">
          <Button size="sm" onClick={() => open(view)}>
            <bdi>{view.name}</bdi>
          </Button>
          <IconButton
            icon={icon.close}
            size={14}
            label={more('viewDelete', { name: view.name })}
            onClick={() => keep(list.peek().filter((v) => v !== view))}
          />
        </span>
      ))}
      <form class="c-saveview" onSubmit={save}>
        <input
          class="k-input"
          aria-label={more('viewName')}
          placeholder={more('viewName')}
          maxLength={MAX_NAME}
          value={name.value}
          onInput={(e) => (name.value = e.currentTarget.value)}
        />
        <Button size="sm" type="submit">
          {t('save')}
        </Button>
      </form>
      <p class="k-hint">{more('viewsHere')}</p>
    </fieldset>
  );
}
