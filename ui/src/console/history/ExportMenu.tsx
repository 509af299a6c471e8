/** Saves the conversation as a file on this computer. It is read anew and every signature is checked. */
import type { AgentClient } from '../../model';
import { t } from '../../i18n/history';
import { t as console_ } from '../../i18n/console';
import { counts, exportConversation, type ExportedEvent } from '../../export/conversation';
import { conversationHtml } from '../../export/html';
import { save } from '../../files/save';
import { makeReader } from '../../search/make-reader';
import { Icon } from '../../ui/Icon';
import * as icon from '../../ui/icons';
import { Menu } from '../../ui/Menu';
import { useConsole } from '../useConsole';

function eventText({ event, name = '' }: ExportedEvent): string {
  switch (event) {
    case 'open':
      return console_('evOpen');
    case 'owner.agent':
      return console_('evAccept', { name });
    case 'closed':
      if (name === '@idle') return console_('evClosedIdle');
      return name === '@missed' ? console_('evClosedMissed') : console_('evClosed', { name });
    case 'reopened':
      return console_('evReopened', { name });
    default:
      return '';
  }
}

export function ExportMenu({ client, conv, name }: { client: AgentClient; conv: string; name: string }) {
  const desk = useConsole();
  const run = (as: 'html' | 'json', notes: boolean) =>
    void desk.acts.once('export', async () => {
      desk.toasts.show(() => t('exporting'), 'info');
      const item = client.conversations.peek().find((one) => one.id === conv);
      const access = await client.readerAccess();
      if (!item || !access) return;
      const { reader } = await makeReader(access);
      const last = Math.max(item.conv.last, client.have(conv));
      const made = await exportConversation(
        reader,
        { ...item.conv, last },
        { notes, by: access.user, now: Date.now() },
      );
      // a visitor is called as in the list
      const who = (e: ExportedEvent) => eventText(e.name === 'visitor' ? { ...e, name } : e);
      const file =
        as === 'json'
          ? JSON.stringify(made, null, 1)
          : conversationHtml(made, name, client.sites.peek()[made.site] ?? made.site, who);
      const date = new Date(item.conv.created).toISOString().slice(0, 10);
      save(new Blob([file]), `kefu-${date}-${conv.slice(0, 8)}.${as}`);
      const { good, bad } = counts(made);
      desk.toasts.show(() => (bad ? t('exportedBad', { n: bad }) : t('exported', { n: good })), bad ? 'error' : 'info');
    });
  return (
    <Menu
      label={t('exportAs')}
      items={[
        { label: t('exportHtml'), onSelect: () => run('html', false) },
        { label: t('exportHtmlNotes'), onSelect: () => run('html', true) },
        { label: t('exportJson'), onSelect: () => run('json', false), separate: true },
        { label: t('exportJsonNotes'), onSelect: () => run('json', true) },
      ]}
    >
      <Icon d={icon.save} size={20} />
    </Menu>
  );
}
