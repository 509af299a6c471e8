/** Choice of a transfer's recipient: a colleague, with their load, or a team's queue. */
import { useId } from 'preact/hooks';
import type { AgentClient, AgentInfo, ConvItem } from '../model';
import { listOf } from '../i18n/core';
import { t } from '../i18n/console';
import { t as shared } from '../i18n/shared';
import { Avatar } from '../ui/Avatar';
import { Button } from '../ui/Button';
import { Dialog } from '../ui/Dialog';
import { Icon } from '../ui/Icon';
import * as icon from '../ui/icons';
import { useSignal } from '../ui/signals';
import { isLate } from './Waiting';
import { useConsole } from './useConsole';

/** Characters of a reason: a line or two. */
const MAX_REASON = 500;

type Target = { agent: string } | { team: string };
const keyOf = (to: Target): string => ('agent' in to ? `agent ${to.agent}` : `team ${to.team}`);

/** Those who can take it, the freest first; busy ones after the online. */
export function candidates(agents: readonly AgentInfo[], without: (string | null)[]): AgentInfo[] {
  const order = { online: 0, busy: 1, offline: 2 };
  return agents
    .filter((agent) => agent.state !== 'offline' && !without.includes(agent.user))
    .sort(
      (a, b) =>
        order[a.state] - order[b.state] || a.load / a.capacity - b.load / b.capacity || a.name.localeCompare(b.name),
    );
}

export function TransferDialog({
  client,
  item,
  onClose,
}: {
  client: AgentClient;
  item: ConvItem;
  onClose: () => void;
}) {
  const state = useConsole();
  const to = useSignal<Target | null>(null);
  const owner = item.conv.owner.startsWith('agent:') ? item.conv.owner.slice(6) : null;
  const people = candidates(client.agents.value, [owner]);
  const teamName = (id: string) => client.teams.value.find((team) => team.id === id)?.name ?? id;
  const chosen = to.value && keyOf(to.value);
  const reason = useSignal('');
  const id = useId();

  const go = async () => {
    const target = to.peek();
    if (target && (await state.acts.once('transfer', () => client.transfer(item.id, target, reason.peek().trim()))))
      onClose();
  };
  const choice = (target: Target, content: preact.ComponentChildren, disabled = false) => (
    <label key={keyOf(target)} class="c-choice">
      <input
        type="radio"
        name="to"
        disabled={disabled}
        checked={chosen === keyOf(target)}
        onChange={() => (to.value = target)}
      />
      {content}
    </label>
  );

  return (
    <Dialog
      title={t('transferTitle')}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{shared('cancel')}</Button>
          <Button kind="primary" busy={state.acts.isBusy('transfer')} disabled={!to.value} onClick={() => void go()}>
            {t('transfer')}
          </Button>
        </>
      }
    >
      <p class="c-lead">{t('transferText')}</p>
      <fieldset class="c-choices">
        <legend>{t('toAgent')}</legend>
        {people.map((agent) =>
          choice(
            { agent: agent.user },
            <>
              <Avatar name={agent.name} state={agent.state} size="sm" />
              <span class="k-grow">
                <bdi>{agent.name}</bdi>{' '}
                <small>{isLate(client, agent.user) ? t('waitingTag') : listOf(agent.teams.map(teamName))}</small>
              </span>
              <span class="c-load" title={t('loadLabel', { load: agent.load, capacity: agent.capacity })}>
                {t('load', { load: agent.load, capacity: agent.capacity })}
              </span>
            </>,
            isLate(client, agent.user),
          ),
        )}
        {!people.length && (
          <p class="k-hint">
            {t('noAgents')} {t('noAgentsText')}
          </p>
        )}
      </fieldset>
      <fieldset class="c-choices">
        <legend>{t('toTeam')}</legend>
        {client.teams.value.map((team) =>
          choice(
            { team: team.id },
            <>
              <Icon d={icon.team} />
              <span class="k-grow">{team.name}</span>
              <small>
                {t('teamOnline', {
                  n: client.agents.value.filter((a) => a.state === 'online' && a.teams.includes(team.id)).length,
                })}
              </small>
            </>,
          ),
        )}
      </fieldset>
      <div class="k-field">
        <label for={id}>{t('reason')}</label>
        <textarea
          id={id}
          aria-describedby={`${id}h`}
          class="k-input"
          rows={2}
          maxLength={MAX_REASON}
          value={reason.value}
          dir="auto"
          onInput={(e) => (reason.value = e.currentTarget.value)}
        />
        <span id={`${id}h`} class="k-hint">
          {t('reasonHint')}
        </span>
      </div>
    </Dialog>
  );
}
