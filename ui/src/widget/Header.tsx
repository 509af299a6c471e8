/** Who is there: the agent's name once one has the conversation, before that the company's. */
import type { SiteInfo, VisitorClient } from '../model';
import { t } from '../i18n/widget';
import { Avatar } from '../ui/Avatar';
import { Button, IconButton } from '../ui/Button';
import * as icon from '../ui/icons';

interface HeaderProps {
  client: VisitorClient;
  onClose: () => void;
  onEnd: () => void;
  onShare: () => void;
}

/** A site without a name of its own is called by its id: nobody knows that one. */
export const siteName = (site: SiteInfo): string => (site.name !== site.id && site.name) || site.orgName || site.name;

export function Header({ client, onClose, onEnd, onShare }: HeaderProps) {
  const site = client.site.value;
  const thread = client.thread.value;
  const conv = thread?.conv.value;
  const open = conv?.state === 'open';
  const broken = client.trust.value.mode === 'broken';
  const agent = open && !broken ? thread?.agentName.value : null;
  const name = agent ?? (site ? siteName(site) : t('title'));
  return (
    <div class="w-header">
      <Avatar name={agent ?? site?.orgName ?? t('title')} org={!agent} />
      <div class="k-grow">
        <h1>
          <bdi>{name}</bdi>
        </h1>
        {!broken && <Presence client={client} serving={!!agent} />}
      </div>
      {open && !broken && (
        <Button kind="plain" size="sm" aria-label={t('endChat')} onClick={onEnd}>
          {t('end')}
        </Button>
      )}
      {!broken && thread?.synced.value && <IconButton icon={icon.device} label={t('otherDevice')} onClick={onShare} />}
      <IconButton icon={icon.close} label={t('closeChat')} onClick={onClose} />
    </div>
  );
}

function Presence({ client, serving }: { client: VisitorClient; serving: boolean }) {
  const presence = client.presence.value;
  const owner = client.thread.value?.conv.value?.owner;
  const site = client.site.value;
  const { state } = client.connection.value;
  if (!site) return null;
  // Nobody can be reached now.
  if (state === 'ended') return null;
  if (state !== 'online') return <Line dot="offline">{t('connecting')}</Line>;
  if (serving) return <Line dot="online">{`${siteName(site)} · ${t('serving')}`}</Line>;
  if (client.robot.value) return <Line dot="online">{t('robotServing')}</Line>;
  if (presence === 'away') return <Line dot="offline">{t('away')}</Line>;
  if (owner === 'queue' || client.personAsked.value) return <Line dot="online">{t('waitingAgent')}</Line>;
  if (presence === 'busy') return <Line dot="busy">{t('busy')}</Line>;
  return presence === 'open' ? <Line dot="online">{t('online')}</Line> : null;
}

function Line({ dot, children }: { dot: string; children: string }) {
  return (
    <p class="w-presence">
      <span class={`k-dot k-dot-${dot}`} aria-hidden="true" />
      <span>{children}</span>
    </p>
  );
}
