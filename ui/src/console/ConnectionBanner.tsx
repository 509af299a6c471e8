/** Says when the desk is cut off, and that it is back. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { AgentClient } from '../model';
import { errorText, t } from '../i18n/console';
import { Banner } from '../ui/bits';
import { Button } from '../ui/Button';
import * as icon from '../ui/icons';

const CONNECTED_MS = 2_000;

export function ConnectionBanner({ client }: { client: AgentClient }) {
  const { state, reason } = client.connection.value;
  const back = useSignal(false);
  const wasDown = useRef(false);
  useEffect(() => {
    if (state === 'waiting' || state === 'ended') wasDown.current = true;
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
      {t('reconnect')}
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
        {t('waitingNet')}
      </Banner>
    );
  }
  if (state === 'connecting') return <Banner kind="info">{t('connecting')}</Banner>;
  return back.value ? (
    <Banner kind="ok" icon={icon.check}>
      {t('connected')}
    </Banner>
  ) : null;
}
