/** Name and state of the agent, and the menu behind them. */
import type { AgentClient, AgentState } from '../model';
import { lang } from '../i18n/core';
import { t } from '../i18n/console';
import { Avatar } from '../ui/bits';
import { Icon } from '../ui/Icon';
import * as icon from '../ui/icons';
import { Menu } from '../ui/Menu';
import { act } from './act';
import { exportFixes } from './exportFixes';
import { assist, dialog, setAssist, setLang, setSound, sound } from './state';

const STATES: readonly AgentState[] = ['online', 'busy', 'offline'];

export function MyStatus({ client }: { client: AgentClient }) {
  const me = client.me.value;
  if (!me) return null;
  const info = client.agents.value.find((agent) => agent.user === me.user);
  return (
    <header class="c-me">
      <Menu
        align="start"
        worded
        label={t('status')}
        items={STATES.map((state) => ({
          label: t(state),
          checked: me.state === state,
          mark: <span class={`k-dot k-dot-${state}`} aria-hidden="true" />,
          onSelect: () => void act(() => client.status(state)),
        }))}
      >
        <Avatar name={me.name} state={me.state} />
        <span class="c-me-text">
          <bdi class="c-me-name">{me.name}</bdi>
          <span class="c-me-state">
            {t(me.state)}
            {info && (
              <span title={t('loadLabel', { load: info.load, capacity: info.capacity })}>
                {' '}
                · {t('load', { load: info.load, capacity: info.capacity })}
              </span>
            )}
          </span>
        </span>
        <Icon d={icon.down} size={16} />
      </Menu>
      <Menu
        label={t('settings')}
        items={[
          { label: t('shortcuts'), onSelect: () => (dialog.value = 'shortcuts') },
          { label: t(sound.value ? 'soundOff' : 'soundOn'), onSelect: () => setSound(!sound.peek()) },
          { label: t(assist.value ? 'assistOff' : 'assistOn'), onSelect: () => setAssist(!assist.peek()) },
          { label: t('language'), onSelect: () => setLang(lang.peek() === 'en' ? 'zh-CN' : 'en') },
          ...(me.role === 'admin' ? [{ label: t('exportFixes'), onSelect: () => void exportFixes(client) }] : []),
          { label: t('changePassword'), onSelect: () => (dialog.value = 'password'), separate: true },
          { label: t('lock'), onSelect: () => client.lock() },
          { label: t('logout'), onSelect: () => void act(() => client.logout()) },
        ]}
      >
        <Icon d={icon.more} width={2.4} />
      </Menu>
    </header>
  );
}
