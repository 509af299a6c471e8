/** Above the list: which filters are on, and the way to choose others. What can be chosen is fetched when it is first opened. */
import type { AgentClient } from '../model';
import { t } from '../i18n/console';
import { Button } from '../ui/Button';
import { Icon } from '../ui/Icon';
import * as icon from '../ui/icons';
import { isOn, NO_FILTER, STATES, type Filter } from './filters';
import { tagName } from './handling';
import { lazy } from './lazy';
import { useConsole } from './useConsole';

const FilterPanel = lazy(async () => (await import('./FilterPanel')).FilterPanel);

/** `found`: how many the list shows. */
export function FilterBar({ client, found }: { client: AgentClient; found: number }) {
  const state = useConsole();
  const filter = state.filter.value;
  const open = state.showFilter.value;
  const on = isOn(filter);
  const set = (change: Partial<Filter>) => (state.filter.value = { ...filter, ...change });
  const chip = (key: string, text: string, off: Partial<Filter>) => (
    <button key={key} type="button" class="c-chip" onClick={() => set(off)} title={t('filterOff', { what: text })}>
      <span class="k-sr">{t('filterOff', { what: '' })}</span>
      {text}
      <Icon d={icon.close} size={12} />
    </button>
  );
  const without = <T,>(list: readonly T[], one: T): T[] => list.filter((x) => x !== one);
  return (
    <div class="c-filter">
      <div class="c-filterbar">
        <Button
          size="sm"
          kind="plain"
          aria-expanded={open}
          aria-controls="c-filters"
          onClick={() => (state.showFilter.value = !open)}
        >
          {t('filter')}
          <Icon d={icon.down} size={14} />
        </Button>
        {STATES.filter((s) => filter.states.includes(s)).map((s) =>
          chip(s, t(`state.${s}`), { states: without(filter.states, s) }),
        )}
        {filter.sites.map((id) => chip(`s${id}`, client.sites.value[id] ?? id, { sites: without(filter.sites, id) }))}
        {filter.tags.map((id) => chip(`t${id}`, tagName(client.labels.value, id), { tags: without(filter.tags, id) }))}
        {filter.priorities.map((p) => chip(`p${p}`, t(`priority.${p}`), { priorities: without(filter.priorities, p) }))}
        {on && (
          <button type="button" class="k-link" onClick={() => (state.filter.value = NO_FILTER)}>
            {t('filterClear')}
          </button>
        )}
        <span class="k-sr" role="status">
          {on ? t('filterFound', { n: found }) : ''}
        </span>
      </div>
      <div id="c-filters">
        {open && <FilterPanel client={client} onClose={() => (state.showFilter.value = false)} />}
      </div>
    </div>
  );
}
