/** Who is there: the agent's name once one has the conversation, before that the company's. */
import type { VisitorClient } from '../model';
import { t } from '../i18n/widget';
import { Avatar } from '../ui/bits';
import { IconButton } from '../ui/Button';
import { Icon } from '../ui/Icon';
import { Menu } from '../ui/Menu';

interface HeaderProps {
  client: VisitorClient;
  onClose: () => void;
  onEnd: () => void;
}

export function Header({ client, onClose, onEnd }: HeaderProps) {
  const site = client.site.value;
  const thread = client.thread.value;
  const conv = thread?.conv.value;
  const open = conv?.state === 'open';
  const agent = open ? thread?.agentName.value : null;
  const name = agent ?? site?.name ?? t('title');
  const broken = client.trust.value.mode === 'broken';
  return (
    <header class="w-header">
      <Avatar name={agent ?? site?.orgName ?? '客服'} />
      <div class="k-grow">
        <h1>
          <bdi>{name}</bdi>
        </h1>
        {!broken && <Presence client={client} serving={!!agent} />}
      </div>
      {open && !broken && (
        <Menu label={t('menu')} items={[{ label: t('endChat'), onSelect: onEnd }]}>
          <Icon name="more" />
        </Menu>
      )}
      <IconButton icon="close" label={t('closeChat')} onClick={onClose} />
    </header>
  );
}

function Presence({ client, serving }: { client: VisitorClient; serving: boolean }) {
  const presence = client.presence.value;
  const owner = client.thread.value?.conv.value?.owner;
  if (serving) return <Line dot="online">{t('serving')}</Line>;
  if (owner === 'robot') return <Line dot="online">{t('robotServing')}</Line>;
  if (presence === 'away') return <Line dot="offline">{t('away')}</Line>;
  if (owner === 'queue') return <Line dot="online">{t('waitingAgent')}</Line>;
  return presence === 'open' ? <Line dot="online">{t('online')}</Line> : null;
}

function Line({ dot, children }: { dot: string; children: string }) {
  return (
    <p class="w-presence">
      <span class={`k-dot k-dot-${dot}`} aria-hidden="true" /> {children}
    </p>
  );
}
