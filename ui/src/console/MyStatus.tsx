/** Name and state of the agent, and the menu behind them. */
import type { AgentClient, AgentState } from '../model';
import { lang } from '../i18n/core';
import { t } from '../i18n/console';
import { Avatar } from '../ui/Avatar';
import { Icon } from '../ui/Icon';
import * as icon from '../ui/icons';
import { Menu } from '../ui/Menu';
import { exportFeedback } from './exportFeedback';
import type { NoticeSettings } from './notices/settings';
import { go, historyHash } from './route';
import { setLang } from './settings';
import { useConsole } from './useConsole';

/** What wakes this browser ends with it. */
async function signOut(client: AgentClient, notices: NoticeSettings): Promise<void> {
  if (notices.push.peek())
    await import('./notices/push').then(({ leavePush }) => leavePush(client, notices)).catch(() => undefined);
  await client.logout();
}

const STATES: readonly AgentState[] = ['online', 'busy', 'offline'];

export function MyStatus({ client }: { client: AgentClient }) {
  const state = useConsole();
  const { notices } = state;
  const me = client.me.value;
  if (!me) return null;
  const info = client.agents.value.find((agent) => agent.user === me.user);
  return (
    <header class="c-me">
      <Menu
        align="start"
        worded
        label={t('status')}
        items={STATES.map((one) => ({
          label: t(one),
          checked: me.state === one,
          mark: <span class={`k-dot k-dot-${one}`} aria-hidden="true" />,
          onSelect: () => void state.acts.run(() => client.status(one)),
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
            {notices.quiet.value && ` · ${t('quiet')}`}
          </span>
        </span>
        <Icon d={icon.down} size={16} />
      </Menu>
      <Menu
        label={t('settings')}
        items={[
          { label: t('history'), onSelect: () => go(historyHash({})) },
          { label: t('replies'), onSelect: () => (state.dialog.value = 'replies') },
          { label: t('palette'), onSelect: () => (state.dialog.value = 'palette') },
          { label: t('shortcuts'), onSelect: () => (state.dialog.value = 'shortcuts') },
          {
            label: t(notices.quiet.value ? 'quietOff' : 'quietOn'),
            onSelect: () => notices.set('quiet', !notices.quiet.peek()),
          },
          { label: t('noticesOpen'), onSelect: () => (state.dialog.value = 'notices') },
          {
            label: t(state.assist.value ? 'assistOff' : 'assistOn'),
            onSelect: () => state.setAssist(!state.assist.peek()),
          },
          {
            label: t(state.ctrlSends.value ? 'enterSends' : 'ctrlSends'),
            onSelect: () => state.setCtrlSends(!state.ctrlSends.peek()),
          },
          { label: t('language'), onSelect: () => setLang(lang.peek() === 'en' ? 'zh-CN' : 'en') },
          ...(me.role === 'admin'
            ? [{ label: t('exportFeedback'), onSelect: () => void exportFeedback(state, client) }]
            : []),
          ...(me.role !== 'agent' ? [{ label: t('labels'), onSelect: () => (state.dialog.value = 'labels') }] : []),
          { label: t('changePassword'), onSelect: () => (state.dialog.value = 'password'), separate: true },
          { label: t('lock'), onSelect: () => client.lock() },
          { label: t('logout'), onSelect: () => void state.acts.run(() => signOut(client, notices)) },
        ]}
      >
        <Icon d={icon.more} width={2.4} />
      </Menu>
    </header>
  );
}
