/** Banners about the connection, the queue and who is there. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { VisitorClient } from '../model';
import { errorText, t } from '../i18n/widget';
import { Banner } from '../ui/bits';
import { Button } from '../ui/Button';
import * as icon from '../ui/icons';

const CONNECTED_MS = 2_000;
const PATIENCE_MS = 800;

/** Silent while all is well; a first connect that is quick is not worth a word. */
export function ConnectionBanner({ client }: { client: VisitorClient }) {
  const { state, reason } = client.connection.value;
  const slow = useSignal(false);
  const back = useSignal(false);
  const wasDown = useRef(false);

  useEffect(() => {
    if (state === 'waiting' || state === 'ended') wasDown.current = true;
    if (state === 'connecting') {
      const timer = setTimeout(() => (slow.value = true), PATIENCE_MS);
      return () => clearTimeout(timer);
    }
    slow.value = false;
    if (state !== 'online' || !wasDown.current) return;
    wasDown.current = false;
    back.value = true;
    const timer = setTimeout(() => (back.value = false), CONNECTED_MS);
    return () => {
      clearTimeout(timer);
      back.value = false;
    };
  }, [state]);

  const again = (
    <Button size="sm" onClick={() => client.reconnect()}>
      {t('retryNow')}
    </Button>
  );
  if (state === 'ended') {
    return (
      <Banner kind="danger" icon={icon.alert} action={again}>
        {t('ended', { why: errorText(reason) })}
      </Banner>
    );
  }
  if (state === 'waiting') {
    return (
      <Banner kind="warn" icon={icon.alert} action={again}>
        {t('offline')}
      </Banner>
    );
  }
  if (state === 'connecting' && slow.value) return <Banner kind="info">{t('connecting')}</Banner>;
  if (state === 'online' && back.value) {
    return (
      <Banner kind="ok" icon={icon.check}>
        {t('connected')}
      </Banner>
    );
  }
  return null;
}

/** What to expect, said before anything is typed. */
export function ExpectBanner({ client }: { client: VisitorClient }) {
  const place = client.queue.value;
  const served = client.thread.value?.agentName.value;
  if (client.presence.value === 'away' && !served) {
    return (
      <Banner kind="warn" icon={icon.info}>
        <strong>{t('awayLead')}</strong>
        <br />
        {t('awayText')}
      </Banner>
    );
  }
  if (place === null) return null;
  return <Banner kind="info">{place === 1 ? t('queueNext') : t('queue', { n: place })}</Banner>;
}
