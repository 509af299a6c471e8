/** Under the head of a thread: how this conversation is sorted, and the acts that change it. */
import type { AgentClient, ConvItem } from '../model';
import { t } from '../i18n/console';
import { Button } from '../ui/Button';
import { Icon } from '../ui/Icon';
import * as icon from '../ui/icons';
import { Menu } from '../ui/Menu';
import { now } from '../ui/time';
import { PRIORITIES, priorityOf } from './filters';
import { mayHandle, reasonName, snoozedText, SNOOZES, snoozeUntil } from './handling';
import { rightsOf } from './rights';
import { Tags } from './Tags';
import { useConsole } from './useConsole';

export function Handling({ client, item }: { client: AgentClient; item: ConvItem }) {
  const state = useConsole();
  const { conv } = item;
  const labels = client.labels.value;
  const rights = rightsOf(client, item);
  const may = mayHandle(item, client.me.value);
  const priority = priorityOf(item);
  const run = (act: () => Promise<void>) => void state.acts.run(act);
  const snoozes = rights.canClose && rights.owner.kind === 'agent';
  if (!may && !conv.tags && conv.snoozed === undefined && priority === 'normal' && !conv.reason) return null;
  return (
    <div class="c-handling" role="group" aria-label={t('handling')}>
      {conv.reason && (
        <span class="c-label" title={t('closeReason')}>
          {t('closedAs', { reason: reasonName(labels, conv.reason) })}
        </span>
      )}
      {conv.snoozed !== undefined && <span class="c-label">{snoozedText(conv.snoozed, now.value)}</span>}
      {!may && priority !== 'normal' && (
        <span class={`k-tag c-priority c-${priority}`}>{t(`priority.${priority}`)}</span>
      )}
      {conv.tags && <Tags ids={conv.tags} labels={labels} />}
      {may && (
        <>
          <Button size="sm" kind="plain" onClick={() => (state.dialog.value = 'tags')}>
            {t('tags')}
          </Button>
          <Menu
            worded
            align="start"
            label={t('priority')}
            items={PRIORITIES.map((one) => ({
              label: t(`priority.${one}`),
              checked: one === priority,
              onSelect: () => run(() => client.setPriority(item.id, one)),
            }))}
          >
            <span class={`c-priority c-${priority}`}>{t(`priority.${priority}`)}</span>
            <Icon d={icon.down} size={14} />
          </Menu>
          {conv.snoozed !== undefined ? (
            <Button size="sm" kind="plain" onClick={() => run(() => client.snooze(item.id, null))}>
              {t('wake')}
            </Button>
          ) : (
            snoozes && (
              <Menu
                worded
                align="start"
                label={t('snooze')}
                items={[
                  ...SNOOZES.map((one) => ({
                    label: t(`snooze.${one}`),
                    onSelect: () => run(() => client.snooze(item.id, snoozeUntil(one, Date.now()))),
                  })),
                  { label: t('snooze.other'), onSelect: () => (state.dialog.value = 'snooze'), separate: true },
                ]}
              >
                {t('snoozeUntil')}
                <Icon d={icon.down} size={14} />
              </Menu>
            )
          )}
        </>
      )}
    </div>
  );
}
