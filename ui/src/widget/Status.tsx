/** Banners about the queue, who is there, and the conversation beside this one. */
import type { VisitorClient } from '../model';
import { localised } from '../i18n/core';
import { t } from '../i18n/widget';
import { Banner } from '../ui/Banner';
import { Button } from '../ui/Button';
import * as icon from '../ui/icons';
import { soon } from '../ui/time';

/** What happens with a message that is left: in the company's words, or when its hours begin. */
function awayText({ site, opens }: VisitorClient): string {
  const at = opens.value;
  return localised(site.value?.away) || (at ? t('awayOpens', { at: soon(at) }) : t('awayText'));
}

/** What to expect, shown before anything is typed. */
export function ExpectBanner({ client }: { client: VisitorClient }) {
  const place = client.queue.value;
  const thread = client.thread.value;
  const presence = client.presence.value;
  // The robot answers; the presence of people is shown when it leaves. Its answer shows the rest.
  if (client.robot.value || thread?.agentName.value) return null;
  if (presence === 'away') {
    // A message was left; the robot can be asked on in a conversation of its own.
    const robot = client.hasRobot.value && !client.other.value && thread?.conv.value?.owner === 'queue' && (
      <Button size="sm" onClick={() => client.askRobot()}>
        {t('askRobot')}
      </Button>
    );
    return (
      <Banner kind="warn" icon={icon.info} action={robot}>
        <strong>{t('awayLead')}</strong>
        <br />
        {awayText(client)}
      </Banner>
    );
  }
  // The server's word about the queue may come after its word about who took it.
  if (client.personAsked.value) return <Banner kind="info">{t(thread ? 'personAsked' : 'personFirst')}</Banner>;
  const ahead = place !== null ? place - 1 : thread ? -1 : client.ahead.value;
  const busy = presence === 'busy';
  if (ahead < 0 || (place === null && !busy)) return null;
  return (
    <Banner kind="info">
      {!ahead ? t('queueNext') : busy ? t('busyAhead', { n: ahead }) : t('queue', { n: ahead + 1 })}
    </Banner>
  );
}

/** The way to the other conversation, as long as there is something to see. */
export function OtherBanner({ client }: { client: VisitorClient }) {
  const other = client.other.value;
  const conv = other?.conv.value;
  if (!other || !conv || (conv.state === 'closed' && !other.unread.value)) return null;
  const text = conv.owner === 'robot' ? 'otherRobot' : other.unread.value ? 'otherNew' : 'otherWaits';
  return (
    <Banner
      kind={text === 'otherNew' ? 'ok' : 'info'}
      icon={icon.chat}
      action={
        <Button size="sm" onClick={() => client.swap()}>
          {t('view')}
        </Button>
      }
    >
      {t(text)}
    </Banner>
  );
}
