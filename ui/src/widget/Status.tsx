/** A banner about the queue and who is there. */
import type { VisitorClient } from '../model';
import { t } from '../i18n/widget';
import { Banner } from '../ui/bits';
import * as icon from '../ui/icons';

/** What to expect, said before anything is typed. */
export function ExpectBanner({ client }: { client: VisitorClient }) {
  const place = client.queue.value;
  const served = client.thread.value?.agentName.value;
  // The robot is there; what people do is said when it goes.
  if (client.robot.value) return null;
  if (client.presence.value === 'away' && !served) {
    return (
      <Banner kind="warn" icon={icon.info}>
        <strong>{t('awayLead')}</strong>
        <br />
        {t('awayText')}
      </Banner>
    );
  }
  // The server's word about the queue may come after its word about who took it.
  if (client.personAsked.value) return <Banner kind="info">{t(client.thread.value ? 'personAsked' : 'personFirst')}</Banner>;
  if (place === null || served) return null;
  return <Banner kind="info">{place === 1 ? t('queueNext') : t('queue', { n: place })}</Banner>;
}
