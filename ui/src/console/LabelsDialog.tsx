/** Where supervisors and admins define tags and reasons for closing. */
import type { AgentClient, Label } from '../model';
import { t } from '../i18n/console';
import { t as more } from '../i18n/handling';
import { Button } from '../ui/Button';
import { Dialog } from '../ui/Dialog';
import { useSignal } from '../ui/signals';
import { useConsole } from './useConsole';
import './LabelsDialog.css';

const COLORS = ['gray', 'red', 'orange', 'yellow', 'green', 'teal', 'blue', 'purple'] as const;
type Kind = 'tag' | 'reason';
const MAX_NAME = 40;

/** Ids are for programs: people choose names, in any script. */
const newId = (): string => `l${[...crypto.getRandomValues(new Uint8Array(6))].map((b) => b.toString(36)).join('')}`;

export function LabelsDialog({ client, onClose }: { client: AgentClient; onClose: () => void }) {
  const { tags, reasons } = client.labels.value;
  return (
    <Dialog title={t('labels')} onClose={onClose}>
      <p class="c-lead">{more('labelsText')}</p>
      <List client={client} kind="tag" labels={tags} title={t('tags')} />
      <List client={client} kind="reason" labels={reasons} title={t('closeReason')} />
    </Dialog>
  );
}

function List(props: { client: AgentClient; kind: Kind; labels: readonly Label[]; title: string }) {
  const { client, kind, labels, title } = props;
  const state = useConsole();
  const name = useSignal('');
  const color = useSignal<string>('blue');
  const define = (label: Label) => state.acts.once(`label ${label.id}`, () => client.defineLabel(kind, label));
  const add = async (e: Event) => {
    e.preventDefault();
    const called = name.peek().trim();
    if (called && (await define({ id: newId(), name: called, color: kind === 'tag' ? color.peek() : 'gray' })))
      name.value = '';
  };
  return (
    <section class="c-part" aria-label={title}>
      <h3>{title}</h3>
      {labels.map((label) => (
        <div key={label.id} class="c-labelrow">
          <span class="k-grow">
            <span class="c-label" data-color={label.color}>
              <bdi>{label.name}</bdi>
            </span>{' '}
            {label.retired && <small>{more('retired')}</small>}
          </span>
          <Button
            size="sm"
            busy={state.acts.isBusy(`label ${label.id}`)}
            aria-label={more(label.retired ? 'bringBackNamed' : 'retireNamed', { name: label.name })}
            onClick={() => void define({ ...label, retired: !label.retired })}
          >
            {more(label.retired ? 'bringBack' : 'retire')}
          </Button>
        </div>
      ))}
      <form class="c-saveview" onSubmit={(e) => void add(e)}>
        <input
          class="k-input"
          aria-label={more('newName', { list: title })}
          placeholder={more('newName', { list: title })}
          maxLength={MAX_NAME}
          value={name.value}
          onInput={(e) => (name.value = e.currentTarget.value)}
        />
        {kind === 'tag' && (
          <select
            class="k-input"
            aria-label={more('color')}
            value={color.value}
            onChange={(e) => (color.value = e.currentTarget.value)}
          >
            {COLORS.map((c) => (
              <option key={c} value={c}>
                {more(`color.${c}`)}
              </option>
            ))}
          </select>
        )}
        <Button type="submit">{more('add')}</Button>
      </form>
    </section>
  );
}
