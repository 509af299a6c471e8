/** By what conversations of the past are found. Changes take effect at once. */
import { useId } from 'preact/hooks';
import type { AgentClient, Labels } from '../../model';
import { t } from '../../i18n/history';
import { Button } from '../../ui/Button';
import { starred } from '../../ui/stars';
import { filtersNow, type Filters as Values, type HistoryState } from './history';

type Label = Labels['tags'][number];

interface Choice {
  value: string;
  label: string;
}

function Select({
  label,
  value,
  choices,
  onValue,
}: {
  label: string;
  value?: string;
  choices: Choice[];
  onValue: (v: string) => void;
}) {
  const id = useId();
  // what the address names and nobody knows is shown as it is
  const all = value && !choices.some((c) => c.value === value) ? [...choices, { value, label: value }] : choices;
  return (
    <div class="k-field">
      <label for={id}>{label}</label>
      <select id={id} class="k-input" value={value ?? ''} onInput={(e) => onValue(e.currentTarget.value)}>
        <option value="">{t('any')}</option>
        {all.map((c) => (
          <option key={c.value} value={c.value}>
            {c.label}
          </option>
        ))}
      </select>
    </div>
  );
}

function DateField({ label, value, onValue }: { label: string; value?: string; onValue: (v: string) => void }) {
  const id = useId();
  return (
    <div class="k-field">
      <label for={id}>{label}</label>
      <input id={id} class="k-input" type="date" value={value ?? ''} onInput={(e) => onValue(e.currentTarget.value)} />
    </div>
  );
}

const labelled = (list: readonly Label[]): Choice[] => list.map(({ id, name }) => ({ value: id, label: name }));

/** `searching`: the index knows nothing of what can change: state, labels, rating. */
export function Filters({
  client,
  state,
  searching,
}: {
  client: AgentClient;
  state: HistoryState;
  searching: boolean;
}) {
  const now = filtersNow();
  const me = client.me.value;
  const labels = client.labels.value;
  const set = (name: keyof Values) => (value: string) => state.setFilters({ ...now, [name]: value || undefined });
  const teams = client.teams.value.filter((team) => me?.teams.includes(team.id));
  const n = Object.keys(now).length;
  return (
    <details class="h-filters" open={n > 0}>
      <summary>
        {t('filters')}
        {n > 0 && <span class="c-count">{n}</span>}
      </summary>
      <div class="h-fields">
        <DateField label={t('from')} value={now.from} onValue={set('from')} />
        <DateField label={t('to')} value={now.to} onValue={set('to')} />
        <Select
          label={t('team')}
          value={now.team}
          choices={teams.map((team) => ({ value: team.id, label: team.name }))}
          onValue={set('team')}
        />
        <Select
          label={t('site')}
          value={now.site}
          choices={Object.entries(client.sites.value).map(([value, label]) => ({ value, label }))}
          onValue={set('site')}
        />
        <Select
          label={t('agent')}
          value={now.agent}
          choices={client.people.value.map((p) => ({ value: p.user, label: p.name }))}
          onValue={set('agent')}
        />
        {!searching && (
          <>
            <Select
              label={t('state')}
              value={now.state}
              choices={[
                { value: 'open', label: t('open') },
                { value: 'closed', label: t('closed') },
              ]}
              onValue={set('state')}
            />
            <Select label={t('tag')} value={now.tag} choices={labelled(labels.tags)} onValue={set('tag')} />
            <Select label={t('reason')} value={now.reason} choices={labelled(labels.reasons)} onValue={set('reason')} />
            <Select
              label={t('rating')}
              value={now.rating}
              choices={[5, 4, 3, 2, 1].map((n) => ({ value: `${n}`, label: starred(n) }))}
              onValue={set('rating')}
            />
          </>
        )}
      </div>
      {n > 0 && (
        <Button size="sm" kind="plain" onClick={() => state.setFilters({})}>
          {t('clear')}
        </Button>
      )}
    </details>
  );
}
