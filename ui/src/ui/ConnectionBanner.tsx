/** Shows when the page is offline, and that it is back. Hidden while connected; a quick first connect shows nothing. */
import { useEffect, useRef } from 'preact/hooks';
import type { Connection } from '../model';
import { Banner } from './Banner';
import { Button } from './Button';
import * as icon from './icons';
import { useSignal } from './signals';
import { WaitBanner } from './WaitBanner';

const CONNECTED_MS = 2_000;
const PATIENCE_MS = 800;

interface ConnectionBannerProps {
  connection: Connection;
  /** Why it ended or does not come, as a sentence. */
  why: string;
  t(key: 'connecting' | 'connected' | 'cutOff' | 'ended' | 'retryNow', vars?: { why: string }): string;
  onAgain(): void;
}

export function ConnectionBanner({ connection: { state, wait, reason }, why, t, onAgain }: ConnectionBannerProps) {
  const slow = useSignal(false);
  const back = useSignal(false);
  const wasDown = useRef(false);
  const down = state === 'waiting' || state === 'ended';

  useEffect(() => {
    if (down) wasDown.current = true;
    const show = state === 'connecting' ? slow : state === 'online' && wasDown.current ? back : null;
    if (!show) return;
    if (show === back) {
      wasDown.current = false;
      back.value = true;
    }
    const timer = setTimeout(() => (show.value = show === slow), show === slow ? PATIENCE_MS : CONNECTED_MS);
    return () => {
      clearTimeout(timer);
      show.value = false;
    };
  }, [state]);

  // the server is there: to press a button would not help
  if (wait && state === 'waiting') return <WaitBanner wait={wait} then="asked" />;
  if (down) {
    const again = (
      <Button size="sm" onClick={onAgain}>
        {t('retryNow')}
      </Button>
    );
    return (
      <Banner kind={state === 'ended' ? 'danger' : 'warn'} icon={icon.alert} action={again}>
        {state === 'ended' ? t('ended', { why }) : !reason || reason === 'error.network' ? t('cutOff') : why}
      </Banner>
    );
  }
  if (slow.value) return <Banner kind="info">{t('connecting')}</Banner>;
  return back.value ? (
    <Banner kind="ok" icon={icon.check}>
      {t('connected')}
    </Banner>
  ) : null;
}
