/** A desk that never had a conversation: what is still to do until the first one comes. */
import type { AgentClient } from '../model';
import { t } from '../i18n/console';
import { Icon } from '../ui/Icon';
import * as icon from '../ui/icons';
import './FirstSteps.css';

export function FirstSteps({ client }: { client: AgentClient }) {
  const me = client.me.value;
  const site = Object.keys(client.sites.value)[0];
  const steps = [
    { done: !!me?.teams.length, text: t('stepTeam') },
    { done: me?.state === 'online', text: t('stepOnline') },
    { done: site !== undefined, text: t('stepSite') },
    {
      done: false,
      text: t('stepSnippet'),
      code: site !== undefined && me?.role === 'admin' ? `kefu site snippet ${site}` : undefined,
    },
    { done: false, text: t('stepTry') },
  ];
  return (
    <div class="k-empty">
      <Icon d={icon.chat} size={32} />
      <h1 class="k-empty-title">{t('stepsTitle')}</h1>
      <ol class="c-steps">
        {steps.map((step) => (
          <li key={step.text} class={step.done ? 'c-done' : ''}>
            <span>
              {step.text}
              {step.done && <span class="k-sr"> {t('stepDone')}</span>}
            </span>
            {step.done && <Icon d={icon.check} size={16} />}
            {step.code && <code>{step.code}</code>}
          </li>
        ))}
      </ol>
    </div>
  );
}
